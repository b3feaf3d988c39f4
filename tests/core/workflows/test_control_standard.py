"""Control charts as people set them: points left out with a cause, single rules, a known standard, and all of it in the export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.errors import SettingProblem
from core.spc.constants import d2
from tests.control_tables import FLOWRATES, imported, view


@pytest.fixture
def ws(tmp_path: Path) -> wf.Workspace:
    return wf.open_workspace(tmp_path / "home")


def test_a_point_left_out_gives_no_limits_and_stays_drawn(ws: wf.Workspace, tmp_path: Path) -> None:
    """The handbook's flow rates with a wild value before them and one behind: without both the limits are the printed ones."""
    dataset = imported(ws, tmp_path, flow=(90.0, *FLOWRATES, 10.0))
    found = view(dataset, "flow", left_out=("1:hose off", "12:hose off"))
    single, ranges = found.charts
    assert single.centre[0] == pytest.approx(50.81)
    assert (single.lower[0], single.upper[0]) == (pytest.approx(45.8159, abs=2e-3), pytest.approx(55.8041, abs=2e-3))
    assert ranges.centre[-1] == pytest.approx(1.8778, abs=5e-5)
    assert single.points[[0, 11]].tolist() == [90.0, 10.0]
    assert found.n_out == 0 and found.n_points == 10
    # The ranges to the second and from the eleventh value touch a value that was left out.
    assert np.flatnonzero(~ranges.phases.counted).tolist() == [0, 1, 11]
    assert any("2 points give no limits" in str(n) and "1 (hose off); 12 (hose off)" in str(n) for n in found.notes)
    assert view(dataset, "flow").charts[0].centre[0] != pytest.approx(50.81)


def test_a_row_left_out_takes_its_subgroup_along(ws: wf.Workspace, tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(5, 0.1, 60).round(4)
    values[20:25] += 3
    dataset = imported(ws, tmp_path, x=values)
    found = view(dataset, "x", subgroup=5, left_out="23:wrong part")
    kept = np.delete(values.reshape(12, 5), 4, axis=0)
    assert found.left_out == (wf.LeftOut(23, 23, "wrong part", (4,)),)
    assert found.charts[0].centre[0] == pytest.approx(kept.mean())
    assert found.charts[1].centre[0] == pytest.approx(np.ptp(kept, axis=1).mean())


def test_rows_left_out_are_rows_of_the_table_in_whatever_order_they_are_drawn(ws: wf.Workspace, tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(10, 1, 30).round(3)
    times = pd.date_range("2026-01-01", periods=30, freq="h")[::-1]
    found = view(imported(ws, tmp_path, time=times.astype(str), x=values), "x", left_out="3-4:test")
    assert sorted(found.left_out[0].points) == [26, 27]
    assert found.charts[0].centre[0] == pytest.approx(np.delete(values, [2, 3]).mean())


def test_points_left_out_of_a_baseline_and_of_counts(ws: wf.Workspace, tmp_path: Path) -> None:
    values = np.random.default_rng(4).normal(10, 1, 60).round(3)
    bad = np.random.default_rng(5).binomial(50, 0.1, 60)
    dataset = imported(ws, tmp_path, x=values, bad=bad, of=np.full(60, 50))
    frozen = view(dataset, "x", baseline=30, left_out="11-12:cold start|50:dust")
    assert frozen.charts[0].centre[0] == pytest.approx(np.delete(values[:30], [10, 11]).mean())
    assert frozen.charts[0].phases.period.sum() == 30 and frozen.charts[0].phases.baseline.sum() == 28
    shares = view(dataset, "bad", counts="defectives", size_column="of", chart="p", left_out="1-10:trial")
    assert shares.charts[0].centre[0] == pytest.approx(bad[10:].sum() / 2500)


@pytest.mark.parametrize(
    ("entry", "says"),
    [("31", "does not say which rows"), ("31:", "does not say which rows"), ("x:y", "does not say"), ("9-3:a", "Rows 9 to 3"),
     ("61:a", "Rows 61 to 61 were to be left out, and the table has 60"), ("0:a", "Rows 0 to 0")],
)  # fmt: skip
def test_rows_that_cannot_be_left_out_are_refused(ws: wf.Workspace, tmp_path: Path, entry: str, says: str) -> None:
    dataset = imported(ws, tmp_path, x=np.random.default_rng(4).normal(10, 1, 60).round(3))
    with pytest.raises(SettingProblem, match=says):
        view(dataset, "x", left_out=(entry,))


def test_a_known_standard_gives_the_limits_of_i_xbar_ewma_and_cusum(ws: wf.Workspace, tmp_path: Path) -> None:
    values = np.random.default_rng(6).normal(11, 0.5, 40).round(4)
    dataset = imported(ws, tmp_path, x=values)
    known = {"known_centre": 10, "known_sigma": 0.2}
    single, ranges = view(dataset, "x", **known).charts
    assert (single.lower[0], single.centre[0], single.upper[0]) == pytest.approx((9.4, 10, 10.6))
    assert (ranges.centre[0], ranges.upper[0]) == pytest.approx((d2(2) * 0.2, 3.2665 * d2(2) * 0.2), rel=1e-4)
    means, spread = view(dataset, "x", subgroup=4, **known).charts
    assert (means.lower[0], means.upper[0]) == pytest.approx((9.7, 10.3))
    assert (spread.centre[0], spread.upper[0]) == pytest.approx(
        (2.0588 * 0.2, 4.698 * 0.2), rel=1e-3
    )  # d2 and D2 of four values
    (ewma,) = view(dataset, "x", chart="EWMA", weight=0.5, width=3, **known).charts
    assert ewma.upper[0] == pytest.approx(10 + 3 * 0.2 * 0.5)
    up, _ = view(dataset, "x", chart="CUSUM", **known).charts
    assert up.points[0] == pytest.approx((values[0] - 10) / 0.2 - 0.5)
    for chart in ("auto", "EWMA", "CUSUM"):
        assert any(
            "are given, not estimated" in str(n) and "σ = 0.2" in str(n) for n in view(dataset, "x", chart=chart, **known).notes
        )


def test_three_values_are_enough_where_nothing_is_learned(ws: wf.Workspace, tmp_path: Path) -> None:
    found = view(imported(ws, tmp_path, x=[10.0, 10.1, 11.0]), "x", known_centre=10, known_sigma=0.2)
    assert found.signals[0][0].found.tolist() == [False, False, True]
    assert not any("provisional" in str(note) for note in found.notes)


def test_a_known_centre_or_sigma_alone_leaves_the_other_to_the_points(ws: wf.Workspace, tmp_path: Path) -> None:
    values = np.random.default_rng(6).normal(11, 0.5, 40).round(4)
    dataset = imported(ws, tmp_path, x=values)
    sigma = np.abs(np.diff(values)).mean() / d2(2)
    centred, scaled = view(dataset, "x", known_centre=10).charts[0], view(dataset, "x", known_sigma=0.2).charts[0]
    assert (centred.centre[0], centred.upper[0]) == pytest.approx((10, 10 + 3 * sigma))
    assert (scaled.centre[0], scaled.upper[0]) == pytest.approx((values.mean(), values.mean() + 0.6))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"known_sigma": 0}, "The known sigma is 0. Expected a standard deviation"),
        ({"known_sigma": -0.2, "known_centre": 1}, "The known sigma is -0.2. Expected"),
        ({"known_centre": 1, "known_sigma": 0.2, "baseline": 20}, "both known, and a baseline or stages"),
        ({"known_centre": 1, "known_sigma": 0.2, "stage_column": "name"}, "both known, and a baseline or stages"),
        ({"known_sigma": 0.2, "chart": "run"}, "for a chart that takes none"),
        ({"known_centre": 2, "counts": "defects"}, "for a chart that takes none"),
        ({"only_rules": "1,12"}, "There is no rule '12' of Nelson"),
    ],
)
def test_what_excludes_each_other_is_refused(ws: wf.Workspace, tmp_path: Path, settings: dict[str, object], says: str) -> None:
    dataset = imported(ws, tmp_path, x=np.arange(40.0) % 7, name=np.repeat(["a", "b"], 20))
    with pytest.raises(SettingProblem, match=says):
        view(dataset, "x", **settings)


def test_single_rules_are_named_with_the_finding(ws: wf.Workspace, tmp_path: Path) -> None:
    values = np.random.default_rng(8).normal(0, 1, 60).round(3)
    values[30:38] = np.abs(values[30:38]) + 0.1
    dataset = imported(ws, tmp_path, x=values)
    found = view(dataset, "x", only_rules="1,2:8", baseline=30)
    assert [s.number for s in found.signals[0]] == [1, 2] and "Nelson (rules 1, 2 (k = 8))" in str(found.headline)
    assert [s.number for s in view(dataset, "x", only_rules="2").signals[1]] == [], "a range chart has the limit alone"
    sums = view(dataset, "x", chart="EWMA", only_rules="2")
    assert [s.number for s in sums.signals[0]] == [1], (
        "charts with limits alone keep them, whatever rules were chosen for others"
    )


def test_the_export_says_when_stage_sigma_and_why_a_point_was_left_out(ws: wf.Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    values = np.concatenate([rng.normal(10, 1, 30), rng.normal(20, 2, 30)]).round(3)
    values[5] = 40.0
    times = pd.date_range("2026-01-01", periods=60, freq="h")
    dataset = imported(ws, tmp_path, time=times.astype(str), x=values, phase=np.repeat(["old", "new"], 30))
    wf.export_control(view(dataset, "x", stage_column="phase", left_out=("6:=knocked, hard",)), tmp_path / "o.csv")
    table = pd.read_csv(tmp_path / "o.csv", keep_default_na=False)
    assert table["time"].tolist() == times.strftime("%Y-%m-%d %H:%M:%S").tolist()
    assert table["stage"].tolist() == ["old"] * 30 + ["new"] * 30
    assert np.flatnonzero(table["left out"]).tolist() == [5] and table["baseline"].sum() == 59
    assert table["cause"][5] == "'=knocked, hard" and set(table["cause"].drop(5)) == {""}, "no spreadsheet runs a cause"
    old = np.delete(values[:30], 5)
    steps = np.abs(np.diff(values[:30]))
    sigma = np.delete(steps, [4, 5]).mean() / d2(2)
    assert table["I sigma"].astype(float)[0] == pytest.approx(sigma) and table["I centre"].astype(float)[0] == pytest.approx(
        old.mean()
    )
    assert {"row", "I", "I lower", "I upper", "I rules", "MR", "MR sigma", "MR rules"} <= set(table.columns)


def test_a_known_sigma_of_single_values_draws_no_limits_for_means_of_several(ws: wf.Workspace, tmp_path: Path) -> None:
    values = np.random.default_rng(8).normal(10, 2, 80).round(3)
    dataset = imported(ws, tmp_path, x=values, lot=np.arange(80))
    asked = {"known_centre": 10, "known_sigma": 2}
    with pytest.raises(SettingProblem, match="means of several rows"):
        view(dataset, "x", chart="I-MR", subgroup=4, **asked)
    means = view(dataset, "x", chart="Xbar-S", subgroup=4, **asked).charts[0]
    assert (means.lower[0], means.upper[0]) == (pytest.approx(7), pytest.approx(13))  # 10 ∓ 3 · 2 / √4
    single = view(dataset, "x", chart="I-MR", subgroup_column="lot", **asked).charts[0]
    assert (single.lower[0], single.upper[0]) == (pytest.approx(4), pytest.approx(16))


def test_patterns_over_most_of_a_chart_are_not_told_as_chance(ws: wf.Workspace, tmp_path: Path) -> None:
    mixed = np.tile([1.0, -1.0], 50) + np.random.default_rng(0).normal(0, 0.05, 100).round(4)
    dataset = imported(ws, tmp_path, x=mixed)
    for rules in ("", "4", "7"):
        headline = str(view(dataset, "x", only_rules=rules).headline)
        assert "is not in control" in headline, headline
