"""What a training will take, before it starts: weights, memory and seconds an epoch. Rough, for a choice and a progress bar.

The constants were measured with the default networks on one core of a server CPU (AVX-512, 2.6 GHz, TensorFlow
2.21 without XLA, deterministic); a laptop is within a factor of two to three. The fit corrects the time left with
what it measures. How far off they are: `make bench-estimate`.
"""

from __future__ import annotations

import math
from typing import Any, TypeGuard

from core.models.own_past_columns import n_own_past_columns
from core.models.spec import BaselineSpec, Estimate, NetworkSpec, SequenceSpec, Shape, TableSpec

MULTIPLY_ADDS_A_SECOND = 30e9
STEP_SECONDS = 0.0006
ROW_SECONDS = {"lstm": 5e-5, "gru": 8e-5, "rnn": 2e-4}
CELL_SECONDS = {"lstm": 1.6e-8, "gru": 3.6e-8, "rnn": 1.6e-8}
# Beside their products: normalisation, activation and dropout of each value of a layer, and the share of each pair of rows in attention.
VALUE_SECONDS = 8e-9
PAIR_SECONDS = 2.5e-8
RUNTIME_BYTES = 850 * 2**20
BASELINE_VALUES_A_SECOND = 2e7
# What a training holds at most, however many rows there are: windows of a network beyond this are streamed, and a shallow
# fit takes evenly spread rows.
BYTES_A_ROW = 60  # places, times, targets, scores
STREAMED_ABOVE_BYTES = 400_000_000
MOST_SHALLOW_WINDOWS = 200_000
MOST_STATISTICS = 10_000_000
MOST_WINDOW_CELLS = 50_000_000  # of float32, 200 MB
FORECAST_ROWS = 10_000  # of a family that fits one model for each step ahead


def estimate(
    spec: NetworkSpec | BaselineSpec | TableSpec | SequenceSpec,
    settings: Any,
    shape: Shape,
    n_windows: int,
    batch_size: int = 128,
) -> Estimate:
    """Weights, peak memory in bytes and seconds an epoch for `n_windows` training windows.

    A training step costs three passes (forward, and two backward) of one multiply-add a weight and use; recurrent
    layers also wait for each row in turn, and compute their gates cell by cell; attention weighs each pair of rows. Memory is
    TensorFlow itself, the windows as float32, weights with gradient and two moments, and the values kept for the backward pass
    of one batch; attention keeps a value for each pair of rows. A baseline has no epochs: `epoch_seconds` is its whole fit; a
    shallow family whose cost is another has a `fit_estimate` of its own.
    """
    if knows_its_cost(spec):
        return spec.fit_estimate(settings, shape, most_shallow(shape, n_windows, whole_windows=reads_windows(spec)))
    if not _is_network(spec):
        return _baseline_estimate(shape, most_shallow(shape, n_windows))
    weights = spec.count_parameters(settings, shape)
    uses = weights * (shape.window_rows if spec.shares_weights else 1)
    steps = math.ceil(max(n_windows, 1) / batch_size)
    uses += 2 * _compared(settings, shape) * int(getattr(settings, "head_units", 0))
    if reads_text(spec):
        uses = spec.uses(settings, shape)  # type: ignore[attr-defined]
    waiting = steps * _recurrent_seconds(spec.key, settings, shape, batch_size)
    waiting += n_windows * _compared(settings, shape) * PAIR_SECONDS
    waiting += n_windows * _steps(shape) * _width(settings) * _value_layers(spec.key, settings) * VALUE_SECONDS
    seconds = 3 * uses * n_windows / MULTIPLY_ADDS_A_SECOND + steps * STEP_SECONDS + waiting
    window_bytes = min(4 * n_windows * shape.window_rows * shape.n_features, STREAMED_ABOVE_BYTES)
    row_bytes = BYTES_A_ROW * n_windows
    kept_values = 4 * batch_size * _steps(shape) * max(_width(settings), shape.n_others) * 24
    kept_values += 4 * batch_size * _compared(settings, shape) * 4
    return Estimate(weights, RUNTIME_BYTES + window_bytes + row_bytes + 16 * weights + kept_values, seconds)


def estimate_forecast(
    spec: NetworkSpec | BaselineSpec | TableSpec | SequenceSpec,
    settings: Any,
    shape: Shape,
    n_windows: int,
    batch_size: int = 128,
    *,
    has_season: bool,
) -> Estimate:
    """The same for a forecast: a family of tables sees the columns of `own_past_columns`, and no more than 10,000 rows for boosting."""
    if _is_network(spec) or reads_windows(spec):
        return estimate(spec, settings, shape, n_windows, batch_size)
    columns = n_own_past_columns(shape.window_rows, shape.n_features, shape.n_outputs, has_season)
    n = min(n_windows, FORECAST_ROWS) if knows_its_cost(spec) else n_windows
    return estimate(spec, settings, Shape(1, max(1, columns), shape.n_outputs), n, batch_size)


def most_shallow(shape: Shape, n_windows: int, *, whole_windows: bool = False) -> int:
    """How many of `n_windows` training windows a shallow family is fitted on."""
    if whole_windows:
        most = MOST_WINDOW_CELLS // (shape.window_rows * shape.n_features)
    else:
        most = MOST_STATISTICS // (shape.n_features * (6 if shape.window_rows > 1 else 1))
    return min(n_windows, max(2, min(MOST_SHALLOW_WINDOWS, most)))


def knows_its_cost(spec: Any) -> TypeGuard[TableSpec | SequenceSpec]:
    """Whether a family is a shallow one with an estimate of its own (`fit_estimate`)."""
    return hasattr(spec, "fit_estimate")


def is_table(spec: Any) -> TypeGuard[TableSpec]:
    """Whether a family is a shallow one that is told its task (`fit_table`)."""
    return hasattr(spec, "fit_table")


def reads_windows(spec: Any) -> TypeGuard[SequenceSpec]:
    """Whether a family is a shallow one that is fitted on windows (`fit_windows`)."""
    return hasattr(spec, "fit_windows")


def reads_text(spec: Any) -> bool:
    """Whether a family reads a column of free text."""
    return bool(getattr(spec, "reads_text", False))


def _is_network(spec: NetworkSpec | BaselineSpec | TableSpec | SequenceSpec) -> TypeGuard[NetworkSpec]:
    return spec.role == "network"


def _baseline_estimate(shape: Shape, n_windows: int) -> Estimate:
    columns = shape.n_features * (6 if shape.window_rows > 1 else 1)
    values = n_windows * columns
    seconds = 0.2 + values * min(columns, 100) / BASELINE_VALUES_A_SECOND / 10
    return Estimate((columns + 1) * shape.n_outputs, 150 * 2**20 + 8 * 4 * values, seconds)


def _recurrent_seconds(key: str, settings: Any, shape: Shape, batch_size: int) -> float:
    """Seconds of one step that recurrent layers take beside their products: each row in turn, and the gates of each cell."""
    kind = next((kind for kind in ROW_SECONDS if kind in key), None)
    if kind is None:
        return 0.0
    rows = math.ceil(_steps(shape) / int(getattr(settings, "pool", 1)))
    if key == "lstm_autoencoder":
        units = [settings.units] * 2
    elif key in ("cnn_lstm", "lstm_forecaster", "text_gru"):
        units = [settings.units]
    else:
        units = [max(1, settings.units // 2**i) for i in range(settings.layers)]
    directions = 2 if key.startswith("bi") else 1
    return directions * rows * sum(ROW_SECONDS[kind] + CELL_SECONDS[kind] * batch_size * n for n in units)


def _compared(settings: Any, shape: Shape) -> int:
    """Pairs of rows that attention compares for one window, over all layers and heads; 0 without attention."""
    return _steps(shape) ** 2 * int(getattr(settings, "heads", 0)) * int(getattr(settings, "layers", 0))


def _value_layers(key: str, settings: Any) -> int:
    """Layers of small convolutions, whose products cost less than what is done with each value behind them."""
    return {"resnet": 3 * getattr(settings, "blocks", 0), "tcn": 2 * getattr(settings, "blocks", 0), "conv_autoencoder": 4}.get(
        key, 0
    )


def _steps(shape: Shape) -> int:
    """What a network goes through one by one: the words of a remark, else the rows of the window."""
    return shape.n_tokens or shape.window_rows


def _width(settings: Any) -> int:
    """The widest layer that the settings name."""
    if hasattr(settings, "widest"):
        return int(settings.widest)
    return max(int(getattr(settings, name, 1)) for name in ("units", "filters"))
