"""A sentence that has not been spoken yet: an English template, its values, and no language.

`core` never holds finished sentences, because the language belongs to the session and not to the process.
It returns a `Message`; the template is the gettext id, so a page translates it and the command line prints it
in English. Translation itself lives in `pages/components/text.py`; this module never imports gettext.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias, Union

Value: TypeAlias = Union[str, int, float, bool, None, "Message"]
Translate = Callable[[str, str, int], str]


def _english(singular: str, plural: str, n: int) -> str:
    return singular if n == 1 or not plural else plural


@dataclass(frozen=True, slots=True)
class Message:
    """An English template with `{named}` places and the values that fill them.

    Args:
        id: The template; it is the gettext message id.
        values: What fills the places. A value may be a `Message` itself; it is translated first.
        plural: The template for n other than one, or "" where the sentence has no plural.
        n: The count that chooses between the two.

    Example:
        >>> str(msg("Column '{column}' has {n} empty cells", column="p1", n=3))
        "Column 'p1' has 3 empty cells"
        >>> str(msg_n("{n} row", "{n} rows", 1))
        '1 row'
    """

    id: str
    values: Mapping[str, Value] = field(default_factory=dict)
    plural: str = ""
    n: int = 1

    def render(self, translate: Translate = _english) -> str:
        """The finished sentence. `translate(singular, plural, n)` looks the template up in a language."""
        filled = {k: v.render(translate) if isinstance(v, Message) else _plain(v) for k, v in self.values.items()}
        return translate(self.id, self.plural, self.n).format_map(filled)

    def __str__(self) -> str:
        return self.render()

    def to_json(self) -> dict[str, object]:
        """The form that is stored and travels between processes."""
        values = {k: v.to_json() if isinstance(v, Message) else v for k, v in self.values.items()}
        return {"id": self.id, "values": values, "plural": self.plural, "n": self.n}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Self:
        """The message that `to_json` wrote."""
        raw: Any = stored.get("values") or {}
        values = {k: cls.from_json(v) if isinstance(v, dict) and "id" in v else v for k, v in raw.items()}
        return cls(str(stored["id"]), values, str(stored.get("plural", "")), int(stored.get("n", 1)))  # type: ignore[call-overload]


def _plain(value: Value) -> str:
    """Numbers as people read them: 4 significant digits and thousands separated; everything else as it is."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return str(value)


def msg(template: str, /, **values: Value) -> Message:
    """A message without a plural. Babel extracts the first argument of every `msg(` call."""
    return Message(template, values)


def msg_n(singular: str, plural: str, n: int, /, **values: Value) -> Message:
    """A message whose wording depends on the count `n`, which also fills `{n}`."""
    return Message(singular, {"n": n, **values}, plural, n)
