"""Words on the screen: every visible string goes through `t`, `tn` or `say` and comes back in the session's language.

Catalogues are gettext `.po` files, read by Babel once a process and language. The English text is the message id.
Texts come back plain; `md` escapes them where Streamlit would read Markdown (headings, labels, captions, metrics).
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import streamlit as st
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from core.messages import Message, Value, msg, msg_n

LOCALE_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "locale"
LANGUAGES: dict[str, str] = {"en": "English", "zh": "中文"}
_FOLDERS = {"en": "en", "zh": "zh_CN"}
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
    lang = lang or language()
    message = msg(message) if isinstance(message, str) else message
    return message.render(lambda singular, plural, n: translate(lang, singular, plural, n))


def translate(lang: str, singular: str, plural: str = "", n: int = 1) -> str:
    """The template in a language, or the English one where the catalogue has none."""
    catalogue = _catalogue(lang)
    entry = catalogue.get(singular)
    if entry is None or not entry.string or entry.fuzzy:
        return singular if n == 1 or not plural else plural
    if isinstance(entry.string, str):
        return entry.string
    index = 0 if len(entry.string) == 1 or n == 1 else 1
    return entry.string[index] or (singular if n == 1 else plural)


def md(text: object) -> str:
    """A text in which nothing is Markdown any more, for labels, headings and captions. Line ends become spaces."""
    return _MARKDOWN.sub(r"\\\1", re.sub(r"\s*[\r\n]+\s*", " ", str(text)))


def catalogue_path(lang: str) -> Path:
    """Where the catalogue of a language lies."""
    return LOCALE_FOLDER / _FOLDERS[lang] / "LC_MESSAGES" / "andon.po"


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(lang: str) -> Catalog:
    with catalogue_path(lang).open("rb") as file:
        return read_po(file, locale=_FOLDERS[lang])
