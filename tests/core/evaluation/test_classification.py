"""Class metrics, by hand and against scikit-learn."""

import numpy as np
import pytest

from core.evaluation import Metric, classification_metrics, confusion, per_class, predict_classes, rarest_class

TWO, THREE = ("ok", "bad"), ("a", "b", "c")


def by_key(*args: object, **kwargs: object) -> dict[str, Metric]:
    return {m.key: m for m in classification_metrics(*args, **kwargs)}  # type: ignore[arg-type]


def two_classes(p_bad: list[float]) -> np.ndarray:
    return np.column_stack([1 - np.array(p_bad), p_bad])


def three_classes(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    raw = rng.random((n, 3)) + np.eye(3)[truth] * 0.5
    return truth, raw / raw.sum(axis=1, keepdims=True)


def test_two_classes_by_hand() -> None:
    found = by_key([1, 1, 0, 0, 0], two_classes([0.9, 0.4, 0.6, 0.2, 0.1]), TWO)
    assert {k: m.value for k, m in found.items()} == pytest.approx(
        {
            "accuracy": 0.6,
            "precision": 0.5,
            "recall": 0.5,
            "f1": 0.5,
            "macro_f1": (0.5 + 2 / 3) / 2,
            "roc_auc": 5 / 6,
            "average_precision": 0.5 * 1 + 0.5 * 2 / 3,
            "far": 1 / 3,
            "mar": 0.5,
        }
    )


def test_the_threshold_is_exceeded_not_reached() -> None:
    p = two_classes([0.5, 0.7])
    assert predict_classes(p, 1, 0.5).tolist() == [0, 1]
    assert predict_classes(p, 1, 0.7).tolist() == [0, 0]
    assert predict_classes(p, 1, np.nextafter(0.7, 0)).tolist() == [0, 1]


def test_below_its_threshold_the_next_class_is_called() -> None:
    p = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])
    assert predict_classes(p).tolist() == [1, 0]
    assert predict_classes(p, 1, 0.6).tolist() == [2, 0]
    assert predict_classes(p, 1, 0.2).tolist() == [1, 1]


def test_moving_the_threshold_moves_shares_and_not_areas() -> None:
    truth, p = [1, 1, 0, 0, 0], two_classes([0.9, 0.4, 0.6, 0.2, 0.1])
    low, high = by_key(truth, p, TWO, 1, 0.3), by_key(truth, p, TWO, 1, 0.8)
    assert low["recall"].value == 1.0 and high["recall"].value == 0.5
    assert low["far"].value == pytest.approx(1 / 3) and high["far"].value == 0.0
    assert low["roc_auc"] == high["roc_auc"]


def test_many_classes_equal_scikit_learn() -> None:
    from sklearn import metrics

    truth, p = three_classes()
    found, called = by_key(truth, p, THREE), p.argmax(axis=1)
    assert found["accuracy"].value == pytest.approx(metrics.accuracy_score(truth, called))
    assert found["macro_f1"].value == pytest.approx(metrics.f1_score(truth, called, average="macro"))
    assert found["roc_auc"].value == pytest.approx(metrics.roc_auc_score(truth, p, multi_class="ovr"))
    assert found["average_precision"].value == pytest.approx(
        metrics.average_precision_score(np.eye(3)[truth], p, average="macro")
    )
    for key in ("accuracy", "macro_f1", "roc_auc", "average_precision"):
        assert found[key].low < found[key].value < found[key].high  # type: ignore[operator]
    for key in ("precision", "recall", "f1", "far", "mar"):
        assert str(found[key].why_not) == "There are 3 classes; choose the one to catch."


def test_one_of_many_classes_can_be_the_one_to_catch() -> None:
    from sklearn import metrics

    truth, p = three_classes()
    found = by_key(truth, p, THREE, 2, 0.35)
    assert found["recall"].value == pytest.approx(np.mean(p[truth == 2, 2] > 0.35))
    assert found["far"].value == pytest.approx(np.mean(p[truth != 2, 2] > 0.35))
    assert found["roc_auc"].value == pytest.approx(metrics.roc_auc_score(truth == 2, p[:, 2]))


def test_the_confusion_table_has_truth_down_and_prediction_across() -> None:
    from sklearn import metrics

    assert confusion(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 0]), 2).tolist() == [[1, 1], [0, 1]]
    truth, p = three_classes()
    np.testing.assert_array_equal(confusion(truth, p.argmax(axis=1), 3), metrics.confusion_matrix(truth, p.argmax(axis=1)))


def test_the_table_of_classes_equals_scikit_learn() -> None:
    from sklearn.metrics import precision_recall_fscore_support

    truth, p = three_classes()
    table = per_class(truth, p, THREE)
    precision, recall, f1, n = precision_recall_fscore_support(truth, p.argmax(axis=1))
    assert table["class"].tolist() == list(THREE)
    np.testing.assert_allclose(table[["precision", "recall", "f1"]].to_numpy(), np.column_stack([precision, recall, f1]))
    assert table["n"].tolist() == n.tolist()
    assert table["n_predicted"].sum() == len(truth)


def test_a_class_that_is_neither_true_nor_predicted_is_nan_in_the_table_and_not_in_the_mean() -> None:
    p = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    assert per_class([0, 1], p, THREE).loc[2, ["precision", "recall", "f1", "roc_auc"]].isna().all()
    assert by_key([0, 1], p, THREE)["macro_f1"].value == 1.0


def test_one_class_only_has_no_area_but_an_accuracy() -> None:
    found = by_key([0, 0, 0], two_classes([0.1, 0.2, 0.7]), TWO)
    assert found["accuracy"].value == pytest.approx(2 / 3)
    assert str(found["roc_auc"].why_not) == "All rows belong to one class, so nothing can be told apart."
    assert found["recall"].value is None and found["far"].value == pytest.approx(1 / 3)
    assert by_key([2, 2], np.eye(3)[[2, 2]], THREE)["roc_auc"].value is None


def test_unknown_truth_and_unscored_rows_are_left_out() -> None:
    p = two_classes([0.9, 0.1, 0.8, np.nan, 0.2])
    found = by_key([1, 0, -1, 1, np.nan], p, TWO)
    assert found["accuracy"] == by_key([1, 0], p[:2], TWO)["accuracy"]
    assert found["accuracy"].n == 2


def test_no_row_leaves_nothing_defined() -> None:
    found = by_key([], np.empty((0, 2)), TWO)
    assert len(found) == 9
    assert all(m.value is None and m.n == 0 for m in found.values())
    assert per_class([], np.empty((0, 2)), TWO)["recall"].isna().all()


def test_99_7_percent_accuracy_on_rare_defects_does_not_look_good() -> None:
    truth = np.r_[np.ones(5), np.zeros(995)]
    found = by_key(truth, two_classes([0.0] * 1000), TWO)
    assert found["accuracy"].value == 0.995
    assert found["recall"].value == 0.0
    assert found["precision"].value is None
    assert found["macro_f1"].value == pytest.approx(0.995 * 2 / 1.995 / 2)


@pytest.mark.parametrize(
    ("codes", "n", "rarest"),
    [
        ([0, 0, 0, 1, 1], 2, 1),
        ([1, 1, 1, 0, 0], 2, 0),
        ([0, 1, 0, 1], 2, 1),  # equal: the later in the order
        ([0, 0, 1, 2, 2, 1, 0], 3, 2),
        ([-1, -1, -1, 0, 1, 1], 2, 0),  # unknown rows do not count
        ([0, 0, 1], 3, 2),  # one that does not occur
        ([], 2, 1),
    ],
)
def test_the_class_to_catch_is_the_rarest_and_of_equal_ones_the_last(codes: list[int], n: int, rarest: int) -> None:
    assert rarest_class(np.array(codes, dtype=np.int64), n) == rarest
