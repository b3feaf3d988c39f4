"""A chance in words: two digits, and none where there are too many zeros."""

from __future__ import annotations

import pytest

from core.spc.p_words import count_words, p_words


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (2.655e-233, "p < 0.0001"),
        (0.0, "p < 0.0001"),
        (1e-4, "p = 0.0001"),
        (0.04567, "p = 0.046"),
        (1.0, "p = 1"),
        (0.5, "p = 0.5"),
    ],
)
def test_a_chance_is_told_with_two_digits(p: float, words: str) -> None:
    assert p_words(p) == words


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [
        (0.0, 2, "0"),
        (4e-5, 2, "0.00004"),
        (0.5399, 2, "0.54"),
        (9.96, 2, "10"),
        (99.4, 2, "99"),
        (99.5, 2, "100"),
        (99.99, 2, "100"),
        (12_345.6, 2, "12,346"),
        (3.4e-7, 2, "< 0.00001"),
        (4e-5, 5, "0.00004"),
        (1_234.56, 5, "1,234.6"),
        (99_999.7, 5, "100,000"),
        (123_456.7, 5, "123,457"),
    ],
)
def test_a_number_of_parts_is_told_without_an_exponent(value: float, digits: int, words: str) -> None:
    """Just below a hundred two digits are "1e+02", and a few parts in a billion "4e-05"."""
    assert count_words(value, digits) == words
