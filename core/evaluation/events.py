"""Judging a detector by whole events in time: the volume under the surface (VUS-PR) and the share of events caught.

Both take rows in time order. Neither is point-adjusted: a flag in an event never counts for the rows without one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.bootstrap import wilson_bounds
from core.evaluation.result import Metric, not_defined
from core.messages import msg

Floats = NDArray[np.float64]
Limits = tuple[NDArray[np.int64], NDArray[np.int64]]

WIDEST = 100
"""Rows of the widest border, the default of the published package (TSB-AD, `get_metrics`)."""
N_THRESHOLDS = 250
LAGS, FIRST_LAG, LONGEST_LAG, USUAL_LAG, LOOKED_AT = 400, 3, 300, 125, 20_000


def vus_pr(truth: ArrayLike, scores: ArrayLike, *, widest: int = WIDEST, groups: ArrayLike | None = None) -> Metric:
    """Volume under the precision-recall surface, 0 to 1; guessing gives about the share of bad rows.

    A label's ends are rarely known to the row. So each event gets borders of ℓ ÷ 2 rows on both sides, in which a flag
    counts √(1 − distance ÷ ℓ), and the area under the range precision-recall curve is averaged over ℓ = 0 … `widest`.
    With y the labels with borders, p the flags at a threshold and P the bad rows:
    precision = Σ yp ÷ Σ p, recall = min(1, 2 Σ yp ÷ (2P + Σ yp in borders)) · share of bordered events with a flag.
    Thresholds are 250 quantiles of the scores.

    Args:
        truth: (n_rows,) in time order, True or 1 for bad rows; NaN where unknown.
        scores: (n_rows,) higher = odder; NaN where not scored. Rows with a NaN are left out.
        groups: (n_rows,) what follows one another, as the codes of machines whose rows stand together; an event and its
            borders end with its group. One sequence by default.
        widest: The largest ℓ in rows, 0 or more. The published protocol takes `usual_period` of the first sensor.

    Degenerate cases: no bad row, or only bad rows: not defined. All scores equal: the share of bad rows, about.

    Source: Paparrizos, Boniol, Palpanas, Tsay, Elmore, Franklin (2022), PVLDB 15(11), "Volume under the surface"; as
    computed by the authors' package `vus` (`RangeAUC_volume_opt`).
    """
    y, s = np.asarray(truth, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    known = ~(np.isnan(y) | np.isnan(s))
    bad, values = y[known] > 0, s[known]
    if not bad.any() or bad.all():
        return not_defined("vus_pr", len(bad), msg("Good and bad rows are both needed."))
    return Metric("vus_pr", _volume(bad, values, widest, _group_ends(groups, known)), len(bad))


def event_recall(truth: ArrayLike, flags: ArrayLike, *, groups: ArrayLike | None = None) -> Metric:
    """Share of the events with at least one flagged row; an event is a run of bad rows in time order. `n` counts events.

    Args:
        truth: (n_rows,) in time order, True or 1 for bad rows; NaN where unknown.
        flags: (n_rows,) True or 1 where flagged; NaN where not scored. Rows with a NaN are left out.
        groups: As for `vus_pr`.

    Degenerate cases: no bad row: not defined. The interval is Wilson's over events.
    """
    y, f = np.asarray(truth, dtype=np.float64), np.asarray(flags, dtype=np.float64)
    known = ~(np.isnan(y) | np.isnan(f))
    starts, ends = _runs(y[known] > 0, _group_ends(groups, known)[0])
    if not len(starts):
        return not_defined("event_recall", 0, msg("There is nothing to catch in these rows."))
    total = np.concatenate([[0], np.cumsum(f[known] > 0)])
    caught = float(np.count_nonzero(total[ends + 1] > total[starts]))
    return Metric("event_recall", caught / len(starts), len(starts), *wilson_bounds(caught, float(len(starts))))


def usual_period(values: ArrayLike) -> int:
    """The lag in rows of the highest local maximum of the autocorrelation of `values` (n,), lags 4 to 399; 125 without one.

    At most the first 20,000 rows are looked at; a lag above 303 counts as none. Source: `find_length_rank` of TSB-AD,
    which the published VUS-PR figures use for the widest border.
    """
    x = np.asarray(values, dtype=np.float64)[:LOOKED_AT]
    x = x - x.mean()
    size = 2 ** int(np.ceil(np.log2(2 * max(2, len(x)))))
    power = np.fft.irfft(np.abs(np.fft.rfft(x, size)) ** 2, size)[: min(LAGS, len(x) - 1) + 1]
    if power[0] <= 0:
        return USUAL_LAG
    found = (power / power[0])[FIRST_LAG:]
    peaks = np.flatnonzero((found[1:-1] > found[:-2]) & (found[1:-1] > found[2:])) + 1
    if not len(peaks):
        return USUAL_LAG
    best = int(peaks[np.argmax(found[peaks])])
    return USUAL_LAG if best < FIRST_LAG or best > LONGEST_LAG else best + FIRST_LAG


def _volume(bad: NDArray[np.bool_], scores: Floats, widest: int, limits: Limits) -> float:
    """The mean over all borders of the area under the range precision-recall curve."""
    starts, ends = _runs(bad, limits[0])
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    thresholds = falling[np.linspace(0, len(scores) - 1, N_THRESHOLDS).astype(np.int64)]
    n_flagged = np.searchsorted(-falling, -thresholds, side="right")
    n_bad = int(bad.sum())
    hits = np.cumsum(bad[order])[n_flagged - 1].astype(np.float64)
    areas = []
    for width in range(widest + 1):
        weights = _borders(bad, starts, ends, width, limits)
        found = np.cumsum(weights[order])[n_flagged - 1]
        highest = np.sort(np.maximum.reduceat(scores, *_spans(starts, ends, width, limits))[::2])
        caught = 1 - np.searchsorted(highest, thresholds, side="left") / len(highest)
        recall = np.minimum((hits + found) / (n_bad + found / 2), 1.0) * caught
        areas.append(float(np.dot(np.diff(recall, prepend=0.0), (hits + found) / n_flagged)))
    return float(np.mean(areas))


def _borders(bad: NDArray[np.bool_], starts: NDArray[np.int64], ends: NDArray[np.int64], width: int, limits: Limits) -> Floats:
    """What a flag counts in the borders of the events, (n,), 0 elsewhere and in the events themselves."""
    weights, (first, last) = np.zeros(len(bad)), limits
    reach = width // 2
    if reach:
        share = np.sqrt(1 - np.arange(1, reach + 1) / width)
        for start, end in zip(starts, ends, strict=True):
            after = min(reach, int(last[end]) - end)
            weights[end + 1 : end + 1 + after] += share[:after]
            before = min(reach, start - int(first[start]))
            weights[start - before : start] += share[:before][::-1]
    return np.where(bad, 0.0, np.minimum(weights, 1.0))


def _spans(starts: NDArray[np.int64], ends: NDArray[np.int64], width: int, limits: Limits) -> tuple[NDArray[np.int64]]:
    """Places that cut the rows into events with borders (every other piece) and what lies between; touching ones are one."""
    reach, (group_first, group_last), n = width // 2, limits, len(limits[0])
    apart = (ends[:-1] + reach < starts[1:] - reach) | (group_first[ends[:-1]] != group_first[starts[1:]])
    heads, tails = np.concatenate([starts[:1], starts[1:][apart]]), np.concatenate([ends[:-1][apart], ends[-1:]])
    first, last = np.maximum(heads - reach, group_first[heads]), np.minimum(tails + reach, group_last[tails])
    cuts = np.column_stack([first, last + 1]).ravel()
    return (cuts[cuts < n],)


def _runs(bad: NDArray[np.bool_], group_first: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last row of each run of bad rows; a run ends with its group."""
    is_first = group_first == np.arange(len(bad))
    begins = bad & (is_first | ~np.concatenate([[False], bad[:-1]]))
    ends = bad & (np.concatenate([is_first[1:], [True]]) | ~np.concatenate([bad[1:], [False]]))
    return np.flatnonzero(begins), np.flatnonzero(ends)


def _group_ends(groups: ArrayLike | None, known: NDArray[np.bool_]) -> Limits:
    """First and last row of the group of each known row, (n_known,) both."""
    n = int(np.count_nonzero(known))
    if groups is None:
        return np.zeros(n, dtype=np.int64), np.full(n, n - 1, dtype=np.int64)
    codes = np.asarray(groups)[known]
    cuts = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    first, lengths = np.concatenate([[0], cuts]), np.diff(np.concatenate([[0], cuts, [n]]))
    return np.repeat(first, lengths), np.repeat(first + lengths - 1, lengths)
