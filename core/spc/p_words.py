"""The chance of a test, and numbers of parts or signals, as people read them."""

from __future__ import annotations

import numpy as np

SMALLEST = 1e-4
FEWEST = 1e-5
"""Expected parts per million, or signals, below which the zeros before the digits are no longer counted by a reader."""


def p_words(p: float) -> str:
    """ "p = 0.023", and "p < 0.0001" of what is smaller: the digits of such a chance say more than any test knows.

    Example:
        >>> p_words(0.0234), p_words(2.655e-233), p_words(0.00015)
        ('p = 0.023', 'p < 0.0001', 'p = 0.00015')
    """
    return "p < 0.0001" if p < SMALLEST else f"p = {float(f'{p:.2g}'):.6f}".rstrip("0").rstrip(".")


def count_words(value: float, digits: int = 2) -> str:
    """A number of parts or signals, 0 or more: whole where it has so many digits before the point, else with these, and never with an exponent.

    Example:
        >>> count_words(99.5), count_words(99.4), count_words(0.000042), count_words(1e-9), count_words(0), count_words(1234.6)
        ('100', '99', '0.000042', '< 0.00001', '0', '1,235')
    """
    if value >= 10**digits - 0.5 or value == round(value):
        return f"{value:,.0f}"
    if value < FEWEST:
        return "< 0.00001"
    text = np.format_float_positional(value, precision=digits, unique=False, fractional=False, trim="-")
    return text if value < 1_000 else f"{float(text):,}".removesuffix(".0")
