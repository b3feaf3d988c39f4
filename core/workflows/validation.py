"""The published worked examples recomputed on this machine: which come out to the printed digit."""

from __future__ import annotations

from dataclasses import dataclass

from core.messages import Message, msg
from core.spc.validation import EXAMPLES, Example, Recomputed, recompute


@dataclass(frozen=True, slots=True)
class Validation:
    """Every example with its figures, in order."""

    found: tuple[tuple[Example, tuple[Recomputed, ...]], ...]

    @property
    def n_figures(self) -> int:
        return sum(len(figures) for _, figures in self.found)

    @property
    def n_equal(self) -> int:
        return sum(f.is_equal for _, figures in self.found for f in figures)

    @property
    def headline(self) -> Message:
        """The finding in a sentence."""
        facts = {"n": self.n_equal, "of": self.n_figures, "m": len(self.found)}
        if self.n_equal == self.n_figures:
            return msg("All {of} printed figures of {m} published examples come out here", of=self.n_figures, m=len(self.found))
        return msg("{n} of {of} printed figures of {m} published examples come out here", **facts)


def validate() -> Validation:
    """Recompute all examples; takes about a second."""
    return Validation(tuple((example, recompute(example)) for example in EXAMPLES))
