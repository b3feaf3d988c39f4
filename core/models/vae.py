"""Variational autoencoder: the code of a window is a small cloud and not a point, so that near codes rebuild alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from core.messages import Message, msg
from core.models.heads import dense_weights, new_input
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting


class VaeSettings(Settings):
    """Width of the hidden layers and of the code, and how much the cloud counts."""

    units: int = setting(64, title="Units", help="Neurons in the layer before and after the code.", ge=1, le=2048)
    code: int = setting(8, title="Code", help="Numbers that a window is squeezed into, each with its own spread.", ge=1, le=512)
    noise: float = setting(
        0.3,
        title="Noise of a cell",
        help="Standard deviation of a rebuilt cell, in standard deviations of its sensor: larger makes the code simpler.",
        gt=0,
        le=10,
    )


@dataclass(frozen=True, slots=True)
class Vae:
    """Flattened window → units → mean and log variance of the code → a draw (the mean when scoring) → units → window.

    The loss is that of the paper divided by cells ÷ (2 σ²): mean squared error + 2 σ² ÷ cells · KL divergence of the
    code's cloud from a standard normal one, with σ the noise of a cell.
    """

    key: str = "vae"
    title: Message = msg("Variational autoencoder")
    summary: Message = msg("An autoencoder whose code is smooth: forgiving between known states, strict outside of them.")
    source: str = "Kingma, Welling (2014), ICLR, arXiv:1312.6114; An, Cho (2015), SNU Data Mining Center"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = True
    settings: type[Settings] = VaeSettings
    shares_weights: bool = False
    smallest_rows: int = 1

    def count_parameters(self, settings: VaeSettings, shape: Shape) -> int:
        cells = shape.window_rows * shape.n_features
        sizes = (cells, settings.units, 2 * settings.code)
        back = (settings.code, settings.units, cells)
        return sum(dense_weights(a, b) for a, b in (*pairwise(sizes), *pairwise(back)))

    def build(self, settings: VaeSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: windows → windows of the same shape. It adds the divergence to its losses."""
        import keras

        cells = shape.window_rows * shape.n_features
        inputs = new_input(shape)
        hidden = keras.layers.Flatten()(inputs)
        hidden = keras.layers.Dense(settings.units, activation="elu")(hidden)
        hidden = keras.layers.Dense(2 * settings.code, name="cloud")(hidden)
        hidden = _draw_layer()(weight=2 * settings.noise**2 / cells, name="code")(hidden)
        hidden = keras.layers.Dense(settings.units, activation="elu")(hidden)
        hidden = keras.layers.Dense(cells)(hidden)
        outputs = keras.layers.Reshape((shape.window_rows, shape.n_features), name="rebuilt")(hidden)
        return keras.Model(inputs, outputs, name=self.key)


@cache
def _draw_layer() -> Any:
    """The layer (batch, 2 · code), means beside log variances → (batch, code). Made here, where Keras is there."""
    import keras

    @keras.saving.register_keras_serializable(package="andon")
    class Draw(keras.layers.Layer):  # type: ignore[misc]
        """A draw from each row's cloud in training, its mean otherwise; the divergence times `weight` is a loss."""

        def __init__(self, weight: float, **options: Any) -> None:
            super().__init__(**options)
            self.weight = weight
            self.seeds = keras.random.SeedGenerator()

        def call(self, inputs: Any, training: bool = False) -> Any:
            mean, log_variance = keras.ops.split(inputs, 2, axis=-1)
            variance = keras.ops.exp(log_variance)
            divergence = 0.5 * keras.ops.sum(mean**2 + variance - 1 - log_variance, axis=-1)
            self.add_loss(self.weight * keras.ops.mean(divergence))
            if not training:
                return mean
            return mean + keras.ops.sqrt(variance) * keras.random.normal(keras.ops.shape(mean), seed=self.seeds)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:-1], input_shape[-1] // 2)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "weight": self.weight}

    return Draw


SPEC = Vae()
