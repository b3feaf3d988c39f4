"""Capability of a dataset's column: limits, the gate, the distribution, strata, the parts of the view, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.dataset import Dataset
from core.errors import DataProblem, NotEnoughData, SettingProblem
from core.messages import msg
from core.spc.capability_indices import Index, Indices
from core.spc.capability_sigma import Spread
from core.spc.distributions import Fit
from core.spc.individuals import NotDefined
from core.spc.probability_plot import ProbabilityPlot
from core.spc.rules import Rule
from core.spc.stability import Breach, Stability
from core.workflows.capability_parts import lines_of

RNG = np.random.default_rng(4)
STABLE = RNG.normal(20, 0.5, 200).round(4)
SKEWED = RNG.lognormal(0, 0.5, 300).round(5)
SHIFTED = STABLE + np.repeat([0.0, 2.0], 100)


def imported(
    ws: wf.Workspace, folder: Path, limits: tuple[float | None, float | None, float | None] | None = None, **columns: object
) -> Dataset:
    path = folder / "table.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    if limits is None:
        return dataset
    from dataclasses import replace

    lower, nominal, upper = limits
    first = replace(dataset.columns[0], lower_limit=lower, nominal=nominal, upper_limit=upper, unit="mm")
    return dataset.with_columns([first, *dataset.columns[1:]])


def view(dataset: Dataset, column: str = "x", **settings: object) -> wf.CapabilityView:
    return wf.capability_view(dataset, column, wf.CapabilitySettings.read(settings))


def indices(found: Indices | NotDefined) -> Indices:
    assert isinstance(found, Indices), str(found)
    return found


def value(found: Index | NotDefined) -> float:
    assert isinstance(found, Index), str(found)
    return found.value


@pytest.fixture
def ws(tmp_path: Path) -> wf.Workspace:
    return wf.open_workspace(tmp_path / "home")


def test_a_stable_normal_column_by_hand(ws: wf.Workspace, tmp_path: Path) -> None:
    found = view(imported(ws, tmp_path, (18.0, 20.1, 22.0), x=STABLE))
    mean, sd = STABLE.mean(), STABLE.std(ddof=1)
    within = np.abs(np.diff(STABLE)).mean() * np.sqrt(np.pi) / 2
    overall, short = indices(found.overall), indices(found.within)
    assert value(overall.both) == pytest.approx(4 / (6 * sd))
    assert value(overall.worse) == pytest.approx(min(22 - mean, mean - 18) / (3 * sd))
    assert value(overall.target) == pytest.approx(1.9 / (3 * np.sqrt(sd**2 + (mean - 20.1) ** 2)))
    assert value(short.both) == pytest.approx(4 / (6 * within))
    assert isinstance(short.target, NotDefined)
    assert found.stability.is_stable and found.instability is None and found.charted == "values"
    assert isinstance(found.fit, Fit) and found.fit.key == "normal" and found.unit == "mm"
    assert "'x' is stable: Ppk" in str(found.headline) and "95 %" in str(found.headline)


def test_settings_override_the_limits_of_the_column(ws: wf.Workspace, tmp_path: Path) -> None:
    found = view(imported(ws, tmp_path, (18.0, 20.0, 22.0), x=STABLE), upper=30.0, target=21.0)
    assert (found.spec.lower, found.spec.target, found.spec.upper) == (18.0, 21.0, 30.0)
    one = view(imported(ws, tmp_path, x=STABLE), upper=22.0)
    assert isinstance(indices(one.overall).both, NotDefined) and one.observed.below is None


def test_subgroups_give_their_charts_and_sigma(ws: wf.Workspace, tmp_path: Path) -> None:
    dataset = imported(ws, tmp_path, (18.0, None, 22.0), x=STABLE, lot=[f"L{i}" for i in np.repeat(np.arange(40), 5)])
    by_size, by_lot = view(dataset, subgroup=5), view(dataset, subgroup_column="lot")
    pooled = view(dataset, subgroup=5, sigma="pooled")
    assert by_size.name == by_lot.name == "Xbar-R" and pooled.name == "Xbar-S"
    np.testing.assert_array_equal(by_size.charts[0].points, by_lot.charts[0].points)
    assert isinstance(by_size.sigma_within, Spread) and isinstance(pooled.sigma_within, Spread)
    blocks = STABLE.reshape(40, 5)
    assert by_size.sigma_within.sigma == pytest.approx(np.ptp(blocks, axis=1).mean() / 2.32593, rel=1e-5)
    assert pooled.sigma_within.sigma == pytest.approx(np.sqrt(blocks.var(axis=1, ddof=1).mean()), rel=3e-3)
    assert by_size.rows.tolist() == list(range(4, 200, 5))
    np.testing.assert_array_equal(by_size.recent[:, 1], STABLE[-125:])
    np.testing.assert_array_equal(by_size.recent[:, 0], np.repeat(np.arange(16, 41), 5))


def test_an_unstable_process_has_no_capability_and_the_reason_names_place_and_rule(ws: wf.Workspace, tmp_path: Path) -> None:
    dataset = imported(ws, tmp_path, (17.0, None, 25.0), x=SHIFTED)
    found = view(dataset)
    for part in (found.within, found.overall, found.expected_within, found.expected_overall):
        assert isinstance(part, NotDefined)
    said, out = str(found.instability), found.charts[0].outside
    assert f"{out.sum()} times, first at row {np.flatnonzero(out)[0] + 1}" in said
    line = found.breaches[0]
    assert (line.count, line.points, line.row) == (out.sum(), 200, np.flatnonzero(out)[0] + 1)
    assert str(line.pattern) == "a point outside the control limits" and str(line.why) == "more often than by chance"
    assert line.expected == pytest.approx(0.54, abs=0.001), "200 times 2Φ(-3)"
    advice = str(found.advice)
    assert advice[0].isupper() and "Find the causes" in advice and all(len(s.split()) <= 20 for s in advice.split(". "))
    assert not any("intervals come from" in str(note) for note in found.notes), "there are no indices, so no intervals"
    assert "not stable, so that it has no capability" in str(found.headline) and len(found.counts) > 3, (
        "the view is there all the same"
    )


@pytest.mark.parametrize(
    ("count", "flags", "why"),
    [
        (1, {"is_far": True, "is_often": True}, "too far out for chance"),
        (3, {"is_far": True}, "too far out for chance"),
        (9, {"is_far": True, "is_often": True}, "more often than by chance"),
        (9, {"is_often": True, "longest": 4}, "more often than by chance"),
        (2, {"longest": 4}, "too long for chance: 4 points in a row complete it"),
        (3, {}, "every signal counts"),
    ],
)
def test_a_rule_counts_for_the_reason_by_which_it_was_judged(count: int, flags: dict[str, int], why: str) -> None:
    """Where every signal counts, three where 1.2 come by chance are no more than chance may give."""
    breach = Breach(msg("mean"), Rule("side", k=9), count, 100, 1.2, 5, **flags)  # type: ignore[arg-type]
    (line,) = lines_of(Stability((breach,), 0, 100), range(100))
    assert str(line.why) == why and line.row == 6


def test_rules_chosen_by_themselves_decide_on_stability(ws: wf.Workspace, tmp_path: Path) -> None:
    """Points in turn below and above break Nelson's rule 4 alone, which the gate passes over unless a person chose it."""
    turns = 20 + np.tile([0.9, -0.9], 60) + np.random.default_rng(2).normal(0, 0.1, 120)
    dataset = imported(ws, tmp_path, (17.0, None, 25.0), x=turns)
    assert view(dataset).stability.is_stable
    found = view(dataset, only_rules="1,4")
    assert not found.stability.is_stable and {str(b.pattern) for b in found.breaches} == {
        "14 points in a row up and down in turn"
    }
    assert str(found.book.title) == "Nelson (rules 1, 4)"
    assert str(view(dataset, only_rules=["1"]).book.title) == "Nelson (rule 1)"
    with pytest.raises(SettingProblem, match="There is no rule '9' of Nelson"):
        view(dataset, only_rules="9")


def test_performance_is_told_for_an_unstable_process_only_when_asked_for_and_marked(ws: wf.Workspace, tmp_path: Path) -> None:
    found = view(imported(ws, tmp_path, (17.0, None, 25.0), x=SHIFTED), unstable_anyway=True, distribution="normal")
    assert found.is_past_only and isinstance(found.within, NotDefined)
    assert value(indices(found.overall).both) == pytest.approx(8 / (6 * SHIFTED.std(ddof=1)))
    assert "in the past" in str(found.headline) and "promises nothing" in str(found.headline)


@pytest.mark.parametrize("distribution", ["auto", "logistic", "johnson"])
def test_a_shift_stays_unstable_whatever_distribution_is_fitted(ws: wf.Workspace, tmp_path: Path, distribution: str) -> None:
    found = view(imported(ws, tmp_path, (17.0, None, 25.0), x=SHIFTED), distribution=distribution)
    assert not found.stability.is_stable and isinstance(found.overall, NotDefined)


def test_a_wild_value_is_no_property_of_the_distribution(ws: wf.Workspace, tmp_path: Path) -> None:
    wild = STABLE.copy()
    wild[60] = 26.0
    found = view(imported(ws, tmp_path, (17.0, None, 25.0), x=wild))
    assert not found.stability.is_stable and "first at row 61" in str(found.instability)


def test_skewed_values_are_judged_by_their_scores_and_the_fitted_distribution(ws: wf.Workspace, tmp_path: Path) -> None:
    dataset = imported(ws, tmp_path, (None, None, 6.0), x=SKEWED)
    found, forced = view(dataset), view(dataset, distribution="normal")
    assert isinstance(found.fit, Fit) and found.fit.key in ("lognormal", "lognormal3")
    assert isinstance(found.overall, Indices) and isinstance(found.overall.worse, Index)
    assert found.overall.worse.low < found.overall.worse.value < found.overall.worse.high  # type: ignore[operator]
    assert "Ppk" in str(found.headline) and "95 %" in str(found.headline)
    assert any("400 sets drawn from the fitted distribution" in str(note) for note in found.notes)
    assert found.stability.is_stable and found.charted == "scores"
    assert any("normal scores" in str(note) for note in found.notes)
    _, middle, high = found.fit.quantile([0.00135, 0.5, 0.99865])
    assert value(indices(found.overall).worse) == pytest.approx((6 - middle) / (high - middle))
    assert isinstance(found.within, NotDefined) and "fitted distribution" in str(found.within.reason)
    assert not forced.stability.is_stable
    by_z = view(dataset, method="z")
    assert value(indices(by_z.overall).worse) == pytest.approx(float(found.fit.scores(6.0)) / 3)
    bent = view(dataset, distribution="box_cox")
    assert value(indices(bent.within).worse) > 0 and indices(bent.overall).worse.low is not None  # type: ignore[union-attr]


def test_the_densities_and_the_histogram_are_of_one_scale(ws: wf.Workspace, tmp_path: Path) -> None:
    found = view(imported(ws, tmp_path, (None, None, 6.0), x=SKEWED))
    assert [d.key for d in found.densities] == ["within", "overall", "fitted"]
    assert found.counts.sum() == 300 and len(found.edges) == len(found.counts) + 1 <= 61
    assert found.edges[0] == SKEWED.min() and found.edges[-1] == SKEWED.max()
    fitted = found.densities[2]
    assert np.trapezoid(fitted.density, fitted.values) == pytest.approx(1.0, abs=0.02)
    assert isinstance(found.plot, ProbabilityPlot) and (found.plot.low <= found.plot.line).all()


def test_a_wild_value_makes_no_millions_of_bars(ws: wf.Workspace, tmp_path: Path) -> None:
    wild = STABLE.copy()
    wild[10] = 1e12
    found = view(imported(ws, tmp_path, (18.0, None, 22.0), x=wild))
    assert len(found.counts) <= 60 and found.counts.sum() == 200
    assert view(imported(ws, tmp_path, (None, None, 30.0), x=STABLE.round(0))).counts.sum() == 200


def test_a_fit_to_a_part_of_very_many_values_covers_all_of_them(ws: wf.Workspace, tmp_path: Path) -> None:
    # Of 60,000 rows every third speaks for the fit; the smallest are among the others.
    many = (5 + np.random.default_rng(4).weibull(1.5, 60_000)).round(5)
    found = view(imported(ws, tmp_path, (None, None, 20.0), x=many), distribution="weibull3")
    assert isinstance(found.fit, Fit) and dict(found.fit.parameters)["threshold"] < many.min()
    assert found.stability.is_stable and found.charted == "scores"
    many[1] = 0.0
    none = view(imported(ws, tmp_path, (None, None, 20.0), x=many), distribution="lognormal")
    assert isinstance(none.fit, NotDefined) and "smallest is 0" in str(none.fit.reason)


def test_values_that_had_no_part_in_the_fit_make_its_index_no_surer(ws: wf.Workspace, tmp_path: Path) -> None:
    """Of 40,000 rows every second gives the fit: the interval is that of these rows alone."""
    many = np.random.default_rng(6).lognormal(0, 0.5, 40_000).round(5)
    asked = {"distribution": "lognormal"}
    whole, half = (indices(view(imported(ws, tmp_path, (None, None, 6.0), x=x), **asked).overall) for x in (many, many[::2]))
    assert isinstance(whole.above, Index) and isinstance(half.above, Index) and half.above.low is not None
    assert (whole.above.value, whole.above.low, whole.above.high) == pytest.approx(
        (half.above.value, half.above.low, half.above.high), rel=1e-9
    )


def test_strata_stand_beside_one_another(ws: wf.Workspace, tmp_path: Path) -> None:
    machine = np.array(["a", "b", "c"])[np.r_[np.tile([0, 1], 90), np.full(20, 2)]]
    found = view(imported(ws, tmp_path, (18.0, None, 22.0), x=STABLE, machine=machine), by_column="machine")
    assert [(s.name, s.n) for s in found.strata] == [("a", 90), ("b", 90), ("c", 20)]
    own = STABLE[machine == "b"]
    assert found.strata[1].ppk == pytest.approx(min(22 - own.mean(), own.mean() - 18) / (3 * own.std(ddof=1)))
    assert found.strata[2].ppk is None and "at least 30" in str(found.strata[2].why_not)


def test_empty_cells_are_left_out_and_few_values_have_no_indices(ws: wf.Workspace, tmp_path: Path) -> None:
    gapped = STABLE.copy()
    gapped[::4] = np.nan
    found = view(imported(ws, tmp_path, (18.0, None, 22.0), x=gapped))
    assert (found.n, found.n_empty) == (150, 50)
    assert found.mean == pytest.approx(np.nanmean(gapped))
    few = view(imported(ws, tmp_path, (18.0, None, 22.0), x=STABLE[:25]))
    assert isinstance(few.overall, NotDefined) and "at least 30 values, and there are 25" in str(few.overall.reason)
    assert len(few.charts) == 2 and few.counts.sum() == 25


def test_rows_go_in_the_order_of_time(ws: wf.Workspace, tmp_path: Path) -> None:
    shuffled = np.random.default_rng(0).permutation(200)
    times = pd.date_range("2026-01-01", periods=200, freq="h")[shuffled].astype(str)
    found = view(imported(ws, tmp_path, time=times, x=STABLE[shuffled]), lower=18.0, upper=22.0)
    np.testing.assert_allclose(found.charts[0].points, STABLE)
    assert shuffled[found.rows].tolist() == list(range(200))


@pytest.mark.parametrize(
    ("column", "settings", "error", "says"),
    [
        ("y", {}, DataProblem, "There is no column 'y'"),
        ("name", {"lower": 1}, DataProblem, "holds text, not numbers"),
        ("x", {}, DataProblem, "has no specification limit"),
        ("x", {"lower": 5, "upper": 1}, SettingProblem, "rise from the lower limit"),
        ("x", {"lower": 5, "upper": 5}, SettingProblem, "rise from the lower limit"),
        ("x", {"lower": 5, "upper": 9, "target": 12}, SettingProblem, "rise from the lower limit"),
        ("x", {"lower": 5, "subgroup": 5, "subgroup_column": "name"}, SettingProblem, "both given"),
        ("x", {"lower": 5, "by_column": "id"}, DataProblem, "at most 100"),
        ("x", {"lower": 5, "by_column": "nothing"}, DataProblem, "There is no column 'nothing'"),
        ("flat", {"lower": 5}, NotEnoughData, "never change"),
        ("few", {"lower": 5}, NotEnoughData, "at least 10 values, and there are 1"),
        ("x", {"lower": 5, "subgroup": 200}, NotEnoughData, "at least 5 subgroups"),
        ("x", {"lower": 5, "distribution": "cauchy"}, SettingProblem, "distribution is 'cauchy'"),
    ],
)
def test_what_has_no_capability_is_refused_in_words(
    ws: wf.Workspace, tmp_path: Path, column: str, settings: dict[str, object], error: type[Exception], says: str
) -> None:
    dataset = imported(
        ws,
        tmp_path,
        x=STABLE,
        flat=np.full(200, 7.5),
        few=[1.5, *[None] * 199],
        name=np.tile(["a", "b"], 100),
        id=[f"P{i}" for i in range(200)],
    )
    with pytest.raises(error, match=says):
        view(dataset, column, **settings)


def test_the_figures_are_exported(ws: wf.Workspace, tmp_path: Path) -> None:
    found = view(imported(ws, tmp_path, (18.0, 20.0, 22.0), x=STABLE, m=np.tile(["a", "b"], 100)), by_column="m")
    wf.export_capability(found, tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv").set_index(["part", "name"])
    ppk = table.loc[("overall", "Ppk")]
    worse = indices(found.overall).worse
    assert isinstance(worse, Index)
    assert [ppk["value"], ppk["low"], ppk["high"]] == pytest.approx([worse.value, worse.low, worse.high])
    assert table.loc[("observed", "ppm total")]["value"] == found.observed.total
    assert {"stratum a", "stratum b", "normality", "fit normal", "fit weibull", "expected within"} <= set(
        table.index.get_level_values(0)
    )
