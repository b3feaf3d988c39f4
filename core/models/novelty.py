"""What shallow detectors share: the setting of the rows they keep, rows at one scale, and their estimates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.messages import Message
from core.models.spec import Estimate, Shape
from core.models.standardised import Standardised, standardise_in_time
from core.models.tables import n_statistics, require_rows, thinned_note, thinned_rows
from core.settings import setting

SMALLEST = 10
BASE_BYTES = 200 * 2**20


def most_rows_setting(default: int) -> Any:
    """The field `most_rows` of a detector that keeps its training rows."""
    return setting(
        default,
        title="Rows kept",
        help="Training rows used, evenly spread; more make training and scoring slower.",
        unit="rows",
        ge=100,
        le=200_000,
    )


def kept_rows(inputs: NDArray[np.float64], most: int, title: Message) -> tuple[NDArray[np.float64], tuple[Message, ...]]:
    """At most about `most` of the rows (n, d), evenly spread, and the note that says so.

    Raises:
        NotEnoughData: fewer than 10 rows.
    """
    require_rows(inputs, SMALLEST, title)
    kept = thinned_rows(len(inputs), most)
    return inputs[kept], thinned_note(title, len(kept), len(inputs))


def standard_rows(inputs: NDArray[np.float64], most: int, title: Message) -> tuple[Standardised, tuple[Message, ...]]:
    """The same with every column at mean 0 and divided by its reach; constant columns are 0 and never count."""
    rows, notes = kept_rows(inputs, most, title)
    return standardise_in_time(rows, SMALLEST), notes


def scale_arrays(standard: Standardised) -> dict[str, NDArray[np.float64]]:
    """`mean` and `scale` (d,) with which new rows are brought to the same scale."""
    return {"mean": standard.mean, "scale": standard.reach}


COMPARED_A_SECOND = 4e9


def kept_estimate(
    shape: Shape, n_windows: int, most: int, *, kept_a_row: float, operations_a_pair: float, compares: bool = True
) -> Estimate:
    """A detector that keeps its rows: values, bytes at the peak, and seconds of comparing every row with every other.

    Args:
        kept_a_row: Arrays of d columns that are kept for each row.
        operations_a_pair: Passes over two rows' columns that each pair costs; 0 where rows are not compared.
    """
    rows, columns = min(most, n_windows), n_statistics(shape)
    scoring = n_windows * rows * columns / COMPARED_A_SECOND if compares else 0.0
    seconds = (
        0.2 + scoring + operations_a_pair * rows**2 * (columns + 20) / 2e9 + rows * columns / 5e6 + n_windows * columns / 2e7
    )
    values = int(max(1, kept_a_row * rows * columns))
    return Estimate(values, int(BASE_BYTES + 32 * n_windows * columns + 24 * values), seconds)
