"""COPOD: the chance of a value at least as extreme in each column, by an empirical copula."""

from __future__ import annotations

from core.messages import msg
from core.models.ecod import TailProbabilities

SPEC = TailProbabilities(
    key="copod",
    title=msg("Copula tails (COPOD)"),
    summary=msg("Nothing to tune, like ECOD: both tails of a column count together, which forgives moderate values."),
    source="Li, Zhao, Botta, Ionescu, Hu (2020), ICDM, arXiv:2009.09463",
    is_copula=True,
)
