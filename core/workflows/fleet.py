"""The fleet: how long units last, and which of those that run will need work soon, by the model and by age alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.data.room import Room
from core.data.split import TEST
from core.errors import DataProblem, SettingProblem, unknown_column
from core.evaluation.survival import ChanceQuality, HeldOut, chance_quality, fit_weibull
from core.messages import Message, msg, msg_n
from core.serving import load_bundle
from core.serving.raw import PADDED
from core.serving.scoring import decide, input_notes, raw_scores
from core.store.files import disk_errors
from core.workflows.csv_out import write_csv
from core.workflows.datasets import list_datasets
from core.workflows.fleet_lives import FleetSettings, UnitTable, life_unit, lives_of, read_units, unit_name
from core.workflows.fleet_plan import FleetView, look_ahead, view_of
from core.workflows.results import Results
from core.workflows.scoring import read_table
from core.workflows.workspace import Workspace

JUDGED_ROWS = 5_000
COLUMNS = (
    "unit", "age", "prediction", "lower", "upper", "chance", "chance_by_age", "due", "hint", "at_cap", "why_not",
)  # fmt: skip
SCORED = ("prediction", "lower", "upper", "why_not")


def lives_view(
    dataset: Dataset, group: str | None, time: str | None, settings: FleetSettings, target: str | None = None
) -> FleetView:
    """The lives of a dataset without a model: what age alone says of the units that run.

    Raises:
        SettingProblem: no group column.
        DataProblem: a column is missing.
    """
    if group is None:
        raise SettingProblem(
            msg("No column tells the units apart."), msg("Expected a group column."), msg("Name the column of the units.")
        )
    table = read_units(dataset, group, time, settings, target)
    lives = lives_of((table,), life_unit(dataset, time))
    return view_of(lives, _running(table, _no_scores(len(table.names))), look_ahead(settings, lives), settings.period)


def fleet_view(
    results: Results,
    settings: FleetSettings,
    *,
    in_service: Dataset | None = None,
    truth: Mapping[str, float] | None = None,
) -> FleetView:
    """A run's fleet: its own dataset's units, or those of another dataset that has the same columns.

    Args:
        in_service: The fleet that runs now. None: the units of the run's dataset.
        truth: What remained in truth, by unit, to judge the chances afterwards; nothing is chosen by it.

    Raises:
        SettingProblem: the run predicts no remaining life.
        DataProblem: the fleet lacks columns of the model.
    """
    if results.task != "rul" or results.group is None:
        raise SettingProblem(
            msg("The run '{run}' answers another question ({task}).", run=results.run.name, task=results.task),
            msg("A fleet needs a run that predicts remaining life."),
            msg("Open another run."),
        )
    target = results.manifest.target_column
    no_notes: tuple[Message, ...] = ()
    own = read_units(results.dataset, results.group, results.time, settings, target)
    fleet, extra = own, no_notes
    if in_service is not None and in_service.id != results.dataset.id:
        ages = settings.with_values(ages="counter" if own.lives.from_counter else "first_row")
        fleet = read_units(in_service, results.group, results.time, ages, target, in_service=True)
        scores, extra = _scored(results, in_service, fleet.lives.last_row)
    else:
        scores = _own_scores(results, own.lives.last_row)
    lives = lives_of((own,) if fleet is own else (own, fleet), life_unit(results.dataset, results.time))
    within, held_out, running = look_ahead(settings, lives), _held_out(results, own), _running(fleet, scores)
    cap = _cap(results)
    view = view_of(lives, running, within, settings.period, held_out, cap, _reach(results, cap))
    quality, by_age = _quality(results, own, held_out, within)
    came = _came(fleet, view.units, truth)
    known = np.where(np.isfinite(came), came <= within, np.nan)
    judged, judged_by_age = (
        chance_quality(1 - view.units[name].to_numpy(), known) if np.isfinite(known).any() else None
        for name in ("chance", "chance_by_age")
    )
    notes = (*view.notes, *_taught(own), *_in_training(running), *extra)
    return replace(view, quality=quality, quality_by_age=by_age, judged=judged, judged_by_age=judged_by_age, notes=notes)


def fleets_of(ws: Workspace, results: Results) -> tuple[Dataset, ...]:
    """Datasets that may be a fleet in service of a run: they have all of its columns. Newest first, the run's own not among them."""
    manifest = results.manifest
    needed = {c.name for c in manifest.columns if c.name in load_bundle(_bundle(results), check=False).pipeline.plan.columns}
    needed |= {name for name in (results.group, results.time) if name is not None}
    return tuple(d for d in list_datasets(ws) if d.id != results.dataset.id and needed <= {column.name for column in d.columns})


def read_remaining(path: Path, column: str, group: str) -> dict[str, float]:
    """What remained in truth, by unit, from a file with one row a unit.

    Raises:
        DataProblem: a column is missing or holds texts, or a unit occurs more than once.
    """
    table = read_table(path)
    for name in (group, column):
        if name not in table.columns:
            raise unknown_column(name, [str(c) for c in table.columns])
    if not pd.api.types.is_numeric_dtype(table[column]):
        raise DataProblem(
            msg("The truth in '{column}' holds texts.", column=column),
            msg("Expected the remaining life of each unit, a number."),
            msg("Name another column."),
        )
    names = [unit_name(cell) for cell in table[group]]
    if len(set(names)) < len(names):
        raise DataProblem(
            msg("A unit occurs more than once in '{path}'.", path=path.name),
            msg("Expected one row a unit."),
            msg("Keep each unit's last row."),
        )
    return dict(zip(names, table[column].to_numpy(dtype=np.float64, na_value=np.nan).tolist(), strict=True))


def export_fleet(view: FleetView, path: Path) -> None:
    """The table of the running units as CSV that a spreadsheet opens safely; `within` stands in each row."""
    write_csv(view.units[list(COLUMNS)].assign(within=view.within), path, formula_safe=True)


def _cap(results: Results) -> float | None:
    cap = (results.manifest.target or {}).get("cap")
    return None if cap is None else float(cap)


def _reach(results: Results, cap: float | None) -> float | None:
    """How far ahead the model tells lives apart: a life predicted at the cap may be shorter by the half width of the interval."""
    interval = results.manifest.interval
    return cap if cap is None or interval is None else max(cap - interval.half_width, 0.0)


def _bundle(results: Results) -> Path:
    return results.folder.parent / "bundle"


def _no_scores(n: int) -> pd.DataFrame:
    return pd.DataFrame({"prediction": np.nan, "lower": np.nan, "upper": np.nan, "why_not": "", "part": -1}, index=range(n))


def _own_scores(results: Results, rows: NDArray[np.int64]) -> pd.DataFrame:
    """The stored scores at some rows, columns of `_no_scores`; empty for a row of -1."""
    return _placed(rows, results.cells([c for c in (*SCORED, "part") if c in results.columns], rows[rows >= 0]))


def _scored(results: Results, fleet: Dataset, rows: NDArray[np.int64]) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    """The model's scores of a fleet at some rows, and what was odd about it. All rows are read: a window looks back."""
    bundle = load_bundle(_bundle(results), check=False)
    with disk_errors(), TemporaryDirectory(prefix="andon-fleet-", ignore_cleanup_errors=True) as folder:
        raw = raw_scores(bundle, fleet.rows(), Room(Path(folder)))
        return _placed(rows, decide(bundle, raw, rows[rows >= 0])), input_notes(bundle, raw)


def _placed(rows: NDArray[np.int64], cells: pd.DataFrame) -> pd.DataFrame:
    found = _no_scores(len(rows))
    known = np.flatnonzero(rows >= 0)
    columns = {name: cells[name].to_numpy() for name in found.columns if name in cells}
    return found.assign(**{name: pd.Series(values, index=known).reindex(found.index) for name, values in columns.items()})


def _running(table: UnitTable, scores: pd.DataFrame) -> pd.DataFrame:
    """The units that still run, with their scores; `place` is their number in the table of units."""
    units = scores.assign(unit=table.names, age=table.lives.ages, place=np.arange(len(table.names)))
    return units[~table.lives.failed & np.isfinite(table.lives.ages)].reset_index(drop=True)


def _held_out(results: Results, own: UnitTable) -> HeldOut:
    """What was predicted on the validation part, and what came; padded windows are left out."""
    rows = results.part_rows("validation")
    full = rows[(results.cells(["why_not"], rows)["why_not"] != PADDED).to_numpy(dtype=bool)]
    return HeldOut(results.numbers("prediction", full), own.remaining()[full], own.codes[full])


def _quality(
    results: Results, own: UnitTable, held_out: HeldOut, within: float
) -> tuple[ChanceQuality | None, ChanceQuality | None]:
    """The chances of the model, and of age alone, on the test part: rows of units that neither had seen."""
    rows = results.part_rows("test")
    if len(rows) > JUDGED_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, JUDGED_ROWS).astype(np.int64)]
    units, left = own.codes[rows], own.remaining()[rows]
    came = np.where(np.isfinite(left), left <= within, np.nan)
    # A unit that ran on for so long has lasted, though its end is not known.
    lasted = ~own.lives.failed[units] & (own.seen_on()[rows] >= within)
    came = np.where(np.isnan(came) & lasted, 0.0, came)
    predicted = results.numbers("prediction", rows)
    model = chance_quality(1 - held_out.chance_to_last(predicted, within)[:, 0], came, units)
    others = np.setdiff1d(own.codes[results.parts != TEST], units)
    fit = fit_weibull(own.lives.ages[others], own.lives.failed[others])
    if not model.n or fit.curve is None:
        return (model if model.n else None), None
    age = np.maximum(own.row_ages()[rows], 0)
    return model, chance_quality(
        np.where(np.isfinite(predicted), 1 - fit.curve.chance_to_last(age, within), np.nan), came, units
    )


def _came(fleet: UnitTable, units: pd.DataFrame, truth: Mapping[str, float] | None) -> NDArray[np.float64]:
    """What remained in truth of the units that run, (n,), NaN where it is not known."""
    if truth is not None:
        return np.array([truth.get(name, np.nan) for name in units["unit"]], dtype=np.float64)
    if fleet.known_life is None:
        return np.full(len(units), np.nan)
    return fleet.known_life[fleet.lives.last_row[units["place"].to_numpy(dtype=np.int64)]]


def _taught(own: UnitTable) -> tuple[Message, ...]:
    """A model whose target was made from group and time took each end for a failure; said where that was not so."""
    n = own.lives.n_running
    if own.known_life is not None or not n:
        return ()
    return (
        msg_n(
            "The model learned as if every history ended in a failure; {n} unit still runs, so its predictions may be too short.",
            "The model learned as if every history ended in a failure; {n} units still run, so its predictions may be too short.",
            n,
        ),
    )


def _in_training(running: pd.DataFrame) -> tuple[Message, ...]:
    n = int((running["part"] == 0).sum())
    if not n:
        return ()
    return (
        msg_n(
            "{n} of these units was learned from: its prediction may look surer than it is.",
            "{n} of these units were learned from: their predictions may look surer than they are.",
            n,
        ),
    )
