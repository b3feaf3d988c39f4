"""The published examples: every figure comes out, every example names its source, and a wrong figure would be seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import workflows as wf
from core.spc.validation import EXAMPLES, Example, recompute
from core.spc.validation.examples import comes_out


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.key)
def test_every_printed_figure_comes_out(example: Example) -> None:
    figures = recompute(example)
    assert [f.name for f in figures if not f.is_equal] == []
    assert len(figures) == len(example.printed) >= 2 and len(example.source) > 20


def test_a_wrong_figure_is_seen() -> None:
    example = EXAMPLES[0]
    wrong = replace(example, printed={**example.printed, "centre": "50.83"})
    assert [f.name for f in recompute(wrong) if not f.is_equal] == ["centre"]


def test_a_rounding_wider_than_half_a_digit_says_why() -> None:
    assert all(e.remark is not None for e in EXAMPLES if e.rounding > 0.51)
    assert comes_out("16", 16.4) and not comes_out("16", 16.6) and not comes_out("1.20", 1.206)


def test_the_workflow_counts_them() -> None:
    found = wf.validate()
    assert found.n_equal == found.n_figures == sum(len(e.printed) for e in EXAMPLES)
    assert str(found.headline).startswith(f"All {found.n_figures} printed figures")
