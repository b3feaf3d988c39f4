"""This screen is being built."""

from __future__ import annotations

from pages.components.layout import headline
from pages.components.text import t

headline(t("Nothing to see here yet"))
