"""Shallow detectors against scikit-learn and PyOD, and what they say of hand-made rows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from core.errors import NotEnoughData
from core.models import MODELS, Shape, model_by_key, window_statistics
from core.models.rarity import rarity, rarity_arrays
from core.models.shapes import shape_distances, unit_shapes
from core.serving.detectors import KINDS, CombinedDetector, ProfileDetector, RowDetector

SHALLOW = ("knn_distance", "kmeans_distance", "lof", "ecod", "copod", "one_class_svm", "combined")
Rows = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def rows() -> Rows:
    """Training rows, one column skewed, one with ties and one constant; and new rows, some far outside."""
    rng = np.random.default_rng(2)

    def made(n: int, spread: float) -> np.ndarray:
        plain = rng.normal(size=(n, 3)) * [1.0, 20.0, 0.1] * spread + [5.0, -100.0, 0.0]
        return np.column_stack([plain, rng.exponential(size=n) * spread, rng.integers(0, 4, n), np.full(n, 3.0)])

    return made(300, 1.0), made(80, 3.0)


def said(key: str, train: np.ndarray, new: np.ndarray, **values: object) -> np.ndarray:
    """Score and parts (n, 1 + p) of new rows, as a bundle gives them: float64 rows in windows of one row."""
    spec = model_by_key(key)
    fitted = spec.fit(train, None, spec.settings(**values), seed=3)
    detector = CombinedDetector(fitted.arrays) if key == "combined" else RowDetector(fitted.kind, fitted.arrays)
    return detector.predict(new[:, None, :])


def scaled(train: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The five columns that vary, divided by their reach: sd · √(1 + 8 · mean squared step of the means of eighths)."""
    columns = []
    for j in range(5):
        mean, sd = train[:, j].mean(), train[:, j].std()
        levels = [(part.mean() - mean) / sd for part in np.array_split(train[:, j], 8)]
        wander = np.mean([(b - a) ** 2 for a, b in pairwise(levels)])
        columns.append((rows[:, j] - mean) / (sd * np.sqrt(1 + 8 * wander)))
    return np.column_stack(columns)


def lof_of_scikit_learn(train: np.ndarray, new: np.ndarray) -> np.ndarray:
    from sklearn.neighbors import LocalOutlierFactor

    return -LocalOutlierFactor(novelty=True).fit(scaled(train, train)).score_samples(scaled(train, new))


def surface_of_scikit_learn(train: np.ndarray, new: np.ndarray) -> np.ndarray:
    from sklearn.svm import OneClassSVM

    return -OneClassSVM(nu=0.05, gamma=0.2).fit(scaled(train, train)).decision_function(scaled(train, new))


def neighbours_of_pyod(train: np.ndarray, new: np.ndarray) -> np.ndarray:
    from pyod.models.knn import KNN

    return KNN(n_neighbors=5).fit(scaled(train, train)).decision_function(scaled(train, new))


def centres_of_scikit_learn(train: np.ndarray, new: np.ndarray) -> np.ndarray:
    from sklearn.cluster import KMeans

    model = KMeans(20, n_init=5, random_state=3).fit(scaled(train, train))
    return model.transform(scaled(train, new)).min(axis=1)


def ecod_of_pyod(train: np.ndarray, new: np.ndarray) -> np.ndarray:
    from pyod.models.ecod import ECOD

    model = ECOD().fit(train)
    return np.array([model.decision_function(row[None])[0] for row in new])


def copod_of_pyod(train: np.ndarray, new: np.ndarray) -> np.ndarray:
    from pyod.models.copod import COPOD

    model = COPOD().fit(train)
    return np.array([model.decision_function(row[None])[0] for row in new])


@pytest.mark.filterwarnings("ignore:Precision loss")
@pytest.mark.parametrize(
    ("key", "reference"),
    [
        ("knn_distance", neighbours_of_pyod),
        ("kmeans_distance", centres_of_scikit_learn),
        ("lof", lof_of_scikit_learn),
        ("one_class_svm", surface_of_scikit_learn),
        ("ecod", ecod_of_pyod),
        ("copod", copod_of_pyod),
    ],
)
def test_scores_equal_those_of_the_reference_library(
    key: str, reference: Callable[[np.ndarray, np.ndarray], np.ndarray], rows: Rows
) -> None:
    train, new = rows
    np.testing.assert_allclose(said(key, train, new)[:, 0], reference(train, new), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("key", SHALLOW)
def test_a_row_scores_the_same_alone_and_among_others(key: str, rows: Rows) -> None:
    train, new = rows
    np.testing.assert_allclose(said(key, train, new)[7], said(key, train, new[7:8])[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("key", SHALLOW)
def test_the_farther_out_the_odder_and_the_moved_column_has_the_largest_part(key: str, rows: Rows) -> None:
    train, _ = rows
    usual = np.median(train, axis=0)
    moved = np.tile(usual, (3, 1))
    moved[:, 1] += np.array([0.0, 100.0, 400.0])  # spread 20
    found = said(key, train, moved)
    assert found[0, 0] < found[1, 0]
    # Where a share of training rows counts, nothing is odder than odder than all; a surface is flat far outside.
    assert found[1, 0] <= found[2, 0] + 1e-9
    if found.shape[1] > 1:
        assert found[1:, 1:].argmax(axis=1).tolist() == [1, 1]
        assert (found[:, 1:] >= 0).all()


@pytest.mark.parametrize("key", SHALLOW)
def test_too_few_rows_are_refused(key: str) -> None:
    with pytest.raises(NotEnoughData, match="3 usable rows"):
        said(key, np.arange(6.0).reshape(3, 2), np.zeros((1, 2)))


@pytest.mark.parametrize("key", ["knn_distance", "kmeans_distance", "lof", "ecod", "copod"])
def test_more_rows_than_are_kept_are_thinned_and_said(key: str) -> None:
    spec = model_by_key(key)
    fitted = spec.fit(np.random.default_rng(0).normal(size=(500, 2)), None, spec.settings(most_rows=100), seed=0)
    assert [str(note) for note in fitted.notes] == [
        f"{spec.title}: 100 of 500 training rows, evenly spread, were used; more take too long."
    ]


def test_a_column_whose_level_wanders_counts_less_than_one_that_stands_still() -> None:
    rng = np.random.default_rng(4)
    wandering = np.repeat(rng.normal(size=8), 50) + 0.1 * rng.normal(size=400)
    train = np.column_stack([wandering, rng.permutation(wandering)])  # the same values, their levels mixed
    moved = train.mean(axis=0) + 6 * np.diag(train.std(axis=0))
    wanders, stands = said("knn_distance", train, moved)[:, 0]
    assert wanders < 0.6 * stands


def test_equal_rows_have_a_finite_density_and_a_few_different_ones_their_own_centres() -> None:
    train = np.repeat(np.array([[0.0, 0.0], [1.0, 1.0]]), 20, axis=0)
    assert np.isfinite(said("lof", train, np.array([[0.0, 0.0], [0.5, 0.5]]))).all()
    assert said("kmeans_distance", train, train)[:, 0].max() == pytest.approx(0.0)


def literal_shape_distance(train: np.ndarray, window: np.ndarray) -> float:
    """Distance of one z-normalised window (w,) to the nearest of (m, w), one after another, flat ones as stumpy has them."""
    found = []
    for other in train:
        flat = (other.std() < 1e-9, window.std() < 1e-9)
        if all(flat):
            found.append(0.0)
        elif any(flat):
            found.append(float(np.sqrt(len(window))))
        else:
            difference = (other - other.mean()) / other.std() - (window - window.mean()) / window.std()
            found.append(float(np.sqrt((difference**2).sum())))
    return min(found)


@pytest.mark.parametrize("with_flat", [False, True])
def test_shape_distances_equal_a_literal_join(with_flat: bool) -> None:
    rng = np.random.default_rng(5)
    train, new = rng.normal(size=(60, 12, 2)), rng.normal(size=(20, 12, 2)) * 5 + 3
    new[3] = 7.0
    if with_flat:
        train[8] = 1.0
    found = np.sqrt(shape_distances(unit_shapes(train), new))
    wanted = [[literal_shape_distance(train[:, :, j], window[:, j]) for j in range(2)] for window in new]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_matrix_profile_finds_the_changed_beat_and_not_a_change_of_size() -> None:
    beat = np.sin(2 * np.pi * np.arange(400) / 20)
    signal = np.concatenate([beat, 3 * beat + 10])
    signal[600:610] = signal[600]
    windows = np.lib.stride_tricks.sliding_window_view(signal, 20)[:, :, None]
    spec = model_by_key("matrix_profile")
    fitted = spec.fit_windows(windows[:380], None, spec.settings(), Shape(20, 1, 1), "anomaly", 0)
    found = ProfileDetector(fitted.arrays).predict(windows)
    assert 600 - 19 <= 410 + found[410:, 0].argmax() <= 610
    assert found[410:570, 0].max() < 0.01
    np.testing.assert_allclose(found[:, 1], found[:, 0] ** 2, atol=1e-9)


def test_rarity_by_hand() -> None:
    scores = np.arange(1.0, 100.0)
    arrays = rarity_arrays(scores)
    # 49 scores from 51 to 99 are at least as high, and the row itself: 50 of 100.
    assert rarity(arrays, np.array([51.0]))[0] == pytest.approx(-np.log(50 / 100))
    start = float(np.quantile(scores, 0.95))
    shape = np.log(scores[scores > start] / start).mean()
    assert rarity(arrays, np.array([200.0]))[0] == pytest.approx(-np.log(0.05) + np.log(200 / start) / shape)
    rising = rarity(arrays, np.linspace(0, 300, 500))
    assert (np.diff(rising) >= 0).all() and rising[0] == 0.0
    assert np.isnan(rarity(arrays, np.array([np.nan])))[0]
    assert np.isfinite(rarity(rarity_arrays(np.zeros(50)), np.array([0.0, 1.0]))).all()


def test_the_mean_asks_all_members_and_the_maximum_the_loudest(rows: Rows) -> None:
    train, new = rows
    alone = {key: said("combined", train, new, **{m: m == key for m in KINDS})[:, 0] for key in ("pca_t2_spe", "ecod")}
    both = {m: m in alone for m in KINDS}
    np.testing.assert_allclose(said("combined", train, new, **both)[:, 0], np.mean(list(alone.values()), axis=0))
    np.testing.assert_allclose(said("combined", train, new, rule="maximum", **both)[:, 0], np.max(list(alone.values()), axis=0))


def test_a_single_member_ranks_rows_as_it_does_by_itself(rows: Rows) -> None:
    train, new = rows
    by_itself = said("knn_distance", train, new)[:, 0]
    ranked = said("combined", train, new, **{m: m == "knn_distance" for m in KINDS})[:, 0]
    order = np.argsort(by_itself)
    assert (np.diff(ranked[order]) >= 0).all()


def test_every_member_of_a_combination_has_a_setting_and_a_predictor() -> None:
    spec = model_by_key("combined")
    assert set(KINDS) == {name for name in spec.settings.model_fields if name != "rule"}
    assert set(KINDS) <= {s.key for s in MODELS}


def test_parts_of_window_statistics_belong_to_six_statistics_a_sensor(rows: Rows) -> None:
    windows = np.random.default_rng(1).normal(size=(200, 8, 2))
    statistics = window_statistics(windows)
    spec = model_by_key("knn_distance")
    fitted = spec.fit(statistics, None, spec.settings(), seed=0)
    assert RowDetector(fitted.kind, fitted.arrays).predict(windows).shape == (200, 1 + 12)
