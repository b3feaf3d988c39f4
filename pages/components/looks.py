"""The look and the words that every figure of `core.charts` is drawn with."""

from __future__ import annotations

from typing import Any

from core.charts import DARK, LIGHT
from pages.components import charts
from pages.components.text import say


def charts_look() -> dict[str, Any]:
    """`theme` and `text` of a chart function, for the browser's theme and the session's language."""
    return {"theme": DARK if charts.is_dark() else LIGHT, "text": say}
