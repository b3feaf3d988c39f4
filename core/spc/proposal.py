"""Which control chart fits: from the kind of data and the sizes of the subgroups, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from core.messages import Message, msg
from core.spc.individuals import NotDefined

DataType = Literal["measurement", "defectives", "defects"]
ChartPair = Literal["I-MR", "Xbar-R", "Xbar-S", "p", "np", "c", "u"]
LARGEST_FOR_RANGE = 8


@dataclass(frozen=True, slots=True)
class Proposal:
    """A chart by name, and why."""

    chart: ChartPair
    reason: Message


def propose_chart(data: DataType, sizes: ArrayLike = 1) -> Proposal | NotDefined:
    """The chart for a kind of data.

    Measurements: I-MR for single values; X̄-R for subgroups of one size up to 8; X̄-S for larger ones and for sizes that differ,
    because a range uses only two of the values and has another meaning for every size. Defective units: np with one size, p with
    several. Defects: c with one area, u with several.

    Args:
        data: "measurement"; "defectives", units that are good or bad among `sizes` inspected; "defects", numbers of defects
            found on `sizes` of area.
        sizes: One number or one a point: rows of each subgroup, inspected units, or areas.

    Degenerate cases: no size above 0: `NotDefined`.

    Source: Montgomery (2013), sections 6.3 (larger or varying subgroups take s), 7.2.2 and 7.3.1 (varying sizes); the border at 8 is
    customary in software.

    Example:
        >>> propose_chart("measurement", 5).chart, propose_chart("defects", [1.0, 2.5]).chart
        ('Xbar-R', 'u')
    """
    n = np.atleast_1d(np.asarray(sizes, dtype=np.float64))
    n = n[np.isfinite(n) & (n > 0)]
    if not len(n):
        return NotDefined(msg("no point has a size above 0"))
    least, most = float(n.min()), float(n.max())
    one_size = least == most
    if data == "defectives":
        if one_size:
            return Proposal("np", msg("every point has {n} inspected units, so that the numbers can be compared", n=most))
        return Proposal(
            "p", msg("between {n} and {m} units were inspected, so that only shares can be compared", n=least, m=most)
        )
    if data == "defects":
        if one_size:
            return Proposal(
                "c", msg("the defects were counted on the same area each time, so that the numbers can be compared")
            )
        return Proposal("u", msg("the inspected areas differ, so that only defects per unit can be compared"))
    if most == 1:
        return Proposal("I-MR", msg("there is one value at a time, and its neighbour tells the spread"))
    if not one_size:
        return Proposal(
            "Xbar-S",
            msg("the subgroups have between {n} and {m} values; a range has another meaning for every size", n=least, m=most),
        )
    if most > LARGEST_FOR_RANGE:
        return Proposal("Xbar-S", msg("a range uses two of the {n} values of a subgroup, the standard deviation all", n=most))
    return Proposal(
        "Xbar-R", msg("in subgroups of {n} values the range tells the spread nearly as well as the standard deviation", n=most)
    )
