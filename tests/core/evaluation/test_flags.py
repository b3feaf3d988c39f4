"""Flags against truth, by hand and against scikit-learn."""

import numpy as np
import pytest

from core.evaluation import Metric, binary_flag_metrics, time_blocks


def by_key(*args: object, **kwargs: object) -> dict[str, Metric]:
    return {m.key: m for m in binary_flag_metrics(*args, **kwargs)}  # type: ignore[arg-type]


def test_values_by_hand() -> None:
    truth = [1, 1, 1, 0, 0, 0, 0, 0]
    flags = [1, 1, 0, 1, 0, 0, 0, 0]  # tp 2, fn 1, fp 1, tn 4
    found = by_key(truth, flags)
    assert {k: m.value for k, m in found.items()} == pytest.approx(
        {"f1": 4 / 6, "precision": 2 / 3, "recall": 2 / 3, "far": 1 / 5, "mar": 1 / 3}
    )


def test_values_equal_those_of_scikit_learn() -> None:
    from sklearn.metrics import precision_recall_fscore_support

    truth, flags = np.random.default_rng(0).random((2, 400)) < 0.3
    precision, recall, f1, _ = precision_recall_fscore_support(truth, flags, average="binary")
    found = by_key(truth, flags)
    assert [found[k].value for k in ("precision", "recall", "f1")] == pytest.approx([precision, recall, f1])


def test_a_perfect_catch_of_three_defects_is_not_sure() -> None:
    recall = by_key([1, 1, 1] + [0] * 50, [1, 1, 1] + [0] * 50)["recall"]
    assert recall.value == 1.0
    assert recall.low == pytest.approx(3 / (3 + 1.959963984540054**2))  # Wilson at n of n


def test_blocks_give_bootstrap_intervals() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(1000) < 0.5
    flags = np.repeat(rng.random(20) < 0.5, 50)
    alone, together = by_key(truth, flags)["far"], by_key(truth, flags, blocks=time_blocks(1000, 20))["far"]
    assert together.high - together.low > 2 * (alone.high - alone.low)  # type: ignore[operator]


def test_unknown_and_unscored_rows_are_left_out() -> None:
    found = by_key([1, 0, np.nan, 1], [1, 0, 1, np.nan])
    assert {m.n for m in found.values()} == {2}
    assert found["f1"].value == 1.0


@pytest.mark.parametrize(
    ("truth", "flags", "missing"),
    [
        ([0, 0], [0, 0], {"f1", "precision", "recall", "mar"}),
        ([1, 0], [0, 0], {"precision"}),
        ([1, 1], [1, 0], {"far"}),
        ([0, 0], [1, 0], {"recall", "mar"}),
        ([], [], {"f1", "precision", "recall", "far", "mar"}),
    ],
)
def test_what_is_not_defined_says_why(truth: list[int], flags: list[int], missing: set[str]) -> None:
    found = by_key(truth, flags)
    assert {k for k, m in found.items() if m.value is None} == missing
    assert all(str(found[k].why_not).endswith(".") for k in missing)


def test_catching_nothing_is_an_f1_of_zero() -> None:
    assert by_key([1, 0, 0], [0, 1, 0])["f1"].value == 0.0
