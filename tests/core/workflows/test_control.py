"""Control charts of a dataset's column: the published example through a file, order, phases, counts, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.dataset import Dataset, Role
from core.errors import DataProblem, NotEnoughData, SettingProblem
from tests.control_tables import FLOWRATES, imported, view


@pytest.fixture
def ws(tmp_path: Path) -> wf.Workspace:
    return wf.open_workspace(tmp_path / "home")


def test_the_flow_rates_of_the_nist_handbook_have_its_limits(ws: wf.Workspace, tmp_path: Path) -> None:
    found = view(imported(ws, tmp_path, flow=FLOWRATES), "flow")
    single, ranges = found.charts
    assert found.name == "I-MR" and found.why is not None
    assert single.centre[0] == pytest.approx(50.81)
    # The handbook divides by 1.128, two digits fewer than here.
    assert (single.lower[0], single.upper[0]) == (pytest.approx(45.8159, abs=2e-3), pytest.approx(55.8041, abs=2e-3))
    assert ranges.centre[-1] == pytest.approx(1.8778, abs=5e-5)
    assert found.n_out == 0 and "in control" in str(found.headline)


def with_roles(ws: wf.Workspace, dataset: Dataset, **roles: Role) -> Dataset:
    return wf.change_columns(ws, dataset.id, [replace(c, role=roles[c.name]) for c in dataset.columns if c.name in roles])


def test_units_with_a_counter_of_their_own_follow_each_other(ws: wf.Workspace, tmp_path: Path) -> None:
    """Two engines at two levels: cycle by cycle each moving range would be the distance between them."""
    rng = np.random.default_rng(1)
    level = np.repeat([0.0, 50.0], 40)
    cycles, values = np.tile(np.arange(1.0, 41.0), 2), (level + rng.normal(0, 1, 80)).round(3)
    dataset = imported(ws, tmp_path, engine=np.repeat(["E1", "E2"], 40), cycle=cycles, x=values)
    dataset = with_roles(ws, dataset, engine="group", cycle="time")
    found = view(dataset, "x")
    assert found.rows.tolist() == list(range(80)) and found.times is None
    assert found.charts[0].sigma[0] < 3, "one moving range of 79 is that between the engines"
    clock = imported(ws, tmp_path, machine=np.repeat(["A", "B"], 40), x=values,
                     time=pd.date_range("2026-01-01", periods=40, freq="h").append(pd.date_range("2026-01-01", periods=40, freq="h")).astype(str))  # fmt: skip
    clock = with_roles(ws, clock, machine="group", time="time")
    assert view(clock, "x").rows.tolist()[:4] == [0, 40, 1, 41], "a clock orders machines as they ran"


def test_rows_are_shown_in_the_order_of_time_and_told_by_their_place_in_the_file(ws: wf.Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(10, 1, 60).round(3)
    values[57] = 25.0
    times = pd.date_range("2026-01-01", periods=60, freq="h")
    shuffled = rng.permutation(60)
    found = view(imported(ws, tmp_path, time=times[shuffled].astype(str), x=values[shuffled]), "x")
    np.testing.assert_allclose(found.charts[0].points, values)
    out = found.rows[found.signals[0][0].found]
    assert out.tolist() == [int(np.flatnonzero(shuffled == 57)[0])]


def test_a_baseline_freezes_limits_and_stages_have_their_own(ws: wf.Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(10, 1, 100), rng.normal(16, 1, 50)]).round(4)
    dataset = imported(ws, tmp_path, x=values, phase=np.repeat(["before", "after"], [100, 50]))
    frozen, staged, whole = view(dataset, "x", baseline=100), view(dataset, "x", stage_column="phase"), view(dataset, "x")
    assert frozen.charts[0].centre[-1] == pytest.approx(values[:100].mean())
    assert frozen.signals[0][0].found[100:].mean() > 0.95
    assert [staged.charts[0].centre[i] for i in (0, -1)] == [
        pytest.approx(values[:100].mean()),
        pytest.approx(values[100:].mean()),
    ]
    assert staged.n_out < frozen.n_out
    assert whole.charts[0].centre[0] == pytest.approx(values.mean())


def test_subgroups_by_size_and_by_column_are_the_same_points(ws: wf.Workspace, tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(5, 0.1, 100).round(4)
    dataset = imported(ws, tmp_path, x=values, lot=[f"L{i}" for i in np.repeat(np.arange(20), 5)])
    by_size, by_lot = view(dataset, "x", subgroup=5), view(dataset, "x", subgroup_column="lot")
    assert by_size.name == by_lot.name == "Xbar-R"
    for one, other in zip(by_size.charts, by_lot.charts, strict=True):
        np.testing.assert_array_equal(one.points, other.points)
    np.testing.assert_allclose(by_size.charts[0].points, values.reshape(20, 5).mean(axis=1))
    assert by_size.rows.tolist() == by_lot.rows.tolist() == list(range(4, 100, 5))


def test_defective_units_get_limits_by_what_was_inspected(ws: wf.Workspace, tmp_path: Path) -> None:
    bad, inspected = [2, 4, 3, 5, 2, 15], [50, 60, 50, 60, 50, 60]
    found = view(imported(ws, tmp_path, bad=bad, inspected=inspected), "bad", counts="defectives", size_column="inspected")
    share = sum(bad) / sum(inspected)
    assert found.name == "p"
    np.testing.assert_allclose(found.charts[0].upper, [share + 3 * np.sqrt(share * (1 - share) / n) for n in inspected])
    assert found.signals[0][0].found.tolist() == [False] * 5 + [True]


def test_a_small_shift_is_seen_by_ewma_and_cusum(ws: wf.Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(0, 1, 200), rng.normal(1, 1, 60)]).round(4)
    dataset = imported(ws, tmp_path, x=values)
    for chart in ("EWMA", "CUSUM"):
        found = view(dataset, "x", chart=chart, baseline=200)
        marks = np.logical_or.reduce([s.found for per in found.signals for s in per])
        assert marks[200:].any() and np.flatnonzero(marks[200:])[0] < 30, chart
        assert all(len(per) == 1 for per in found.signals), "points that hang together are judged by their limits only"


@pytest.mark.parametrize(
    ("column", "settings", "error", "says"),
    [
        ("y", {}, DataProblem, "There is no column 'y'"),
        ("name", {}, DataProblem, "holds text, not numbers"),
        ("x", {"chart": "p"}, SettingProblem, "shows defectives"),
        ("x", {"counts": "defectives"}, SettingProblem, "without the number inspected"),
        ("x", {"subgroup": 5, "subgroup_column": "name"}, SettingProblem, "both given"),
        ("x", {"baseline": 20, "stage_column": "name"}, SettingProblem, "exclude each other"),
        ("x", {"baseline_start": 41}, SettingProblem, "begins at point 41, and there are 40"),
        ("x", {"baseline": 41}, SettingProblem, "has points 1 to 41, and there are 40"),
        ("x", {"baseline_start": 30, "baseline": 20}, SettingProblem, "has points 30 to 49, and there are 40"),
        ("x", {"stage_column": "name"}, NotEnoughData, "no two neighbouring points"),
        ("x", {"baseline": 4}, NotEnoughData, "at least 10 values, and there are 4"),
        ("flat", {}, NotEnoughData, "never change"),
        ("x", {"counts": "defects"}, NotEnoughData, "There is no control chart of these values"),
    ],
)
def test_what_has_no_chart_is_refused_in_words(
    ws: wf.Workspace, tmp_path: Path, column: str, settings: dict[str, object], error: type[Exception], says: str
) -> None:
    values = np.random.default_rng(0).normal(0, 1, 40).round(3)
    dataset = imported(ws, tmp_path, x=values, flat=np.full(40, 7.5), name=np.tile(["a", "b"], 20))
    with pytest.raises(error, match=says):
        view(dataset, column, **settings)


def test_the_points_are_exported_with_limits_and_rules(ws: wf.Workspace, tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(0, 1, 50).round(3)
    values[30] = 9.0
    found = view(imported(ws, tmp_path, x=values), "x", rules="western_electric")
    wf.export_control(found, tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv", dtype={"I rules": str})
    assert table["row"].tolist() == list(range(1, 51))
    np.testing.assert_allclose(table["I"], values)
    assert "1" in table["I rules"][30].split()
    np.testing.assert_allclose(table["I upper"], found.charts[0].upper)


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e9])
def test_the_sigma_behind_a_cumulative_sum_is_exported_in_its_own_unit(ws: wf.Workspace, tmp_path: Path, unit: float) -> None:
    """Farads or picofarads: the sums are the same, their sigma, the mean moving range over 1.128379, scales with the unit."""
    values = np.random.default_rng(5).normal(100, 1, 60)
    found = view(imported(ws, tmp_path, x=values * unit), "x", chart="CUSUM")
    wf.export_control(found, tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv")
    sigma = np.abs(np.diff(values)).mean() / 1.128379 * unit
    for kind in ("CUSUM+", "CUSUM-"):
        np.testing.assert_allclose(table[f"{kind} sigma"], sigma, rtol=1e-6)


def test_signals_that_chance_explains_do_not_put_a_process_out_of_control(ws: wf.Workspace, tmp_path: Path) -> None:
    """Eight rules on 400 points of a stable process: most such charts have a signal, few of them more than chance gives."""
    named = told = 0
    for seed in range(20):
        values = np.random.default_rng(seed).normal(0, 1, 400).round(4)
        found = view(imported(ws, tmp_path, **{f"x{seed}": values}), f"x{seed}")
        told += "is not in control" in str(found.headline)
        named += found.n_out > 0
        if found.n_out and found.is_chance:
            assert "no more than chance gives" in str(found.headline) and f"{found.n_out} of 400" in str(found.headline)
    assert named >= 15 and told <= 5


def test_a_chart_that_is_judged_by_its_limits_alone_says_so(ws: wf.Workspace, tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(0, 1, 120).round(4)
    dataset = imported(ws, tmp_path, calm=values, moved=np.concatenate([values[:80], values[80:] + 4]))
    assert str(view(dataset, "calm", chart="EWMA").headline) == "'calm' is in control: no point lies outside the limits"
    assert "points lie outside the limits" in str(view(dataset, "moved", chart="EWMA", baseline=80).headline)
    sums = view(dataset, "moved", chart="CUSUM", baseline=80)
    assert str(sums.headline) == "'moved' is not in control: the cumulative sums signal 1 shift"
    # After the first crossing the sum stays outside: 40 points of one shift, one signal.
    assert sums.n_out == 1 and int(sums.charts[0].outside.sum()) > 30
    (shift,) = sums.cusum
    assert shift.start == 80 and shift.is_up and shift.mean == pytest.approx(4, abs=1.5)
    assert (shift.end, shift.length, shift.goes_on) == (119, 40, True)
    assert sums.shift_words is not None and "once: 40 points, from row 81 to row 120" in str(sums.shift_words)


def test_empty_values_are_no_points(ws: wf.Workspace, tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(0, 1, 60).round(3)
    values[[3, 4, 50]] = np.nan
    values[30] = 40.0
    assert "of 57 points" in str(view(imported(ws, tmp_path, x=values), "x").headline)
