"""Every cleaning step gives the same on a file, a part at a time, as on a table in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.clean import STEPS, streaming
from core.clean.fitted_recipe import fit_recipe
from core.clean.recipe import Recipe, RecipeStep
from core.data import rows as rows_module
from core.data.dataset import Column
from core.data.room import Room
from core.data.rows import ParquetRows
from core.data.split import TrainPart

N, N_TRAIN = 3_000, 1_500
COLUMNS = (
    Column("unit", "text", "group"),
    Column("clock", "time", "time"),
    Column("pressure", "number", unit="bar"),
    Column("flow", "number"),
    Column("material", "text"),
    Column("all_missing", "number"),
    Column("constant", "number"),
    Column("width", "number", "target"),
)
SETTINGS: dict[str, tuple[dict[str, object], ...]] = {
    "previous_fill": ({}, {"max_gap": 2}),
    "next_fill": ({}, {"max_gap": 2}),
    "linear_fill": ({}, {"max_gap": 2}),
    "zscore_outliers": tuple({"limit_sigma": 2.0, "action": a} for a in ("flag", "set_missing", "clip", "drop_rows")),
    "iqr_outliers": tuple({"fence": 0.5, "action": a} for a in ("flag", "set_missing", "clip", "drop_rows")),
    "mad_outliers": tuple({"limit": 2.0, "action": a} for a in ("flag", "clip", "real_event")),
    "hampel_outliers": tuple({"limit": 2.0, "action": a} for a in ("flag", "set_missing", "drop_rows", "real_event")),
    "time_fill": ({}, {"max_gap": 2}),
    "fixed_limits": tuple(
        {"smallest": 4.0, "largest": 6.0, "with_ends": True, "action": a} for a in ("set_missing", "clip", "drop_rows")
    ),
    "repeated_to_missing": ({"rows": 2}, {"rows": 60}),
    "correct_stretch": (
        {"factor": 25.4, "start": "2026-01-01 00:10", "end": "2026-01-01 00:40:30"},
        {"factor": 1.8, "offset": 32.0, "start": "01.01.2026 00:30"},
    ),
    "subtract_level": ({"width": 30}, {"width": 90}),
    "spline_fill": ({}, {"curve": "cubic", "max_gap": 5}),
    "lag": ({}, {"rows": [1, 90]}),
    "difference": ({"rows": [1, 60]},),
    "rolling": (
        {"width": 100, "statistics": ["mean", "sd", "minimum", "maximum", "median", "slope"]},
        {"width": 600, "over": "time", "statistics": ["mean", "slope"]},
    ),
    "spectral": ({"width": 16, "rate": 1.0}, {"width": 64, "every": 7, "rate": 1.0}),
    "convert_unit": ({"to": "kPa"},),
    "rename": ({"names": ["p", "q"]},),
    "filter_rows": ({"conditions": [{"column": "pressure", "operator": "above", "value": "6"}]},),
    "target_encode": ({}, {"folds": 2}),
    "isolation_outliers": tuple({"share": 0.05, "n_trees": 10, "action": a} for a in ("flag", "set_missing", "drop_rows")),
}
NAMED = {"rename": ("pressure", "flow"), "to_number": ("material",), "text_features": ("material",)}
ROUNDED = ("time_fill", "spline_fill", "rolling")
"""Sums and times that begin elsewhere have other rounding."""
CASES = [
    pytest.param(step.key, settings, id=f"{step.key}-{i}")
    for step in STEPS
    for i, settings in enumerate(SETTINGS.get(step.key, ({},)))
]


def table_of() -> pd.DataFrame:
    """Three machines in turn, times shuffled with repeats and gaps, empty cells alone and in runs, a category never trained."""
    rng = np.random.default_rng(5)
    clock = pd.Series(pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 4_000, N), unit="s"))
    clock[rng.random(N) < 0.02] = pd.NaT
    unit = pd.Series(rng.choice(["a", "b", "c"], N), dtype="str")
    unit[rng.random(N) < 0.02] = None
    pressure, flow = rng.normal(5, 1, N), rng.normal(0, 1, N)
    pressure[rng.random(N) < 0.2] = np.nan
    pressure[900:1_400] = np.nan
    flow[rng.random(N) < 0.02] = 40.0
    flow[[7, 2_900]] = np.inf
    material = pd.Series(rng.choice(["steel", "zinc"], N), dtype="str")
    material[rng.random(N) < 0.1] = None
    material[2_000:2_010] = "brass"
    return pd.DataFrame(
        {
            "unit": unit,
            "clock": clock.astype("datetime64[us]"),
            "pressure": pressure,
            "flow": flow,
            "material": material,
            "all_missing": np.nan,
            "constant": 3.0,
            "width": rng.normal(size=N),
        }
    )


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "STRETCH_ROWS", 200)
    monkeypatch.setattr(streaming, "BUNDLE_ROWS", 250)
    monkeypatch.setattr(streaming, "OVERLAP_ROWS", 40)


def check_same(recipe: Recipe, folder: Path) -> None:
    table = table_of()
    path = folder / "table.parquet"
    table.to_parquet(path, index=False, row_group_size=130)
    before = path.read_bytes()
    fitted = fit_recipe(recipe, TrainPart(table.iloc[:N_TRAIN], _made_by_split=True), COLUMNS)
    whole = fitted.apply(pd.read_parquet(path), in_training=True)
    parts = streaming.clean_rows(
        fitted, ParquetRows(dict.fromkeys(table.columns, path)), Room(folder / "room"), in_training=True
    )
    assert set(parts.rows.names) == set(whole.table.columns)
    found = parts.rows.read(list(whole.table.columns))
    rounded = any(step.key in ROUNDED for step in recipe.steps)
    given: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-9} if rounded else {"check_exact": True}
    pd.testing.assert_frame_equal(found.reset_index(drop=True), whole.table.reset_index(drop=True), **given)
    assert (parts.real_event is None) == (whole.real_event is None)
    if whole.real_event is not None:
        np.testing.assert_array_equal(parts.real_event, whole.real_event)
    np.testing.assert_array_equal(parts.left_out, whole.left_out)
    np.testing.assert_array_equal(parts.flagged, whole.flagged)
    names = np.array(["", *parts.keys], dtype=object)
    np.testing.assert_array_equal(names[parts.left_out_by], whole.left_out_by)
    for one, other in zip(parts.changes, whole.changes, strict=True):
        assert dict(one.changed_cells) == dict(other.changed_cells)
        assert dict(one.event_cells) == dict(other.event_cells)
        assert {c.name: c for c in one.columns} == {c.name: c for c in other.columns}
        assert dict(one.renamed) == dict(other.renamed)
        assert dict(one.flagged_cells) == dict(other.flagged_cells)
        assert one.left_out_rows == other.left_out_rows
        assert set(one.added_columns) == set(other.added_columns)
        assert one.removed_columns == other.removed_columns
        assert sorted(map(str, one.notes)) == sorted(map(str, other.notes))
    assert path.read_bytes() == before


@pytest.mark.parametrize(("key", "settings"), CASES)
def test_a_step_gives_the_same_from_a_file_as_in_memory(key: str, settings: dict[str, object], tmp_path: Path) -> None:
    check_same(Recipe(steps=(RecipeStep(key=key, settings=settings, columns=NAMED.get(key, ())),)), tmp_path)


@pytest.mark.parametrize(("key", "settings"), CASES)
def test_a_step_between_others_gives_the_same_from_a_file(key: str, settings: dict[str, object], tmp_path: Path) -> None:
    around = (
        RecipeStep(key="iqr_outliers", columns=("flow",), settings={"fence": 3.0, "action": "drop_rows"}),
        RecipeStep(key="previous_fill", columns=("unit", "pressure"), settings={"max_gap": 5}),
    )
    last = RecipeStep(key="linear_fill")
    check_same(Recipe(steps=(*around, RecipeStep(key=key, settings=settings, columns=NAMED.get(key, ())), last)), tmp_path)
