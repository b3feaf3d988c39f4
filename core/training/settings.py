"""How a network is fitted: optimiser, learning rate, batches, epochs and when to stop. One declaration for all families."""

from __future__ import annotations

from typing import Literal

from core.settings import Settings, setting

Optimizer = Literal["adam", "sgd"]
Loss = Literal["auto", "mse", "mae", "huber", "cross_entropy"]
Schedule = Literal["constant", "plateau", "cosine"]


class FitSettings(Settings):
    """Settings of one fit. The defaults are those of the preset "normal"."""

    optimizer: Optimizer = setting("adam", title="Optimiser", help="Adam adapts its steps; SGD (momentum 0.9) is plainer.")
    learning_rate: float = setting(0.001, title="Learning rate", help="Size of the first steps.", gt=0, le=10)
    schedule: Schedule = setting(
        "plateau", title="Learning-rate plan", help="Constant; halved when validation stalls; or falling as a cosine."
    )
    batch_size: int = setting(128, title="Batch", help="Windows in one step.", unit="windows", ge=1, le=65_536)
    epochs: int = setting(60, title="Epochs", help="Passes over the training windows, at most.", ge=1, le=100_000, expert=False)
    patience: int = setting(
        12, title="Patience", help="Epochs without a better validation loss before the fit stops.", ge=1, le=100_000
    )
    loss: Loss = setting(
        "auto", title="Loss", help="What the fit makes small; automatic: squared error, or cross-entropy for classes."
    )
    class_weights: bool = setting(False, title="Class weights", help="Let rare classes count as much as common ones.")
    clip_norm: float = setting(1.0, title="Gradient limit", help="Longest allowed gradient; 0 for no limit.", ge=0, le=1e6)
    averaging: float = setting(
        0.99,
        title="Weight averaging",
        help="Share of the running average of the weights that each step keeps; 0 for none. Judged and kept is the average.",
        ge=0,
        lt=1,
    )
    budget_minutes: float | None = setting(
        None,
        title="Time budget",
        help="The fit stops after this time with the best weights so far; empty for no limit.",
        unit="min",
        gt=0,
        le=100_000,
    )
