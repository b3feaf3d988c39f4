"""Our own units are translated where they stand in a sentence or on an axis, those of the data are not."""

from __future__ import annotations

from core.languages import text_in
from core.messages import msg
from core.workflows.unit_words import spoken_unit, unit_words


def test_our_own_units_are_translated_and_those_of_the_data_are_not() -> None:
    chinese = text_in("zh")
    sentence = "All {n} units have failed; half lasted {median} {unit}"
    assert "循环" in chinese(msg(sentence, n=3, median=7, unit=unit_words("cycles")))
    assert "cycles" in str(msg(sentence, n=3, median=7, unit=unit_words("cycles")))
    assert unit_words("bar") == "bar" and unit_words("") == ""
    assert [spoken_unit(u, chinese) for u in ("cycles", "rows", "bar", "")] == ["循环", "行", "bar", ""]
