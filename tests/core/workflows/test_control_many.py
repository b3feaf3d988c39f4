"""Charts of several columns: limits from a baseline, the proposal, refusals in words, and the columns that lift a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.dataset import Dataset
from core.errors import DataProblem, NotEnoughData, Problem, SettingProblem


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """300 rows: `a`, `b` move together, `c` by itself; row 250 breaks the relation of `a` and `b`, row 280 lifts `c`; `twin` is 2 `a`."""
    rng = np.random.default_rng(2)
    base = rng.normal(size=300)
    a, b, c = base + rng.normal(scale=0.2, size=300), base + rng.normal(scale=0.2, size=300), rng.normal(size=300)
    a[250], b[250], c[280] = 2.0, -2.0, 9.0
    table = pd.DataFrame({"a": a, "b": b, "c": c, "twin": 2 * a, "name": "x"}).round(6)
    table.loc[10, "c"] = np.nan
    table.to_csv(tmp_path / "t.csv", index=False)
    made = wf.import_file(wf.open_workspace(tmp_path / "home"), tmp_path / "t.csv").dataset
    assert made is not None
    return made


def view(dataset: Dataset, **settings: object) -> wf.ManyView:
    return wf.control_many(dataset, wf.ManySettings.read({"columns": ("a", "b", "c"), **settings}))


@pytest.mark.parametrize("chart", ["T2", "PCA"])
def test_two_rows_lie_above_the_limit_and_the_columns_that_did_it_are_named(dataset: Dataset, chart: str) -> None:
    found = view(dataset, chart=chart, baseline=200)
    assert {250, 280} <= set(np.flatnonzero(found.marks)) and found.marks.sum() <= 4
    assert "2 of 299" in str(found.headline) or "3 of 299" in str(found.headline) or "4 of 299" in str(found.headline)
    broken = wf.point_contributions(found, 250)
    assert {p.column for p in broken[:2]} == {"a", "b"} and broken[2].share < 0.1
    lifted = wf.point_contributions(found, 280)[0]
    assert lifted.column == "c" and lifted.value == 9.0 and lifted.sigmas == pytest.approx((9 - lifted.centre) / lifted.spread)
    assert sum(p.share for p in broken) == pytest.approx(1.0)
    assert wf.point_contributions(found, 10) == (), "a row with an empty cell has no point"


def test_few_columns_are_charted_as_they_are_and_many_by_components(dataset: Dataset) -> None:
    assert view(dataset).name == "T2" and "few enough" in str(view(dataset).why)
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 12)).round(4), columns=[f"s{i}" for i in range(12)])
    wide.to_csv(dataset.path.parent / "wide.csv", index=False)
    made = wf.import_file(wf.open_workspace(dataset.path.parent / "other"), dataset.path.parent / "wide.csv").dataset
    assert made is not None
    found = wf.control_many(made, wf.ManySettings())
    assert found.name == "PCA" and [c.kind for c in found.charts] == ["T2", "SPE"] and len(found.columns) == 12


def test_false_alarms_of_a_steady_process_are_as_promised(tmp_path: Path) -> None:
    """20,000 rows of five columns, limits from the first 5,000: 27 of 10,000 above, within three standard errors."""
    table = pd.DataFrame(np.random.default_rng(9).normal(size=(20_000, 5)).round(5), columns=list("abcde"))
    table.to_csv(tmp_path / "s.csv", index=False)
    made = wf.import_file(wf.open_workspace(tmp_path / "home"), tmp_path / "s.csv").dataset
    assert made is not None
    found = wf.control_many(made, wf.ManySettings.read({"baseline": 5_000}))
    assert found.marks.sum() > 10 and "no more than chance gives" in str(found.headline)
    rate = found.marks[5_000:].mean()
    assert abs(rate - 0.0027) < 3 * np.sqrt(0.0027 / 15_000)


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"columns": ("a",)}, DataProblem, "There are 1 columns"),
        ({"columns": ("a", "gone")}, DataProblem, "There is no column 'gone'"),
        ({"columns": ("a", "name")}, DataProblem, "holds text"),
        ({"columns": ("a", "b", "twin")}, NotEnoughData, "determined by the others"),
        ({"baseline": 4}, NotEnoughData, "at least 10 complete rows"),
        ({"baseline_start": 301}, SettingProblem, "begins at point 301"),
        ({"alpha": 0}, SettingProblem, "alpha"),
    ],
)
def test_what_has_no_chart_is_refused_in_words(
    dataset: Dataset, settings: dict[str, object], error: type[Problem], says: str
) -> None:
    with pytest.raises(error, match=says):
        view(dataset, **settings)


def test_the_points_are_exported_with_limits(dataset: Dataset, tmp_path: Path) -> None:
    found = view(dataset, baseline=200)
    wf.export_many(found, tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv")
    assert len(table) == 300 and table["T2 above"].sum() == found.marks.sum() and table["row"].tolist() == list(range(1, 301))
    assert table["baseline"].tolist() == [1] * 200 + [0] * 100
