"""A column as a chart wants it: what an overview leaves out comes back in a range, and axis and rows agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.charts.downsample import MAX_POINTS
from core.clean import Recipe
from core.clean.periods import read_period
from core.data.dataset import Column, Dataset
from core.errors import SettingProblem
from core.workflows import series
from core.workflows.series import TableAxis, column_series, periods_of, with_periods

N = 50_000


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Dataset]:
    def make(table: pd.DataFrame, *columns: Column) -> Dataset:
        path = tmp_path / "table.parquet"
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path, row_group_size=7_000)
        return Dataset("x", 1, "x", path, len(table), columns, "")

    return make


def table_of() -> pd.DataFrame:
    values = np.sin(np.arange(N) / 700)
    values[[12_345, 40_001]] = [9.0, -9.0]
    values[20_000:24_000] = np.nan
    times = pd.Series(pd.date_range("2026-01-01", periods=N, freq="s")).astype("datetime64[us]")
    return pd.DataFrame({"t": times, "p": values, "name": "a"})


COLUMNS = (Column("t", "time", "time"), Column("p", "number", unit="bar"), Column("name", "text"))


@pytest.mark.parametrize("whole", [0, 10**9])
def test_the_overview_keeps_spikes_and_gaps_and_a_range_has_every_row(
    whole: int, make: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "WHOLE_ROWS", whole)
    table = table_of()
    dataset = make(table, *COLUMNS)
    axis = TableAxis(dataset)
    found = column_series(dataset, "p", axis)
    assert (found.start, found.stop, found.n_rows, found.unit) == (0, N, N, "bar")
    if whole == 0:
        assert found.is_thinned
        assert len(found.values) <= MAX_POINTS
    known = np.isfinite(found.values)
    assert {12_345, 40_001, 0, N - 1} <= set(found.rows[known].tolist())
    np.testing.assert_array_equal(found.values[known], table["p"].to_numpy()[found.rows[known]])
    np.testing.assert_array_equal(found.at[known], table["t"].to_numpy()[found.rows[known]])
    assert not known[(found.rows > 20_000) & (found.rows < 24_000)].any()
    monkeypatch.setattr(series, "WHOLE_ROWS", 10**9)
    part = column_series(dataset, "p", axis, 12_000, 15_000)
    np.testing.assert_array_equal(part.rows, np.arange(12_000, 15_000))
    np.testing.assert_array_equal(part.values, table["p"].to_numpy()[12_000:15_000])


def test_a_streamed_range_starts_and_ends_in_the_middle_of_row_groups(
    make: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "WHOLE_ROWS", 10)
    table = table_of()
    dataset = make(table, *COLUMNS)
    found = column_series(dataset, "p", TableAxis(dataset), 6_990, 7_020)
    np.testing.assert_array_equal(found.rows, np.arange(6_990, 7_020))
    np.testing.assert_array_equal(found.at, table["t"].to_numpy()[6_990:7_020])


def test_the_axis_finds_rows_of_times_as_searchsorted_does(make: Callable[..., Dataset]) -> None:
    table = table_of()
    table["t"] = np.repeat(table["t"].to_numpy()[::5], 5)  # times that repeat, over the edges of row groups
    dataset = make(table, *COLUMNS)
    axis, times = TableAxis(dataset), table["t"].to_numpy()
    assert axis.column == "t"
    for row in (0, 3, 6_999, 7_000, 7_001, 34_999, N - 1):
        assert axis.value(row) == times[row]
        for side in ("left", "right"):
            for value in (times[row], times[row] + np.timedelta64(1, "us")):
                assert axis.place(value, side) == np.searchsorted(times, value, side)
    assert axis.place(np.datetime64("2020-01-01")) == 0
    assert axis.place(np.datetime64("2030-01-01")) == N


@pytest.mark.parametrize("why", ["turned", "empty", "none"])
def test_where_times_do_not_ascend_rows_are_the_axis(why: str, make: Callable[..., Dataset]) -> None:
    table, columns = table_of(), list(COLUMNS)
    if why == "turned":
        table.loc[7_000, "t"] = table["t"].iloc[0]
    elif why == "empty":
        table.loc[30_000, "t"] = pd.NaT
    else:
        columns[0] = Column("t", "time")
    dataset = make(table, *columns)
    axis = TableAxis(dataset)
    assert axis.column is None
    assert (axis.value(7), axis.place(7), axis.place(7, "right"), axis.place(10**9)) == (8, 6, 7, N), "people count from 1"
    np.testing.assert_array_equal(column_series(dataset, "p", axis, 5, 9).at, [5, 6, 7, 8])


def test_machines_side_by_side_share_the_clock_of_the_table(make: Callable[..., Dataset]) -> None:
    """What matters is that times ascend over the whole table, and not whose rows they are."""
    columns = list(COLUMNS)
    columns[2] = Column("name", "text", "group")
    assert TableAxis(make(table_of(), *columns)).column == "t"


def test_a_text_is_refused(make: Callable[..., Dataset]) -> None:
    dataset = make(table_of(), *COLUMNS)
    with pytest.raises(SettingProblem, match="holds no numbers"):
        column_series(dataset, "name", TableAxis(dataset))


def test_periods_are_the_first_step_of_a_recipe_and_go_with_the_last_period() -> None:
    recipe = Recipe.read({"steps": [{"key": "median_fill"}]})
    periods = (read_period("5/7 b"), read_period("1/2 a"))
    filled = with_periods(recipe, periods)
    assert [s.key for s in filled.steps] == ["exclude_periods", "median_fill"]
    assert [p.text for p in periods_of(filled)] == ["1/2 a", "5/7 b"]
    assert periods_of(with_periods(filled, (read_period("1/9"),))) == (read_period("1/9"),)
    assert [s.key for s in with_periods(filled, ()).steps] == ["median_fill"]
