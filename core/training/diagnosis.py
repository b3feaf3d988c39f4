"""What a pair of loss curves says, in plain words. Nothing is trained here: numbers in, one sentence out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg, msg_n

Code = Literal["too_early", "diverging", "too_little_data", "overfitting", "improving", "plateau", "fine"]
FEWEST_EPOCHS = 5
FEWEST_WINDOWS = 200
RISE_OVER_BEST, RISE_OVER_FALL = 0.1, 0.02
RISE_OVER_FIRST = 0.05
WIDE_GAP = 2.0
FALL_AN_EPOCH = 0.005
LITTLE_LEARNED = 0.05


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One finding on a fit: its code, the sentence, and what to do where there is something to do."""

    code: Code
    message: Message
    remedy: Message | None


def diagnose(loss: Sequence[float], val_loss: Sequence[float | None] | None, n_train: int) -> Diagnosis:
    """The most serious thing that the curves show, epoch by epoch from the first.

    In this order. too_early: fewer than 5 epochs. diverging: a loss that is not a number, or a training loss that
    rose over the last third to 5 % above its first value or more. too_little_data: fewer than 200 windows and validation at
    least twice the training loss. overfitting: validation 10 % or more above its best, by more than 2 % of what it has
    fallen in all, with the training loss still falling since. improving: validation fell by 0.5 % an epoch or more over the last quarter. plateau:
    the loss never fell by more than 5 % of its first value. fine: none of these.

    Args:
        loss: of the training windows, one an epoch.
        val_loss: of the validation windows; None, or None in its place, without any.
        n_train: training windows.
    """
    train = np.asarray(loss, dtype=np.float64)
    watched = train if val_loss is None or any(v is None for v in val_loss) else np.asarray(val_loss, dtype=np.float64)
    if not (np.isfinite(train).all() and np.isfinite(watched).all()):
        return _DIVERGING
    if len(train) < FEWEST_EPOCHS:
        return Diagnosis("too_early", msg("It is too early to judge the curves."), None)
    if _slope(train[-max(3, len(train) // 3) :]) > 0 and train[-1] > (1 + RISE_OVER_FIRST) * train[0]:
        return _DIVERGING
    if n_train < FEWEST_WINDOWS and watched[-1] >= WIDE_GAP * train[-1]:
        return _too_little(n_train)
    best = int(np.argmin(watched))
    is_rise = watched[-1] - watched[best] > RISE_OVER_FALL * (watched[0] - watched[best])
    if is_rise and watched[-1] >= (1 + RISE_OVER_BEST) * watched[best] and train[-1] < train[best]:
        return _overfitting(best + 1)
    if _is_improving(watched):
        return _IMPROVING
    if watched.min() > (1 - LITTLE_LEARNED) * watched[0]:
        return _PLATEAU
    return Diagnosis("fine", msg("The curves have settled; the best epoch is {epoch}.", epoch=best + 1), None)


def _slope(values: NDArray[np.float64]) -> float:
    """Least-squares slope an epoch."""
    steps = np.arange(len(values)) - (len(values) - 1) / 2
    return float(steps @ values / (steps @ steps))


def _is_improving(watched: NDArray[np.float64]) -> bool:
    """Whether the last quarter (at least 4 epochs) falls fast enough, and ends near the best."""
    last = watched[-max(4, len(watched) // 4) :]
    is_near_best = watched[-1] <= 1.02 * watched.min()
    return bool(is_near_best and -_slope(last) >= FALL_AN_EPOCH * abs(float(last.mean())))


def _too_little(n_train: int) -> Diagnosis:
    return Diagnosis(
        "too_little_data",
        msg_n(
            "{n} training window is too few for this network.", "{n} training windows are too few for this network.", n_train
        ),
        msg("Use the baseline, fewer units, or collect more data."),
    )


def _overfitting(best: int) -> Diagnosis:
    return Diagnosis(
        "overfitting",
        msg("Since epoch {epoch} the network learns its training rows by heart: validation gets worse.", epoch=best),
        msg("The weights of epoch {epoch} are kept. More dropout, fewer units or more data help.", epoch=best),
    )


_DIVERGING = Diagnosis(
    "diverging",
    msg("The loss grows instead of falling."),
    msg("Use a learning rate ten times smaller, and look for extreme values in the data."),
)
_IMPROVING = Diagnosis(
    "improving", msg("The loss is still falling."), msg("More epochs or the preset 'thorough' can make it better.")
)
_PLATEAU = Diagnosis(
    "plateau",
    msg("The loss hardly falls: the network finds little in these inputs."),
    msg("Try a larger learning rate, other columns or a longer window; compare with the baseline."),
)
