"""Words: languages, plurals, and user text that stays text."""

from __future__ import annotations

import pytest

from core.messages import msg, msg_n
from pages.components.text import catalogue_path, md, say, translate

PAYLOADS = [
    "![x](http://evil.example/a.png)", "[a](javascript:alert(1))", "**bold**", "_i_", "`code`", "$\\LaTeX$", "<script>alert(1)</script>",
    ":red[x]", ":material/home:", "# title", "1. item", "- item", "> quote", "a|b", "~~gone~~", "http://evil.example", "&amp;", "a\nb",
]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
def test_md_leaves_no_markdown(payload: str) -> None:
    escaped = md(payload)
    bare = escaped.replace("\\\\", "")
    for sign in "`*_{}[]<>()#+-.!|$~:":
        assert bare.count(sign) == bare.count(f"\\{sign}")
    assert "\n" not in escaped


def test_say_fills_a_message_inside_a_message() -> None:
    inner = msg("it is a time or group column")
    assert say(msg("'{column}' ({reason})", column="t", reason=inner), "zh") == "“t”（它是时间列或分组列）"


def test_plural_follows_the_language() -> None:
    assert say(msg_n("{n} column", "{n} columns", 1), "en") == "1 column"
    assert say(msg_n("{n} column", "{n} columns", 3), "en") == "3 columns"
    assert say(msg_n("{n} column", "{n} columns", 1), "zh") == "1 列"


def test_an_unknown_template_stays_english() -> None:
    assert translate("zh", "no such template {x}") == "no such template {x}"
    assert translate("zh", "one", "many", 2) == "many"


def test_catalogues_lie_where_gettext_expects_them() -> None:
    assert catalogue_path("zh").parts[-3:] == ("zh_CN", "LC_MESSAGES", "andon.po")
