"""Two tables compared: schema, distributions against SciPy's own figures, and "cannot tell" where there are too few rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.data.comparing import compare, stability_index
from core.data.dataset import Column, Dataset
from core.data.holm import holm

Make = Callable[..., Dataset]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(table: pd.DataFrame, *columns: Column, sha: str = "") -> Dataset:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet"
        table.to_parquet(path, index=False)
        given = columns or tuple(Column(c, "number" if table[c].dtype == float else "text") for c in table)
        return Dataset("x", 1, "x", path, len(table), given, sha)

    return make


def normal(n: int, mean: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 2.0, n)


def test_columns_that_came_went_and_mean_something_else(make: Make) -> None:
    table = pd.DataFrame({"a": normal(50), "b": normal(50)})
    first = make(table, Column("a", "number", unit="bar", upper_limit=3.0), Column("b", "number"))
    second = make(table.rename(columns={"b": "c"}), Column("a", "number", "target", unit="mbar"), Column("c", "number"))
    found = compare(first, second)
    assert (found.added, found.removed) == (("c",), ("b",))
    assert found.columns[0].facts == (("role", "sensor", "target"), ("unit", "bar", "mbar"), ("upper_limit", "3", ""))


def test_few_rows_are_tested_as_scipy_does_and_corrected_by_holm(make: Make) -> None:
    a = pd.DataFrame({"same": normal(400), "moved": normal(400, 0.0, 1), "word": ["x", "y"] * 200})
    b = pd.DataFrame({"same": normal(300, seed=2), "moved": normal(300, 1.0, 3), "word": (["x"] * 5 + ["y"]) * 50})
    found = {c.name: c for c in compare(make(a), make(b)).columns}
    raw = [
        stats.ks_2samp(a["same"], b["same"]).pvalue,
        stats.ks_2samp(a["moved"], b["moved"]).pvalue,
        stats.chi2_contingency([[200, 200], [250, 50]]).pvalue,
    ]
    order = np.argsort(raw)
    by_hand = np.empty(3)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, raw[place] * (3 - rank))
        by_hand[place] = min(1.0, largest)
    np.testing.assert_allclose([found[c].p for c in ("same", "moved", "word")], by_hand, rtol=1e-9)
    assert {name: c.verdict for name, c in found.items()} == {"same": "alike", "moved": "shifted", "word": "shifted"}


def test_many_rows_are_judged_by_distance_not_by_significance(make: Make) -> None:
    a = pd.DataFrame({"tiny": normal(100_000), "moved": normal(100_000)})
    b = pd.DataFrame({"tiny": normal(100_000, 0.05, 1), "moved": normal(100_000, 0.5, 1)})
    assert stats.ks_2samp(a["tiny"], b["tiny"]).pvalue < 1e-3, "a test would call the tiny one shifted"
    tiny, moved = compare(make(a), make(b)).columns
    assert (tiny.verdict, tiny.p) == ("alike", None)
    assert moved.verdict == "shifted"
    assert moved.distance == pytest.approx(0.5 / 2.0, abs=0.02), "half a unit is a quarter of a standard deviation"


def test_with_too_few_values_nothing_is_said(make: Make) -> None:
    few = normal(60)
    few[:40] = np.nan
    (column,) = compare(make(pd.DataFrame({"a": few})), make(pd.DataFrame({"a": normal(500, 50.0)}))).columns
    assert (column.verdict, column.n) == ("cannot_tell", (20, 500))
    assert column.missing[0] == pytest.approx(40 / 60)


def test_constants_and_kinds(make: Make) -> None:
    one, two = (pd.DataFrame({"c": np.full(2_000, v), "k": np.full(2_000, v)}) for v in (1.0, 1.5))
    first = make(one)
    assert {c.verdict for c in compare(first, first).columns} == {"alike"}
    assert {c.verdict for c in compare(first, make(two)).columns} == {"shifted"}
    text = make(pd.DataFrame({"c": ["a"] * 50, "k": np.ones(50)}))
    assert [c.verdict for c in compare(first, text).columns] == ["not_compared", "alike"]


def test_the_same_table_is_not_read_twice(make: Make) -> None:
    table = pd.DataFrame({"a": normal(10)})
    found = compare(make(table, Column("a", "number"), sha="s"), make(table, Column("a", "number", unit="K"), sha="s"))
    assert found.is_same_table
    assert [c.name for c in found.renamed_facts] == ["a"]


def test_published_figures() -> None:
    # By hand: (0.4 - 0.5) ln(0.4 / 0.5) + (0.6 - 0.5) ln(0.6 / 0.5).
    assert stability_index(np.array([0.5, 0.5]), np.array([0.4, 0.6])) == pytest.approx(0.0223143551 + 0.0182321557)
    assert stability_index(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert len(holm([])) == 0
