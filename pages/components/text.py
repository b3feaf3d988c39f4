"""Words on the screen: every visible string goes through `t`, `tn` or `say` and comes back in the session's language.

The catalogues themselves are read in `core.languages`. The English text is the message id.
Texts come back plain; `md` escapes them where Streamlit would read Markdown (headings, labels, captions, metrics).
"""

from __future__ import annotations

import re

import streamlit as st

from core.languages import LANGUAGES, LOCALE_FOLDER, catalogue_path, text_in, translate
from core.messages import Message, Value, msg, msg_n

__all__ = ["LANGUAGES", "LOCALE_FOLDER", "catalogue_path", "language", "md", "say", "t", "tn", "translate"]
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|$:~])")


def language() -> str:
    """The session's language: a new address, else the switch, else the browser's, else English."""
    known = st.session_state.get("_address", {}).get("lang")
    address, switch = st.query_params.get("lang"), st.session_state.get("lang")
    if address in LANGUAGES and address != known:
        return str(address)
    if switch in LANGUAGES:
        return str(switch)
    return "zh" if (st.context.locale or "").lower().startswith("zh") else "en"


def t(template: str, /, **values: Value) -> str:
    """A sentence in the session's language. The template is a literal; Babel's extractor reads it from the source."""
    return say(msg(template, **values))


def tn(singular: str, plural: str, n: int, /, **values: Value) -> str:
    """A sentence whose wording depends on the count `n`, which also fills `{n}`."""
    return say(msg_n(singular, plural, n, **values))


def say(message: Message | str, lang: str | None = None) -> str:
    """A message of `core` in the session's language; a plain text (a setting's title) is looked up as it stands."""
    return text_in(lang or language())(msg(message) if isinstance(message, str) else message)


def md(text: object) -> str:
    """A text in which nothing is Markdown any more, for labels, headings and captions. Line ends become spaces."""
    return _MARKDOWN.sub(r"\\\1", re.sub(r"\s*[\r\n]+\s*", " ", str(text)))
