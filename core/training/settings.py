"""How a network is fitted: optimiser, learning rate, batches, epochs and when to stop. One declaration for all families."""

from __future__ import annotations

from typing import Literal

from core.settings import Settings, setting

Optimizer = Literal["adam", "adamw", "rmsprop", "momentum", "sgd", "gradient_descent"]
Loss = Literal["auto", "mse", "mae", "huber", "quantile", "cross_entropy", "focal"]
Schedule = Literal["constant", "plateau", "cosine"]


class FitSettings(Settings):
    """Settings of one fit. The defaults are those of the preset "normal"."""

    optimizer: Optimizer = setting(
        "adam",
        title="Optimiser",
        help="Adam, AdamW and RMSprop adapt their steps; SGD, alone or with momentum 0.9, is plainer; gradient descent "
        "makes one step an epoch, on all windows.",
    )
    learning_rate: float = setting(0.001, title="Learning rate", help="Size of the first steps.", gt=0, le=10)
    schedule: Schedule = setting(
        "plateau", title="Learning-rate plan", help="Constant; halved when validation stalls; or falling as a cosine."
    )
    warmup_epochs: float = setting(
        0.0,
        title="Warm-up",
        help="The steps of this many first epochs grow evenly up to the learning rate.",
        unit="epochs",
        ge=0,
        le=1000,
    )
    batch_size: int = setting(128, title="Batch", help="Windows in one step.", unit="windows", ge=1, le=65_536)
    epochs: int = setting(60, title="Epochs", help="Passes over the training windows, at most.", ge=1, le=100_000, expert=False)
    patience: int = setting(
        12, title="Patience", help="Epochs without a better validation loss before the fit stops.", ge=1, le=100_000
    )
    loss: Loss = setting(
        "auto", title="Loss", help="What the fit makes small; automatic: squared error, or cross-entropy for classes."
    )
    quantile: float = setting(
        0.5,
        title="Quantile",
        help="For the quantile loss: the share of results that should lie below the prediction; 0.5 for the median.",
        gt=0,
        lt=1,
    )
    label_smoothing: float = setting(
        0.0,
        title="Label smoothing",
        help="For cross-entropy: the share of certainty that is spread over all classes, against overconfidence.",
        ge=0,
        lt=1,
    )
    focal_gamma: float = setting(
        2.0, title="Focus", help="For the focal loss: how much less a window counts that is already right.", ge=0, le=10
    )
    class_weights: bool = setting(False, title="Class weights", help="Let rare classes count as much as common ones.")
    weight_decay: float | None = setting(
        None,
        title="Weight decay",
        help="Share of each weight, times the learning rate, that every step takes off; empty: 0.01 for AdamW, else none.",
        ge=0,
        le=10,
    )
    input_noise: float = setting(
        0.0,
        title="Noise on inputs",
        help="Random noise added to the windows in training, against learning them by heart.",
        unit="standard deviations",
        ge=0,
        le=10,
    )
    clip_norm: float = setting(1.0, title="Gradient limit", help="Longest allowed gradient; 0 for no limit.", ge=0, le=1e6)
    averaging: float = setting(
        0.99,
        title="Weight averaging",
        help="Share of the running average of the weights that each step keeps; 0 for none. Judged and kept is the average.",
        ge=0,
        lt=1,
    )
    mixed_precision: bool = setting(
        False,
        title="16-bit computing",
        help="Faster on a graphics card, with weights kept in 32 bits; without a card it changes nothing.",
    )
    budget_minutes: float | None = setting(
        None,
        title="Time budget",
        help="The fit stops after this time with the best weights so far; empty for no limit.",
        unit="min",
        gt=0,
        le=100_000,
    )
    tensorboard: bool = setting(
        False, title="TensorBoard logs", help="Also write the curves in TensorBoard's format, into the folder of the job."
    )
