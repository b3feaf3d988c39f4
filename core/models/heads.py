"""What the last layer of a network is for each task, and the small sums that families share. Keras only inside."""

from __future__ import annotations

from typing import Any

from core.models.spec import Shape, Task


def new_input(shape: Shape) -> Any:
    """The input that every family has: windows (batch, window_rows, n_features), named "windows"."""
    import keras

    return keras.Input((shape.window_rows, shape.n_features), name="windows")


def add_head(hidden: Any, shape: Shape, task: Task) -> Any:
    """A linear output of `n_outputs` numbers, or their softmax for a classification."""
    import keras

    activation = "softmax" if task == "classification" else None
    return keras.layers.Dense(shape.n_outputs, activation=activation, name="prediction")(hidden)


def dense_weights(n_in: int, n_out: int) -> int:
    """Weights and biases of a dense layer."""
    return (n_in + 1) * n_out


def lstm_weights(n_in: int, units: int) -> int:
    """Weights of an LSTM layer: four gates, each with input, recurrent and bias weights."""
    return 4 * units * (n_in + units + 1)


def gru_weights(n_in: int, units: int) -> int:
    """Weights of a GRU layer with `reset_after`: three gates with two bias vectors."""
    return 3 * units * (n_in + units + 2)


def simple_weights(n_in: int, units: int) -> int:
    """Weights of a simple recurrent layer: input, recurrent and bias weights."""
    return units * (n_in + units + 1)


def conv_weights(n_in: int, n_out: int, kernel: int) -> int:
    """Weights and biases of a 1-D convolution."""
    return (n_in * kernel + 1) * n_out
