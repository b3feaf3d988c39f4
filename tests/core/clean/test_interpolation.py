"""Lines and curves across gaps, against NumPy's and SciPy's own answers and values by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import CubicSpline, PchipInterpolator

from core.clean import Cleaned, Recipe, fit_recipe
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem

P = Column("p", "number")
T = Column("t", "number", "time")
NAN = np.nan


def clean(table: pd.DataFrame, key: str, columns: list[Column], **settings: object) -> Cleaned:
    recipe = Recipe.read({"steps": [{"key": key, "columns": ["p"], "settings": settings}]})
    return fit_recipe(recipe, TrainPart(table, _made_by_split=True), columns).apply(table)


def test_by_hand_a_line_is_weighted_by_time_and_not_by_rows() -> None:
    table = pd.DataFrame({"t": [0.0, 1.0, 10.0], "p": [0.0, NAN, 10.0]})
    assert clean(table, "time_fill", [T, P]).table["p"].tolist() == [0.0, 1.0, 10.0]
    assert clean(table, "linear_fill", [T, P]).table["p"].tolist() == [0.0, 5.0, 10.0]


def test_dates_are_times_and_the_order_of_the_file_does_not_matter() -> None:
    times = pd.to_datetime(["2026-01-01 00:00:30", "2026-01-01 00:00:00", "2026-01-01 00:02:00"])
    table = pd.DataFrame({"t": times.astype("datetime64[us]"), "p": [NAN, 0.0, 12.0]})
    assert clean(table, "time_fill", [Column("t", "time", "time"), P]).table["p"].tolist() == [3.0, 0.0, 12.0]


def test_ends_stay_empty_and_groups_never_mix() -> None:
    table = pd.DataFrame({"lot": list("aabbb"), "t": [0.0, 1, 0, 1, 2], "p": [1.0, NAN, NAN, 7.0, NAN]})
    cleaned = clean(table, "time_fill", [Column("lot", "text", "group"), T, P])
    assert cleaned.changes[0].n_changed == 0
    assert cleaned.table["p"].isna().sum() == 3


@pytest.mark.parametrize(("curve", "theirs"), [("pchip", PchipInterpolator), ("cubic", CubicSpline)])
def test_curves_equal_those_of_scipy_in_each_group(curve: str, theirs: type) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"lot": np.repeat(["a", "b"], 20), "t": np.r_[np.sort(rng.random(20)), np.sort(rng.random(20))]})
    table["p"] = np.sin(6 * table["t"]) + (table["lot"] == "b") * 10
    gaps = [4, 5, 11, 25, 33, 34, 35]
    holes = table.assign(p=table["p"].where(~table.index.isin(gaps)))
    cleaned = clean(holes, "spline_fill", [Column("lot", "text", "group"), T, P], curve=curve)
    for lot in ("a", "b"):
        known = holes[(holes["lot"] == lot) & holes["p"].notna()]
        mine = [i for i in gaps if table.loc[i, "lot"] == lot]
        expected = theirs(known["t"], known["p"])(table.loc[mine, "t"])
        np.testing.assert_allclose(cleaned.table.loc[mine, "p"], expected)
    assert cleaned.changes[0].changed_cells == {"p": len(gaps)}


def test_pchip_stays_between_its_neighbours_where_cubic_overshoots() -> None:
    table = pd.DataFrame({"p": [0.0, 0.0, 0.0, NAN, 1.0, 1.0, 1.0]})
    assert 0 <= clean(table, "spline_fill", [P]).table["p"][3] <= 1
    wavy = pd.DataFrame({"p": [0.0, 0.0, NAN, 0.0, 9.0, 9.0]})
    assert clean(wavy, "spline_fill", [P], curve="cubic").table["p"][2] < 0


@pytest.mark.parametrize("key", ["time_fill", "spline_fill", "linear_fill", "previous_fill", "next_fill"])
def test_a_longer_gap_stays_empty_by_rows_and_by_time(key: str) -> None:
    """Gaps of 1 row over 2 s, of 1 row over 60 s, of 3 rows over 4 s."""
    table = pd.DataFrame({"t": [0.0, 1, 2, 32, 62, 63, 64, 65, 66], "p": [1.0, NAN, 1, NAN, 1, NAN, NAN, NAN, 1]})
    by_rows = clean(table, key, [T, P], max_gap=1).table["p"].isna()
    assert np.flatnonzero(by_rows).tolist() == [5, 6, 7]
    by_time = clean(table, key, [T, P], max_gap_time=5.0).table["p"].isna()
    assert np.flatnonzero(by_time).tolist() == [3]
    both = clean(table, key, [T, P], max_gap=1, max_gap_time=5.0).table["p"].isna()
    assert np.flatnonzero(both).tolist() == [3, 5, 6, 7]


def test_values_at_the_same_time_count_as_their_mean_and_rows_without_a_time_stay_empty() -> None:
    table = pd.DataFrame({"t": [0.0, 0.0, 1.0, 2.0, NAN], "p": [1.0, 3.0, NAN, 4.0, NAN]})
    filled = clean(table, "time_fill", [T, P]).table["p"]
    assert filled[2] == 3.0  # half way from the mean 2 to 4
    assert np.isnan(filled[4])


def test_without_a_time_column_time_is_refused_and_a_curve_counts_rows() -> None:
    table = pd.DataFrame({"p": [0.0, NAN, 2.0]})
    with pytest.raises(SettingProblem, match="'Draw a line across gaps by time' was chosen.*role 'time'"):
        clean(table, "time_fill", [P])
    with pytest.raises(SettingProblem, match="longest gap in time"):
        clean(table, "previous_fill", [P], max_gap_time=3.0)
    assert clean(table, "spline_fill", [P]).table["p"].tolist() == pytest.approx([0.0, 1.0, 2.0])
