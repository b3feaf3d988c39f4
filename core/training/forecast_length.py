"""How long a series has to be to be forecast, and the sentence for one that is too short: the horizon, and the rows it needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.data.split import TRAIN, SplitSettings
from core.data.splitting import MIN_ROWS
from core.errors import NotEnoughData
from core.messages import msg

SMALLEST_TRAINING, SMALLEST_VALIDATION = 8, 1  # rows of a part after which all values asked for are known


def rows_needed(horizon: int, split: SplitSettings) -> int:
    """Rows of one series without gaps that a split by time needs to leave enough in training and validation part.

    A part of n rows has n − horizon rows after which `horizon` values of the same part are known.

    Example:
        >>> rows_needed(24, SplitSettings())  # 15 % of 164 are 25 rows
        164
    """
    n = max(MIN_ROWS, horizon + SMALLEST_TRAINING)
    while min(_spare(n, horizon, split)) < 0:
        n += 1
    return n


def longest_horizon(n_rows: int, split: SplitSettings) -> int:
    """The most values ahead that a series of so many rows allows under a split by time; 0 where it allows none."""
    return max(0, min(_spare(n_rows, 0, split)))


def _spare(n_rows: int, horizon: int, split: SplitSettings) -> tuple[int, int]:
    """Rows that the training and the validation part have to spare, negative where they lack some."""
    n_test = max(1, round(n_rows * split.test_fraction)) if split.test_fraction > 0 else 0
    n_validation = max(1, round(n_rows * split.validation_fraction))
    n_train = n_rows - n_test - n_validation
    return n_train - horizon - SMALLEST_TRAINING, n_validation - horizon - SMALLEST_VALIDATION


def longest_series(first_row: NDArray[np.integer]) -> int:
    """The rows of the longest series; `first_row` (n,) holds the first row of the series of each row."""
    return int(np.unique(first_row, return_counts=True)[1].max()) if len(first_row) else 0


def too_short(part: int, n: int, horizon: int, split: SplitSettings, longest: int) -> NotEnoughData:
    """The error for a forecast whose part has only `n` rows to learn from or to be judged by."""
    what = msg(
        "The {part} part has {n} rows after which the next {horizon} values (the horizon) are known.",
        part=msg("training") if part == TRAIN else msg("validation"),
        n=n,
        horizon=horizon,
    )
    if split.method != "time":
        needed = horizon + (SMALLEST_TRAINING if part == TRAIN else SMALLEST_VALIDATION)
        return NotEnoughData(
            what,
            msg("Expected at least {needed} rows of one series in this part.", needed=needed),
            msg("Bring more rows, set a shorter horizon, or choose another split."),
        )
    needed, most = rows_needed(horizon, split), longest_horizon(longest, split)
    expected = msg(
        "Expected a series of at least {needed} rows without a gap; the longest has {longest}.", needed=needed, longest=longest
    )
    if most < 1 or most >= horizon:
        return NotEnoughData(what, expected, msg("Bring more rows, or choose another split."))
    return NotEnoughData(what, expected, msg("Bring more rows, or set the horizon to at most {most}.", most=most))
