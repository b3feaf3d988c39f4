"""Fills from neighbouring rows, by hand and against pandas group by group."""

import numpy as np
import pandas as pd
import pytest

from core.clean import Cleaned, Recipe, fit_recipe
from core.data.dataset import Column
from core.data.split import TrainPart

NAN = np.nan
COLUMNS = (Column("unit", "text", "group"), Column("clock", "time", "time"), Column("p", "number"), Column("tool", "text"))


def clean(table: pd.DataFrame, key: str, columns: tuple[str, ...] = (), **settings: object) -> Cleaned:
    recipe = Recipe.read({"steps": [{"key": key, "columns": columns, "settings": settings}]})
    return fit_recipe(recipe, TrainPart(table, _made_by_split=True), [c for c in COLUMNS if c.name in table]).apply(table)


def same(found: pd.Series, expected: list[float]) -> None:
    np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("previous_fill", [NAN, 1.0, 1.0, 1.0, 4.0, 4.0]),
        ("next_fill", [1.0, 1.0, 4.0, 4.0, 4.0, NAN]),
        ("linear_fill", [NAN, 1.0, 2.0, 3.0, 4.0, NAN]),
    ],
)
def test_a_gap_is_filled_from_the_side_the_method_names(key: str, expected: list[float]) -> None:
    cleaned = clean(pd.DataFrame({"p": [NAN, 1.0, NAN, np.inf, 4.0, NAN]}), key)
    same(cleaned.table["p"], expected)
    assert cleaned.changes[0].n_changed == (2 if key == "linear_fill" else 3)


@pytest.mark.parametrize("key", ["previous_fill", "next_fill", "linear_fill"])
def test_a_gap_longer_than_allowed_stays_empty_as_a_whole(key: str) -> None:
    table = pd.DataFrame({"p": [1.0, NAN, NAN, NAN, 5.0, NAN, 7.0]})
    same(clean(table, key, max_gap=3).table["p"].iloc[4:], [5.0, {"previous_fill": 5.0, "next_fill": 7.0}.get(key, 6.0), 7.0])
    assert clean(table, key, max_gap=3).changes[0].n_changed == 4
    assert clean(table, key, max_gap=2).changes[0].n_changed == 1
    assert clean(table, key, max_gap=2).table["p"].iloc[1:4].isna().all()


def test_a_gap_at_the_border_of_groups_is_measured_within_the_group() -> None:
    table = pd.DataFrame({"unit": list("aabbb"), "p": [1.0, NAN, NAN, NAN, 2.0]})
    same(clean(table, "previous_fill", max_gap=1).table["p"], [1.0, 1.0, NAN, NAN, 2.0])
    same(clean(table, "next_fill", max_gap=1).table["p"], [1.0, NAN, NAN, NAN, 2.0])
    same(clean(table, "next_fill", max_gap=2).table["p"], [1.0, NAN, 2.0, 2.0, 2.0])


@pytest.mark.parametrize("key", ["previous_fill", "next_fill", "linear_fill"])
def test_interleaved_groups_never_mix(key: str) -> None:
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"unit": rng.choice(list("abcd"), 400), "p": rng.normal(size=400)})
    table.loc[rng.random(400) < 0.5, "p"] = NAN
    by_unit = table.groupby("unit")["p"]
    expected = {
        "previous_fill": by_unit.ffill,
        "next_fill": by_unit.bfill,
        "linear_fill": lambda: by_unit.transform(
            lambda s: s.reset_index(drop=True).interpolate(limit_area="inside").to_numpy()
        ),
    }[key]()
    same(clean(table, key).table["p"], expected.to_list())


def test_rows_without_a_group_name_are_a_group_of_their_own() -> None:
    table = pd.DataFrame({"unit": ["a", None, "a", None], "p": [1.0, 2.0, NAN, NAN]})
    same(clean(table, "previous_fill").table["p"], [1.0, 2.0, 1.0, 2.0])


def test_neighbours_follow_time_and_not_the_order_of_the_file() -> None:
    clock = pd.to_datetime(["2024-01-03", "2024-01-01", "2024-01-02", None, "2024-01-04"])
    table = pd.DataFrame({"clock": clock, "p": [3.0, 1.0, NAN, NAN, NAN]})
    same(clean(table, "previous_fill").table["p"], [3.0, 1.0, 1.0, 3.0, 3.0])
    same(clean(table, "linear_fill").table["p"], [3.0, 1.0, 2.0, NAN, NAN])


def test_shuffled_rows_are_filled_as_sorted_ones() -> None:
    rng = np.random.default_rng(6)
    table = pd.DataFrame(
        {"unit": np.repeat(["a", "b"], 60), "clock": pd.date_range("2024", periods=120), "p": rng.normal(size=120)}
    )
    table.loc[rng.random(120) < 0.4, "p"] = NAN
    for key in ("previous_fill", "next_fill", "linear_fill"):
        shuffled = clean(table.sample(frac=1, random_state=1), key, max_gap=2).table.sort_index()
        pd.testing.assert_frame_equal(shuffled, clean(table, key, max_gap=2).table)


def test_a_table_without_the_time_column_is_taken_in_file_order() -> None:
    table = pd.DataFrame({"clock": pd.date_range("2024", periods=3)[::-1], "p": [1.0, NAN, 3.0]})
    fitted = fit_recipe(Recipe.read({"steps": [{"key": "previous_fill"}]}), TrainPart(table, _made_by_split=True), COLUMNS[1:3])
    same(fitted.apply(table).table["p"], [1.0, 3.0, 3.0])
    same(fitted.apply(table[["p"]]).table["p"], [1.0, 1.0, 3.0])


def test_texts_are_carried_on() -> None:
    table = pd.DataFrame({"unit": ["a", "a", "b"], "tool": ["T1", None, None]})
    found = clean(table, "previous_fill").table["tool"]
    assert found.tolist()[:2] == ["T1", "T1"]
    assert found.isna().tolist() == [False, False, True]


def test_a_group_column_written_only_on_its_first_row_can_be_filled_when_named() -> None:
    table = pd.DataFrame({"unit": ["a", None, "b", None], "p": [1.0, 2.0, 3.0, 4.0]})
    assert clean(table, "previous_fill", ("unit",)).table["unit"].tolist() == ["a", "a", "b", "b"]


def test_the_previous_value_does_not_depend_on_later_rows() -> None:
    rng = np.random.default_rng(1)
    values = np.where(rng.random(50) < 0.4, NAN, rng.normal(size=50))
    whole = clean(pd.DataFrame({"p": values}), "previous_fill").table["p"].to_numpy()
    part = clean(pd.DataFrame({"p": values[:30]}), "previous_fill").table["p"].to_numpy()
    np.testing.assert_array_equal(whole[:30], part)


def test_all_missing_and_one_row_stay_as_they_are() -> None:
    for key in ("previous_fill", "next_fill", "linear_fill"):
        assert clean(pd.DataFrame({"p": [NAN, NAN]}), key).table["p"].isna().all()
        same(clean(pd.DataFrame({"p": [3.0]}), key).table["p"], [3.0])


def test_a_straight_line_between_huge_values_does_not_overflow() -> None:
    same(clean(pd.DataFrame({"p": [-1.5e308, NAN, 1.5e308]}), "linear_fill").table["p"], [-1.5e308, 0.0, 1.5e308])
