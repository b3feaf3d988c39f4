"""One way to declare a parameter: default, range, unit and help stand once, in a frozen pydantic model.

The form on the page, the check, the JSON on disk, the help table and the boundary tests are made from that one
declaration. Unknown keys are refused, so a misspelling never passes silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from core.errors import SettingProblem, unknown_choice
from core.messages import Message, msg, msg_n


class Settings(BaseModel):
    """Base of every settings and manifest record: frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Settings from JSON values or from command-line texts ("128", "0.5", "true").

        Raises:
            SettingProblem: an unknown key, or a value outside what its field allows.
        """
        for key in values:
            if key not in cls.model_fields:
                raise unknown_choice("setting", key, cls.model_fields)
        try:
            return cls.model_validate(dict(values), strict=False)
        except ValidationError as error:
            raise _as_problem(cls, error) from error

    def with_values(self, **changes: Any) -> Self:
        """A checked copy with some fields changed."""
        return self.read({**self.model_dump(), **changes})


def setting(default: Any, *, title: str, help: str, unit: str = "", expert: bool = True, **bounds: Any) -> Any:
    """Declare one parameter. `title` and `help` are gettext ids; `bounds` are pydantic's (ge, le, gt, lt)."""
    return Field(default, title=title, description=help, json_schema_extra={"unit": unit, "expert": expert}, **bounds)


def field_bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    """The smallest and largest allowed value of a numeric field, or None where it is open."""
    low = high = None
    for rule in field.metadata:
        low = getattr(rule, "ge", getattr(rule, "gt", low))
        high = getattr(rule, "le", getattr(rule, "lt", high))
    return low, high


def _as_problem(cls: type[Settings], error: ValidationError) -> SettingProblem:
    first = error.errors()[0]
    loc, value = first["loc"], str(first.get("input"))[:80]
    name = ".".join(str(part) for part in loc) or cls.__name__
    what = msg("{name} is '{value}'.", name=name, value=value)
    if (
        len(loc) == 2 and isinstance(loc[1], int) and loc[0] in cls.model_fields
    ):  # one of a list: a person knows it by its place
        name = str(loc[0])
        what = msg(
            "Value {n} of '{name}' is '{value}'.",
            n=loc[1] + 1,
            name=Message(cls.model_fields[name].title or name, {}),
            value=value,
        )
    return SettingProblem(
        what,
        msg("Expected: {rule}.", rule=expected_rule(first["type"], first.get("ctx") or {})),
        msg("Change '{name}' and try again.", name=name),
        name=name,
        value=first.get("input"),
    )


def expected_rule(kind: str, facts: Mapping[str, Any]) -> Message:
    """What a value should have been, in our words: pydantic has its own only in English.

    Args:
        kind: pydantic's name of the error, for example "int_parsing" or "greater_than_equal".
        facts: its context: the bound, the length or the choices.

    Example:
        >>> str(expected_rule("less_than_equal", {"le": 10}))
        'at most 10'
        >>> str(expected_rule("literal_error", {"expected": "'adam' or 'sgd'"}))
        "one of 'adam', 'sgd'"
    """
    if kind in _BOUNDS:
        fact, rule = _BOUNDS[kind]
        return rule(facts[fact])
    if kind == "literal_error":
        choices = [c for c in _CHOICE.findall(str(facts.get("expected", ""))) if c != "or"]
        return msg("one of {choices}", choices=", ".join(choices))
    return next((rule for start, rule in _TYPES if kind.startswith(start)), msg("a value of another kind"))


_CHOICE = re.compile(r"""'(?:[^'\\]|\\.)*'|"[^"]*"|[\w.]+""")  # 'a', 'b' or "'"
_BOUNDS: dict[str, tuple[str, Callable[[Any], Message]]] = {
    "greater_than_equal": ("ge", lambda bound: msg("at least {bound}", bound=bound)),
    "greater_than": ("gt", lambda bound: msg("more than {bound}", bound=bound)),
    "less_than_equal": ("le", lambda bound: msg("at most {bound}", bound=bound)),
    "less_than": ("lt", lambda bound: msg("less than {bound}", bound=bound)),
    "string_too_short": ("min_length", lambda n: msg_n("at least {n} character", "at least {n} characters", n)),
    "string_too_long": ("max_length", lambda n: msg_n("at most {n} character", "at most {n} characters", n)),
    "too_short": ("min_length", lambda n: msg_n("a list of at least {n} entry", "a list of at least {n} entries", n)),
    "too_long": ("max_length", lambda n: msg_n("a list of at most {n} entry", "a list of at most {n} entries", n)),
}
_TYPES: tuple[tuple[str, Message], ...] = (
    ("int_", msg("a whole number")),
    ("float_", msg("a number")),
    ("finite_number", msg("a finite number")),
    ("bool_", msg("yes or no (true or false)")),
    ("string_", msg("a text")),
    ("tuple_", msg("a list")),
    ("list_", msg("a list")),
    ("dict_", msg("a set of names with values")),
    ("model_", msg("a set of names with values")),
    ("missing", msg("a value")),
    ("extra_forbidden", msg("no setting of this name")),
    ("none_required", msg("no value")),
)
