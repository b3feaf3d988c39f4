"""Calendar features, unit conversion, numbers out of texts, renames and filters: by hand and at their borders."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from core.clean import Cleaned, FittedRecipe, Recipe, fit_recipe
from core.clean.columns.units import factor_and_offset
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import DataProblem, SettingProblem

Fit = Callable[..., FittedRecipe]
Clean = Callable[..., Cleaned]
NUMBER = Column("p", "number", unit="bar", lower_limit=1.0, nominal=2.0, upper_limit=3.0)
TEXT = Column("m", "text")
TIME = Column("t", "time", "time")


def times(*texts: str) -> pd.DataFrame:
    return pd.DataFrame({"t": pd.to_datetime(list(texts)).astype("datetime64[us]")})


def test_the_hour_and_weekday_go_round_their_circle(clean: Clean) -> None:
    # 2024-05-06 is a Monday, 2024-05-09 a Thursday.
    done = clean("calendar", times("2024-05-06 00:00", "2024-05-06 06:00", "2024-05-09 18:00", ""), [TIME]).table
    np.testing.assert_allclose(done["t_hour_sin"], [0, 1, -1, np.nan], atol=1e-12)
    np.testing.assert_allclose(done["t_hour_cos"], [1, 0, 0, np.nan], atol=1e-12)
    np.testing.assert_allclose(done["t_weekday_sin"], [0, 0, np.sin(2 * np.pi * 3 / 7), np.nan], atol=1e-12)


def test_shifts_begin_at_their_hours_and_the_last_goes_on_over_midnight(clean: Clean) -> None:
    made = times("2024-05-06 05:59", "2024-05-06 06:00", "2024-05-06 13:59", "2024-05-06 14:00", "2024-05-06 22:00", "")
    recipe = clean("calendar", made, [TIME], {"parts": ["shift", "month"]})
    assert recipe.table["t_shift"].fillna("–").tolist() == ["3", "1", "1", "2", "3", "–"]
    np.testing.assert_allclose(recipe.table["t_month_cos"][:5], np.cos(2 * np.pi * 4 / 12))


def test_a_cycle_counter_has_no_calendar(clean: Clean) -> None:
    done = clean("calendar", pd.DataFrame({"t": [1.0, 2.0]}), [Column("t", "number", "time")])
    assert list(done.table) == ["t"]
    assert str(done.changes[0].notes[0]) == "There is no time column, so nothing was added."


@pytest.mark.parametrize(
    ("source", "to", "factor", "offset"),
    [
        ("bar", "kPa", 100.0, 0.0),
        ("psi", "Pa", 6894.757293168361, 0.0),  # NIST SP 811, appendix B.8
        ("inch", "mm", 25.4, 0.0),
        ("°F", "°C", 5 / 9, -160 / 9),
        ("K", "°C", 1.0, -273.15),
        ("m³/h", "l/min", 1000 / 60, 0.0),
        ("N·m", "lbf*ft", 1 / 1.3558179483314004, 0.0),  # NIST SP 811
        ("rpm", "Hz", 1 / 60, 0.0),
        ("U/min", "rad/s", 2 * np.pi / 60, 0.0),
        ("Hz", "rpm", 60.0, 0.0),
        ("kg/m3", "g/cm3", 0.001, 0.0),
        ("%", "ppm", 10_000.0, 0.0),
    ],
)
def test_units_of_the_shop_floor(source: str, to: str, factor: float, offset: float) -> None:
    assert factor_and_offset(source, to) == (pytest.approx(factor, rel=1e-12), pytest.approx(offset, rel=1e-12))


@pytest.mark.parametrize("text", ["", "flurbs", "__import__('os')", "9**9**9**9", "m**99999", "(((", "bar; rm", "x" * 41])
def test_a_text_that_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(SettingProblem, match="is not a unit"):
        factor_and_offset(text, "bar")


def test_units_of_another_kind_and_scales_that_are_not_linear_are_refused(fit: Fit) -> None:
    with pytest.raises(SettingProblem, match="'bar' cannot become 'mm'.*same kind"):
        fit("convert_unit", pd.DataFrame({"p": [1.0]}), [NUMBER], {"to": "mm"})
    with pytest.raises(SettingProblem, match="'dB' cannot become"):
        factor_and_offset("dB", "1")


def test_a_name_that_says_the_old_unit_is_pointed_out(clean: Clean) -> None:
    made = pd.DataFrame({"Druck [bar]": [1.0], "q": [1.0]})
    columns = [Column("Druck [bar]", "number", unit="bar"), Column("q", "number", unit="bar")]
    notes = clean("convert_unit", made, columns, {"to": "kPa"}).changes[0].notes
    assert [str(n) for n in notes] == ["The name 'Druck [bar]' still says bar, and its values are in kPa: rename it."]


def test_values_limits_and_unit_change_together(fit: Fit) -> None:
    made = pd.DataFrame({"p": [1.0, np.nan, -2.0, np.inf], "q": [1.0, 2.0, 3.0, 4.0]})
    recipe = fit("convert_unit", made, [NUMBER, Column("q", "number")], {"to": "kPa"})
    done = recipe.apply(made)
    np.testing.assert_array_equal(done.table["p"], [100.0, np.nan, -200.0, np.inf])
    assert recipe.columns == (Column("p", "number", "sensor", "kPa", 100.0, 200.0, 300.0), Column("q", "number"))
    assert done.changes[0].changed_cells == {"p": 2}
    assert str(done.changes[0].notes[0]) == "Column 'q' is unchanged: it has no unit."


@pytest.mark.parametrize(
    ("text", "settings", "expected"),
    [
        ("1.5", {}, 1.5),
        (" -1.5e3 ", {}, -1500.0),
        ("1,5", {}, np.nan),
        ("1,5", {"decimal": ","}, 1.5),
        ("1.5", {"decimal": ","}, np.nan),
        ("1.234.567,8", {"decimal": ",", "thousands": "."}, 1234567.8),
        ("1.23,4", {"decimal": ",", "thousands": "."}, np.nan),
        ("1'234.5", {"thousands": "'"}, 1234.5),
        ("12 %", {}, 12.0),
        ("12 %", {"strip_signs": False}, np.nan),
        ("€ 3.20", {}, 3.2),
        ("3.20 EUR", {}, 3.2),
        ("0x1F", {}, np.nan),
        ("1_000", {}, np.nan),
        ("inf", {}, np.nan),
        ("nan", {}, np.nan),
        ("１２", {}, np.nan),
        (".", {}, np.nan),
    ],
)
def test_numbers_are_read_as_written_or_not_at_all(clean: Clean, text: str, settings: dict, expected: float) -> None:
    found = clean("to_number", pd.DataFrame({"m": [text]}), [TEXT], settings, named=("m",)).table["m"]
    np.testing.assert_array_equal(found, [expected])


def test_cells_that_are_no_numbers_are_counted_and_shown(fit: Fit) -> None:
    made = pd.DataFrame({"m": ["1", "n.d.", None, "2", "n.d."]})
    recipe = fit("to_number", made, [TEXT], named=("m",))
    done = recipe.apply(made)
    assert recipe.columns == (Column("m", "number"),)
    assert done.changes[0].changed_cells == {"m": 4}
    assert str(done.changes[0].notes[0]) == "2 cells of 'm' are no numbers and become empty, for example 'n.d.'."


def test_a_text_column_is_read_as_numbers_only_when_it_is_named(clean: Clean) -> None:
    done = clean("to_number", pd.DataFrame({"m": ["1"]}), [TEXT])
    assert done.table["m"].tolist() == ["1"]
    assert str(done.changes[0].notes[0]) == "No column was named, so nothing was changed."


def test_later_steps_take_a_renamed_column_and_one_that_became_a_number() -> None:
    made = pd.DataFrame({"p": [1.0, np.nan, 3.0], "m": ["1", "5", None]})
    steps = [
        {"key": "rename", "columns": ["p"], "settings": {"names": ["druck"]}},
        {"key": "to_number", "columns": ["m"]},
        {"key": "mean_fill"},
    ]
    recipe = fit_recipe(Recipe.read({"steps": steps}), TrainPart(made, _made_by_split=True), [NUMBER, TEXT])
    done = recipe.apply(made)
    assert list(done.table) == ["druck", "m"]
    assert done.table.to_numpy().tolist() == [[1.0, 1.0], [2.0, 5.0], [3.0, 3.0]]
    assert recipe.columns[0] == Column("druck", "number", "sensor", "bar", 1.0, 2.0, 3.0)


@pytest.mark.parametrize("names", [["a"], ["a", "a"], ["a", ""], ["a", "z"], ["a", "b", "c"]])
def test_new_names_have_to_fit(fit: Fit, names: list[str]) -> None:
    made = pd.DataFrame({"p": [1.0], "q": [1.0], "z": [1.0]})
    columns = [Column(n, "number") for n in made]
    with pytest.raises(SettingProblem, match="2 columns are to be called"):
        fit("rename", made, columns, {"names": names}, named=("p", "q"))
    swapped = fit("rename", made, columns, {"names": ["q", "p"]}, named=("p", "q"))
    assert list(swapped.apply(made).table) == ["q", "p", "z"]


FILTERED = pd.DataFrame(
    {
        "p": [1.0, 2.0, np.nan, 4.0, -np.inf],
        "m": ["x", "y", "x.y", None, "z"],
        "t": pd.to_datetime(["2024-05-01 00:00", "2024-05-02 00:00", "2024-05-03 12:00", None, "2024-05-05 00:00"]).astype(
            "datetime64[us]"
        ),
        "y": [0.0, 1.0, 2.0, 3.0, 4.0],
    }
)
FILTER_COLUMNS = (Column("p", "number"), TEXT, TIME, Column("y", "number", "target"))


@pytest.mark.parametrize(
    ("column", "operator", "value", "rows"),
    [
        ("p", "equals", "2", [1]),
        ("p", "differs_from", "2", [0, 3]),
        ("p", "below", "2", [0]),
        ("p", "at_most", "2.0", [0, 1]),
        ("p", "above", "2", [3]),
        ("p", "at_least", "2", [1, 3]),
        ("p", "between", "1 … 2", [0, 1]),
        ("p", "between", "1...2", [0, 1]),
        ("p", "one_of", "4; 1", [0, 3]),
        ("p", "is_empty", "", [2, 4]),
        ("p", "is_not_empty", "", [0, 1, 3]),
        ("m", "equals", "x", [0]),
        ("m", "differs_from", "x", [1, 2, 4]),
        ("m", "one_of", "x;z", [0, 4]),
        ("m", "contains", ".", [2]),
        ("m", "is_empty", "", [3]),
        ("t", "at_least", "2024-05-03 12:00", [2, 4]),
        ("t", "below", "2024-05-02", [0]),
        ("t", "between", "2024-05-02 … 2024-05-04", [1, 2]),
    ],
)
def test_each_comparison_by_hand(clean: Clean, column: str, operator: str, value: str, rows: list[int]) -> None:
    condition = {"column": column, "operator": operator, "value": value}
    done = clean("filter_rows", FILTERED, FILTER_COLUMNS, {"conditions": [condition]})
    assert np.flatnonzero(done.left_out).tolist() == rows
    kept = clean("filter_rows", FILTERED, FILTER_COLUMNS, {"conditions": [condition], "action": "keep"})
    assert np.flatnonzero(~kept.left_out).tolist() == rows
    assert len(kept.table) == 5


def test_all_and_any(clean: Clean) -> None:
    two = [{"column": "p", "operator": "at_least", "value": "2"}, {"column": "m", "operator": "equals", "value": "x"}]
    assert clean("filter_rows", FILTERED, FILTER_COLUMNS, {"conditions": two}).left_out.sum() == 0
    assert clean("filter_rows", FILTERED, FILTER_COLUMNS, {"conditions": two, "match": "any_condition"}).left_out.tolist() == [
        True,
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("column", "operator", "value", "kind", "said"),
    [
        ("p", "above", "__import__('os')", SettingProblem, "a number such as"),
        ("p", "above", "nan", SettingProblem, "a number such as"),
        ("p", "between", "1", SettingProblem, "two values"),
        ("p", "contains", "1", SettingProblem, "'contains' was asked of column 'p'"),
        ("m", "above", "a", SettingProblem, "'above' was asked of column 'm'"),
        ("t", "above", "soon", SettingProblem, "a time such as"),
        ("y", "above", "1", SettingProblem, "looks at the target"),
        ("pp", "above", "1", DataProblem, "no column 'pp'"),
    ],
)
def test_conditions_that_cannot_be_read_are_refused(
    fit: Fit, column: str, operator: str, value: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        fit("filter_rows", FILTERED, FILTER_COLUMNS, {"conditions": [{"column": column, "operator": operator, "value": value}]})
