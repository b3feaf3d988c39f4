"""One way to declare a parameter: default, range, unit and help stand once, in a frozen pydantic model.

The form on the page, the check, the JSON on disk, the help table and the boundary tests are made from that one
declaration. Unknown keys are refused, so a misspelling never passes silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from core.errors import SettingProblem, unknown_choice
from core.messages import msg


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
    name = ".".join(str(part) for part in first["loc"]) or cls.__name__
    return SettingProblem(
        msg("{name} is '{value}'.", name=name, value=str(first.get("input"))[:80]),
        msg("Expected: {rule}.", rule=str(first["msg"])),
        msg("Change '{name}' and try again.", name=name),
        name=name,
        value=first.get("input"),
    )
