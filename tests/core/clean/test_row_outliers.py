"""Odd rows: the replayed detectors against scikit-learn's and PyOD's own answers, and their degenerate cases."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from core.clean import FittedRecipe, Recipe, fit_recipe, step_by_key
from core.clean.density import FarRows, SparseRows, _learn_clusters, _learn_sparse, nearest
from core.clean.distribution import _learn_ellipse, _learn_tails
from core.clean.row_outliers import FittedRowOutliers
from core.data.dataset import Column
from core.data.split import TrainPart

KEYS = ("lof_outliers", "knn_outliers", "dbscan_outliers", "ecod_outliers", "ellipse_outliers")


def rows(n: int = 200, columns: int = 3, seed: int = 0) -> NDArray[np.float64]:
    """Two clusters of different width, some rows twice."""
    rng = np.random.default_rng(seed)
    made = np.concatenate([rng.normal(0, 1, (n // 2, columns)), rng.normal(8, 0.3, (n - n // 2, columns))])
    made[-3:] = made[:3]
    return made


def fit(key: str, table: pd.DataFrame, **settings: object) -> FittedRecipe:
    recipe = Recipe.read({"steps": [{"key": key, "settings": settings}]})
    return fit_recipe(recipe, TrainPart(table, _made_by_split=True), [Column(str(c), "number") for c in table])


def test_local_outlier_factors_equal_those_of_scikit_learn() -> None:
    from sklearn.neighbors import LocalOutlierFactor

    reference, new = rows(), np.random.default_rng(1).normal(4, 4, (50, 3))
    detector, _ = _learn_sparse(reference, step_by_key("lof_outliers").settings(neighbours=15))
    judged = LocalOutlierFactor(n_neighbors=15).fit(reference)
    np.testing.assert_allclose(detector.scores(reference), -judged.negative_outlier_factor_, rtol=1e-9)
    novelty = LocalOutlierFactor(n_neighbors=15, novelty=True).fit(reference)
    np.testing.assert_allclose(detector.scores(new), -novelty.score_samples(new), rtol=1e-9)


def test_distances_to_the_nearest_rows_equal_those_of_pyod() -> None:
    from pyod.models.knn import KNN

    reference, new = rows(seed=2), np.random.default_rng(3).normal(4, 4, (50, 3))
    theirs = KNN(n_neighbors=6, method="largest").fit(reference)
    mine = FarRows(reference, 6)
    np.testing.assert_allclose(mine.scores(reference), theirs.decision_scores_, rtol=1e-9)
    np.testing.assert_allclose(mine.scores(new), theirs.decision_function(new), rtol=1e-9)


def test_a_row_leaves_itself_out_once() -> None:
    reference = np.array([[0.0], [0.0], [3.0]])
    distance, _ = nearest(np.array([[0.0], [3.0], [1.0]]), reference, 1)
    assert distance[:, 0].tolist() == [0.0, 3.0, 1.0]  # the other 0; the nearer of both zeros; nothing to leave out


def test_noise_rows_are_those_of_dbscan() -> None:
    from sklearn.cluster import DBSCAN

    reference = rows(seed=4)
    for radius in (0.4, 0.8, 1.5):
        detector, limit = _learn_clusters(reference, step_by_key("dbscan_outliers").settings(radius=radius, neighbours=8))
        labels = DBSCAN(eps=radius, min_samples=8).fit(reference).labels_
        assert limit == radius
        np.testing.assert_array_equal(detector.scores(reference) > radius, labels == -1)


def test_tail_scores_of_training_rows_equal_those_of_pyod() -> None:
    from pyod.models.ecod import ECOD

    reference = np.column_stack(
        [rows(seed=5), np.random.default_rng(6).lognormal(size=200), -np.random.default_rng(7).lognormal(size=200)]
    )
    theirs = ECOD().fit(reference)
    mine, _ = _learn_tails(reference, step_by_key("ecod_outliers").settings())
    np.testing.assert_allclose(mine.scores(reference), theirs.decision_scores_, rtol=1e-9)


def test_a_cell_beyond_all_training_cells_is_as_far_out_as_the_furthest() -> None:
    mine, _ = _learn_tails(np.array([[1.0], [2.0], [3.0], [4.0]]), step_by_key("ecod_outliers").settings())
    assert mine.scores(np.array([[4.0], [99.0], [-99.0]])) == pytest.approx([2 * np.log(4) - np.log(4)] * 3)


def test_distances_from_the_robust_centre_equal_those_of_scikit_learn() -> None:
    from sklearn.covariance import EllipticEnvelope

    rng = np.random.default_rng(8)
    reference = rng.multivariate_normal([1, 2, 3], [[2, 1, 0], [1, 2, 0.5], [0, 0.5, 1]], 300)
    reference[:10] += 50
    mine, _ = _learn_ellipse(reference, step_by_key("ellipse_outliers").settings())
    theirs = EllipticEnvelope(random_state=7).fit(reference)
    new = rng.normal(0, 5, (40, 3))
    np.testing.assert_allclose(mine.scores(new), theirs.mahalanobis(new), rtol=1e-8)
    assert mine.scores(reference[:10]).min() > mine.scores(reference[10:]).max()  # the ten do not pull the centre


@pytest.mark.parametrize("key", KEYS)
def test_a_row_far_from_all_others_is_marked_and_survives_json(key: str) -> None:
    table = pd.DataFrame(np.random.default_rng(9).normal(size=(400, 3)), columns=["a", "b", "c"])
    table.loc[123] = 40.0
    recipe = fit(key, table, action="drop_rows")
    cleaned = recipe.apply(table)
    assert cleaned.left_out[123]
    assert 0 < cleaned.left_out.sum() <= 4  # at most 1 %
    restored = FittedRecipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False)))
    np.testing.assert_array_equal(restored.apply(table).left_out, cleaned.left_out)


@pytest.mark.parametrize("key", KEYS)
def test_the_reference_rows_are_bounded(key: str) -> None:
    table = pd.DataFrame(np.random.default_rng(10).normal(size=(3000, 2)), columns=["a", "b"])
    step = fit(key, table, rows=100).steps[0]
    assert isinstance(step, FittedRowOutliers)
    assert len(json.dumps(step.state())) < 20_000
    again = fit(key, table, rows=100)
    assert again.steps[0].state() == step.state()


@pytest.mark.parametrize("key", KEYS)
def test_an_empty_row_is_the_middle_of_the_data_and_infinity_is_odd(key: str) -> None:
    table = pd.DataFrame(np.random.default_rng(11).normal(size=(300, 2)), columns=["a", "b"])
    recipe = fit(key, table)
    new = pd.DataFrame({"a": [np.nan, np.inf, 0.0], "b": [np.nan, 0.0, np.nan]})
    cleaned = recipe.apply(new)
    far_in_one_column = key != "ecod_outliers"  # for ECOD beyond all training cells is as far as the furthest of them
    assert cleaned.flagged.tolist() == [False, far_in_one_column, False]


def test_two_columns_of_very_different_size_count_alike() -> None:
    """By raw distance the large column alone would decide; the odd row differs in the small one."""
    rng = np.random.default_rng(12)
    table = pd.DataFrame({"large": rng.normal(0, 1e6, 300), "small": rng.normal(0, 1e-3, 300)})
    table.loc[7, "small"] = 0.05
    for key in ("knn_outliers", "lof_outliers", "dbscan_outliers"):
        assert fit(key, table).apply(table).flagged[7], key


def test_the_density_of_a_row_far_from_a_dense_cluster_is_low() -> None:
    """By hand, k = 1: rows 0, 1, 2 have reach 1; a row at 5 has distance 3 to row 2, whose reach is 1: LOF = 3."""
    reference = np.array([[0.0], [1.0], [2.0]])
    detector, _ = _learn_sparse(reference, step_by_key("lof_outliers").settings(neighbours=1))
    assert isinstance(detector, SparseRows)
    assert detector.scores(np.array([[5.0]])) == pytest.approx([3.0])
