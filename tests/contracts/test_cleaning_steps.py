"""What every cleaning step of the catalogue promises, whatever its method."""

from __future__ import annotations

import json
import time

import numpy as np
import pandas as pd
import pytest

from core.clean import STEPS, Applied, CleaningStep, FittedRecipe, Recipe, RecipeStep, fit_recipe, step_by_key
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem
from core.settings import Settings

ACTIONS = ("flag", "set_missing", "clip", "drop_rows", "real_event")
SMALL = {"n_trees": 10, "max_gap": 3, "max_gap_time": 2.5, "draws": 3, "neighbours": 4, "smallest": 45.0, "largest": 55.0}
CHOSEN: dict[str, list[dict[str, object]]] = {
    "fixed_limits": [{"with_ends": True, "action": "set_missing"}, {"smallest": None, "largest": 52.0}],
    "repeated_to_missing": [{"rows": 2}, {"rows": 3, "kept": [0.5]}],
    "correct_stretch": [
        {"factor": 25.4, "start": "1040", "end": "1060.5"},
        {"factor": 1.8, "offset": 32.0, "start": "250"},
        {"factor": 0.5, "offset": 1.0},
    ],
    "subtract_level": [{"width": 20}],
    "convert_unit": [{"to": "kPa"}],
    "rename": [{"names": ["p", "q"]}],
    "to_number": [{"decimal": ",", "thousands": "."}],
    "filter_rows": [
        {"conditions": [{"column": "pressure", "operator": "above", "value": "50"}]},
        {
            "action": "keep",
            "match": "any_condition",
            "conditions": [
                {"column": "when", "operator": "between", "value": "2024-05-01 06:00 … 2024-05-01 07:30"},
                {"column": "material", "operator": "one_of", "value": "PA6;POM"},
            ],
        },
    ],
    "lag": [{"rows": [1, 7]}],
    "rolling": [
        {"width": 5, "statistics": ["mean", "sd", "minimum", "maximum", "median", "slope"]},
        {"width": 5, "over": "time", "statistics": ["mean", "slope"], "fewest": 3},
    ],
    "spectral": [{"width": 16}, {"width": 16, "every": 5, "rate": 100.0}],
    "calendar": [{"parts": ["hour", "weekday", "month", "shift"]}],
    "group_rare": [{"share": 0.35}],
    "ordinal_encode": [{"order": "frequency"}],
    "target_encode": [{"smoothing": 0.0, "folds": 2}],
    "text_features": [{"n_words": 3}, {"n_words": 3, "weights": "count", "keep": True}],
    "pca_features": [{"n_components": 1, "keep": True}],
    "bottleneck_features": [{"n_components": 1, "epochs": 5}],
    "keep_informative": [{"n_keep": 1}],
    "keep_useful": [{"model": "forest"}],
}
"""Settings with which a step has something to do, beside its defaults."""
NAMED = {"rename": ("pressure", "flow"), "to_number": ("reading",), "text_features": ("remark",), "calendar": ("when",)}
"""Columns of steps that take none unasked."""
NOT_TWICE = {
    **dict.fromkeys(("standard_scale", "minmax_scale", "robust_scale"), "scales twice"),
    **dict.fromkeys(("box_cox", "yeo_johnson"), "bends twice"),
    "hampel_outliers": "windows see the values that were changed",
    "convert_unit": "converts twice",
    "correct_stretch": "corrects twice",
    "subtract_level": "what is left of the level is taken out",
    **dict.fromkeys(("one_hot", "ordinal_encode", "frequency_encode", "target_encode"), "the text column is gone"),
    **dict.fromkeys(("text_features", "pca_features", "bottleneck_features", "rename"), "the columns are gone"),
}
"""Steps that cannot be applied twice, as their docstring says."""


def variants() -> list[tuple[str, dict[str, object]]]:
    """Every step with its defaults, with small numbers where it has some (for speed), with every action it offers, and with
    settings with which it has something to do."""
    found: list[tuple[str, dict[str, object]]] = []
    for step in STEPS:
        small: dict[str, object] = {name: value for name, value in SMALL.items() if name in step.settings.model_fields}
        if "n_trees" not in small:
            found.append((step.key, {}))
        if small:
            found.append((step.key, small))
        if "causal" in step.settings.model_fields:
            found.append((step.key, {"causal": True}))
        if "curve" in step.settings.model_fields:
            found.append((step.key, {"curve": "cubic"}))
        field = step.settings.model_fields.get("action")
        if field is not None:
            offered = [a for a in ACTIONS if a in str(field.annotation)]
            found += [(step.key, {**small, "action": a}) for a in offered]
        if step.key == "exclude_periods":
            found.append((step.key, {"periods": ["1010/1030 trial", "1210/1250 maintenance"]}))
        found += [(step.key, {**small, **chosen}) for chosen in CHOSEN.get(step.key, [])]
    return found


EVERY = pytest.mark.parametrize(
    ("key", "settings"), variants(), ids=lambda v: v if isinstance(v, str) else "-".join(map(str, v.values()))[:40]
)


def table_of(n: int = 300, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "unit": np.repeat(["a", "b", "c"], n // 3),
            "clock": np.arange(n, dtype=np.float64),
            "pressure": rng.normal(50, 5, n),
            "flow": rng.normal(0.01, 0.001, n),
            "material": rng.choice(["PA6", "POM", "ABS"], n),
            "all_missing": np.full(n, np.nan),
            "constant": np.full(n, 7.0),
            "width": rng.normal(20, 0.1, n),
            "when": pd.date_range("2024-05-01 05:00", periods=n, freq="37s").astype("datetime64[us]"),
            "remark": rng.choice(["pump leaks", "pump 12 noisy", "ok", "valve stuck"], n),
            "reading": rng.choice(["1.234,5 €", "12 %", "-3,25", "none"], n),
        },
        index=pd.RangeIndex(1000, 1000 + n, name="row"),
    )
    table.loc[table.index[rng.random(n) < 0.1], ["pressure", "flow"]] = np.nan
    table.loc[table.index[rng.random(n) < 0.1], "material"] = np.nan
    table.loc[[1005, 1250], "pressure"] = [5000.0, -np.inf]
    table.loc[[1010, 1251], "flow"] = [np.inf, 9.0]
    table.loc[1252, "material"] = "never seen"
    table.loc[[1007, 1253], ["remark", "reading"]] = np.nan
    table.loc[[1008, 1254], "when"] = pd.NaT
    return table


COLUMNS = (
    Column("unit", "text", "group"),
    Column("clock", "number", "time"),
    Column("pressure", "number", unit="bar"),
    Column("flow", "number"),
    Column("material", "text"),
    Column("all_missing", "number"),
    Column("constant", "number"),
    Column("width", "number", "target"),
    Column("when", "time"),
    Column("remark", "text"),
    Column("reading", "text"),
)


def fitted(key: str, settings: dict[str, object], table: pd.DataFrame, n_train: int = 200) -> FittedRecipe:
    recipe = Recipe(steps=(RecipeStep(key=key, settings=settings, columns=NAMED.get(key, ())),))
    return fit_recipe(recipe, TrainPart(table.iloc[:n_train], _made_by_split=True), COLUMNS)


def differing(before: pd.Series, after: pd.Series) -> int:
    return int(((before != after) & ~(before.isna() & after.isna())).sum())


@EVERY
def test_the_input_table_is_not_modified(key: str, settings: dict[str, object]) -> None:
    table = table_of()
    recipe = fitted(key, settings, table)
    recipe.apply(table)
    pd.testing.assert_frame_equal(table, table_of(), check_exact=True)


@EVERY
def test_only_training_rows_are_learned_from(key: str, settings: dict[str, object]) -> None:
    table, spoiled = table_of(), table_of()
    numeric = ["clock", "pressure", "flow", "constant", "width"]
    spoiled.loc[spoiled.index[200:], numeric] *= 1e6
    spoiled.loc[spoiled.index[200:], ["material", "remark", "reading"]] = "canary"
    spoiled.loc[spoiled.index[200:], "when"] += pd.Timedelta(days=400)
    assert fitted(key, settings, table).to_json() == fitted(key, settings, spoiled).to_json()


@EVERY
def test_rows_keep_their_number_order_and_index(key: str, settings: dict[str, object]) -> None:
    table = table_of()
    cleaned = fitted(key, settings, table).apply(table)
    assert cleaned.table.index.equals(table.index)
    assert cleaned.left_out.shape == cleaned.flagged.shape == cleaned.left_out_by.shape == (300,)
    assert cleaned.left_out.dtype == cleaned.flagged.dtype == np.bool_
    assert ((cleaned.left_out_by == key) == cleaned.left_out).all()
    assert ((cleaned.left_out_by == "") == ~cleaned.left_out).all()


@EVERY
def test_saved_and_restored_steps_give_the_same_output(key: str, settings: dict[str, object]) -> None:
    table = table_of()
    recipe = fitted(key, settings, table)
    restored = FittedRecipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False)))
    first, second = recipe.apply(table), restored.apply(table)
    pd.testing.assert_frame_equal(first.table, second.table, check_exact=True)
    np.testing.assert_array_equal(first.left_out_by, second.left_out_by)
    np.testing.assert_array_equal(first.flagged, second.flagged)
    assert first.changes == second.changes
    assert recipe.to_json() == restored.to_json()
    assert recipe.columns == restored.columns


@EVERY
def test_every_changed_cell_is_counted(key: str, settings: dict[str, object]) -> None:
    table = table_of()
    cleaned = fitted(key, settings, table).apply(table)
    change = cleaned.changes[0]
    kept = [c for c in table.columns if c in cleaned.table.columns]
    counted = {c: differing(table[c], cleaned.table[c]) for c in kept}
    assert {c: n for c, n in counted.items() if n} == dict(change.changed_cells)
    assert set(table.columns) - set(kept) == set(change.removed_columns)
    assert set(cleaned.table.columns) - set(table.columns) == set(change.added_columns)
    assert change.left_out_rows == int(cleaned.left_out.sum())
    assert {c: int(mask.sum()) for c, mask in cleaned.flagged_cells.items()} == dict(change.flagged_cells)
    assert bool(change.flagged_cells) == bool(cleaned.flagged.any())
    assert bool(change.event_cells) == bool(cleaned.real_event is not None and cleaned.real_event.any())


@EVERY
def test_target_time_and_group_stay_as_they_are(key: str, settings: dict[str, object]) -> None:
    table = table_of()
    cleaned = fitted(key, settings, table).apply(table).table
    pd.testing.assert_frame_equal(cleaned[["unit", "clock", "width"]], table[["unit", "clock", "width"]], check_exact=True)


@EVERY
def test_the_columns_it_names_are_the_columns_of_the_table(key: str, settings: dict[str, object]) -> None:
    table = table_of()
    recipe = fitted(key, settings, table)
    assert {c.name for c in recipe.columns} == set(recipe.apply(table).table.columns)


@EVERY
@pytest.mark.parametrize("n_train", [1, 2])
def test_hardly_any_training_rows_give_a_result_without_new_infinities(
    key: str, settings: dict[str, object], n_train: int
) -> None:
    table = table_of()
    if key == "spectral" and n_train == 1 and "rate" not in settings:
        with pytest.raises(SettingProblem, match="'clock' shows no usual step"):
            fitted(key, settings, table, n_train)
        return
    cleaned = fitted(key, settings, table, n_train).apply(table).table
    before, after = (np.isinf(t.select_dtypes("number")).to_numpy().sum() for t in (table, cleaned))
    assert after <= before


@EVERY
def test_a_constant_column_stays_finite(key: str, settings: dict[str, object]) -> None:
    cleaned = fitted(key, settings, table_of()).apply(table_of()).table
    if settings.get("action") != "set_missing" and "constant" in cleaned:
        assert np.isfinite(cleaned["constant"]).all()
        assert cleaned["constant"].nunique() == 1 or "start" in settings  # a stretch is asked to be different


@EVERY
def test_an_empty_table_stays_empty(key: str, settings: dict[str, object]) -> None:
    table = table_of()
    cleaned = fitted(key, settings, table).apply(table.iloc[:0])
    assert len(cleaned.table) == len(cleaned.left_out) == 0


def marks(done: Applied) -> dict[str, np.ndarray]:
    events = np.zeros(len(done.table), dtype=bool)
    for mask in done.event_cells.values():
        events |= mask
    return {"left_out": done.left_out, "flagged": done.flagged, "events": events}


def assert_same_numbers(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-9, atol=1e-12)


@EVERY
def test_a_step_without_neighbours_works_row_by_row(key: str, settings: dict[str, object]) -> None:
    step, table = fitted(key, settings, table_of()).steps[0], table_of()
    if step.uses_neighbours:
        return
    whole, order = step.apply(table), np.random.default_rng(5).permutation(len(table))
    parts = [(rows, step.apply(table.iloc[rows])) for rows in np.array_split(order, [1, 2, 40, 200])]
    assert_same_numbers(pd.concat([done.table for _, done in parts]).sort_index(), whole.table)
    for name, mask in marks(whole).items():
        for rows, done in parts:
            np.testing.assert_array_equal(marks(done)[name], mask[rows], err_msg=name)


@EVERY
def test_a_step_with_neighbours_works_column_by_column(key: str, settings: dict[str, object]) -> None:
    table = table_of()
    recipe = fitted(key, settings, table)
    if not recipe.steps[0].uses_neighbours:
        return
    before = recipe.apply(table).table
    depends: dict[str, set[str]] = {name: set() for name in before}
    for column in ("pressure", "flow", "constant"):
        spoiled = table.copy()
        spoiled[column] = np.random.default_rng(6).normal(1e6, 1e5, 300)
        after = recipe.apply(spoiled).table
        for name in before:
            if not before[name].equals(after[name]):
                depends[name].add(column)
    assert all(len(sources) <= 1 for sources in depends.values()), depends
    assert any(depends.values())


@EVERY
def test_rows_left_out_before_are_hidden_from_neighbours_and_keep_their_place(key: str, settings: dict[str, object]) -> None:
    table = table_of()
    first = RecipeStep(
        key="filter_rows", settings={"conditions": [{"column": "clock", "operator": "one_of", "value": "40;41;230"}]}
    )
    recipe = Recipe(steps=(first, RecipeStep(key=key, settings=settings, columns=NAMED.get(key, ()))))
    fit = fit_recipe(recipe, TrainPart(table.iloc[:200], _made_by_split=True), COLUMNS)
    done = fit.apply(table)
    assert done.table.index.equals(table.index)
    assert set(done.table.columns) == {c.name for c in fit.columns}
    if fit.steps[1].uses_neighbours:
        out = [40, 41, 230]
        without = fit.apply(table.drop(index=table.index[out])).table
        kept = done.table.drop(index=table.index[out])
        pd.testing.assert_frame_equal(kept, without)
        made = [c for c in done.table if c not in table]
        assert done.table.iloc[out][made].isna().all(axis=None)


@EVERY
def test_rows_called_real_events_keep_their_values_and_are_labelled(key: str, settings: dict[str, object]) -> None:
    if settings.get("action") != "real_event":
        return
    table = table_of()
    flags = fitted(key, {**settings, "action": "flag"}, table).apply(table)
    cleaned = fitted(key, settings, table).apply(table)
    pd.testing.assert_frame_equal(cleaned.table, table, check_exact=True)
    assert flags.real_event is None and cleaned.real_event is not None
    np.testing.assert_array_equal(cleaned.real_event, flags.flagged)
    assert cleaned.real_event.any() and not cleaned.left_out.any() and not cleaned.flagged.any()


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.key)
def test_the_catalogue_entry_speaks_plainly(step: CleaningStep) -> None:
    assert str(step.title)
    assert str(step.summary).endswith(".")
    assert issubclass(step.settings, Settings)
    for name, field in step.settings.model_fields.items():
        assert field.title and field.description, name
    assert step.settings.read({}) == step.settings()


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.key)
def test_only_sensors_are_taken_unasked_and_the_target_is_refused(step: CleaningStep) -> None:
    assert not any(step.applies_to(c) for c in COLUMNS if c.role != "sensor")
    recipe = Recipe(steps=(RecipeStep(key=step.key, columns=("width",)),))
    with pytest.raises(SettingProblem, match="'width' .it is the target, which cleaning never changes"):
        fit_recipe(recipe, TrainPart(table_of(), _made_by_split=True), COLUMNS)


@EVERY
def test_applied_twice_it_changes_nothing_more(key: str, settings: dict[str, object]) -> None:
    if key in NOT_TWICE and not settings.get("keep"):
        said = str(type(step_by_key(key)).__doc__)
        assert "twice" in said, f"{key} does not say in its docstring what happens when it is applied twice"
        return
    recipe = fitted(key, settings, table_of())
    once = recipe.apply(table_of()).table
    pd.testing.assert_frame_equal(recipe.apply(once).table, once, check_exact=True)


def test_keys_are_unique() -> None:
    assert len({s.key for s in STEPS}) == len(STEPS) == 55


def test_median_and_iqr_on_200_000_rows_take_less_than_half_a_second_of_processor_time() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200_000, 20))
    values[rng.random(values.shape) < 0.01] = np.nan
    table = pd.DataFrame(values, columns=[f"s{i}" for i in range(20)])
    columns = [Column(c, "number") for c in table]
    recipe = Recipe.read({"steps": [{"key": "median_fill"}, {"key": "iqr_outliers", "settings": {"action": "clip"}}]})
    part = TrainPart(table, _made_by_split=True)
    best = np.inf
    for _ in range(2):  # the first run also warms caches
        start = time.process_time()
        fit_recipe(recipe, part, columns).apply(table)
        best = min(best, time.process_time() - start)
    assert best < 0.5
