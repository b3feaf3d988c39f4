"""Published worked examples, recomputed from their data: what the validation screen and its test show."""

from __future__ import annotations

from core.spc.validation.examples import EXAMPLES, Example, Recomputed, recompute

__all__ = ["EXAMPLES", "Example", "Recomputed", "recompute"]
