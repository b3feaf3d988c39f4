"""Where a run errs most: by machine, lot, shift and stretch of time, worst first, and whether the error drifts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.alarm_logic import memory_of
from core.anomalies.is_is_not import shift_names
from core.errors import NotEnoughData
from core.evaluation import predict_classes
from core.evaluation.error_strata import ErrorStratum, error_strata
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting
from core.spc.chart import phases
from core.workflows.class_rows import check_task, class_rows, class_rule
from core.workflows.csv_out import write_csv
from core.workflows.labels import labels_of
from core.workflows.results import Results
from core.workflows.unit_words import unit_words

TASKS = ("regression", "rul", "classification")
MOST_STRATA, MOST_COLUMNS = 50, 20
STRETCHES = 200  # at most so many blocks: each then stands for rows that lie close together
SHIFT, STRETCH = "shift by the clock", "stretch of time"
"""What strata made from the clock are called, as texts of the table; screens translate them."""


class StrataErrorSettings(Settings):
    """Which strata are looked at."""

    part: str = setting("test", title="Rows", help="The part of the split that is judged.", expert=False)
    shift_hours: float = setting(
        8.0, title="Length of a shift", help="Shifts begin at the hour below.", unit="h", gt=0, le=24, expert=False
    )
    first_shift: float = setting(
        6.0, title="First shift begins at", help="Hour of the day.", unit="h", ge=0, lt=24, expert=False
    )
    limit: float | None = setting(
        None, title="Decision limit", help="Of classes. Empty: the run's own.", ge=0, le=1, expert=True
    )
    positive: str | None = setting(None, title="Class to catch", help="Empty: the run's own.", expert=True)
    stretches: int = setting(10, title="Stretches of time", help="The rows cut into so many by time.", ge=2, le=50)


@dataclass(frozen=True, slots=True)
class WorstStrata:
    """Strata of all columns that have some, worst first. `unit` is that of the errors, empty for shares of wrong rows.

    `whole` is the error of all rows; `drift` is the change of the error from the first to the last stretch of time by a straight line, and
    `drift_p` how likely so large a one is by chance; None without times. `left_out` are columns with too many strata.
    """

    strata: tuple[ErrorStratum, ...]
    are_classes: bool
    unit: str
    n: int
    whole: float
    drift: float | None
    drift_p: float | None
    left_out: tuple[str, ...]

    @property
    def worse(self) -> tuple[ErrorStratum, ...]:
        """Those worse than all others by more than chance."""
        return tuple(s for s in self.strata if s.is_worse)

    @property
    def drifts(self) -> bool:
        return self.drift_p is not None and self.drift_p < 0.05

    @property
    def headline(self) -> Message:
        if not self.strata:
            return msg("There is no column of strata, and no clock")
        if not self.worse and self.drifts and self.drift is not None:
            told_of: dict[str, str | float | Message] = {"change": abs(round(self.drift, 6)), "unit": unit_words(self.unit)}
            if self.are_classes:
                told_of = {"change": round(100 * abs(self.drift), 2), "unit": "%"}
            if self.drift > 0:
                return msg("The error rises by {change} {unit} from the first to the last rows", **told_of)
            return msg("The error falls by {change} {unit} from the first to the last rows", **told_of)
        if not self.worse:
            return msg_n(
                "The error is alike in the {n} stratum",
                "The error is alike in all {n} strata, as far as chance lets see",
                len(self.strata),
            )
        worst = self.worst_factor
        first = self.worse[0]
        told: dict[str, str | float] = {"column": first.column, "stratum": first.stratum, "factor": worst}
        if first.others == 0:
            return msg("'{stratum}' of '{column}' has errors, the others have none", **told)
        return msg("'{stratum}' of '{column}' has {factor} times the error of the others", **told)

    @property
    def worst_factor(self) -> float:
        """The error of the worst stratum over that of the other rows."""
        first = self.worse[0]
        return round(first.error / first.others, 2) if first.others else float("inf")


def worst_strata(results: Results, settings: StrataErrorSettings | None = None) -> WorstStrata:
    """The error by each column of categories, by shift and by stretch of time.

    Raises:
        SettingProblem: the run predicts neither values nor classes, or there is no such part.
        NotEnoughData: no row of the part has both a true value and a prediction.
    """
    given = settings or StrataErrorSettings()
    check_task(results, TASKS)
    rows, errors = _errors(results, given)
    if not len(rows):
        raise NotEnoughData(
            msg("No row of this part has both a true value and a prediction."),
            msg("Expected rows that can be judged."),
            msg("Choose another part."),
        )
    are_classes = results.task == "classification"
    strata, left_out = _columns(results, rows)
    times = _times(results, rows)
    stretch = None if times is None else _stretch_numbers(times, given.stretches)
    if times is not None and stretch is not None:
        shifts = _shifts(times, given) if _has_hours(times) else None
        is_new = shifts is not None and not any(_same_strata(shifts, labels) for _, labels in strata)
        if shifts is not None and is_new and len(set(shifts) - {None}) > 1:
            strata.append((SHIFT, shifts))
        strata.append((STRETCH, _stretch_labels(times, stretch)))
    found = error_strata(
        errors,
        strata,
        are_classes=are_classes,
        blocks=_blocks(results, rows, errors, is_timed=times is not None),
        seed=results.run.request.seed,
    )
    drift, drift_p = _drift(errors, times, are_classes)
    size = errors if are_classes else errors**2
    whole = float(np.nanmean(size))
    return WorstStrata(
        strata=found,
        are_classes=are_classes,
        unit="" if are_classes else results.unit,
        n=len(rows),
        whole=whole if are_classes else whole**0.5,
        drift=drift,
        drift_p=drift_p,
        left_out=left_out,
    )


def export_worst(view: WorstStrata, path: Path) -> None:
    """Every stratum as CSV."""
    columns = ("column", "stratum", "n", "error", "others", "bias", "p")
    table = pd.DataFrame([{name: getattr(s, name) for name in columns} for s in view.strata], columns=columns)
    bounds = pd.DataFrame([s.bounds for s in view.strata], columns=["low", "high"], dtype=float)
    write_csv(pd.concat([table, bounds], axis=1), path, formula_safe=True)


def _errors(results: Results, settings: StrataErrorSettings) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Row numbers (n,) and their errors: measured less predicted, or 1 for a wrong class and 0 for a right one."""
    part = settings.part
    if results.task == "classification":
        rule = class_rule(results.manifest, settings.positive, settings.limit)
        given = class_rows(results, part, rule.positive)
        called = predict_classes(given.probabilities, rule.place, rule.threshold)
        return given.rows, (called != given.truth).astype(np.float64)
    rows = results.part_rows(part)
    errors = results.numbers("truth", rows) - results.numbers("prediction", rows)
    known = np.isfinite(errors)
    return rows[known], errors[known]


def _columns(results: Results, rows: NDArray[np.int64]) -> tuple[list[tuple[str, NDArray[np.object_]]], tuple[str, ...]]:
    """The columns of categories with 2 to 50 of them in these rows, and those with more."""
    kept: list[tuple[str, NDArray[np.object_]]] = []
    left_out: list[str] = []
    target = results.manifest.target_column
    for column in results.dataset.columns:
        is_group = column.name == results.group
        if column.name == target or column.role == "ignore" or column.kind != "text" and not is_group:
            continue
        if len(kept) >= MOST_COLUMNS:
            left_out.append(column.name)
            continue
        labels = labels_of(results.dataset.table([column.name])[column.name].iloc[rows])
        n = len(pd.unique(labels[labels != np.array(None)]))
        if n > MOST_STRATA:
            left_out.append(column.name)
        elif n > 1:
            kept.append((column.name, labels))
    return kept, tuple(left_out)


def _times(results: Results, rows: NDArray[np.int64]) -> NDArray | None:
    return None if results.time is None else results.positions(rows)


def _has_hours(times: NDArray) -> bool:
    """Whether times are moments of more than one hour of the day."""
    if not np.issubdtype(times.dtype, np.datetime64):
        return False
    return len(np.unique(_hours(times[:100_000]).round(3))) > 1


def _hours(times: NDArray) -> NDArray[np.float64]:
    day = times.astype("datetime64[D]")
    return np.asarray((times - day) / np.timedelta64(1, "h"), dtype=np.float64)


def _same_strata(first: NDArray[np.object_], second: NDArray[np.object_]) -> bool:
    """Whether two columns part the rows alike, whatever they call the strata: one of them would be found, and tested, twice."""
    pairs = len(pd.DataFrame({"a": first, "b": second}).drop_duplicates())
    return pairs == len(pd.unique(first)) == len(pd.unique(second))


def _shifts(times: NDArray, given: StrataErrorSettings) -> NDArray[np.object_]:
    """The shift of each row as the hours it lasts, None where the time is empty."""
    names = shift_names(times, given.shift_hours, given.first_shift)
    names[names == ""] = None
    return names


def _stretch_numbers(times: NDArray, n: int) -> NDArray[np.int64]:
    """The stretch of each row, 0 … n-1, with about equally many rows each; rows of one time lie in one stretch."""
    _, codes = np.unique(times, return_inverse=True)
    before = np.r_[0, np.cumsum(np.bincount(codes))[:-1]]
    return np.asarray(np.minimum(before[codes] * n // len(times), n - 1), dtype=np.int64)


def _stretch_labels(times: NDArray, stretch: NDArray[np.int64]) -> NDArray[np.object_]:
    labels = np.empty(int(stretch.max()) + 1, dtype=object)
    for k in np.unique(stretch):
        some = times[stretch == k]
        labels[k] = f"{_moment(some.min())} – {_moment(some.max())}"
    return labels[stretch]


def _moment(value: object) -> str:
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[m]")).replace("T", " ")
    return f"{value:g}"


def _blocks(
    results: Results, rows: NDArray[np.int64], errors: NDArray[np.float64], *, is_timed: bool
) -> NDArray[np.int64] | None:
    """Rows that may resemble each other: neighbours within a group in order of time, else of the file, as long as errors remember; None where rows were dealt at random."""
    if not is_timed and results.group is None and results.manifest.split["method"] == "random":
        return None
    found = results.in_order(rows)
    length = max(len(rows) // STRETCHES, memory_of(errors[found.order], phases(len(rows), stages=found.first)))
    is_new = (np.arange(len(rows)) - found.first) % max(1, length) == 0
    blocks = np.empty(len(rows), dtype=np.int64)
    blocks[found.order] = np.cumsum(is_new)
    return blocks


def _drift(errors: NDArray[np.float64], times: NDArray | None, are_classes: bool) -> tuple[float | None, float | None]:
    """How the size of the error changes from the first to the last rows: Theil and Sen's line through 20 stretches, Kendall's test."""
    from scipy.stats import kendalltau, theilslopes

    if times is None or len(errors) < 100:
        return None, None
    stretch = _stretch_numbers(times, 20)
    n = np.bincount(stretch)
    size = np.bincount(stretch, weights=errors if are_classes else errors**2)[n > 0] / n[n > 0]
    size = size if are_classes else np.sqrt(size)
    if len(size) < 5 or np.ptp(size) == 0:
        return None, None
    at = np.linspace(0, 1, len(size))
    return float(theilslopes(size, at)[0]), float(kendalltau(at, size).pvalue)
