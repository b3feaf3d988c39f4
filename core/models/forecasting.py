"""What forecasters share: each row of a window is predicted from rows before it only, and what is off is the residual.

Such a network gives windows back as an autoencoder does, so that training, calibration and scoring are the same: the
residuals of the window's rows are averaged towards its last row (`core.anomalies.scoring`).
"""

from __future__ import annotations

from typing import Any

from core.models.heads import new_input
from core.models.spec import Shape
from core.settings import setting

AHEAD = setting(
    1,
    title="Rows ahead",
    help="How many rows before a row the forecast is made; more notices slow changes, and forgives fast ones less.",
    unit="rows",
    ge=1,
    le=100,
)


def earlier_rows(shape: Shape, ahead: int) -> tuple[Any, Any]:
    """The input, and what the network may see at each row of it: the rows `ahead` earlier, zeros (the mean) before the first."""
    import keras

    inputs = new_input(shape)
    moved = keras.layers.ZeroPadding1D((min(ahead, shape.window_rows), 0))(inputs)
    return inputs, keras.layers.Cropping1D((0, min(ahead, shape.window_rows)))(moved)


def forecast(hidden: Any, earlier: Any, shape: Shape) -> Any:
    """Features of each row, linear in the hidden values and in the row that was seen last."""
    import keras

    both = keras.layers.Concatenate()([hidden, earlier])
    return keras.layers.Dense(shape.n_features, name="forecast")(both)
