"""Folds and sizes: every row tests once, nothing of a group or of the future is learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.data.folding import fold_splits, thinned_split
from core.data.split import GAP, TEST, TRAIN, VALIDATION, SplitSettings
from core.data.splitting import make_split
from core.errors import NotEnoughData

N = 240


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "when": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.permutation(N), unit="h"),
            "lot": [f"L{i // 12}" for i in range(N)],
            "result": np.where(np.arange(N) % 10 == 0, "fail", "pass"),
        }
    )


def folds(method: str, **more: object) -> tuple:
    given = {"time": None, "group": None, "target": None, "is_classes": False, **more}
    return fold_splits(table(), SplitSettings(method=method), 5, **given)[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "roles"), [("random", {}), ("group", {"group": "lot"})])
def test_each_row_tests_once_and_each_fold_has_all_parts(method: str, roles: dict[str, str]) -> None:
    made = folds(method, **roles)
    tested = np.sum([s.parts == TEST for s in made], axis=0)
    assert tested.tolist() == [1] * N
    for split in made:
        assert (split.parts == TRAIN).sum() > (split.parts == VALIDATION).sum() > 0


def test_no_lot_is_in_two_parts() -> None:
    lots = table()["lot"]
    for split in folds("group", group="lot"):
        assert all(len(set(split.parts[lots == lot])) == 1 for lot in lots.unique())


def test_rare_classes_are_in_every_fold_in_the_same_share() -> None:
    for split in folds("random", target="result", is_classes=True):
        test = table()["result"][split.parts == TEST]
        assert (test == "fail").sum() in (4, 5)  # 24 of 240, five folds


def test_stretches_of_time_are_tested_by_what_was_before_them_with_a_gap() -> None:
    when = table()["when"].rank().to_numpy() - 1  # place in time, 0 to N − 1
    made = folds("time", time="when", gap_rows=3)
    tested = np.sum([s.parts == TEST for s in made], axis=0)
    assert tested[when < N // 6].max() == 0 and tested[when >= N // 6].tolist() == [1] * (N - N // 6)
    for split in made:
        first_tested = when[split.parts == TEST].min()
        learned = np.isin(split.parts, (TRAIN, VALIDATION))
        assert when[learned].max() == first_tested - 4  # three rows between them
        assert when[split.parts == TRAIN].max() + 3 < when[split.parts == VALIDATION].min()


def test_too_few_groups_are_refused() -> None:
    few = table().assign(lot=["A", "B", "C"] * (N // 3))
    with pytest.raises(NotEnoughData, match="3 groups"):
        fold_splits(few, SplitSettings(method="group"), 5, time=None, group="lot", target=None, is_classes=False)


@pytest.mark.parametrize(("method", "roles"), [("random", {}), ("group", {"group": "lot"}), ("time", {"time": "when"})])
def test_a_smaller_training_part_lies_within_the_larger_and_test_rows_stay(method: str, roles: dict[str, str]) -> None:
    keys = table()
    given = {"time": None, "group": None, **roles}
    split = make_split(keys, SplitSettings(method=method), task="regression", target=None, **given)  # type: ignore[arg-type]
    half, quarter = (thinned_split(split, share, keys, **given) for share in (0.5, 0.25))
    train = split.rows(TRAIN)
    assert set(quarter.rows(TRAIN)) < set(half.rows(TRAIN)) < set(train)
    assert len(half.rows(TRAIN)) == pytest.approx(len(train) / 2, abs=12)
    for part in (VALIDATION, TEST):
        assert half.rows(part).tolist() == split.rows(part).tolist()
    if method == "time":
        when = keys["when"].to_numpy()
        assert when[half.rows(TRAIN)].min() > when[np.setdiff1d(train, half.rows(TRAIN))].max()
    if method == "group":
        assert not set(keys["lot"][half.rows(TRAIN)]) & set(keys["lot"][half.rows(GAP)])
