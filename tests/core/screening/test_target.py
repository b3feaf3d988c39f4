"""The target: rare classes, columns that give it away, columns that only name the group; good sensors are not named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.screening import screen
from core.screening.leaks import binned_r2, tells_groups_apart
from tests.synthetic import as_dataset

N = 4_000


def codes(folder: Path, table: pd.DataFrame, **roles: str) -> dict[str, dict[str, str]]:
    found = screen(as_dataset(table, folder, **roles))
    return {c.name: {r.code: str(r.message) for r in c.reasons} for c in found.columns}


@pytest.fixture
def parts() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    bad = rng.random(N) < 0.05
    return pd.DataFrame(
        {
            "torque": rng.normal(10, 1, N) + 2 * bad,
            "rework": np.where(bad & (rng.random(N) < 0.4), 1.0, 0.0),
            "score": np.where(bad, 60, 0) + rng.normal(0, 3, N),
            "result": np.where(bad, "fail", "pass"),
        }
    )


def test_columns_that_tell_the_class_are_named_and_a_good_sensor_is_not(tmp_path: Path, parts: pd.DataFrame) -> None:
    found = codes(tmp_path, parts, result="target")
    assert found["torque"] == {}
    assert found["score"]["leak"] == "may give 'result' away: it alone tells 'fail' from 'pass'"
    assert "all " in found["rework"]["leak"] and "are 'fail'" in found["rework"]["leak"]
    grades = {c.name: c.grade for c in screen(as_dataset(parts, tmp_path, result="target")).columns}
    assert (grades["score"], grades["rework"]) == ("C", "B")  # all rows told, some rows told


def test_a_rare_class_is_told_and_a_very_rare_one_graded_b(tmp_path: Path, parts: pd.DataFrame) -> None:
    assert "'fail' is rare: " in codes(tmp_path, parts, result="target")["result"]["imbalance"]
    rare = parts.assign(result=np.where(np.arange(N) % 200 == 0, "fail", "pass"))
    column = screen(as_dataset(rare[["torque", "result"]], tmp_path, result="target")).columns[1]
    assert (column.grade, column.reasons[0].code) == ("B", "imbalance")
    even = parts.assign(result=np.where(np.arange(N) % 2 == 0, "fail", "pass"))
    assert codes(tmp_path, even[["torque", "result"]], result="target")["result"] == {}


def test_a_curved_copy_of_a_value_is_a_leak_and_a_strong_sensor_is_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    y = rng.uniform(1, 5, N)
    table = pd.DataFrame({"curved": np.exp(y) + rng.normal(0, 0.5, N), "strong": y + rng.normal(0, 0.3, N), "y": y})
    found = codes(tmp_path, table, y="target")
    assert "it alone explains 99" in found["curved"]["leak"]
    assert found["strong"] == {}


def test_a_column_empty_where_the_target_is_is_said_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    y = rng.normal(0, 1, N)
    table = pd.DataFrame({"lab": y * 3 + 2, "y": y})
    table.loc[rng.choice(N, 400, replace=False), ["lab", "y"]] = np.nan
    assert codes(tmp_path, table, y="target")["lab"]["leak"].endswith(
        "it is empty exactly where the target is, as if written down with it"
    )


def test_a_column_that_names_the_lot_is_told_where_the_target_goes_by_lot(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    lot = np.repeat(np.arange(40), N // 40)
    quality = rng.normal(0, 1, 40)[lot] + rng.normal(0, 0.05, N)
    table = pd.DataFrame(
        {"lot": [f"L{k}" for k in lot], "tool_hours": rng.normal(500, 90, 40)[lot], "speed": rng.normal(9, 1, N), "y": quality}
    )
    found = codes(tmp_path, table, lot="group", y="target")
    assert "names the group" in found["tool_hours"]["group_leak"]
    assert found["speed"] == {}
    free = codes(tmp_path, table.assign(y=rng.normal(0, 1, N)), lot="group", y="target")
    assert free["tool_hours"] == {}


def test_binned_r2_by_hand_and_where_it_is_not_defined() -> None:
    x = np.tile([0.0, 1.0, 2.0, 3.0], 500)
    assert binned_r2(x, x * 7 - 2) == pytest.approx(1.0)
    rng = np.random.default_rng(7)
    assert binned_r2(x, x + rng.normal(0, np.sqrt(1.25), 2_000)) == pytest.approx(0.5, abs=0.05)  # variance of x is 1.25
    assert binned_r2(x[:100], x[:100]) is None
    assert binned_r2(x, np.ones(2_000)) is None
    assert binned_r2(np.zeros(2_000), x) is None


def test_what_tells_groups_apart() -> None:
    groups = np.repeat(np.arange(6), 10)
    assert tells_groups_apart(groups * 3, groups)
    assert not tells_groups_apart(groups // 2, groups)  # two lots share a value
    assert not tells_groups_apart(np.arange(60), groups)  # not the same within a lot
    assert not tells_groups_apart(groups[:20], groups[:20])  # two lots are too few to say
