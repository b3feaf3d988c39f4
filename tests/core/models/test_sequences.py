"""Order within the window: every family that reads windows learns what no statistic of a window shows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from core.errors import SettingProblem
from core.models import MODELS, Shape, model_by_key, window_statistics
from core.models.estimate import estimate, reads_text, reads_windows
from core.models.spec import NetworkSpec
from core.serving.predictors import RandomKernelClasses, RandomKernelModel
from core.training.data import ArraySource, TrainingData
from core.training.events import Event
from core.training.fit import fit_network
from core.training.settings import FitSettings

NETWORKS = tuple(spec for spec in MODELS if spec.role == "network" and spec.windowed and "anomaly" not in spec.tasks)
ROWS, FEATURES = 16, 2


def ordered(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows with four pulses at a random place, up down down up in one class, down up up down in the other.

    Both have the same values, and both patterns have mean and slope zero, so that no statistic of a window tells them
    apart; the last row never holds a pulse. The second feature is noise.
    """
    rng = np.random.default_rng(seed)
    windows = 0.2 * rng.normal(size=(n, ROWS, FEATURES))
    codes = rng.integers(2, size=n)
    start = rng.integers(0, ROWS - 4, size=n)
    for i, pulse in enumerate((1.5, -1.5, -1.5, 1.5)):
        windows[np.arange(n), start + i, 0] += np.where(codes, pulse, -pulse)
    return windows.astype(np.float32), codes.astype(np.int32)


Pulses = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def pulses() -> Pulses:
    """Windows and classes to learn from, and new ones."""
    return (*ordered(640, 0), *ordered(300, 1))


def test_window_statistics_do_not_show_the_order(pulses: Pulses) -> None:
    """What the tests below rest on: a strong learner on the statistics cannot tell the classes apart."""
    from sklearn.ensemble import RandomForestClassifier

    windows, codes, new, truth = pulses
    forest = RandomForestClassifier(100, random_state=0).fit(window_statistics(windows), codes)
    assert forest.score(window_statistics(new), truth) < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("spec", NETWORKS, ids=lambda s: s.key)
def test_a_network_learns_the_order_within_a_few_epochs(spec: NetworkSpec, pulses: Pulses) -> None:
    windows, codes, new, truth = pulses
    narrow = {"units": 24, "filters": 16, "feed_forward": 32, "dropout": 0.0}
    right: list[float] = [0.0]

    def note(event: Event) -> None:
        if event.kind == "epoch":
            right.append(event.values["val_metric"])

    fit_network(
        spec,
        spec.settings(**{k: v for k, v in narrow.items() if k in spec.settings.model_fields}),
        Shape(ROWS, FEATURES, 2),
        "classification",
        TrainingData(ArraySource(windows, codes), ArraySource(new, truth)),
        FitSettings(epochs=30, batch_size=32, learning_rate=0.005, patience=30, averaging=0.9),
        emit=note,
        stop_requested=lambda: right[-1] > 0.85,  # enough is known: CI is not kept waiting
        checkpoints=None,
        seed=3,
    )
    assert right[-1] > 0.85


@pytest.mark.parametrize(
    "spec", [s for s in MODELS if reads_windows(s) and not reads_text(s) and "anomaly" not in s.tasks], ids=lambda s: s.key
)
def test_a_shallow_family_of_windows_learns_the_order(spec, pulses: Pulses) -> None:
    windows, codes, new, truth = pulses
    settings = spec.settings(features=500)
    shape = Shape(ROWS, FEATURES, 2)
    fitted = spec.fit_windows(windows, codes.astype(np.float64), settings, shape, "classification", seed=0)
    given = RandomKernelClasses(fitted.arrays).predict(new)
    assert (given.argmax(axis=1) == truth).mean() > 0.9
    assert np.allclose(given.sum(axis=1), 1.0)
    sure = given.max(axis=1) > 0.9
    assert (given.argmax(axis=1) == truth)[sure].mean() > 0.85, "nine in ten of those said with more than 90 % are right"
    assert log_loss(truth, given) < 0.35
    values = spec.fit_windows(windows, 3.0 * codes - 1.0, settings, Shape(ROWS, FEATURES, 1), "regression", seed=0)
    error = RandomKernelModel(values.arrays).predict(new)[:, 0] - (3.0 * truth - 1.0)
    assert np.sqrt(np.mean(error**2)) < 0.9  # 1.5 is what the mean of the training part would give


def test_minirocket_refuses_a_window_shorter_than_a_kernel() -> None:
    spec = model_by_key("minirocket")
    with pytest.raises(SettingProblem, match=r"8 rows.*at least 9"):
        spec.fit_windows(np.zeros((5, 8, 1)), np.zeros(5), spec.settings(), Shape(8, 1, 1), "regression", seed=0)


def test_minirocket_takes_evenly_spread_windows_where_all_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    windows, codes = ordered(400, 2)
    spec, shape = model_by_key("minirocket"), Shape(ROWS, FEATURES, 1)
    monkeypatch.setattr("core.models.minirocket.MOST_CELLS", 100 * 84)
    few = spec.settings(features=84)
    thinned = spec.fit_windows(windows, codes.astype(np.float64), few, shape, "regression", seed=0)
    taken = np.linspace(0, 399, 100).astype(int)
    wanted = spec.fit_windows(windows[taken], codes[taken].astype(np.float64), few, shape, "regression", seed=0)
    assert np.array_equal(thinned.arrays["weights"], wanted.arrays["weights"])


def test_the_estimate_of_attention_grows_with_the_square_of_the_window() -> None:
    spec = model_by_key("transformer")
    short, long = (estimate(spec, spec.settings(), Shape(rows, 10, 1), 1_000) for rows in (1_000, 2_000))
    # 2 layers, 4 heads, 128 windows of 2,000 rows: 4.1e9 pairs, each kept as float32 at least once.
    assert long.memory_bytes - short.memory_bytes > 0.75 * 4 * 4.1e9
    assert long.epoch_seconds > 2.5 * short.epoch_seconds


def test_bidirectional_layers_are_estimated_slower_than_one_way() -> None:
    shape = Shape(30, 10, 1)
    one, both = (estimate(model_by_key(k), model_by_key(k).settings(units=32), shape, 10_000) for k in ("gru", "bigru"))
    assert both.epoch_seconds > 1.8 * one.epoch_seconds
