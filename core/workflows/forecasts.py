"""What the Predictions screen shows of a forecast: the next values, error against step ahead, and the fan from any origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import SettingProblem
from core.evaluation import Metric, StepFigures, compare_with_baseline, paired_differences
from core.features.own_past import Following, OwnPast, following
from core.features.pipeline import time_values
from core.messages import Message, msg
from core.models import model_by_key
from core.serving.forecasts import half_widths, prediction_names
from core.workflows.predictions import part_words
from core.workflows.results import Results, remembered

HISTORY_HORIZONS, SHORTEST_HISTORY, LONGEST_HISTORY = 3, 60, 400
MOST_ORIGINS = 200
COMPARED_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class ForecastView:
    """A forecast's figures on the test part, over all steps and for each.

    `latest` has the values after the last row of each group: group, time, step, prediction, lower, upper, why_not.
    `baseline_steps` by the key of each baseline. `level` is the promised coverage of the bands, None without bands.
    """

    metrics: tuple[Metric, ...]
    baseline_metrics: Mapping[str, Metric]
    unit: str
    target: str
    horizon: int
    season: int
    level: float | None
    n_band: int
    steps: tuple[StepFigures, ...]
    baseline_steps: Mapping[str, tuple[StepFigures, ...]]
    latest: pd.DataFrame
    groups: tuple[str, ...]
    verdict: Message


@dataclass(frozen=True, slots=True)
class Fan:
    """One forecast with what led to it: times or row numbers and values before its origin, and h values ahead.

    `truth` (h,) is NaN where it is not known (yet); `lower` and `upper` are None without bands.
    """

    group: str
    origin_row: int
    history_at: NDArray
    history: NDArray[np.float64]
    at: NDArray
    prediction: NDArray[np.float64]
    lower: NDArray[np.float64] | None
    upper: NDArray[np.float64] | None
    truth: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Origins:
    """Rows of one group from which a forecast can be shown, in order of time, with their times or row numbers."""

    rows: NDArray[np.int64]
    at: NDArray


def forecast_view(results: Results) -> ForecastView:
    """The figures of a forecast.

    Raises:
        SettingProblem: the run answers another question.
    """
    _check(results)
    summary, manifest = results.run.summary, results.manifest
    return ForecastView(
        metrics=tuple(results.run.metrics.values()),
        baseline_metrics=results.run.baseline_metrics,
        unit=results.unit,
        target=manifest.target_column or "",
        horizon=_past(results).horizon,
        season=_past(results).season,
        level=1 - manifest.bands[0].alpha if manifest.bands else None,
        n_band=manifest.bands[0].n if manifest.bands else 0,
        steps=_steps(summary.get("steps", ())),
        baseline_steps={key: _steps(found) for key, found in summary.get("baseline_steps", {}).items()},
        latest=latest_values(results),
        groups=group_words(results),
        verdict=remembered(results, "forecast_verdict", lambda: forecast_verdict(results)),
    )


def latest_values(results: Results) -> pd.DataFrame:
    """The values after the last row of each group, as the run stored them."""
    return pd.read_parquet(results.folder / "next_values.parquet")


def group_words(results: Results) -> tuple[str, ...]:
    """The groups as texts in the order of the file; empty without a group column."""
    found = results.group_names
    return () if found is None else tuple(str(name) for name in found[1])


def origins(results: Results, group: str = "", part: str = "test") -> Origins:
    """Where a forecast of one group can begin: at most 200 rows of a part, evenly spread, the last of them the latest."""
    rows = _group_rows(results, group)
    if part != "all":
        rows = rows[np.isin(rows, results.part_rows(part))]
    rows = rows[np.isfinite(results.numbers(prediction_names(1)[0], rows))]
    if len(rows) > MOST_ORIGINS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_ORIGINS).astype(np.int64)]
    return Origins(rows, results.positions(rows))


def last_row(results: Results, group: str = "") -> int:
    """The last row of a group from which there is a forecast, else its last row."""
    rows = _group_rows(results, group)
    known = rows[np.isfinite(results.numbers(prediction_names(1)[0], rows))]
    return int((known if len(known) else rows)[-1])


def fan(results: Results, origin_row: int, group: str = "") -> Fan:
    """The forecast that was made at a row of the table, with the rows before it and what came.

    Raises:
        SettingProblem: the run answers another question, or the row is none of the group's.
    """
    _check(results)
    past, ordered = _past(results), _group_rows(results, group)
    place = np.flatnonzero(ordered == origin_row)
    if not len(place):
        raise SettingProblem(
            msg("Row {row} is not one of '{group}'.", row=origin_row, group=group),
            msg("Expected a row from which a forecast was made."),
            msg("Choose another origin."),
        )
    at, h = int(place[0]), past.horizon
    n_before = int(np.clip(HISTORY_HORIZONS * max(h, min(past.season, LONGEST_HISTORY)), SHORTEST_HISTORY, LONGEST_HISTORY))
    before, after = ordered[max(0, at + 1 - n_before) : at + 1], _rows_after(results, origin_row)
    truth = np.full(h, np.nan)
    truth[: len(after)] = results.numbers("truth", after)
    predicted = results.cells(prediction_names(h), np.array([origin_row])).to_numpy(dtype=np.float64)[0]
    widths = half_widths(results.manifest)
    return Fan(
        group=group,
        origin_row=origin_row,
        history_at=results.positions(before),
        history=results.numbers("truth", before),
        at=_positions_ahead(results, past, origin_row, after),
        prediction=predicted,
        lower=None if widths is None else predicted - widths,
        upper=None if widths is None else predicted + widths,
        truth=truth,
    )


def forecast_verdict(results: Results) -> Message:
    """One sentence: the average error on the test part beside the baseline's, and whether the difference is more than chance."""
    run = results.run
    model, base = run.metrics.get("mae"), run.baseline_metrics.get("mae")
    if model is None or model.value is None:
        return msg("This run has no figures on a test part.")
    if base is None or results.baseline_scores is None or not base.is_defined:
        return msg("On the test part, {metric} is {value} {unit}.", metric="MAE", value=model.value, unit=results.unit)
    ahead, rows = _following_rows(results)
    is_judged = (results.parts[rows] == 2) & (ahead.last > np.arange(len(rows)))
    places = np.flatnonzero(is_judged)
    if len(places) > COMPARED_ROWS:
        places = places[np.linspace(0, len(places) - 1, COMPARED_ROWS).astype(np.int64)]
    names = prediction_names(ahead.horizon)
    ours = results.cells(names, rows[places]).to_numpy(dtype=np.float64)
    theirs = results.baseline_scores[list(names)].to_numpy(dtype=np.float64)[rows[places]]
    blocks = results.blocks(rows[places])
    each = None if blocks is None else np.repeat(blocks, ahead.horizon)
    truth = ahead.batch(places)
    differences = paired_differences(
        "mae", truth.ravel(), ours.ravel(), theirs.ravel(), seed=run.request.seed, blocks=each, n_boot=300
    )
    title = model_by_key(run.baseline).title
    return compare_with_baseline(
        model, base, differences, baseline_title=title, part=part_words(results), unit=results.unit
    ).message


def _rows_after(results: Results, origin_row: int) -> NDArray[np.int64]:
    """The rows that a forecast from a row is about: at most as many as it has steps, none behind a gap or in another part."""
    ahead, rows = _following_rows(results)
    at = np.flatnonzero(rows == origin_row)
    if not len(at):
        return rows[:0]
    place = int(at[0])
    return rows[place + 1 : min(place + ahead.horizon, int(ahead.last[place])) + 1]


def _following_rows(results: Results) -> tuple[Following, NDArray[np.int64]]:
    """What follows each scored row in its series and part, and the rows in that order."""
    past = _past(results)
    is_kept = ~results.cells(["why_not"])["why_not"].fillna("").astype(str).str.startswith("left out").to_numpy()
    rows, found = results.row_order, results.group_names
    rows = rows[is_kept[rows]]
    groups = np.zeros(len(rows), dtype=np.int64) if found is None else found[0][rows]
    times = None if results.time is None else time_values(results.cells([results.time])[results.time])[rows]
    series = past.series(groups, times)
    first = np.searchsorted(series, series)
    return following(results.numbers("truth", rows), first, results.parts[rows], past.horizon), rows


def _group_rows(results: Results, group: str) -> NDArray[np.int64]:
    """The rows of one group in order of time; of all rows without groups."""
    rows, found = results.row_order, results.group_names
    if found is None:
        return rows
    names = [str(name) for name in found[1]]
    return rows[found[0][rows] == names.index(group)] if group in names else rows[:0]


def _positions_ahead(results: Results, past: OwnPast, origin: int, after: NDArray[np.int64]) -> NDArray:
    """Times or row numbers of the h values ahead: those of the rows that came, and usual steps where none came."""
    start = results.positions(np.array([origin]))
    h = past.horizon
    if results.time is None or past.step is None:
        return int(start[0]) + np.arange(1, h + 1)
    known = results.positions(after)
    from_last = known[-1:] if len(known) else start
    steps = np.arange(1, h + 1 - len(after))
    if np.issubdtype(np.asarray(start).dtype, np.datetime64):
        more = from_last.astype("datetime64[us]") + np.round(steps * past.step * 1e6).astype("timedelta64[us]")
        return np.concatenate([known.astype("datetime64[us]"), more])
    return np.concatenate([np.asarray(known, dtype=np.float64), np.asarray(from_last, dtype=np.float64) + steps * past.step])


def _past(results: Results) -> OwnPast:
    return OwnPast.from_json(results.manifest.pipeline["own_past"])


def _steps(stored: Sequence[Mapping[str, Any]]) -> tuple[StepFigures, ...]:
    return tuple(StepFigures(**one) for one in stored)


def _check(results: Results) -> None:
    if results.task != "forecast":
        raise SettingProblem(
            msg("The run '{run}' answers another question ({task}).", run=results.run.name, task=results.task),
            msg("This view shows runs of: {tasks}.", tasks="forecast"),
            msg("Open another run."),
        )
