"""The optimiser that the settings name. Clipping is not its matter: the step does it, as it measures the gradient anyway."""

from __future__ import annotations

from typing import Any

from core.training.settings import FitSettings

MOMENTUM = 0.9
USUAL_DECAY = {"adamw": 0.01}
NOT_DECAYED = ("bias", "gamma", "beta")


def weight_decay(settings: FitSettings) -> float:
    """The share that is taken off each weight, times the learning rate, at each step."""
    return USUAL_DECAY.get(settings.optimizer, 0.0) if settings.weight_decay is None else settings.weight_decay


def make_optimizer(settings: FitSettings) -> Any:
    """The Keras optimiser, not built; weight decay leaves out biases and the scales of normalisations.

    Decay acts on the weights and not through the gradient, whatever the optimiser: with a gradient scaled weight by weight
    the two differ, and only this one shrinks all weights alike (Loshchilov, Hutter 2019, arXiv:1711.05101).
    """
    import keras

    decay = weight_decay(settings) or None
    rate = settings.learning_rate
    optimizers = keras.optimizers
    optimizer = {
        "adam": lambda: optimizers.Adam(rate, weight_decay=decay),
        "adamw": lambda: optimizers.Adam(rate, weight_decay=decay),
        "rmsprop": lambda: optimizers.RMSprop(rate, weight_decay=decay),
        "momentum": lambda: optimizers.SGD(rate, momentum=MOMENTUM, weight_decay=decay),
        "sgd": lambda: optimizers.SGD(rate, weight_decay=decay),
        "gradient_descent": lambda: optimizers.SGD(rate, weight_decay=decay),
    }[settings.optimizer]()
    if decay:
        optimizer.exclude_from_weight_decay(var_names=list(NOT_DECAYED))
    return optimizer
