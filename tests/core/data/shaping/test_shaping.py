"""Resampling, aggregation and alignment against pandas and by hand; rows are conserved and nothing is invented."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.data.dataset import Column, Dataset
from core.data.shaping import (
    AggregateSettings,
    AlignSettings,
    ResampleSettings,
    Shaped,
    aggregate_table,
    align_tables,
    resample_table,
)
from core.data.shaping import table as shaping_table
from core.data.shaping.table import Source
from core.errors import DataProblem, SettingProblem
from tests.synthetic import as_dataset


def stored(table: pd.DataFrame, folder: Path, name: str = "one", **roles: str) -> Dataset:
    home = folder / name
    home.mkdir(exist_ok=True)
    return replace(as_dataset(table, home, **roles), name=name)


def resampled(dataset: Dataset, folder: Path, **settings: Any) -> tuple[pd.DataFrame, Shaped]:
    shaped = resample_table(Source(dataset), ResampleSettings.read(settings), folder / "out.parquet")
    return _read(shaped, folder), shaped


def aggregated(dataset: Dataset, folder: Path, **settings: Any) -> tuple[pd.DataFrame, Shaped]:
    shaped = aggregate_table(Source(dataset), AggregateSettings.read(settings), folder / "out.parquet")
    return _read(shaped, folder), shaped


def aligned(left: Dataset, right: Dataset, folder: Path, **settings: Any) -> tuple[pd.DataFrame, Shaped]:
    shaped = align_tables(Source(left), Source(right), AlignSettings.read(settings), folder / "out.parquet")
    return _read(shaped, folder), shaped


def _read(shaped: Shaped, folder: Path) -> pd.DataFrame:
    """The table as every screen reads it, so that a wrong type or a missing column shows."""
    dataset = Dataset("", 1, "out", folder / "out.parquet", shaped.n_rows, shaped.columns, "")
    table = dataset.table()
    assert len(table) == shaped.n_rows
    for column in shaped.columns:
        assert pd.api.types.is_numeric_dtype(table[column.name]) == (column.kind == "number"), column
        assert pd.api.types.is_datetime64_any_dtype(table[column.name]) == (column.kind == "time"), column
    return table.reset_index(drop=True)


def signal(n: int = 3000, seed: int = 0) -> pd.DataFrame:
    """Two machines, irregular times in no order, a gap of ten minutes, empty cells."""
    rng = np.random.default_rng(seed)
    seconds = np.cumsum(rng.exponential(2.0, n))
    seconds[n // 2 :] += 600
    made = pd.DataFrame(
        {
            "machine": rng.choice(["B", "A"], n),
            "time": (pd.Timestamp("2024-05-01 05:59:07") + pd.to_timedelta(seconds, unit="s")).astype("datetime64[us]"),
            "p": rng.normal(5, 1, n),
            "mode": rng.choice(["run", "idle"], n),
        }
    )
    made.loc[rng.random(n) < 0.1, "p"] = np.nan
    return made.iloc[rng.permutation(n)].reset_index(drop=True)


@pytest.mark.parametrize(
    ("how", "theirs"),
    [
        ("mean", "mean"),
        ("median", "median"),
        ("minimum", "min"),
        ("maximum", "max"),
        ("first", "first"),
        ("last", "last"),
        ("sd", "std"),
    ],
)
def test_a_regular_step_equals_pandas_for_each_group(tmp_path: Path, how: str, theirs: str) -> None:
    table = signal()
    found, shaped = resampled(stored(table, tmp_path, machine="group", time="time"), tmp_path, step=30, how=how)
    expected = []
    for machine in table["machine"].unique():
        mine = table[table["machine"] == machine].sort_values("time", kind="stable").set_index("time")["p"]
        expected.append(getattr(mine.resample("30s"), theirs)().reset_index().assign(machine=machine))
    whole = pd.concat(expected, ignore_index=True)
    pd.testing.assert_frame_equal(
        found[["machine", "time", "p"]], whole[["machine", "time", "p"]], check_dtype=False, rtol=1e-12
    )
    assert shaped.n_before == 3000
    n_empty = int(sum((table[table["machine"] == m].set_index("time")["p"].resample("30s").size() == 0).sum() for m in "AB"))
    assert n_empty >= 38
    assert [str(note) for note in shaped.notes] == [f"{n_empty} steps without rows stay empty."]


def test_sums_counts_and_texts_by_hand(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "t": [0.0, 1.0, 2.0, 31.0, np.nan],
            "p": [1.0, np.nan, 5.0, 7.0, 100.0],
            "q": [1.0, 2.0, 3.0, 4.0, 100.0],
            "m": ["a", "b", "b", None, "z"],
        }
    )
    dataset = stored(table, tmp_path, t="time")
    choices = [{"column": "p", "how": "count"}, {"column": "m", "how": "most_frequent"}]
    found, shaped = resampled(dataset, tmp_path, step=10, how="sum", columns=choices, count=True)
    assert found["t"].tolist() == [0.0, 10.0, 20.0, 30.0]
    np.testing.assert_array_equal(found["p"], [2.0, np.nan, np.nan, 1.0])
    np.testing.assert_array_equal(found["q"], [6.0, np.nan, np.nan, 4.0])
    assert found["m"].fillna("–").tolist() == ["b", "–", "–", "–"]
    assert found["rows"].tolist() == [3.0, 0.0, 0.0, 1.0]
    assert [str(note) for note in shaped.notes] == ["1 row without a time is left out.", "2 steps without rows stay empty."]
    found, shaped = resampled(dataset, tmp_path, step=10, gaps="no_rows", label="end")
    assert found["t"].tolist() == [10.0, 40.0]
    assert str(shaped.notes[1]) == "2 steps without rows have no row."


def test_a_counter_on_the_border_belongs_to_the_step_that_begins_there(tmp_path: Path) -> None:
    table = pd.DataFrame({"t": [0.0, 0.1, 0.2, 0.3, 0.6, 0.7], "p": np.arange(6.0)})
    found, _ = resampled(stored(table, tmp_path, t="time"), tmp_path, step=0.1, gaps="no_rows")
    assert len(found) == 6
    np.testing.assert_allclose(found["t"], table["t"])


def test_units_and_limits_stay_where_the_value_means_the_same(tmp_path: Path) -> None:
    dataset = stored(pd.DataFrame({"t": [0.0, 1.0], "p": [1.0, 2.0], "q": [1.0, 2.0]}), tmp_path, t="time", q="target")
    columns = [replace(c, unit="bar", upper_limit=9.0) if c.name != "t" else c for c in dataset.columns]
    dataset = dataset.with_columns(columns)
    _, shaped = resampled(dataset, tmp_path, step=10, columns=[{"column": "p", "how": "sd"}])
    assert shaped.columns[1:] == (
        Column("p", "number", unit="bar"),
        Column("q", "number", "target", "bar", upper_limit=9.0),
    )


def test_a_step_that_gives_almost_only_empty_rows_is_refused(tmp_path: Path) -> None:
    dataset = stored(pd.DataFrame({"t": [0.0, 1e9], "p": [1.0, 2.0]}), tmp_path, t="time")
    with pytest.raises(SettingProblem, match="1,000,000,001 rows, and only 2"):
        resampled(dataset, tmp_path, step=1)
    assert len(resampled(dataset, tmp_path, step=1, gaps="no_rows")[0]) == 2


def test_a_table_without_time_or_a_mean_of_texts_is_refused(tmp_path: Path) -> None:
    dataset = stored(signal(50), tmp_path, machine="group")
    with pytest.raises(SettingProblem, match="'one' has no time column"):
        resampled(dataset, tmp_path)
    dataset = stored(signal(50), tmp_path, time="time")
    with pytest.raises(SettingProblem, match="'mean' was asked of column 'mode'"):
        resampled(dataset, tmp_path, columns=[{"column": "mode", "how": "mean"}])
    with pytest.raises(DataProblem, match="no column 'pp'"):
        resampled(dataset, tmp_path, columns=[{"column": "pp", "how": "mean"}])


def test_names_that_the_query_uses_itself_may_be_columns(tmp_path: Path) -> None:
    table = pd.DataFrame({"_step": [0.0, 1.0, 60.0], "_group": ["a", "a", "a"], "rows": [1.0, 2.0, 3.0], "a0": [1.0, 1.0, 1.0]})
    found, _ = resampled(stored(table, tmp_path, _step="time", _group="group"), tmp_path, step=60, count=True)
    assert list(found) == ["_group", "_step", "rows", "a0", "rows_2"]
    assert found["rows"].tolist() == [1.5, 3.0] and found["rows_2"].tolist() == [2.0, 1.0]


def test_one_row_a_group_equals_pandas(tmp_path: Path) -> None:
    table = signal().assign(lot=lambda t: (t.index // 100).astype(float), y=lambda t: t["lot"] * 2)
    dataset = stored(table, tmp_path, lot="group", time="time", y="target")
    found, shaped = aggregated(dataset, tmp_path, how=["mean", "sd", "minimum", "maximum", "median", "sum", "count"])
    groups = table.groupby("lot", sort=False)["p"]
    theirs = {"mean": "mean", "sd": "std", "min": "min", "max": "max", "median": "median", "sum": "sum", "count": "count"}
    for ours, name in theirs.items():
        np.testing.assert_allclose(found[f"p_{ours}"], getattr(groups, name)(), rtol=1e-12)
    assert found["lot"].tolist() == [float(i) for i in range(30)]
    assert (found["y"] == 2 * found["lot"]).all()
    assert (found["time"] == table.groupby("lot")["time"].min().to_numpy()).all()
    assert found["rows"].tolist() == [100.0] * 30
    roles = {c.name: c.role for c in shaped.columns}
    assert (roles["lot"], roles["time"], roles["y"], roles["p_mean"], roles["rows"]) == (
        "ignore",
        "time",
        "target",
        "sensor",
        "ignore",
    )


def test_first_and_last_go_by_time_and_an_empty_group_is_a_group(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "unit": ["b", "a", "b", None, "a"],
            "t": [2.0, 1.0, 1.0, 0.0, 5.0],
            "p": [10.0, 1.0, 20.0, 7.0, np.nan],
            "m": list("vwxyz"),
        }
    )
    found, _ = aggregated(
        stored(table, tmp_path, unit="group", t="time"), tmp_path, how=["first", "last"], texts="last", count=False
    )
    assert found["unit"].fillna("–").tolist() == ["b", "a", "–"]
    assert found["p_first"].tolist() == [20.0, 1.0, 7.0]
    assert found["p_last"].tolist() == [10.0, 1.0, 7.0]
    assert found["m"].tolist() == ["v", "z", "y"]


def test_cycles_of_machines_keep_their_machine_as_group(tmp_path: Path) -> None:
    table = signal(200).assign(cycle=lambda t: t.index // 20 * 1.0)
    found, shaped = aggregated(
        stored(table, tmp_path, machine="group", time="time"), tmp_path, by=["machine", "cycle"], how=["mean"]
    )
    assert len(found) == 20
    assert [c.name for c in shaped.columns] == ["machine", "cycle", "time", "p", "mode", "rows"]
    assert shaped.columns[0].role == "group"
    with pytest.raises(SettingProblem, match="no group column"):
        aggregated(stored(table, tmp_path, time="time"), tmp_path)
    with pytest.raises(DataProblem, match="no column 'lott'"):
        aggregated(stored(table, tmp_path, time="time"), tmp_path, by=["lott"])


def two(tmp_path: Path, seed: int = 3) -> tuple[pd.DataFrame, pd.DataFrame, Dataset, Dataset]:
    rng = np.random.default_rng(seed)
    fast = signal(800).rename(columns={"p": "vibration"})
    slow = signal(60, seed).rename(columns={"p": "temperature"})
    slow["time"] = (
        pd.Timestamp("2024-05-01 05:59") + pd.to_timedelta(np.sort(rng.choice(2200, 60, replace=False)), unit="s")
    ).astype("datetime64[us]")
    slow = slow.iloc[rng.permutation(60)].reset_index(drop=True)
    roles = {"machine": "group", "time": "time"}
    return fast, slow, stored(fast, tmp_path, "fast", **roles), stored(slow, tmp_path, "slow", **roles)


@pytest.mark.parametrize("direction", ["backward", "forward", "nearest"])
@pytest.mark.parametrize("tolerance", [None, 20.0])
@pytest.mark.parametrize("match_group", [True, False])
def test_alignment_equals_merge_asof(tmp_path: Path, direction: Any, tolerance: float | None, match_group: bool) -> None:
    fast, slow, left, right = two(tmp_path)
    found, shaped = aligned(
        left, right, tmp_path, direction=direction, tolerance=tolerance, match_group=match_group, columns=["temperature"]
    )
    expected = pd.merge_asof(
        fast.assign(row=range(len(fast))).sort_values("time"),
        slow[["machine", "time", "temperature"]].assign(partner=True).sort_values("time"),
        on="time",
        by="machine" if match_group else None,
        direction=direction,
        tolerance=None if tolerance is None else pd.Timedelta(seconds=tolerance),
    ).sort_values("row")
    np.testing.assert_array_equal(found["temperature"], expected["temperature"])
    pd.testing.assert_frame_equal(found[list(fast)], fast, check_dtype=False)
    n_alone = int(expected["partner"].isna().sum())
    assert [n.values["n"] for n in shaped.notes] == ([n_alone] if n_alone else [])


def test_of_equal_times_the_last_counts_and_of_equally_near_ones_the_earlier(tmp_path: Path) -> None:
    left = stored(pd.DataFrame({"t": [5.0, np.nan, 10.0], "p": [1.0, 2.0, 3.0]}), tmp_path, "left", t="time")
    right = stored(pd.DataFrame({"t": [0.0, 10.0, 10.0, np.nan], "q": [1.0, 2.0, 3.0, 4.0]}), tmp_path, "right", t="time")
    found, shaped = aligned(left, right, tmp_path, direction="nearest", age=True)
    np.testing.assert_array_equal(found["q"], [1.0, np.nan, 3.0])
    np.testing.assert_array_equal(found["age"], [5.0, np.nan, 0.0])
    assert [str(note) for note in shaped.notes] == [
        "1 row has no partner in 'right' and stays empty there.",
        "1 row of 'right' has the time of a later row, which counts instead.",
    ]


def test_names_and_roles_of_the_second_table_do_not_compete(tmp_path: Path) -> None:
    left = stored(pd.DataFrame({"t": [1.0], "Temp": [1.0], "y": [0.0]}), tmp_path, "left", t="time", y="target")
    right = stored(
        pd.DataFrame({"t": [1.0], "temp": [2.0], "y": [5.0], "lot": ["a"]}),
        tmp_path,
        "right",
        t="time",
        y="target",
        lot="group",
    )
    found, shaped = aligned(left, right, tmp_path)
    assert [(c.name, c.role) for c in shaped.columns] == [
        ("t", "time"),
        ("Temp", "sensor"),
        ("y", "target"),
        ("temp_2", "sensor"),
        ("y_2", "ignore"),
        ("lot", "ignore"),
    ]
    assert found.iloc[0].tolist() == [1.0, 1.0, 0.0, 2.0, 5.0, "a"]


def test_dates_and_counters_cannot_be_aligned(tmp_path: Path) -> None:
    _, _, left, _ = two(tmp_path)
    right = stored(pd.DataFrame({"t": [1.0], "q": [2.0]}), tmp_path, "right", t="time")
    with pytest.raises(SettingProblem, match="'time' holds times and 't' holds numbers"):
        aligned(left, right, tmp_path)


def test_medians_of_a_large_table_are_made_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = signal(600).assign(q=lambda t: t["p"] * 2, r=lambda t: -t["p"])
    dataset = stored(made, tmp_path, machine="group", time="time")
    whole = resampled(dataset, tmp_path, step=30, how="median")[0]
    by_group = aggregated(dataset, tmp_path, how=["median", "mean"])[0]
    monkeypatch.setattr(shaping_table, "_HELD_BYTES", 1)
    pd.testing.assert_frame_equal(resampled(dataset, tmp_path, step=30, how="median")[0], whole, check_exact=True)
    pd.testing.assert_frame_equal(aggregated(dataset, tmp_path, how=["median", "mean"])[0], by_group, check_exact=True)


def test_a_preview_takes_the_first_rows_only(tmp_path: Path) -> None:
    _, _, left, right = two(tmp_path)
    shaped = align_tables(Source(left, 100), Source(right), AlignSettings(), tmp_path / "out.parquet")
    assert (shaped.n_rows, shaped.n_before) == (100, 100)


def test_the_original_is_not_touched(tmp_path: Path) -> None:
    _, _, left, right = two(tmp_path)
    before = left.path.read_bytes(), right.path.read_bytes()
    aligned(left, right, tmp_path)
    resampled(left, tmp_path)
    aggregated(left, tmp_path)
    assert (left.path.read_bytes(), right.path.read_bytes()) == before
