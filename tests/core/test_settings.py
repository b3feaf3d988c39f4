"""What a setting should have been is said in our words, in the language of the session."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest

from core.errors import SettingProblem
from core.languages import text_in
from core.settings import Settings, setting

ENGLISH_OF_PYDANTIC = re.compile(r"Input|should|valid|unable|parse|[A-Za-z]{4,}")


class Inner(Settings):
    rows: int = 1


class Every(Settings):
    count: int = setting(1, title="", help="", ge=1, le=9)
    share: float = setting(0.5, title="", help="", gt=0, lt=1)
    on: bool = False
    kind: Literal["a", "b"] = "a"
    mark: Literal["", "'", ","] = ","
    word: str = setting("x", title="", help="", min_length=1, max_length=3)
    names: tuple[str, ...] = setting((), title="", help="", max_length=2)
    facts: dict[str, Any] = setting({}, title="", help="")
    inner: Inner = Inner()


SAYS = [
    ({"count": "two"}, "a whole number", "整数"),
    ({"count": 2.5}, "a whole number", "整数"),
    ({"count": 0}, "at least 1", "不小于 1"),
    ({"count": 10}, "at most 9", "不大于 9"),
    ({"share": "much"}, "a number", "数字"),
    ({"share": 0}, "more than 0", "大于 0"),
    ({"share": 1}, "less than 1", "小于 1"),
    ({"share": float("inf")}, "a finite number", "有限的数字"),
    ({"on": "perhaps"}, "yes or no (true or false)", "是或否（true 或 false）"),
    ({"kind": "c"}, "one of 'a', 'b'", "'a', 'b' 之一"),
    ({"mark": ";"}, "one of '', \"'\", ','", "'', \"'\", ',' 之一"),
    ({"word": 3}, "a text", "文本"),
    ({"word": ""}, "at least 1 character", "至少 1 个字符"),
    ({"word": "abcd"}, "at most 3 characters", "最多 3 个字符"),
    ({"names": "abc"}, "a list", "列表"),
    ({"names": ["a", "b", "c"]}, "a list of at most 2 entries", "最多 2 项的列表"),
    ({"facts": 1}, "a set of names with values", "一组名称和值"),
    ({"inner": {"rows": "x"}}, "a whole number", "整数"),
]


@pytest.mark.parametrize(("values", "english", "chinese"), SAYS, ids=[str(s[0]) for s in SAYS])
def test_a_wrong_value_is_answered_in_both_languages(values: dict[str, Any], english: str, chinese: str) -> None:
    with pytest.raises(SettingProblem, match=" is '") as caught:
        Every.read(values)
    assert str(caught.value.expected) == f"Expected: {english}."
    said = text_in("zh")(caught.value.expected)
    assert chinese in said
    assert not ENGLISH_OF_PYDANTIC.search(said.replace("true", "").replace("false", "")), said


def test_a_value_of_a_list_is_named_by_its_place_and_never_as_the_program_does() -> None:
    with pytest.raises(SettingProblem, match=r"^Value 2 of 'names' is '3'\.") as caught:
        Every.read({"names": ["a", 3]})
    assert str(caught.value.fix) == "Change 'names' and try again." and caught.value.values["name"] == "names"
