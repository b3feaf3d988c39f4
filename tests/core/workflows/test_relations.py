"""Pareto, strata, pairs of columns and correlation at a distance of a dataset: known truth through a file, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.dataset import Dataset
from core.errors import DataProblem, NotEnoughData, SettingProblem

N = 600


@pytest.fixture
def ws(tmp_path: Path) -> wf.Workspace:
    return wf.open_workspace(tmp_path / "home")


def imported(ws: wf.Workspace, folder: Path, **columns: object) -> Dataset:
    path = folder / "line.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    return dataset.with_columns([replace(c, role="sensor") if c.role == "group" else c for c in dataset.columns])


def line(seed: int = 0) -> dict[str, object]:
    rng = np.random.default_rng(seed)
    machine = rng.choice(["M1", "M2", "M3"], N)
    pressure = rng.normal(5, 1, N)
    return {
        "time": pd.date_range("2026-01-01", periods=N, freq="10s").astype(str),
        "pressure": pressure.round(4),
        "flow": (np.roll(pressure, 3) + 0.3 * rng.normal(size=N)).round(4),
        "width": (20 + 1.0 * (machine == "M2") + 0.4 * rng.normal(size=N)).round(4),
        "bend": ((pressure - 5) ** 2 + 0.05 * rng.normal(size=N)).round(4),
        "machine": machine,
        "shift": rng.choice(["early", "late"], N),
        "defect": rng.choice(["scratch", "crack", "dent", "stain", "void", "burr"], N, p=[0.85, 0.05, 0.04, 0.03, 0.02, 0.01]),
        "cost": np.where(np.arange(N) % 10 == 0, 50.0, 1.0),
    }


@pytest.fixture
def dataset(ws: wf.Workspace, tmp_path: Path) -> Dataset:
    return imported(ws, tmp_path, **line())


def test_a_pareto_counts_rows_or_costs(dataset: Dataset) -> None:
    defects = pd.Series(line()["defect"])
    found = wf.pareto_view(dataset, "defect", wf.ParetoSettings())
    assert dict(zip(found.pareto.categories, found.pareto.counts.tolist(), strict=True)) == defects.value_counts().to_dict()
    share = 100 * (defects == "scratch").mean()
    assert f"1 of 6 categories make {share:.1f} % of the rows" in str(found.headline) and found.notes == ()
    costs = pd.Series(line()["cost"]).groupby(defects).sum()
    by_cost = wf.pareto_view(dataset, "defect", wf.ParetoSettings(cost_column="cost"))
    np.testing.assert_allclose(by_cost.pareto.weights, costs.loc[list(by_cost.pareto.categories)])
    assert "of 'cost'" in str(by_cost.headline)


@pytest.mark.parametrize(
    ("column", "cost", "error", "says"),
    [
        ("defekt", None, DataProblem, "There is no column 'defekt'"),
        ("defect", "machine", DataProblem, "holds text, not numbers"),
        ("defect", "loss", DataProblem, "0 or more"),
        ("pressure", None, DataProblem, "different values"),
        ("defect", "defect", DataProblem, "named twice"),
        ("empty", None, NotEnoughData, "no rows"),
    ],
)
def test_what_has_no_pareto_is_refused_in_words(
    ws: wf.Workspace, tmp_path: Path, column: str, cost: str | None, error: type[Exception], says: str
) -> None:
    other = imported(ws, tmp_path, **line(), loss=np.linspace(-1, 1, N), empty=[None] * N)
    with pytest.raises(error, match=says):
        wf.pareto_view(other, column, wf.ParetoSettings(cost_column=cost))


def test_rows_without_a_category_are_counted(ws: wf.Workspace, tmp_path: Path) -> None:
    other = imported(ws, tmp_path, defect=["a", "b", None, "a", "a"], n=range(5))
    found = wf.pareto_view(other, "defect", wf.ParetoSettings())
    assert found.pareto.counts.sum() == 4 and any("1 row without category" in str(n) for n in found.notes)


def test_the_machine_that_differs_is_named_first(dataset: Dataset) -> None:
    found = wf.strata_view(dataset, "width")
    assert next(iter(found.found)) == "machine" and set(found.found) == {"machine", "shift", "defect"}
    assert found.differs("machine") and not found.differs("shift")
    width, machine = np.asarray(line()["width"]), np.asarray(line()["machine"])
    above = width[machine == "M2"].mean() - width[machine != "M2"].mean()
    assert f"'M2' lies {above:.4g} above the others" in str(found.headline)


def test_limits_of_the_column_give_shares_outside(dataset: Dataset) -> None:
    columns = [replace(c, upper_limit=20.8) if c.name == "width" else c for c in dataset.columns]
    found = wf.strata_view(dataset.with_columns(columns), "width", "machine")
    width, machine = np.asarray(line()["width"]), np.asarray(line()["machine"])
    first = found.found["machine"].strata[0]
    assert first.outside == pytest.approx((width[machine == "M2"] > 20.8).mean())


def test_both_screens_say_how_many_comparisons_were_made_and_by_which_correction(dataset: Dataset) -> None:
    """Three columns of categories against one column, but every pair of all columns: two questions with two bars."""
    strata, all_pairs = wf.strata_view(dataset, "width"), wf.relations_view(dataset, wf.RelationsSettings())
    assert any("3 columns of categories were compared" in str(n) for n in strata.notes)
    assert any("p × 3 below 1 % (Bonferroni)" in str(n) and "Holm" in str(n) for n in strata.notes)
    n = len(all_pairs.columns) * (len(all_pairs.columns) - 1) // 2
    assert len(all_pairs.pairs) == n and any(f"{n} pairs were compared" in str(note) for note in all_pairs.notes)
    assert any(f"p × {n} is below 1 % (Bonferroni)" in str(note) for note in all_pairs.notes)
    assert any("1 column of categories was compared" in str(n) for n in wf.strata_view(dataset, "width", "machine").notes)
    # What the sentences say is what is done.
    pair = next(p for p in all_pairs.pairs if {p.one, p.other} == {"width", "machine"})
    assert all_pairs.is_clear(pair) == (pair.p * n < 0.01)
    told = strata.found["machine"]
    assert strata.differs("machine") == (max(told.anova_p or 0, told.kruskal_p or 0) * 3 < 0.01)


def test_no_difference_is_said(dataset: Dataset) -> None:
    assert "does not differ by 'shift' more than by chance" in str(wf.strata_view(dataset, "width", "shift").headline)


@pytest.mark.parametrize(
    ("column", "by", "error", "says"),
    [
        ("machine", None, DataProblem, "holds text, not numbers"),
        ("width", "pressure", DataProblem, "Strata are 50 at most"),
        ("width", "width", DataProblem, "named twice"),
        ("flat", "machine", NotEnoughData, "do not spread"),
    ],
)
def test_what_has_no_strata_is_refused_in_words(
    ws: wf.Workspace, tmp_path: Path, column: str, by: str | None, error: type[Exception], says: str
) -> None:
    other = imported(ws, tmp_path, **line(), flat=np.full(N, 3.5))
    with pytest.raises(error, match=says):
        wf.strata_view(other, column, by)


def test_a_table_without_categories_has_no_strata(ws: wf.Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    other = imported(ws, tmp_path, x=rng.normal(size=50).round(3), y=rng.normal(size=50).round(3))
    with pytest.raises(DataProblem, match="No column of categories was found beside 'x'"):
        wf.strata_view(other, "x")


def test_pairs_that_hang_together_are_told_and_no_others(dataset: Dataset) -> None:
    found = wf.relations_view(dataset, wf.RelationsSettings())
    assert "time" not in found.columns and {"machine", "shift", "defect"} < set(found.columns)
    assert {frozenset((p.one, p.other)) for p in found.clear} == {
        frozenset(("pressure", "bend")),
        frozenset(("width", "machine")),
    }
    assert "2 of 28 pairs" in str(found.headline) and "'pressure' and 'bend'" in str(found.headline)
    assert found.n_rows == N == found.of_rows


def test_named_columns_and_a_sample_are_told(dataset: Dataset) -> None:
    found = wf.relations_view(dataset, wf.RelationsSettings(columns="pressure, bend", rows=100))
    assert found.columns == ("pressure", "bend") and (found.n_rows, found.of_rows) == (100, N)
    again = wf.relations_view(dataset, wf.RelationsSettings(columns="pressure, bend", rows=100))
    other = wf.relations_view(dataset, wf.RelationsSettings(columns="pressure, bend", rows=100, seed=8))
    assert found.pairs == again.pairs != other.pairs


def test_a_table_that_is_read_in_parts_gives_the_same_sample(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = wf.RelationsSettings(columns="pressure,bend,machine", rows=200)
    whole = wf.relations_view(dataset, settings)
    monkeypatch.setattr("core.data.dataset.IN_MEMORY_CELLS", 10)
    assert wf.relations_view(dataset, settings).pairs == whole.pairs


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ("pressure", "fewer than two"),
        ("pressure,tempo", "There is no column 'tempo'"),
        ("pressure,time", "holds time, not numbers"),
    ],
)
def test_what_cannot_be_paired_is_refused_in_words(dataset: Dataset, columns: str, says: str) -> None:
    with pytest.raises(DataProblem, match=says):
        wf.relations_view(dataset, wf.RelationsSettings(columns=columns))


def test_few_rows_have_no_pairs(ws: wf.Workspace, tmp_path: Path) -> None:
    other = imported(ws, tmp_path, x=[0.5, 1.25, 2.75], y=[1.5, 2.5, 1.25])
    with pytest.raises(NotEnoughData, match="The table has 3 rows"):
        wf.relations_view(other, wf.RelationsSettings())


def test_a_delay_is_told_in_rows_and_in_time(dataset: Dataset) -> None:
    found = wf.lag_view(dataset, "pressure", "flow", wf.LagSettings(most_lag=20))
    assert found.lagged.best == 3 and found.time == pytest.approx(30.0) and found.step_unit == "s"
    assert "'flow' follows 'pressure' by 3 rows (30 s)" in str(found.headline)
    back = wf.lag_view(dataset, "flow", "pressure", wf.LagSettings(most_lag=20))
    assert "'flow' follows 'pressure' by 3 rows (30 s)" in str(back.headline) and back.lagged.best == -3
    assert "at no lag" in str(wf.lag_view(dataset, "pressure", "width", wf.LagSettings(most_lag=20)).headline)


def test_rows_are_compared_in_the_order_of_time(ws: wf.Workspace, tmp_path: Path) -> None:
    shuffled = np.random.default_rng(2).permutation(N)
    other = imported(ws, tmp_path, **{name: np.asarray(values)[shuffled] for name, values in line().items()})
    assert wf.lag_view(other, "pressure", "flow", wf.LagSettings(most_lag=20)).lagged.best == 3


def test_machines_stay_apart_and_uneven_steps_are_said(ws: wf.Workspace, tmp_path: Path) -> None:
    columns = line()
    pressure = np.asarray(columns["pressure"])
    # Two machines whose rows take turns: within each, flow follows by one row.
    machine = np.tile(["A", "B"], N // 2)
    flow = np.roll(pressure, 2)
    dataset = imported(ws, tmp_path, time=columns["time"], pressure=pressure, flow=flow, unit=machine)
    grouped = dataset.with_columns([replace(c, role="group") if c.name == "unit" else c for c in dataset.columns])
    assert wf.lag_view(dataset, "pressure", "flow", wf.LagSettings(most_lag=9)).lagged.best == 2
    found = wf.lag_view(grouped, "pressure", "flow", wf.LagSettings(most_lag=9))
    assert found.lagged.best == 1 and found.time == pytest.approx(20.0) and found.notes == ()
    gaps = np.cumsum(np.random.default_rng(3).exponential(10, N)).round(3)
    uneven = imported(ws, tmp_path, time=pd.to_datetime(gaps, unit="s").astype(str), pressure=pressure, flow=flow)
    assert any("steps of time differ" in str(n) for n in wf.lag_view(uneven, "pressure", "flow", wf.LagSettings()).notes)


@pytest.mark.parametrize(
    ("other", "error", "says"),
    [
        ("machine", DataProblem, "holds text"),
        ("pressure", DataProblem, "named twice"),
        ("flat", NotEnoughData, "does not vary"),
    ],
)
def test_what_has_no_delay_is_refused_in_words(
    ws: wf.Workspace, tmp_path: Path, other: str, error: type[Exception], says: str
) -> None:
    dataset = imported(ws, tmp_path, **line(), flat=np.full(N, 3.5))
    with pytest.raises(error, match=says):
        wf.lag_view(dataset, "pressure", other, wf.LagSettings())


def test_a_lag_beyond_its_bounds_is_refused() -> None:
    with pytest.raises(SettingProblem, match="at most 2,000"):
        wf.LagSettings.read({"most_lag": "5000"})


def test_everything_can_be_exported(dataset: Dataset, tmp_path: Path) -> None:
    wf.export_pareto(wf.pareto_view(dataset, "defect", wf.ParetoSettings(cost_column="cost")), tmp_path / "p.csv")
    assert pd.read_csv(tmp_path / "p.csv")["cost"].sum() == pytest.approx(np.sum(line()["cost"]))  # type: ignore[arg-type]
    wf.export_strata(wf.strata_view(dataset, "width", "machine"), tmp_path / "s.csv")
    assert set(pd.read_csv(tmp_path / "s.csv")["stratum"]) == {"M1", "M2", "M3"}
    view = wf.relations_view(dataset, wf.RelationsSettings())
    wf.export_relations(view, tmp_path / "r.csv")
    assert pd.read_csv(tmp_path / "r.csv")["more than chance"].sum() == len(view.clear)
    wf.export_lags(wf.lag_view(dataset, "pressure", "flow", wf.LagSettings(most_lag=4)), tmp_path / "l.csv")
    table = pd.read_csv(tmp_path / "l.csv")
    assert table["time (s)"].tolist() == [10 * k for k in range(-4, 5)] and int(table.loc[table["r"].idxmax(), "lag"]) == 3
