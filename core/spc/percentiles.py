"""Performance of values that follow a fitted distribution: indices by percentiles or by normal scores, and the parts per million in its tails."""

from __future__ import annotations

from typing import Literal

import numpy as np

from core.messages import msg
from core.spc.capability_indices import (
    Index,
    Indices,
    Outside,
    Specification,
    bench,
    normal_indices,
    one_limit,
    worse,
)
from core.spc.capability_sigma import Spread, overall_spread
from core.spc.chart import Floats
from core.spc.distributions import Fit
from core.spc.individuals import NotDefined

IndexMethod = Literal["percentile", "z"]
LOW, HIGH = 0.00135, 0.99865


def fitted_indices(fit: Fit, spec: Specification, method: IndexMethod = "percentile") -> Indices:
    """Pp and Ppk of a fitted distribution; their intervals are those of `core.spc.index_intervals`.

    percentile: Pp = (USL − LSL) / (X₀.₉₉₈₆₅ − X₀.₀₀₁₃₅), Ppu = (USL − X₀.₅) / (X₀.₉₉₈₆₅ − X₀.₅), Ppl = (X₀.₅ − LSL) / (X₀.₅ − X₀.₀₀₁₃₅). z: a limit is told by the normal
    score of the share beyond it, Ppu = Φ⁻¹(F(USL)) / 3, Ppl = −Φ⁻¹(F(LSL)) / 3, Pp half their sum. For a normal distribution both are the usual indices.

    Args:
        fit: The distribution.
        spec: Limits; the target is not used.
        method: Which of the two.

    Degenerate cases: with one limit Pp is `NotDefined`. A limit where the distribution has nothing has an infinite score: `NotDefined` by method z.

    Source: ISO 22514-2:2017, general geometric method (M 1,1 to M 1,6: percentiles); Z-scores: Bothe, Measuring Process Capability (1997), chapter 8.
    """
    if method == "z":
        below = (
            NotDefined(msg("there is no lower specification limit")) if spec.lower is None else _score(-fit.scores(spec.lower))
        )
        above = (
            NotDefined(msg("there is no upper specification limit")) if spec.upper is None else _score(fit.scores(spec.upper))
        )
        both: Index | NotDefined = one_limit()
        if isinstance(below, Index) and isinstance(above, Index):
            both = Index((below.value + above.value) / 2, None, None)
        elif spec.sides == 2:
            both = below if isinstance(below, NotDefined) else above
    else:
        low, middle, high = (float(v) for v in fit.quantile([LOW, 0.5, HIGH]))
        below = (
            NotDefined(msg("there is no lower specification limit"))
            if spec.lower is None
            else Index((middle - spec.lower) / (middle - low), None, None)
        )
        above = (
            NotDefined(msg("there is no upper specification limit"))
            if spec.upper is None
            else Index((spec.upper - middle) / (high - middle), None, None)
        )
        both = (
            one_limit()
            if spec.lower is None or spec.upper is None
            else Index((spec.upper - spec.lower) / (high - low), None, None)
        )
    return Indices(
        both=both,
        below=below,
        above=above,
        worse=worse([below, above]),
        target=NotDefined(msg("Cpm is for values of a normal distribution")),
        z_bench=bench(fitted_outside(fit, spec)),
    )


def fitted_outside(fit: Fit, spec: Specification) -> Outside:
    """Parts per million that the distribution has outside the limits."""
    return Outside(
        None if spec.lower is None else 1e6 * fit.below(spec.lower),
        None if spec.upper is None else 1e6 * fit.above(spec.upper),
    )


def straightened(fit: Fit, spec: Specification) -> Specification | NotDefined:
    """The limits after the curve of a transformation; the target does not go with them.

    Degenerate cases: a limit outside the values that the curve takes, as 0 for Box-Cox: `NotDefined`, because its distance in straightened values is not finite.
    """
    start, end = fit.curve.support
    found: list[float | None] = []
    for limit in (spec.lower, spec.upper):
        if limit is None:
            found.append(None)
        elif not start < limit < end:
            return NotDefined(
                msg(
                    "the transformation takes values from {low} to {high}, and a limit is {value}",
                    low=start,
                    high=end,
                    value=limit,
                )
            )
        else:
            found.append(float(fit.curve(np.array([limit]))[0]))
    return Specification(found[0], None, found[1])


def transformed_indices(
    fit: Fit, values: Floats, spec: Specification, *, within: Spread | None = None, confidence: float
) -> Indices | NotDefined:
    """Indices of straightened values (n,), as of normal ones, with their intervals; those are for a curve that is known, not fitted.

    Args:
        fit: A Box-Cox or Johnson transformation.
        within: The spread of the straightened values within subgroups; the overall one is taken without it.

    Degenerate cases: those of `straightened`; values that the curve does not take: `NotDefined`.
    """
    limits = straightened(fit, spec)
    if isinstance(limits, NotDefined):
        return limits
    start, end = fit.curve.support
    left = int(((values <= start) | (values >= end)).sum())
    if left:  # the curve may come from a part of very many values
        return NotDefined(msg("the transformation does not take {n} of the values", n=left))
    y = fit.curve(values)
    spread = within or overall_spread(y)
    if isinstance(spread, NotDefined):
        return spread
    return normal_indices(float(y.mean()), spread, len(y), limits, confidence=confidence)


def _score(score: Floats) -> Index | NotDefined:
    value = float(score) / 3
    if not np.isfinite(value):
        return NotDefined(msg("the distribution has nothing beyond the limit, or everything"))
    return Index(value, None, None)
