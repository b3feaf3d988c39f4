"""Cells such as 12 %, $1,234.56 or (3.50): numbers with a sign of percent or currency, or in an accountant's brackets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.data.staging import number_sql

_CURRENCIES = "$€£¥₹₩"
_WORDS = ("USD", "EUR", "GBP", "CNY", "RMB", "JPY", "CHF", "元")
_SIGN = "|".join([*(re.escape(c) for c in _CURRENCIES), *_WORDS, "%"])
_CELL = re.compile(rf"[+-]?\(?[+-]?\s?({_SIGN})?\s?[+-]?\d[\d.,' ]*\s?({_SIGN})?\)?")


@dataclass(frozen=True, slots=True)
class SignReading:
    """How a column of such cells is read: its decimal mark, a cell as an example, and the unit that the sign stands for
    ("" where there are several or none)."""

    decimal: str
    example: str
    unit: str

    def sql(self, column: str) -> str:
        """The cell as DOUBLE, NULL where it is no number; brackets mean below zero, as accountants write."""
        bare = f"trim(regexp_replace({column}, '({_SIGN}|[()+-]|\\s)', '', 'g'))"
        thousands = "," if self.decimal == "." else "."
        number = number_sql(bare, self.decimal, thousands)
        below = f"(contains({column}, '-') OR regexp_full_match(trim({column}), '.*\\(.*\\).*'))"
        fits = f"regexp_full_match(trim({column}), '{_CELL.pattern.replace(chr(39), chr(39) * 2)}')"
        return f"CASE WHEN {fits} THEN (CASE WHEN {below} THEN -1 ELSE 1 END) * {number} END"


def sign_reading(cells: Sequence[str], decimal: str) -> SignReading | None:
    """The reading of a sample of cells, or None where not all of them are such cells or none has a sign or bracket."""
    texts = [c.strip() for c in cells]
    if not texts or not all(_CELL.fullmatch(t) for t in texts):
        return None
    signed = [t for t in texts if re.search(_SIGN, t) or t.startswith("(")]
    if not signed:
        return None
    signs = {s for t in texts for s in re.findall(_SIGN, t)}
    return SignReading(decimal, signed[0], signs.pop() if len(signs) == 1 else "")
