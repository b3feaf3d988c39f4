"""What shallow families ask of their training rows, and how they thin them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData
from core.messages import Message, msg
from core.models.spec import Shape


def require_rows(inputs: NDArray[np.floating], smallest: int, model: Message) -> None:
    """Refuse fewer than `smallest` rows.

    Raises:
        NotEnoughData: there are fewer.
    """
    if len(inputs) < smallest:
        raise NotEnoughData(
            msg("The training part has {n} usable rows.", n=len(inputs)),
            msg("{model}: at least {smallest} are needed.", model=model, smallest=smallest),
            msg("Give more rows, or a smaller test and validation part."),
        )


def class_codes(targets: NDArray | None) -> NDArray[np.int64]:
    """Class codes (n,) of the training rows.

    Raises:
        NotEnoughData: only one class among them.
    """
    codes = np.asarray(targets).ravel().astype(np.int64)
    if len(np.unique(codes)) < 2:
        raise NotEnoughData(
            msg("The training part holds only one class."),
            msg("A classification needs rows of at least two classes."),
            msg("Split in another way, or add rows of the other class."),
        )
    return codes


def class_count(codes: NDArray[np.int64], n_classes: int) -> int:
    """How many probabilities a row gets: the classes of the training part, and at least those that occur."""
    return max(n_classes, int(codes.max()) + 1)


def values_of(targets: NDArray | None) -> NDArray[np.float64]:
    """Targets (n,) of a regression."""
    return np.asarray(targets, dtype=np.float64).ravel()


def balanced_weights(codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights (n,) with which every class that occurs counts as much: n ÷ (classes · rows of the class)."""
    counts = np.bincount(codes)
    return len(codes) / (np.count_nonzero(counts) * counts[codes])


def thinned_rows(n: int, most: int, codes: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Rising places of at most about `most` of n rows, evenly spread; with `codes` (n,) within every class.

    Each class keeps its share, rounded up, so that none vanishes; that may be one row more a class.
    """
    if n <= most:
        return np.arange(n)
    if codes is None:
        return np.linspace(0, n - 1, most).astype(np.int64)
    parts = []
    for code in np.unique(codes):
        places = np.flatnonzero(codes == code)
        kept = -(-len(places) * most // n)
        parts.append(places[np.linspace(0, len(places) - 1, kept).astype(np.int64)])
    return np.sort(np.concatenate(parts))


def thinned_note(model: Message, kept: int, n: int) -> tuple[Message, ...]:
    """That a family saw only some of its rows; nothing where it saw all."""
    if kept == n:
        return ()
    return (
        msg("{model}: {kept} of {n} training rows, evenly spread, were used; more take too long.", model=model, kept=kept, n=n),
    )


def n_statistics(shape: Shape) -> int:
    """Columns that a shallow family sees of windows of this shape."""
    return shape.n_features * (6 if shape.window_rows > 1 else 1)
