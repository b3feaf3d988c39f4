"""Splits: every row in one part, no group on both sides, order kept, refusals in one sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.dataset import Column
from core.data.split import (
    GAP,
    TEST,
    TRAIN,
    VALIDATION,
    Split,
    SplitSettings,
    TrainPart,
    default_split,
    parse_split,
)
from core.data.splitting import make_split
from core.errors import DataProblem, NotEnoughData, SettingProblem


def split(table: pd.DataFrame, text: str, task: str = "regression", **names: object) -> Split:
    values: dict[str, object] = {"time": None, "group": None, "target": None, "gap_rows": 0, "seed": 7, **names}
    return make_split(table, parse_split(text), task=task, **values)  # type: ignore[arg-type]


def table(n: int = 100) -> pd.DataFrame:
    return pd.DataFrame({"t": np.arange(n)[::-1], "g": np.arange(n) // 10, "y": (np.arange(n) % 20 == 0) * 1.0})


def test_parse_split() -> None:
    assert parse_split("time").method == "time"
    assert parse_split("first:400").first == 400
    assert parse_split("column:part").column == "part"
    for wrong in ("", "first", "first:x", "first:1", "column:", "kfold"):
        with pytest.raises(SettingProblem, match=r"Expected( time, group|: at least 2)"):
            parse_split(wrong)


def test_default_split_says_why() -> None:
    time, group, sensor = Column("t", "time", "time"), Column("lot", "text", "group"), Column("x", "number")
    assert default_split((time, group, sensor), "regression")[0].method == "group"
    assert default_split((time, group, sensor), "forecast")[0].method == "time"
    assert default_split((time, sensor), "regression")[0].method == "time"
    chosen, reason = default_split((sensor,), "classification")
    assert chosen.method == "random" and "random" in str(reason)


def test_time_split_of_an_unsorted_table_keeps_order_and_gaps() -> None:
    data = table().sample(frac=1, random_state=1).reset_index(drop=True)
    made = split(data, "time", time="t", gap_rows=5)
    times = [set(data["t"][made.rows(part)]) for part in (TRAIN, VALIDATION, TEST)]
    assert max(times[0]) < min(times[1]) and max(times[1]) < min(times[2])
    assert min(times[1]) - max(times[0]) == 6 and min(times[2]) - max(times[1]) == 6
    assert made.counts() == {"train": 58, "validation": 14, "test": 18, "gap": 10}


def test_rows_without_a_time_are_left_out_and_ties_keep_row_order() -> None:
    data = pd.DataFrame({"t": [1.0] * 20 + [np.nan]})
    made = split(data, "time", time="t")
    assert made.parts[20] == GAP
    assert (np.diff(made.parts[:20]) >= 0).all()


def test_group_split_keeps_groups_whole_and_rare_groups_everywhere() -> None:
    data = pd.DataFrame({"g": np.repeat(np.arange(40), 5)})
    data["y"] = np.where(data["g"] < 6, "bad", "good")
    made = split(data, "group", "classification", group="g", target="y")
    assert data.groupby(made.parts)["g"].unique().map(set).map(len).sum() == 40
    for part in (TRAIN, VALIDATION, TEST):
        assert set(data["y"][made.rows(part)]) == {"bad", "good"}


def test_random_split_is_seeded_and_stratified() -> None:
    data = pd.DataFrame({"y": ["bad"] * 4 + ["good"] * 196})
    made = split(data, "random", "classification", target="y")
    for part in (TRAIN, VALIDATION, TEST):
        assert "bad" in set(data["y"][made.rows(part)])
    assert (made.parts == split(data, "random", "classification", target="y").parts).all()
    assert (made.parts != split(data, "random", "classification", target="y", seed=8).parts).any()


def test_first_rows_train_and_the_rest_tests() -> None:
    made = split(table(), "first:40")
    assert made.rows(TRAIN).tolist() == list(range(34))
    assert made.rows(VALIDATION).tolist() == list(range(34, 40))
    assert made.rows(TEST).tolist() == list(range(40, 100))
    with pytest.raises(SettingProblem, match="first 100 rows"):
        split(table(), "first:100")


def test_column_split_reads_words_and_takes_validation_from_train() -> None:
    data = table().assign(part=["Train"] * 80 + ["TEST "] * 20)
    made = split(data, "column:part", group="g")
    assert made.rows(TEST).tolist() == list(range(80, 100))
    assert not set(data["g"][made.rows(TRAIN)]) & set(data["g"][made.rows(VALIDATION)])
    made = split(data, "column:part", time="t")
    assert data["t"][made.rows(TRAIN)].max() < data["t"][made.rows(VALIDATION)].min()
    with pytest.raises(DataProblem, match="holds 'maybe'"):
        split(data.assign(part="maybe"), "column:part")
    with pytest.raises(DataProblem, match="no column 'parts'"):
        split(data, "column:parts")


def test_too_little_data_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="has 3 rows"):
        split(table(3), "random")
    with pytest.raises(NotEnoughData, match="has 2 groups"):
        split(table(20), "group", group="g")
    with pytest.raises(NotEnoughData, match="gaps of 60 rows"):
        split(table(), "time", time="t", gap_rows=60)
    with pytest.raises(SettingProblem, match="without a group"):
        split(table(), "time", "rul", time="t")
    with pytest.raises(SettingProblem, match="without a group column"):
        split(table(), "group")
    with pytest.raises(NotEnoughData, match="test part"):
        split(table().assign(part="train"), "column:part")


def test_only_a_split_makes_a_train_part() -> None:
    data = table()
    assert len(split(data, "random").train_part(data).table) == 65
    with pytest.raises(TypeError, match="made by Split"):
        TrainPart(data)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(10, 200),
    groups=st.integers(3, 12),
    method=st.sampled_from(["time", "group", "random"]),
    validation=st.floats(0.05, 0.4),
    test=st.floats(0.05, 0.4),
    seed=st.integers(0, 1000),
)
def test_every_row_is_in_one_part(n: int, groups: int, method: str, validation: float, test: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"t": rng.permutation(n), "g": np.arange(n) % groups, "y": rng.integers(0, 3, n)})
    chosen = SplitSettings(method=method, validation_fraction=validation, test_fraction=test)
    made = make_split(data, chosen, task="classification", time="t", group="g", target="y", gap_rows=0, seed=seed)
    assert sum(made.counts().values()) == n and made.counts()["gap"] == 0
    assert all(made.counts()[part] > 0 for part in ("train", "validation", "test"))
    if method == "group":
        assert (data.groupby("g").apply(lambda rows: len(set(made.parts[rows.index]))) == 1).all()
