"""Steps whose numbers the user gives: limits, stretches to correct, how long a value may last, how slow a level is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.clean import Cleaned, Recipe, RecipeStep, fit_recipe, streaming
from core.clean.repeated import in_long_run
from core.data import rows as rows_module
from core.data.dataset import Column
from core.data.room import Room
from core.data.rows import ParquetRows
from core.data.split import TrainPart
from core.errors import DataProblem, SettingProblem

COLUMNS = (Column("when", "time", "time"), Column("x", "number", unit="bar", lower_limit=0.0, upper_limit=9.0))
NAN = float("nan")


def table_of(x: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"when": pd.date_range("2026-05-01", periods=len(x), freq="h").astype("datetime64[us]"), "x": x})


def cleaned(key: str, x: list[float], **settings: object) -> Cleaned:
    table = table_of(x)
    recipe = Recipe(steps=(RecipeStep(key=key, columns=("x",), settings=settings),))
    return fit_recipe(recipe, TrainPart(table, _made_by_split=True), COLUMNS).apply(table)


def cells(key: str, x: list[float], **settings: object) -> list[float]:
    return cleaned(key, x, **settings).table["x"].tolist()


def test_values_beyond_given_limits_are_emptied_and_the_limits_themselves_only_when_asked() -> None:
    x = [-1.0, 0.0, 4.0, 9.0, 9.5, NAN]
    given = {"smallest": 0.0, "largest": 9.0, "action": "set_missing"}
    np.testing.assert_array_equal(cells("fixed_limits", x, **given), [NAN, 0, 4, 9, NAN, NAN])
    np.testing.assert_array_equal(cells("fixed_limits", x, **given, with_ends=True), [NAN, NAN, 4, NAN, NAN, NAN])


def test_clipping_to_given_limits_counts_only_cells_that_move() -> None:
    done = cleaned("fixed_limits", [-1.0, 0.0, 9.0, 12.0], smallest=0.0, largest=9.0, with_ends=True, action="clip")
    assert done.table["x"].tolist() == [0, 0, 9, 9]
    assert dict(done.changes[0].changed_cells) == {"x": 2}


def test_limits_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(SettingProblem, match="smallest value is 9 and the largest 0"):
        cells("fixed_limits", [1.0], smallest=9.0, largest=0.0)


def test_a_stretch_is_multiplied_and_moved_with_both_ends() -> None:
    found = cells(
        "correct_stretch", [1.0, 2.0, 3.0, 4.0], factor=10.0, offset=0.5, start="2026-05-01 01:00", end="01.05.2026 02:00"
    )
    assert found == [1.0, 20.5, 30.5, 4.0]


def test_an_open_stretch_also_holds_for_rows_that_come_later() -> None:
    table = table_of([1.0, 2.0, 3.0, 4.0])
    step = RecipeStep(key="correct_stretch", columns=("x",), settings={"factor": 10.0, "start": "2026-05-01T02:00:00"})
    fitted = fit_recipe(Recipe(steps=(step,)), TrainPart(table, _made_by_split=True), COLUMNS)
    later = table_of([5.0]).assign(when=pd.Timestamp("2027-01-01"))
    assert fitted.apply(table).table["x"].tolist() == [1, 2, 30, 40]
    assert fitted.apply(later).table["x"].tolist() == [50]
    nowhen = table.assign(when=pd.Series([pd.NaT] * 4, dtype="datetime64[us]"))
    assert fitted.apply(nowhen).table["x"].tolist() == [1, 2, 3, 4]


def test_a_stretch_that_cannot_be_read_or_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingProblem, match="'noon' is no place on the time column"):
        cells("correct_stretch", [1.0], factor=2.0, start="noon")
    with pytest.raises(SettingProblem, match="is no place on the time column"):
        cells("correct_stretch", [1.0], factor=2.0, start="5", end="2026-05-01")
    with pytest.raises(DataProblem, match="does not fit the time column"):
        cells("correct_stretch", [1.0], factor=2.0, start="5")
    table = table_of([1.0]).drop(columns="when")
    recipe = Recipe(steps=(RecipeStep(key="correct_stretch", columns=("x",), settings={"start": "5"}),))
    with pytest.raises(SettingProblem, match="A stretch of time is to be corrected"):
        fit_recipe(recipe, TrainPart(table, _made_by_split=True), COLUMNS[1:])


def test_runs_end_at_empty_cells_and_groups_and_some_values_may_last() -> None:
    x = np.array([1, 1, 1, NAN, 1, 1, 2, 2, 2, 0, 0, 0, 0], dtype=float)
    groups = np.array([0] * 8 + [1] * 5)
    found = in_long_run(x, 3, groups, (0.0,))
    assert found.tolist() == [True] * 3 + [False] * 10
    assert in_long_run(x, 3).tolist() == [True] * 3 + [False] * 3 + [True] * 7
    assert in_long_run(x[:0], 3).tolist() == []


def test_a_long_stretch_of_one_value_is_emptied_whole_and_a_constant_column_stays() -> None:
    np.testing.assert_array_equal(cells("repeated_to_missing", [1, 2, 2, 2, 3, 3.0], rows=3), [1, NAN, NAN, NAN, 3, 3])
    same = cleaned("repeated_to_missing", [4.0] * 5, rows=3)
    assert same.table["x"].tolist() == [4] * 5
    assert "it never varies" in str(same.changes[0].notes[0])


def test_a_stretch_longer_than_any_bundle_is_emptied_from_a_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "STRETCH_ROWS", 200)
    monkeypatch.setattr(streaming, "BUNDLE_ROWS", 250)
    monkeypatch.setattr(streaming, "OVERLAP_ROWS", 10)
    x = np.random.default_rng(1).normal(size=3_000)
    x[200:1_400] = 7.0  # over four bundles
    x[1_740:1_760] = 8.0  # over an edge, 10 rows on either side of it
    x[2_245:2_259] = 9.0  # too short
    table = table_of(x.tolist())
    path = tmp_path / "table.parquet"
    table.to_parquet(path, index=False, row_group_size=130)
    recipe = Recipe(steps=(RecipeStep(key="repeated_to_missing", columns=("x",), settings={"rows": 20}),))
    fitted = fit_recipe(recipe, TrainPart(table, _made_by_split=True), COLUMNS)
    parts = streaming.clean_rows(fitted, ParquetRows(dict.fromkeys(table.columns, path)), Room(tmp_path / "room"))
    empty = np.flatnonzero(parts.rows.read(["x"])["x"].isna())
    assert empty.tolist() == [*range(200, 1_400), *range(1_740, 1_760)]
    assert dict(parts.changes[0].changed_cells) == {"x": 1_220}


def test_the_level_is_the_median_of_the_rows_up_to_each() -> None:
    done = cleaned("subtract_level", [1.0, 5.0, 3.0, NAN, 9.0, 7.0], width=3)
    # medians of the last three rows: 1, (1+5)/2, 3, –, (3+9)/2, (9+7)/2
    np.testing.assert_array_equal(done.table["x"], [0, 2, 0, NAN, 3, -1])


def test_without_its_level_a_column_keeps_its_unit_and_no_limits() -> None:
    table = table_of([1.0, 2.0, 3.0])
    recipe = Recipe(steps=(RecipeStep(key="subtract_level", columns=("x",)),))
    fitted = fit_recipe(recipe, TrainPart(table, _made_by_split=True), COLUMNS)
    assert fitted.columns[1] == Column("x", "number", unit="bar")


def test_ends_are_emptied_only_where_a_limit_was_given() -> None:
    """Infinity is no limit: it stays, as every other value does."""
    endless = [1.0, -np.inf, 23.0, 22.0, np.inf]
    np.testing.assert_array_equal(cells("fixed_limits", endless, with_ends=True, action="set_missing"), endless)
    np.testing.assert_array_equal(
        cells("fixed_limits", endless, with_ends=True, largest=22.0, action="set_missing"),
        [1.0, -np.inf, np.nan, np.nan, np.nan],
    )
