"""Steps of one weight, worked out by hand: prediction w·x, target 0, so that the gradient of the mean is the mean of 2 w x²."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.training.optimizers import make_optimizer
from core.training.settings import FitSettings
from core.training.steps import Steps, compile_steps

pytestmark = pytest.mark.slow
PLAIN = {"learning_rate": 0.1, "clip_norm": 0.0, "averaging": 0.0}


class OneWeight:
    """A network of one weight, which is 1 at first, or of one weight and a bias of 1."""

    def __init__(self, *, bias: bool = False, **values: object) -> None:
        import keras

        inputs = keras.Input((1, 1))
        outputs = keras.layers.Dense(1, use_bias=bias)(keras.layers.Flatten()(inputs))
        self.model = keras.Model(inputs, outputs)
        self.model.set_weights([np.ones((1, 1)), np.ones(1)] if bias else [np.ones((1, 1))])
        settings = FitSettings.read({**PLAIN, **values})
        self.optimizer = make_optimizer(settings)
        self.steps: Steps = compile_steps(self.model, self.optimizer, settings, "regression", seed=4)

    def train(self, *batches: list[float], rates: tuple[float, ...] = (), first: int = 0) -> np.ndarray:
        """Do a step for each batch of x; gives (k, 4): loss, weight, metric, length of the gradient."""
        x = np.array(batches, np.float32)[:, :, None, None]
        targets, weights = np.zeros((*x.shape[:2], 1), np.float32), np.ones(x.shape[:2], np.float32)
        given = np.array(rates or [0.1] * len(x), np.float32)
        return self.steps.train(x, targets, weights, given, np.int32(first)).numpy()

    @property
    def weight(self) -> float:
        return float(self.model.get_weights()[0][0, 0])


@pytest.mark.parametrize(
    ("optimizer", "values", "after_one", "after_two"),
    [
        ("sgd", {}, 0.8, 0.8 - 0.1 * 1.6),
        ("momentum", {}, 0.8, 0.8 - 0.9 * 0.2 - 0.1 * 1.6),
        ("rmsprop", {}, 1 - 0.1 * 2 / math.sqrt(0.1 * 4), None),
        ("adam", {}, 0.9, None),
        ("adamw", {}, 1 - 0.1 * 0.01 - 0.1, None),
        ("adamw", {"weight_decay": 0.5}, 1 - 0.1 * 0.5 - 0.1, None),
        ("sgd", {"weight_decay": 0.5}, 1 - 0.1 * 0.5 - 0.2, None),
    ],
)
def test_steps_are_those_of_the_formulas(optimizer: str, values: dict, after_one: float, after_two: float | None) -> None:
    one = OneWeight(optimizer=optimizer, **values)
    one.train([1.0])
    assert one.weight == pytest.approx(after_one, rel=1e-5)
    if after_two is not None:
        one.train([1.0])
        assert one.weight == pytest.approx(after_two, rel=1e-5)


def test_gradient_descent_steps_once_an_epoch_on_the_mean_of_all_windows() -> None:
    one = OneWeight(optimizer="gradient_descent")
    one.train([1.0], [2.0])
    assert one.weight == 1.0
    assert float(one.steps.end_epoch()) == pytest.approx(2 * (1 + 4) / 2)
    assert one.weight == pytest.approx(1 - 0.1 * 5)
    one.train([1.0])
    one.steps.end_epoch()
    assert one.weight == pytest.approx(0.5 - 0.1 * 1.0), "the sums begin anew"


def test_a_long_gradient_is_cut_and_its_length_is_told_before() -> None:
    one = OneWeight(optimizer="sgd", clip_norm=0.5)
    assert one.train([1.0])[0, 3] == pytest.approx(2.0)
    assert one.weight == pytest.approx(1 - 0.1 * 0.5)
    short = OneWeight(optimizer="sgd", clip_norm=5.0)
    short.train([1.0])
    assert short.weight == pytest.approx(0.8)


def test_each_step_has_its_own_rate() -> None:
    one = OneWeight(optimizer="sgd")
    one.train([1.0], [1.0], rates=(0.1, 0.25))
    assert one.weight == pytest.approx(0.8 - 0.25 * 1.6)


def test_a_bias_does_not_decay() -> None:
    one = OneWeight(bias=True, optimizer="sgd", weight_decay=0.5)
    one.train([0.0])  # x = 0: the weight has no gradient and only decays; the bias has 2 · 1
    weight, bias = one.model.get_weights()
    assert weight[0, 0] == pytest.approx(1 - 0.1 * 0.5)
    assert bias[0] == pytest.approx(1 - 0.1 * 2)


def test_noise_is_on_training_inputs_alone_and_follows_from_the_step_number() -> None:
    x = [0.0] * 4000
    losses = [OneWeight(optimizer="sgd", input_noise=0.5).train(x, first=step)[0, 0] / 4000 for step in (7, 7, 8)]
    assert losses[0] == losses[1] != losses[2]
    assert losses[0] == pytest.approx(0.25, rel=0.1), "the mean of (w·noise)² is its variance"
    windows = np.zeros((4, 1, 1), np.float32)
    judged = OneWeight(input_noise=0.5).steps.evaluate(windows, np.zeros((4, 1), np.float32), np.ones(4, np.float32))
    assert float(judged[0]) == 0.0
