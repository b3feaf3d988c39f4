"""The baselines against scikit-learn, published limits and their own degenerate cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import chi2, f
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeCV
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from core.errors import NotEnoughData
from core.features.pca import spe_limit, t2_limit
from core.models import model_by_key
from core.models.ridge import STRENGTHS
from core.models.spec import Question


@pytest.fixture
def inputs() -> np.ndarray:
    rng = np.random.default_rng(4)
    return rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5)) + [100.0, 0.0, -5.0, 2.0, 1e4]


def _fit(key: str, inputs: np.ndarray, targets: np.ndarray | None, **values: object):
    spec = model_by_key(key)
    if key == "logistic":
        return spec.fit_table(inputs, targets, spec.settings(**values), 0, Question("classification"))
    return spec.fit(inputs, targets, spec.settings(**values), seed=0)


def test_linear_predicts_as_scikit_learn(inputs: np.ndarray) -> None:
    targets = inputs @ np.arange(5.0) + np.random.default_rng(0).normal(size=300)
    a = _fit("linear", inputs, targets).arrays
    wanted = LinearRegression().fit(inputs, targets).predict(inputs)
    assert np.allclose((inputs @ a["weights"] + a["bias"])[:, 0], wanted, rtol=1e-9)


def test_ridge_finds_the_strength_and_predictions_of_scikit_learn(inputs: np.ndarray) -> None:
    targets = inputs[:, :2].sum(axis=1) + 5 * np.random.default_rng(0).normal(size=300)
    a = _fit("ridge", inputs, targets).arrays
    scaled = StandardScaler().fit_transform(inputs)
    wanted = RidgeCV(alphas=STRENGTHS).fit(scaled, targets).predict(scaled)
    assert np.allclose((inputs @ a["weights"] + a["bias"])[:, 0], wanted, rtol=1e-6)


def test_ridge_with_more_columns_than_rows_stays_finite() -> None:
    rng = np.random.default_rng(0)
    a = _fit("ridge", rng.normal(size=(10, 40)), rng.normal(size=10)).arrays
    assert np.isfinite(a["weights"]).all()


@pytest.mark.parametrize("key", ["linear", "ridge"])
def test_constant_columns_and_a_constant_target_give_that_constant(key: str) -> None:
    a = _fit(key, np.full((5, 2), 7.0), np.full(5, 3.0)).arrays
    assert a["weights"].tolist() == [[0.0], [0.0]]
    assert a["bias"] == pytest.approx([3.0])


@pytest.mark.parametrize("key", ["linear", "ridge"])
def test_several_targets_are_fitted_at_once(key: str, inputs: np.ndarray) -> None:
    both = _fit(key, inputs, inputs[:, :2] + 1).arrays
    assert both["weights"].shape == (5, 2)
    assert both["bias"].shape == (2,)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_gives_the_probabilities_of_scikit_learn(inputs: np.ndarray, n_classes: int) -> None:
    codes = np.digitize(inputs[:, 0], np.quantile(inputs[:, 0], np.arange(1, n_classes) / n_classes)).astype(float)
    a = _fit("logistic", inputs, codes, strength=1.0).arrays
    scaled = StandardScaler().fit_transform(inputs)
    wanted = LogisticRegression(max_iter=1000).fit(scaled, codes).predict_proba(scaled)
    assert np.allclose(softmax(inputs @ a["weights"] + a["bias"], axis=1), wanted, atol=1e-6)


def test_logistic_gives_a_class_without_rows_no_probability(inputs: np.ndarray) -> None:
    codes = np.where(inputs[:, 0] > np.median(inputs[:, 0]), 2.0, 0.0)
    a = _fit("logistic", inputs, codes).arrays
    given = softmax(inputs @ a["weights"] + a["bias"], axis=1)
    assert given.shape == (300, 3)
    assert (given[:, 1] == 0).all()


def test_class_weights_raise_the_probability_of_the_rare_class(inputs: np.ndarray) -> None:
    codes = (inputs[:, 0] > np.quantile(inputs[:, 0], 0.95)).astype(float)
    plain, balanced = (_fit("logistic", inputs, codes, strength=1.0, class_weights=w).arrays for w in (False, True))
    rare = [softmax(inputs @ a["weights"] + a["bias"], axis=1)[:, 1].mean() for a in (plain, balanced)]
    assert rare[0] < rare[1]


@pytest.mark.parametrize(("n_rows", "spread", "wanted"), [(2000, 1.0, 100.0), (60, 1e6, 0.1)])
def test_logistic_finds_its_freedom_on_rows_held_back(n_rows: int, spread: float, wanted: float) -> None:
    """Classes with a sharp border want free weights; pure noise wants the smoothest. An own split and scikit-learn agree."""
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(n_rows, 4))
    codes = (inputs @ [1.0, 2.0, -1.0, 0.5] + rng.normal(0, 0.001 * spread, n_rows) > 0).astype(int)
    folds = np.arange(n_rows) % 5
    spec = model_by_key("logistic")
    found = spec.fit_table(inputs, codes, spec.settings(), 0, Question("classification", 2, folds)).facts["strength"]
    scaled = StandardScaler().fit_transform(inputs)
    fits = {c: LogisticRegression(C=c, max_iter=1000).fit(scaled[folds < 4], codes[folds < 4]) for c in (0.1, 1.0, 10.0, 100.0)}
    losses = {c: log_loss(codes[folds == 4], fit.predict_proba(scaled[folds == 4])) for c, fit in fits.items()}
    assert found == min(losses, key=losses.__getitem__) == wanted


def test_logistic_refuses_one_class(inputs: np.ndarray) -> None:
    with pytest.raises(NotEnoughData, match="only one class"):
        _fit("logistic", inputs, np.zeros(300))


@pytest.mark.parametrize(("key", "smallest"), [("linear", 2), ("ridge", 2), ("pca_t2_spe", 3), ("isolation_forest", 2)])
def test_too_few_rows_are_refused(key: str, smallest: int) -> None:
    with pytest.raises(NotEnoughData, match=f"at least {smallest}"):
        _fit(key, np.zeros((smallest - 1, 2)), np.zeros(smallest - 1))


def test_pca_directions_are_those_of_scikit_learn(inputs: np.ndarray) -> None:
    a = _fit("pca_t2_spe", inputs, None, explained_fraction=0.8).arrays
    wanted = PCA().fit(StandardScaler().fit_transform(inputs))
    kept = a["loadings"].shape[1]
    assert kept == int(np.searchsorted(np.cumsum(wanted.explained_variance_ratio_), 0.8)) + 1
    # StandardScaler divides by the population sd, the chart by the sample sd: variances differ by (n - 1) / n.
    assert a["eigenvalues"] == pytest.approx(wanted.explained_variance_[:kept] * 299 / 300)
    assert np.abs(np.sum(a["loadings"] * wanted.components_[:kept].T, axis=0)) == pytest.approx(np.ones(kept))


def test_healthy_rows_keep_the_false_alarm_rate() -> None:
    rng = np.random.default_rng(8)
    mix = rng.normal(size=(6, 6))
    a = _fit("pca_t2_spe", rng.normal(size=(4000, 6)) @ mix, None, false_alarm_rate=0.05).arrays
    z = (rng.normal(size=(20_000, 6)) @ mix - a["mean"]) / a["scale"]
    t = z @ a["loadings"]
    assert np.mean((t**2 / a["eigenvalues"]).sum(axis=1) > a["t2_limit"]) == pytest.approx(0.05, abs=0.01)
    assert np.mean((z**2).sum(axis=1) - (t**2).sum(axis=1) > a["spe_limit"]) == pytest.approx(0.05, abs=0.01)


def test_limits_agree_with_their_large_sample_forms() -> None:
    assert t2_limit(2, 20, 0.95) == pytest.approx(2 * 399 / (20 * 18) * f.ppf(0.95, 2, 18))
    assert t2_limit(3, 10**7, 0.99) == pytest.approx(chi2.ppf(0.99, 3), rel=1e-4)
    # Equal eigenvalues make SPE a scaled chi-square with their number as its degrees of freedom.
    assert spe_limit(np.full(20, 0.5), 10.0, 0.99) == pytest.approx(0.5 * chi2.ppf(0.99, 20), rel=2e-3)


def test_one_column_leaves_nothing_for_spe() -> None:
    a = _fit("pca_t2_spe", np.random.default_rng(0).normal(size=(50, 1)), None).arrays
    assert a["loadings"].shape == (1, 1)
    assert a["spe_limit"] == pytest.approx(1e-10)  # rounding: any real step off the line is far above it


def test_columns_that_never_vary_are_refused() -> None:
    with pytest.raises(NotEnoughData, match="All columns are constant"):
        _fit("pca_t2_spe", np.full((20, 3), 4.0), None)


def test_isolation_forest_gives_the_scores_of_scikit_learn_and_higher_is_odder(inputs: np.ndarray) -> None:
    import onnxruntime

    fitted = _fit("isolation_forest", inputs, None)
    odd = np.vstack([inputs, inputs.mean(axis=0) + 10 * inputs.std(axis=0)]).astype(np.float32)
    session = onnxruntime.InferenceSession(fitted.onnx, providers=["CPUExecutionProvider"])
    (score,) = session.run(None, {"windows": odd})
    forest = IsolationForest(n_estimators=200, max_samples=256, random_state=0).fit(inputs.astype(np.float32))
    assert score.shape == (301, 1)
    assert np.allclose(score[:, 0], -forest.score_samples(odd), atol=1e-5)
    assert score[:, 0].argmax() == 300
