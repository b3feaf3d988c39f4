"""The chance of a test as people read it."""

from __future__ import annotations

SMALLEST = 1e-4


def p_words(p: float) -> str:
    """ "p = 0.023", and "p < 0.0001" of what is smaller: the digits of such a chance say more than any test knows.

    Example:
        >>> p_words(0.0234), p_words(2.655e-233), p_words(0.00015)
        ('p = 0.023', 'p < 0.0001', 'p = 0.00015')
    """
    return "p < 0.0001" if p < SMALLEST else f"p = {float(f'{p:.2g}'):.6f}".rstrip("0").rstrip(".")
