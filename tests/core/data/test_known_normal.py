"""Rows of false alarms train and are never tested: parts counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.data.known_normal import KnownNormal, n_joined, with_known_normal
from core.data.split import GAP, TEST, TRAIN, VALIDATION, Split, SplitSettings
from core.errors import NotEnoughData, SettingProblem
from core.messages import msg


def _split(parts: list[int], method: str = "time") -> Split:
    made = np.array(parts, dtype=np.int8)
    made.setflags(write=False)
    return Split(SplitSettings.read({"method": method}), made, 7, msg("by hand"))


def _joined(split: Split, keys: pd.DataFrame, ranges: list[tuple[int, int, str]], gap: int, **roles: str | None) -> list[int]:
    given = [KnownNormal(first_row=a, last_row=b, group=g) for a, b, g in ranges]
    found = with_known_normal(split, given, keys, time=roles.get("time"), group=roles.get("group"), gap_rows=gap)
    assert not found.parts.flags.writeable
    return found.parts.tolist()


def test_the_rows_train_and_those_near_them_are_tested_no_more() -> None:
    keys = pd.DataFrame(index=range(10))
    split = _split([TRAIN] * 3 + [VALIDATION] + [TEST] * 6)
    assert _joined(split, keys, [(6, 7, "")], 1) == [TRAIN] * 3 + [VALIDATION, TEST, GAP, TRAIN, TRAIN, GAP, TEST]


def test_rows_that_validate_stay_held_out() -> None:
    split = _split([TRAIN, TRAIN, VALIDATION, VALIDATION, TEST, TEST])
    assert _joined(split, pd.DataFrame(index=range(6)), [(2, 4, "")], 0) == [0, 0, VALIDATION, VALIDATION, TRAIN, TEST]
    assert n_joined(split, [KnownNormal(first_row=1, last_row=4)], pd.DataFrame(index=range(6)), None) == 1


def test_near_means_in_time_within_the_machine() -> None:
    """Newest first, two machines in turn: the neighbours of A's row 4 are A's rows 2 and 6, not B's 3 and 5."""
    keys = pd.DataFrame({"when": pd.date_range("2026-01-01", periods=8)[::-1], "m": list("ABABABAB")})
    parts = _joined(_split([TEST] * 8), keys, [(4, 5, "A")], 1, time="when", group="m")
    assert parts == [TEST, TEST, GAP, TEST, TRAIN, TEST, GAP, TEST]


def test_after_a_split_by_group_the_whole_group_leaves_the_test_part() -> None:
    keys = pd.DataFrame({"lot": list("aabbccdd")})
    split = _split([TRAIN, TRAIN, VALIDATION, VALIDATION, TEST, TEST, TEST, TEST], "group")
    assert _joined(split, keys, [(4, 4, "c")], 0, group="lot") == [0, 0, 1, 1, TRAIN, GAP, TEST, TEST]


def test_nothing_left_to_test_is_refused() -> None:
    split = _split([TRAIN] * 4 + [VALIDATION, TEST, TEST])
    with pytest.raises(NotEnoughData, match="No row is left for the test part once the false alarms train"):
        _joined(split, pd.DataFrame(index=range(7)), [(5, 5, "")], 3)


@pytest.mark.parametrize(("first", "last"), [(5, 4), (3, 7)])
def test_rows_outside_the_table_are_refused(first: int, last: int) -> None:
    with pytest.raises(SettingProblem, match=f"Rows {first} to {last} were to count as normal"):
        _joined(_split([TRAIN] * 7), pd.DataFrame(index=range(7)), [(first, last, "")], 0)


def test_without_false_alarms_the_split_is_itself() -> None:
    split = _split([TRAIN, TEST])
    assert with_known_normal(split, [], pd.DataFrame(index=range(2)), time=None, group=None, gap_rows=5) is split
