"""What a finished run gives for a control chart: its held-out rows in order, with their score or residual, and Phase I among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.score_chart import Prefer
from core.anomalies.score_limits import Side
from core.data.split import TRAIN, VALIDATION
from core.errors import NotEnoughData, SettingProblem
from core.jobs.judging import label_flags
from core.messages import Message, msg
from core.spc.chart import Phases
from core.workflows.anomalies import EXPECTED
from core.workflows.results import Results

Judged = Literal["score", "residual", "surprise"]


@dataclass(frozen=True, slots=True)
class ScoreSeries:
    """The rows of a chart of a run. Arrays are (n,), in the order of group and time; training rows are left out unless Phase I asks for them.

    `values` are scores, residuals (measured less predicted) or 1 − the probability of the true class, NaN where there is none. `of` has
    Phase I and the stretches that nothing reaches over; `phase` is each row's place in time, in rows. `labels` are 1 anomalous, 0
    normal, NaN unknown, None where the run has none. `is_seen`: Phase I holds rows that the model was trained on.
    """

    kind: Judged
    what: Message
    unit: str
    side: Side
    prefer: Prefer
    values: NDArray[np.float64]
    rows: NDArray[np.int64]
    times: NDArray
    groups: NDArray | None
    parts: NDArray[np.int8]
    labels: NDArray[np.float64] | None
    of: Phases
    phase: NDArray[np.int64]
    period_seconds: float | None
    notes: tuple[Message, ...]
    is_seen: bool = False

    @property
    def centred(self) -> NDArray[np.float64]:
        """The scores, or residuals less their median in Phase I, (n,)."""
        if self.side == "upper":
            return self.values
        base = self.values[self.of.baseline]
        return np.asarray(self.values - float(np.median(base[np.isfinite(base)])))

    @property
    def odd(self) -> NDArray[np.float64]:
        """How odd each row is, high is odd, (n,): the scores, or how far residuals are from their median in Phase I."""
        return self.centred if self.side == "upper" else np.abs(self.centred)


def score_series(results: Results, first: int | None = None, last: int | None = None) -> ScoreSeries:
    """The held-out rows of a run with Phase I: the validation part less labelled anomalies, or the rows of the table from `first` to `last`.

    Args:
        first: First row of Phase I, counted from 1 as in the table; None from the beginning.
        last: Last row of Phase I; None to the end.

    Raises:
        SettingProblem: a range that holds no row.
        NotEnoughData: the run has no held-out row with a score.
    """
    kind, what, values = _values(results)
    rows = results.row_order
    codes = None if results.group_names is None else results.group_names[0]
    labels = _labels(results)
    parts = results.parts[rows]
    is_chosen = first is not None or last is not None
    phase_one = _chosen(rows, first, last, results.n_rows) if is_chosen else parts == VALIDATION
    if labels is not None:
        phase_one &= ~(labels[rows] == 1)
    shown = np.flatnonzero((parts != TRAIN) | phase_one)
    shown = shown[(parts[shown] >= 0) & (parts[shown] <= 2)]
    of = _phases(phase_one, shown, None if codes is None else codes[rows], results.manifest.split["method"])
    found = values[rows][shown]
    if not np.isfinite(found[of.baseline]).any():
        raise NotEnoughData(
            msg("No row of Phase I has a score or residual."),
            msg("Limits come from held-out rows that the run has judged."),
            msg("Choose another range, or a run with a larger validation part."),
        )
    times = results.positions(rows[shown])
    phase, seconds = _phase(times, of)
    is_seen = is_chosen and bool((parts[shown][of.baseline] == TRAIN).any())
    notes = (msg("Phase I holds rows that the model was trained on: limits from them are too narrow."),) if is_seen else ()
    return ScoreSeries(
        kind=kind,
        what=what,
        unit="" if kind != "residual" else results.unit,
        side="both" if kind == "residual" else "upper",
        prefer="residual" if kind == "residual" else "level",
        values=found,
        rows=rows[shown],
        times=times,
        groups=results.groups(rows[shown]),
        parts=parts[shown],
        labels=None if labels is None else labels[rows][shown],
        of=of,
        phase=phase,
        period_seconds=seconds,
        notes=notes,
        is_seen=is_seen,
    )


def _values(results: Results) -> tuple[Judged, Message, NDArray[np.float64]]:
    """What is judged of each row of the dataset."""
    if results.task == "anomaly":
        return "score", msg("anomaly score"), results.judged
    if results.task == "forecast":
        if EXPECTED not in results.columns:
            raise NotEnoughData(
                msg("This forecast has no residual one step ahead."),
                msg("A chart needs what was expected of each row one row before."),
                msg("Train it again."),
            )
        return "residual", msg("residual one step ahead"), _truth(results) - results.numbers(EXPECTED)
    if results.task == "classification":
        return "surprise", msg("1 − probability of the true class"), _surprise(results)
    return "residual", msg("residual, measured less predicted"), _truth(results) - results.numbers("prediction")


def _truth(results: Results) -> NDArray[np.float64]:
    """Measured values; of a forecast they stand in the dataset where the scores do not have them."""
    if "truth" in results.columns:
        return results.numbers("truth")
    target = str(results.manifest.target_column)
    return results.dataset.rows([target]).read()[target].to_numpy(dtype=np.float64, na_value=np.nan)


def _surprise(results: Results) -> NDArray[np.float64]:
    names = [name for name in results.columns if name.startswith("probability_")]
    truth = results.cells(["truth"])["truth"]
    found = np.full(results.n_rows, np.nan)
    for name in names:
        own = (truth.astype("str") == name.removeprefix("probability_")).to_numpy(dtype=bool) & truth.notna().to_numpy()
        found[own] = 1 - results.numbers(name)[own]
    return found


def _labels(results: Results) -> NDArray[np.float64] | None:
    if results.task != "anomaly" or "truth" not in results.columns:
        return None
    return label_flags(results.cells(["truth"])["truth"].to_numpy(dtype=object))


def _chosen(rows: NDArray[np.int64], first: int | None, last: int | None, n: int) -> NDArray[np.bool_]:
    found = (rows + 1 >= (1 if first is None else first)) & (rows + 1 <= (n if last is None else last))
    if not found.any():
        raise SettingProblem(
            msg("Phase I was asked for from row {first} to row {last}.", first=first or 1, last=last or n),
            msg("Expected rows from 1 to {n}, the first not after the last.", n=n),
            msg("Change first_row or last_row."),
        )
    return found


def _phases(phase_one: NDArray[np.bool_], shown: NDArray[np.int64], codes: NDArray[np.int64] | None, method: str) -> Phases:
    """Phase I and stretches of the rows shown: a stretch ends with a group and, but after a split at random, where rows are left out."""
    left_out = None if method in ("random", "column") else np.diff(shown) > 1
    return stretches_of(phase_one[shown], None if codes is None else codes[shown], left_out)


def stretches_of(
    baseline: NDArray[np.bool_], codes: NDArray[np.int64] | None, left_out: NDArray[np.bool_] | None = None
) -> Phases:
    """Rows with their baseline (n,) in stretches that end with a group, by its `codes` (n,), and where rows are `left_out` between two (n - 1,)."""
    n = len(baseline)
    edge = np.zeros(max(n - 1, 0), bool) if left_out is None else left_out
    if codes is not None:
        edge = edge | (np.diff(codes) != 0)
    bounds = np.concatenate([[0], np.flatnonzero(edge) + 1, [n]]).astype(np.int64) if n else np.zeros(1, np.int64)
    return Phases(baseline, np.zeros(n, np.int64), ("",), bounds)


def _phase(times: NDArray, of: Phases) -> tuple[NDArray[np.int64], float | None]:
    """Place of each row in time, in usual steps from the first, and the seconds of a step; the row's number where times do not tell it."""
    n = len(times)
    plain = np.arange(n, dtype=np.int64)
    is_clock = pd.api.types.is_datetime64_any_dtype(times)
    at = times.astype("datetime64[us]").astype(np.int64).astype(np.float64) if is_clock else None
    if at is not None:
        at[np.isnat(times)] = np.nan
    if at is None:
        if not pd.api.types.is_numeric_dtype(times):
            return plain, None
        at = np.asarray(times, np.float64)
    steps = np.concatenate([np.diff(at[part]) for part in of.stretches] or [np.zeros(0)])
    steps = steps[np.isfinite(steps) & (steps > 0)]
    if not len(steps) or not np.isfinite(at).all():
        return plain, None
    step = float(np.median(steps))
    return np.rint((at - at.min()) / step).astype(np.int64), step / 1e6 if is_clock else None
