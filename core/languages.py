"""The languages and their gettext catalogues: a message in a language that the caller names.

Catalogues are `.po` files read by Babel, once a process and language. Which language a session speaks is the pages'
business; nothing here remembers one. The English text is the message id.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from core.messages import Message

LOCALE_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "locale"
LANGUAGES: dict[str, str] = {"en": "English", "zh": "中文"}
_FOLDERS = {"en": "en", "zh": "zh_CN"}


def text_in(language: str) -> Callable[[Message], str]:
    """A function that says messages in a language ("en" or "zh")."""
    return lambda message: message.render(lambda singular, plural, n: translate(language, singular, plural, n))


def translate(language: str, singular: str, plural: str = "", n: int = 1) -> str:
    """The template in a language, or the English one where the catalogue has none."""
    entry = catalogue(language).get(singular)
    if entry is None or not entry.string or entry.fuzzy:
        return singular if n == 1 or not plural else plural
    if isinstance(entry.string, str):
        return entry.string
    index = 0 if len(entry.string) == 1 or n == 1 else 1
    return entry.string[index] or (singular if n == 1 else plural)


def catalogue_path(language: str) -> Path:
    """Where the catalogue of a language lies."""
    return LOCALE_FOLDER / _FOLDERS[language] / "LC_MESSAGES" / "andon.po"


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Catalog:
    """The catalogue of a language, read once a process."""
    with catalogue_path(language).open("rb") as file:
        return read_po(file, locale=_FOLDERS[language])
