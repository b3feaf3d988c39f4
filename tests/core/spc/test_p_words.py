"""A chance in words: two digits, and none where there are too many zeros."""

from __future__ import annotations

import pytest

from core.spc.p_words import p_words


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
