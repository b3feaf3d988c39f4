"""Which chart is proposed, and that the reason names what decided."""

import numpy as np
import pytest

from core.spc.individuals import NotDefined
from core.spc.proposal import Proposal, propose_chart


@pytest.mark.parametrize(
    ("data", "sizes", "chart", "why"),
    [
        ("measurement", 1, "I-MR", "one value at a time"),
        ("measurement", [1, 1, np.nan, 1], "I-MR", "one value at a time"),
        ("measurement", 2, "Xbar-R", "subgroups of 2"),
        ("measurement", 8, "Xbar-R", "subgroups of 8"),
        ("measurement", 9, "Xbar-S", "two of the 9 values"),
        ("measurement", [4, 5, 5], "Xbar-S", "between 4 and 5"),
        ("defectives", 50, "np", "50 inspected units"),
        ("defectives", [50, 0, 60], "p", "between 50 and 60"),
        ("defects", 1.0, "c", "same area"),
        ("defects", [1.0, 1.5], "u", "areas differ"),
    ],
)
def test_data_and_sizes_decide(data, sizes, chart: str, why: str) -> None:
    found = propose_chart(data, sizes)
    assert isinstance(found, Proposal)
    assert found.chart == chart and why in str(found.reason)


@pytest.mark.parametrize("sizes", [0, [], [np.nan]])
def test_no_size_gives_no_proposal(sizes) -> None:
    found = propose_chart("measurement", sizes)
    assert isinstance(found, NotDefined) and "no point has a size" in str(found.reason)
