"""Split first, then recipe, features and windows, each fitted on the training part: what every family trains on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.fitted_recipe import fit_recipe
from core.clean.recipe import Recipe
from core.clean.streaming import clean_rows
from core.data.known_normal import n_joined, with_known_normal
from core.data.room import ColumnsBehind, Room
from core.data.rows import FrameRows, Rows
from core.data.split import TEST, TRAIN, VALIDATION, Split, SplitSettings
from core.data.splitting import make_split
from core.errors import NotEnoughData
from core.features import Inputs, Pipeline, Target, fit_target
from core.features.own_past import Following
from core.features.own_start import fit_own_start
from core.features.pipeline import group_codes, unit_times
from core.features.plan import plan_features
from core.features.targets import ClassTarget, life_clock, remaining_life, truth_values
from core.messages import Message, msg, msg_n
from core.models.estimate import reads_text
from core.training.forecast_length import SMALLEST_TRAINING, SMALLEST_VALIDATION, longest_series, too_short
from core.training.forecast_rows import (
    fit_forecast_target,
    following_rows,
    forecast_notes,
    longest_in_table,
    own_past_first,
    repeated_times,
    whole_in_table,
    whole_rows,
)
from core.training.resolve import Resolved
from core.watching import Watch, part_of, unwatched

MAX_LABELS = 20
STRAIGHTENED = ("regression", "classification")  # elsewhere rows are compared with each other in the sensors' own units


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that training and judging share.

    `keys` has the time, group, target and split columns of all rows, `rows` reads the others. `truth` is (n_rows,): numbers (NaN unknown) for regression and rul (uncapped), class texts or None for
    classification and for the labels of an anomaly run; None without a target. For a forecast it is the row's own value, and
    `following` gives those after it. `train` and `validation` are places in `inputs.windows` with a full window and a known
    truth, for a forecast with all values that it is asked for in the same part.
    """

    keys: pd.DataFrame
    rows: Rows
    room: Room
    split: Split
    pipeline: Pipeline
    inputs: Inputs
    truth: NDArray | None
    target: Target | None
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    notes: tuple[Message, ...]
    following: Following | None = None


def prepare(resolved: Resolved, room: Room | None = None, watch: Watch = unwatched, *, split: Split | None = None) -> Prepared:
    """Fit everything but the model, and lay out the features of every row.

    Args:
        room: Where a large table's features lie; without one all is in memory.
        split: Another one than that of the request, as folds have it.

    Raises:
        NotEnoughData: fewer than 8 training windows, or no validation window.
    """
    dataset, request = resolved.dataset, resolved.request
    used = [c.name for c in dataset.columns if c.role != "ignore" or c.name == resolved.split.column]
    rows, room = dataset.rows(used), room or Room()
    roles = (resolved.time, resolved.group, resolved.target, resolved.split.column)
    keys = _key_columns(rows, [n for n in dict.fromkeys(roles) if n is not None and n in used])
    columns = [c for c in dataset.columns if c.name in used]
    split = split or split_of(resolved, keys)
    sample = split.train_sample(rows)
    notes = _sample_notes(len(sample.table), split)
    # The labels of an anomaly run judge it; a recipe that learned from them would give the verdict away.
    recipe = fit_recipe(Recipe.read(request.recipe), sample, columns, knows_target=request.task != "anomaly")
    del sample
    cleaned = clean_rows(recipe, rows, room, part_of(watch, 0.1, 0.6), in_training=True)
    sensors = [c for c in recipe.columns if c.name != resolved.split.column]
    if resolved.past is not None:
        sensors = own_past_first(sensors, resolved.past.column)
    plan = plan_features(
        lambda column: split.train_part(cleaned.column(column.name).to_frame()),
        sensors,
        text=(resolved.text, resolved.task.text_tokens) if resolved.text is not None and resolved.reads_text else None,
        unread=resolved.text,
        straighten=resolved.task.straighten and request.task in STRAIGHTENED,
    )
    if resolved.portfolio is None and resolved.reads_text and plan.text is None:
        raise _no_text_left()
    pipeline = Pipeline(recipe, plan, resolved.width, resolved.group, resolved.time, own_past=resolved.past)
    watch(0.7)
    inputs = pipeline.inputs(rows, room, cleaned, in_training=True)
    if request.task == "rul" and resolved.task.own_start and resolved.group is not None:
        pipeline = _with_own_start(pipeline, inputs, keys, split)
        inputs = pipeline.inputs(rows, room, cleaned, in_training=True)
    truth, more = _truth(keys, resolved)
    notes = [*notes, *more]
    if joined := n_joined(split, request.known_normal, keys, resolved.group):
        notes.append(
            msg_n(
                "{n} row of false alarms trains as a normal row; it and the rows near it are no test rows.",
                "{n} rows of false alarms train as normal rows; they and the rows near them are no test rows.",
                joined,
            )
        )
    if resolved.text_choice is not None and resolved.reads_text:
        notes.insert(0, resolved.text_choice.sentence)
    ahead: Following | None = None
    if resolved.past is None:
        target = _fitted_target(truth, split, resolved)
    else:
        ahead = following_rows(inputs, split, resolved.past.horizon)
        target = fit_forecast_target(pipeline, inputs, split, ahead, resolved)
        notes += repeated_times(keys, resolved.time, resolved.group)
        notes += forecast_notes(resolved.past, resolved.task.season, resolved.time, recipe)
    if isinstance(target, ClassTarget) and truth is not None:
        notes.extend(_unseen_classes(truth[split.rows(TEST)], target))
    known = _known_rows(inputs, truth, target, request.task, ahead)
    return Prepared(
        keys=keys,
        rows=rows,
        room=room,
        split=split,
        pipeline=pipeline,
        inputs=inputs,
        truth=truth,
        target=target,
        train=_places(inputs, split, TRAIN, known, SMALLEST_TRAINING, ahead),
        validation=_places(inputs, split, VALIDATION, known, SMALLEST_VALIDATION, ahead),
        notes=(*plan.notes, *notes),
        following=ahead,
    )


def _with_own_start(pipeline: Pipeline, inputs: Inputs, keys: pd.DataFrame, split: Split) -> Pipeline:
    """The pipeline that also compares every number with the unit's own start, scaled on the training part."""
    windows, kept = inputs.windows, inputs.row_of_window
    times = unit_times(keys, pipeline.time, kept, windows.first_row)
    places = enumerate(pipeline.plan.features, pipeline.plan.n_tokens)
    numbers = tuple(i for i, feature in places if feature.category is None)
    fitted = fit_own_start(windows.values, windows.first_row, times, split.parts[kept] == TRAIN, numbers)
    return replace(pipeline, own_start=fitted)


def with_width(prepared: Prepared, width: int, task: str) -> Prepared:
    """The same split, recipe and features in windows of another width; only the windows are laid out anew.

    Raises:
        NotEnoughData: as `prepare`.
    """
    if width == prepared.pipeline.width:
        return prepared
    pipeline = replace(prepared.pipeline, width=width)
    inputs = pipeline.inputs(prepared.rows, prepared.room, prepared.inputs.cleaned, in_training=True)
    known = _known_rows(inputs, prepared.truth, prepared.target, task, prepared.following)
    train = _places(inputs, prepared.split, TRAIN, known, SMALLEST_TRAINING, prepared.following)
    validation = _places(inputs, prepared.split, VALIDATION, known, SMALLEST_VALIDATION, prepared.following)
    return replace(prepared, pipeline=pipeline, inputs=inputs, train=train, validation=validation)


def without_text(prepared: Prepared) -> Prepared:
    """What a family that reads no free text is fitted on: the same windows without the token numbers in front.

    Raises:
        NotEnoughData: there are no other columns.
    """
    pipeline, n_tokens = prepared.pipeline, prepared.pipeline.plan.n_tokens
    if not n_tokens:
        return prepared
    plan, windows = pipeline.plan.without_text(), prepared.inputs.windows
    values = windows.values
    behind = values[:, n_tokens:] if isinstance(values, np.ndarray) else ColumnsBehind(values, n_tokens)
    inputs = replace(prepared.inputs, windows=replace(windows, values=behind))
    return replace(prepared, pipeline=replace(pipeline, plan=plan), inputs=inputs)


def for_family(prepared: Prepared, spec: Any) -> Prepared:
    """What this family is fitted on: with the free text if it reads it.

    Raises:
        NotEnoughData: it reads none, and there are no other columns; or it reads text, and the recipe left none.
    """
    if not reads_text(spec):
        return without_text(prepared)
    if not prepared.pipeline.plan.n_tokens:
        raise _no_text_left()
    return prepared


def _no_text_left() -> NotEnoughData:
    return NotEnoughData(
        msg("The column of free text is not there any more when the model is to read it."),
        msg("A step of the recipe has removed or encoded it, or it is the column of the split."),
        msg("Take that step out of the recipe, or choose another model."),
    )


def can_fit(prepared: Prepared, spec: Any) -> bool:
    """Whether there are columns for this family: a table of remarks alone has none for one that does not read them."""
    return reads_text(spec) or bool(prepared.pipeline.plan.features)


def _key_columns(rows: Rows, names: list[str]) -> pd.DataFrame:
    """Whole columns of a table; texts of a long one as categories, which take a byte a row where texts take twenty."""
    if isinstance(rows, FrameRows):
        return rows.read(names)
    columns = {}
    for name in names:
        cells = rows.read([name])[name]
        columns[name] = cells.astype("category") if pd.api.types.is_string_dtype(cells.dtype) else cells
    return pd.DataFrame(columns, index=pd.RangeIndex(rows.n_rows, name="row"))


def _sample_notes(n: int, split: Split) -> list[Message]:
    total = len(split.rows(TRAIN))
    if n == total:
        return []
    return [
        msg("The cleaning recipe was fitted on {n} of {total} training rows, in evenly spread stretches.", n=n, total=total)
    ]


def split_of(resolved: Resolved, keys: pd.DataFrame, settings: SplitSettings | None = None) -> Split:
    """The parts of a dataset's rows as a request asks for them, or by another rule.

    Args:
        keys: One row a dataset row with the time, group, target and split columns.

    Raises:
        SettingProblem, DataProblem, NotEnoughData: as `make_split`.
    """
    made = make_split(
        keys,
        settings or resolved.split,
        task=resolved.request.task,
        time=resolved.time,
        group=resolved.group,
        target=resolved.target,
        gap_rows=resolved.gap_rows,
        seed=resolved.request.seed,
    )
    return normal_joined(made, resolved, keys)


def normal_joined(split: Split, resolved: Resolved, keys: pd.DataFrame) -> Split:
    """The split in which the rows of false alarms train that the request names; they and rows near them leave the test part.

    Raises:
        SettingProblem, NotEnoughData: as `with_known_normal`.
    """
    known = resolved.request.known_normal
    return with_known_normal(
        split, known, keys, time=resolved.time, group=resolved.group, gap_rows=max(resolved.gap_rows, resolved.width - 1)
    )


def check_target(table: pd.DataFrame, split: Split, resolved: Resolved) -> None:
    """Refuse before a job what `prepare` would refuse in it: a target that cannot be learned, too few rows with a result.

    Args:
        table: One row a dataset row with the target, group and time columns; nothing else is looked at, so that a
            recipe or sensors may still leave too few rows.
        split: The parts of those rows.
        resolved: The request with every choice closed.

    Raises:
        DataProblem, NotEnoughData, SettingProblem: as `prepare`.
    """
    truth, _ = _truth(table, resolved)
    if resolved.past is not None and truth is not None:
        known = whole_in_table(table, split, resolved.past, resolved.time, resolved.group)
    else:
        known = _known(truth, _fitted_target(truth, split, resolved), resolved.request.task, len(table))
    for part, smallest in ((TRAIN, SMALLEST_TRAINING), (VALIDATION, SMALLEST_VALIDATION)):
        n = int(np.count_nonzero(known & (split.parts == part)))
        if n < smallest and resolved.past is not None:
            longest = longest_in_table(table, resolved.past, resolved.time, resolved.group)
            raise too_short(part, n, resolved.past.horizon, split.settings, longest)
        _check_count(part, n, smallest)


def _fitted_target(truth: NDArray | None, split: Split, resolved: Resolved) -> Target | None:
    task = resolved.request.task
    if task == "anomaly" or truth is None:
        return None
    return fit_target(task, truth[split.rows(TRAIN)], resolved.task.cap, resolved.target or "")


def _truth(table: pd.DataFrame, resolved: Resolved) -> tuple[NDArray | None, list[Message]]:
    task = resolved.request.task
    if task == "rul" and resolved.target is None:
        return _life(table, resolved), []
    if resolved.target is None:
        return None, []
    if task == "anomaly" and not is_label(table[resolved.target]):
        return None, [
            msg(
                "'{column}' holds measured values and no labels, so faults caught and missed are not known.",
                column=resolved.target,
            )
        ]
    kind = "classification" if task == "anomaly" else task
    return truth_values(table, resolved.dataset, resolved.target, kind), []


def is_label(cells: pd.Series) -> bool:
    """Whether a column can say which rows are faulty: few different values, and whole numbers where it holds numbers."""
    known = cells.dropna()
    is_whole = not pd.api.types.is_numeric_dtype(known) or bool((known == known.round()).all())
    return is_whole and known.nunique() <= MAX_LABELS


def _unseen_classes(truth: NDArray[np.object_], target: ClassTarget) -> list[Message]:
    """Test rows of a class that was not there to learn cannot be judged; that they are left out has to be said."""
    unseen = [v for v in truth if v is not None and v not in target.classes]
    if not unseen:
        return []
    return [
        msg_n(
            "{n} test row of a class that the training part does not show is left out of the figures: {classes}.",
            "{n} test rows of classes that the training part does not show are left out of the figures: {classes}.",
            len(unseen),
            classes=", ".join(sorted(set(unseen))[:5]),
        )
    ]


def _life(table: pd.DataFrame, resolved: Resolved) -> NDArray[np.float64]:
    codes = group_codes(table, resolved.group)
    if codes is None or resolved.time is None:
        raise AssertionError("resolve() refuses a rul run without group and time")
    return remaining_life(codes, life_clock(table[resolved.time], codes))


def _known_rows(
    inputs: Inputs, truth: NDArray | None, target: Target | None, task: str, ahead: Following | None
) -> NDArray[np.bool_]:
    return _known(truth, target, task, inputs.n_rows) if ahead is None else whole_rows(ahead, inputs)


def _known(truth: NDArray | None, target: Target | None, task: str, n_rows: int) -> NDArray[np.bool_]:
    if truth is None or task == "anomaly":
        return np.ones(n_rows, dtype=bool)
    if task == "classification":
        return target.encode(truth) >= 0  # type: ignore[union-attr, call-arg, arg-type]
    return np.isfinite(truth)


def _places(
    inputs: Inputs, split: Split, part: int, known: NDArray[np.bool_], smallest: int, ahead: Following | None = None
) -> NDArray[np.int64]:
    """Places of the windows that end in a part; padded ones only where there are too few full ones."""
    rows = inputs.row_of_window
    wanted = (split.parts[rows] == part) & known[rows]
    full = wanted & ~inputs.padded[rows]
    chosen = full if full.sum() >= max(smallest, 0.2 * wanted.sum()) else wanted
    places = np.flatnonzero(chosen)
    if len(places) < smallest and ahead is not None:
        raise too_short(part, len(places), ahead.horizon, split.settings, longest_series(inputs.windows.first_row))
    _check_count(part, len(places), smallest)
    return places


def _check_count(part: int, n: int, smallest: int) -> None:
    if n < smallest:
        raise NotEnoughData(
            msg("The {part} part has {n} usable rows.", part=msg("training") if part == TRAIN else msg("validation"), n=n),
            msg("Expected at least {n}.", n=smallest),
            msg("Bring more rows, a shorter window or another split."),
        )
