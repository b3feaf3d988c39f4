"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pages.components import numbers


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (241_920, "", "241,920"),
        (0.0213456, "mm", "0.02135 mm"),
        (48.0, "mm", "48 mm"),
        (-3.14159, "", "-3.142"),
        (12_345.678, "", "12,346"),
        (9147.3, "kPa", "9,147 kPa"),
        (1e-9, "", "1e-09"),
        (None, "mm", "–"),
        (float("nan"), "", "–"),
    ],
)
def test_number_has_four_significant_digits(value: float | None, unit: str, text: str) -> None:
    assert numbers.number(value, unit) == text


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.018, "1.8 %"), (0.0, "0 %"), (1.0, "100 %"), (0.0001, "< 0.1 %"), (0.64, "64 %"), (None, "–")]
)
def test_percent_never_rounds_a_share_to_nothing(fraction: float | None, text: str) -> None:
    assert numbers.percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45 s"), (130, "2 min"), (3900, "65 min"), (7500, "2 h 5 min"), (259_200, "3 days"), (None, "–")]
)
def test_duration_shows_the_largest_units(seconds: float | None, text: str) -> None:
    assert numbers.duration(seconds) == text


def test_moment_keeps_the_clock_of_a_naive_time() -> None:
    assert numbers.moment(datetime(2026, 5, 1, 6, 42)) == "1 May 2026 06:42"


def test_period_drops_the_clock_when_it_is_long() -> None:
    first = datetime(2026, 5, 1, 6, 42)
    assert numbers.period(first, first + timedelta(days=1)) == "1 May 2026 06:42 – 2 May 2026 06:42"
    assert numbers.period(first, first + timedelta(days=10)) == "01 May 2026 – 11 May 2026"


def test_ago_counts_from_now() -> None:
    assert numbers.ago(datetime.now(UTC)) == "just now"
    assert numbers.ago(datetime.now(UTC) - timedelta(minutes=5, seconds=1)) == "5 min ago"


def test_five_digits_round_as_text_does() -> None:
    generator = np.random.default_rng(7)
    values = generator.normal(size=2_000) * 10.0 ** generator.integers(-12, 12, 2_000)
    values[:5] = [0.0, np.nan, np.inf, 99_999.6, 1e-300]
    expected = [float(f"{v:.5g}") if np.isfinite(v) else v for v in values]
    np.testing.assert_array_equal(numbers.five_digits(values), expected)
