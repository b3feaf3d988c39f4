"""Periods that take no part: read as people write them, found by the time column, the same on new data."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clean import FittedRecipe, Recipe, fit_recipe
from core.clean.periods import Period, inside, joined, make_period, read_period
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import DataProblem, SettingProblem

COLUMNS = (Column("t", "time", "time"), Column("p", "number"))


def table_of(n: int = 100) -> pd.DataFrame:
    times = pd.Series(pd.date_range("2026-05-01", periods=n, freq="min")).astype("datetime64[us]")
    return pd.DataFrame({"t": times, "p": np.arange(n, dtype=float)})


def fitted(*periods: str, columns: tuple[Column, ...] = COLUMNS) -> FittedRecipe:
    recipe = Recipe.read({"steps": [{"key": "exclude_periods", "settings": {"periods": list(periods)}}]})
    return fit_recipe(recipe, TrainPart(table_of(), _made_by_split=True), columns)


@pytest.mark.parametrize(
    ("text", "start", "stop", "reason"),
    [
        ("2026-05-01T06:00/2026-05-01T08:30 tool change", "2026-05-01 06:00", "2026-05-01 08:30", "tool change"),
        ("2026-05-01 06:00 / 2026-05-01 08:30:15.5", "2026-05-01 06:00", "2026-05-01 08:30:15.5", ""),
        ("01.05.2026 06:00/2026-05-02", "2026-05-01 06:00", "2026-05-02", ""),
        ("2026-05-02/2026-05-01 turned", "2026-05-01", "2026-05-02", "turned"),
        ("2026-05-01T06:00:00+02:00/2026-05-01T08:00:00 7 parts", "2026-05-01 06:00", "2026-05-01 08:00", "7 parts"),
    ],
)
def test_times_are_read_as_people_write_them(text: str, start: str, stop: str, reason: str) -> None:
    assert read_period(text) == Period(pd.Timestamp(start), pd.Timestamp(stop), reason)


def test_numbers_of_a_counter_are_read() -> None:
    assert read_period("120/140.5 wash") == Period(120.0, 140.5, "wash")
    assert read_period("1e3/-2") == Period(-2.0, 1000.0, "")


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-05-01", "5/2026-05-01", "05/06/2026/06/06/2026", "nan/3", "2026-13-01/2026-13-02"]
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(SettingProblem, match="is not a period") as refused:
        read_period(text)
    assert "None" not in str(refused.value)


@given(
    st.datetimes(min_value=pd.Timestamp("1970-01-01").to_pydatetime(), max_value=pd.Timestamp("2100-01-01").to_pydatetime()),
    st.datetimes(min_value=pd.Timestamp("1970-01-01").to_pydatetime(), max_value=pd.Timestamp("2100-01-01").to_pydatetime()),
    st.text(max_size=100),
)
def test_a_period_comes_back_from_its_text(start, stop, reason) -> None:  # type: ignore[no-untyped-def]
    period = make_period(start, stop, reason)
    assert read_period(period.text) == period


def test_both_ends_and_nothing_else_are_left_out() -> None:
    cleaned = fitted("2026-05-01T00:10/2026-05-01T00:20 a", "2026-05-01T01:30/2026-05-03 b").apply(table_of())
    expected = np.zeros(100, bool)
    expected[10:21] = expected[90:] = True
    np.testing.assert_array_equal(cleaned.left_out, expected)
    assert set(cleaned.left_out_by[expected]) == {"exclude_periods"}
    assert cleaned.changes[0].left_out_rows == 21


def test_the_same_periods_hold_on_new_data_after_a_bundle() -> None:
    restored = FittedRecipe.from_json(json.loads(json.dumps(fitted("2026-05-01T00:10/2026-05-01T00:20").to_json())))
    new = table_of(30).iloc[::-1].reset_index(drop=True)
    assert restored.apply(new).left_out.sum() == 11
    with pytest.raises(DataProblem, match="There is no column 't'"):
        restored.apply(new[["p"]])


def test_a_row_without_a_time_stays() -> None:
    table = table_of()
    table.loc[15, "t"] = pd.NaT
    assert fitted("2026-05-01T00:10/2026-05-01T00:20").apply(table).left_out.sum() == 10


def test_without_a_time_column_and_on_the_wrong_kind_it_says_so() -> None:
    with pytest.raises(SettingProblem, match="no column has the role 'time'"):
        fitted("1/2", columns=(Column("t", "time"), Column("p", "number")))
    with pytest.raises(DataProblem, match="does not fit the time column"):
        fitted("1/2").apply(table_of())
    with pytest.raises(DataProblem, match="does not fit the time column"):
        inside([read_period("2026-05-01/2026-05-02")], np.arange(3.0))


def test_overlapping_periods_become_one() -> None:
    found = joined(map(read_period, ["30/40 c", "1/10 a", "5/20 b", "20/21", "22/23 a"]))
    assert [p.text for p in found] == ["1/21 a + b", "22/23 a", "30/40 c"]


def test_rows_left_out_take_no_part_in_what_later_steps_learn() -> None:
    recipe = Recipe.read(
        {
            "steps": [
                {"key": "exclude_periods", "settings": {"periods": ["2026-05-01T00:50/2026-05-01T01:39"]}},
                {"key": "mean_fill", "columns": ["p"]},
            ]
        }
    )
    done = fit_recipe(recipe, TrainPart(table_of(), _made_by_split=True), COLUMNS)
    assert done.to_json()["steps"][1]["state"]["values"]["p"] == pytest.approx(np.mean(np.arange(50)))  # type: ignore[index]
