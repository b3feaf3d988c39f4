"""The line under each chart: n, period, where limits come from, what was left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from core.charts.downsample import MAX_POINTS
from core.charts.figure import is_time, moment
from core.messages import Message, msg, msg_n


def period(x: ArrayLike | None) -> Message | None:
    """First to last time or row of an ascending axis (n,); None without rows."""
    if x is None or not len(np.asarray(x)):
        return None
    at = np.asarray(x)
    first, last = moment(at[0]), moment(at[-1])
    return (
        msg("{first} to {last}", first=first, last=last)
        if is_time(at)
        else msg("rows {first} to {last}", first=first, last=last)
    )


def join(*facts: Message | None) -> Message:
    """The facts that are known, with a dot between them."""
    known = [fact for fact in facts if fact is not None]
    return Message(" · ".join(f"{{f{i}}}" for i in range(len(known))), {f"f{i}": fact for i, fact in enumerate(known)})


def caption_rows(n: int, x: ArrayLike | None = None, left_out: int = 0) -> Message:
    """Any chart of rows: n, how many of them are drawn, period, rows left out."""
    drawn = msg("{n} drawn, extremes kept", n=MAX_POINTS) if n > MAX_POINTS else None
    excluded = msg_n("{n} row left out", "{n} rows left out", left_out) if left_out else None
    return join(msg_n("n = {n} row", "n = {n} rows", n), drawn, period(x), excluded)


def caption_residuals(n: int, x: ArrayLike | None = None, interval: Message | None = None, left_out: int = 0) -> Message:
    """Parity and residuals: as rows, and where the interval comes from."""
    return join(caption_rows(n, x, left_out), interval)


def caption_curve(n: int, n_positive: int, positive: str) -> Message:
    """ROC, precision-recall, probabilities: rows and how many of them are of the class looked for."""
    return join(msg_n("n = {n} row", "n = {n} rows", n), msg("{positive} of class {name}", positive=n_positive, name=positive))


def caption_confusion(n: int, part: Message, positive: str, threshold: float | None) -> Message:
    """Confusion matrix: rows, the part they are of, and the decision limit on `positive`; None: the most probable class."""
    rule = msg("the most probable class is called")
    if threshold is not None:
        rule = msg("'{name}' where its probability is above {limit}", name=positive, limit=float(threshold))
    return join(msg_n("n = {n} row", "n = {n} rows", n), part, rule)


def caption_score_timeline(
    n: int, x: ArrayLike | None = None, source: Message | None = None, refused: int = 0, n_flags: int = 0
) -> Message:
    """Scores: rows, period, flags, where the decision limit comes from, rows that could not be scored."""
    could_not = msg_n("{n} row could not be scored", "{n} rows could not be scored", refused) if refused else None
    return join(caption_rows(n, x), msg_n("{n} flag", "{n} flags", n_flags), source, could_not)


def caption_sensor_band(n: int, x: ArrayLike | None = None) -> Message:
    """One sensor around an event: rows, period, where the band comes from."""
    return join(caption_rows(n, x), msg("normal band: middle 99 % of the training part"))


def caption_before_after(n: int, x: ArrayLike | None = None, n_changed: int = 0, left_out: int = 0) -> Message:
    """Cleaning: rows, period, cells changed, rows left out."""
    return join(caption_rows(n, x, left_out), msg_n("{n} cell changed", "{n} cells changed", n_changed))


def caption_split(reason: Message, seed: int | None = None) -> Message:
    """The split: its reason, and its seed where one was used."""
    return join(reason, msg("seed {seed}", seed=str(seed)) if seed is not None else None)


def caption_life(n_units: int, n_shown: int, cap: float | None = None) -> Message:
    """Remaining life: units judged, units drawn, where the training target was capped."""
    capped = msg("training target capped at {cap}", cap=float(cap)) if cap is not None else None
    return join(msg_n("n = {n} unit", "n = {n} units", n_units), msg("{n} drawn", n=n_shown), capped)


def caption_fleet(n_units: int, n_failed: int, rule: Message, counted: Message) -> Message:
    """Lives: units, failures, what counts as one and what ages count from."""
    return join(msg_n("n = {n} unit", "n = {n} units", n_units), msg_n("{n} failed", "{n} failed", n_failed), rule, counted)


def caption_loss(n_epochs: int, best_epoch: int | None = None) -> Message:
    """Loss curves: how many epochs, and whose weights were kept."""
    kept = msg("weights of epoch {epoch} kept", epoch=best_epoch) if best_epoch is not None else None
    return join(msg_n("{n} epoch", "{n} epochs", n_epochs), kept)
