"""A promise of false alarms beside what was seen on the test part: broken, or within chance."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from core import workflows as wf
from core.anomalies.thresholds import Threshold
from core.evaluation import Metric


@pytest.mark.parametrize(
    ("seen", "n", "rate", "expected"),
    [
        ((0.03, 0.02, 0.04), 5000, 0.01, True),  # the limit really gives .0129 at most in 97.5 % of calibrations
        ((0.03, 0.02, 0.04), 99, 0.01, False),  # one of 100: the limit may really give 3.7 %
        ((0.012, 0.008, 0.017), 5000, 0.01, False),  # the interval holds what was promised
        ((0.03, None, None), 5000, 0.01, None),
    ],
)
def test_a_promise_is_called_broken_only_beyond_chance_of_both_sides(
    seen: tuple[float, float | None, float | None], n: int, rate: float, expected: bool | None
) -> None:
    run = SimpleNamespace(metrics={"far": Metric("far", seen[0], 1000, seen[1], seen[2])})
    limit = Threshold(1.0, rate, n, "conformal", "rate")
    assert wf.breaks_promise(run, limit) is expected  # type: ignore[arg-type]
    assert wf.breaks_promise(SimpleNamespace(metrics={}), limit) is None  # type: ignore[arg-type]
