"""Gage repeatability and reproducibility: how much of the variation of measurements comes from measuring.

Crossed studies, each operator measures each part equally often, by analysis of variance with parts and operators at random; with
one operator, repeatability alone. Nested and destructive studies, bias, linearity and stability are not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.messages import Message, msg
from core.spc.chart import Floats
from core.spc.constants import d2, d3
from core.spc.crossed import Crossed
from core.spc.individuals import NotDefined
from core.spc.p_words import p_words

Source = Literal["part", "operator", "interaction", "repeatability", "total"]
Name = Literal["GRR", "EV", "AV", "operator", "interaction", "PV", "TV"]
Verdict = Literal["acceptable", "conditional", "unacceptable"]

STUDY_SIGMAS = 6.0
POOLED_ABOVE = 0.25
CONFIDENCE = 0.95
GOOD, POOR = 0.10, 0.30
FEWEST_CATEGORIES = 5
DRAWS = 50_000


@dataclass(frozen=True, slots=True)
class Effect:
    """A line of the analysis of variance; `f` and `p` are None where there is nothing to test against."""

    source: Source
    df: int
    ss: float
    ms: float | None
    f: float | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the variation. `variance`, `low` and `high` in squared column unit; `low` to `high` is its confidence interval.

    `contribution` is its share of the total variance and `study` of the total standard deviation, both 0 to 1, `study_low` and `study_high` the
    interval of the latter. `tolerance` is its study variation in parts of the tolerance; None where that is not known. `cut` says that
    the estimate was below 0 and is taken as 0.
    """

    name: Name
    variance: float
    low: float
    high: float
    contribution: float
    study: float
    study_low: float
    study_high: float
    spread: float
    tolerance: float | None
    cut: bool = False

    @property
    def sd(self) -> float:
        """Standard deviation in column unit."""
        return float(np.sqrt(self.variance))


@dataclass(frozen=True, slots=True)
class Gage:
    """The result of a gage study.

    `full` is the analysis of variance with the interaction, `reduced` the one without it, None where it stayed; components come from
    the last there is. `means` and `ranges` (parts, operators) are those of the repeats, in column unit.
    """

    layout: Crossed
    full: tuple[Effect, ...]
    reduced: tuple[Effect, ...] | None
    components: tuple[Component, ...]
    categories: int | None
    means: Floats
    ranges: Floats
    notes: tuple[Message, ...]

    def __getitem__(self, name: Name) -> Component:
        return next(c for c in self.components if c.name == name)

    @property
    def verdict(self) -> Verdict:
        """AIAG's bounds on gage R&R as a share of the total standard deviation: below 10 %, up to 30 %, above."""
        return judged(self["GRR"].study)

    @property
    def tolerance_verdict(self) -> Verdict | None:
        """The same bounds on its share of the tolerance."""
        share = self["GRR"].tolerance
        return None if share is None else judged(share)


def judged(share: float) -> Verdict:
    """The verdict on a share: below 0.1 acceptable, above 0.3 unacceptable; both bounds are conditional.

    Source: AIAG, Measurement Systems Analysis, 4th ed. (2010), guidelines for percent GRR.
    """
    return "acceptable" if share < GOOD else "conditional" if share <= POOR else "unacceptable"


def gage_study(
    values: ArrayLike,
    layout: Crossed,
    *,
    study_sigmas: float = STUDY_SIGMAS,
    tolerance: float | None = None,
    pooled_above: float = POOLED_ABOVE,
    confidence: float = CONFIDENCE,
    seed: int = 7,
    draws: int = DRAWS,
) -> Gage | NotDefined:
    """Variance components of a crossed study by analysis of variance.

    With p parts, o operators, r repeats, all effects at random: σ²(repeatability) = MS_E, σ²(interaction) = (MS_PO − MS_E) / r,
    σ²(operator) = (MS_O − MS_PO) / (p r), σ²(part) = (MS_P − MS_PO) / (o r). Where the p-value of the interaction is above
    `pooled_above`, or r is 1, interaction and repeatability are put together and take the place of MS_PO. An estimate below 0
    is taken as 0 and said. AV is operator and interaction together, GRR is EV and AV, TV is GRR and PV. Distinct categories:
    ⌊1.41 · PV / GRR⌋, at least 1, None where no repeat differs.

    Intervals are generalized confidence intervals: in each of `draws` draws every expected mean square is MS · ν / χ²_ν, components
    are made from those as above (not below 0), and the interval lies between their quantiles. That of EV is the exact one.

    Args:
        values: (n,) measurements in column unit, all there; `layout` says which is which.
        layout: Parts × operators × repeats.
        study_sigmas: Standard deviations of a study variation: 6 (99.73 %) or 5.15 (99 %, older editions of AIAG's manual).
        tolerance: Upper less lower specification limit, column unit.
        pooled_above: p-value of the interaction above which it is pooled; 1 keeps it always, 0 pools it always.
        seed: Of the draws.
        draws: How many; the more, the steadier the ends of the intervals.

    Degenerate cases: one operator and one repeat, or all values equal: `NotDefined`. One operator: AV is 0 and said. No repeat
    that differs: repeatability 0, and the gage may be too coarse, which is said.

    Raises:
        ValueError: a value that is missing or infinite.

    Source: AIAG, Measurement Systems Analysis, 4th ed. (2010), ANOVA method; Burdick, Borror, Montgomery, Design and Analysis of Gauge
    R&R Studies (2005), chapters 3 and 6; the intervals: Hamada and Weerahandi, "Measurement System Assessment via Generalized Inference",
    Journal of Quality Technology 32 (2000) 241-253.
    """
    x = np.asarray(values, dtype=np.float64)[layout.rows]
    if not np.isfinite(x).all():
        raise ValueError("a gage study has a value in every cell; leave out empty rows before the layout is made")
    p, o, r = x.shape
    if o == 1 and r == 1:
        return NotDefined(msg("one operator measured each part once, so that nothing tells the error of the gage"))
    centred = x - x.mean()
    tiny = (8 * np.finfo(np.float64).eps * max(1e-300, float(np.abs(x).max()))) ** 2
    full, by_source = _anova(centred, tiny)
    if not any(e.ss for e in by_source.values()):
        return NotDefined(msg("all values are equal"))
    kept = by_source["interaction"] if r > 1 and o > 1 else None
    pooled = o > 1 and (kept is None or (kept.p is not None and kept.p > pooled_above))
    reduced = _without_interaction(by_source, tiny) if pooled else None
    used = {e.source: e for e in (reduced or full)}
    components, cut = _components(used, (p, o, r), study_sigmas, tolerance, confidence, np.random.default_rng(seed), draws)
    grr, pv = components["GRR"], components["PV"]
    categories = None if grr.variance == 0 else max(1, int(1.41 * pv.sd / grr.sd))
    notes = _notes(x, used, cut, kept if reduced is None else None, categories)
    means, ranges = x.mean(axis=2), x.max(axis=2) - x.min(axis=2)
    return Gage(layout, full, reduced, tuple(components.values()), categories, means, ranges, notes)


def average_and_range(values: ArrayLike, layout: Crossed) -> dict[Name, float] | NotDefined:
    """Standard deviations of EV, AV, GRR, PV and TV by mean ranges, a check by hand of the analysis of variance.

    EV = R̄ / d₂(r); AV = √((x̄_diff / d₂*(o))² − EV² / (p r)), not below 0; PV = R_p / d₂*(p), where R_p is the range of the part means and
    d₂*(m) = √(d₂(m)² + d₃(m)²), the constant for a single range. Interaction goes unseen.

    Degenerate cases: one repeat: `NotDefined`. One operator: AV is 0.

    Source: AIAG, Measurement Systems Analysis, 4th ed. (2010), average and range method; d₂*: Duncan (1986), appendix D3.
    """
    x = np.asarray(values, dtype=np.float64)[layout.rows]
    p, o, r = x.shape
    if r < 2:
        return NotDefined(msg("one repeat has no range"))
    ev = float((x.max(axis=2) - x.min(axis=2)).mean()) / d2(r)
    av = 0.0
    if o > 1:
        means = x.mean(axis=(0, 2))
        av = float(np.sqrt(max(0.0, ((means.max() - means.min()) / _single_range(o)) ** 2 - ev**2 / (p * r))))
    parts = x.mean(axis=(1, 2))
    pv = float(parts.max() - parts.min()) / _single_range(p)
    grr = float(np.hypot(ev, av))
    return {"GRR": grr, "EV": ev, "AV": av, "PV": pv, "TV": float(np.hypot(grr, pv))}


def _single_range(m: int) -> float:
    """d₂* of one range of m values."""
    return float(np.hypot(d2(m), d3(m)))


def _anova(x: Floats, tiny: float) -> tuple[tuple[Effect, ...], dict[Source, Effect]]:
    """Two-way analysis of variance of centred values (p, o, r), one-way for one operator."""
    p, o, r = x.shape
    cells, parts, operators = x.mean(axis=2), x.mean(axis=(1, 2)), x.mean(axis=(0, 2))
    ss: dict[Source, float] = {
        "part": o * r * float((parts**2).sum()),
        "repeatability": float(((x - cells[:, :, None]) ** 2).sum()),
    }
    df: dict[Source, int] = {"part": p - 1, "repeatability": p * o * (r - 1)}
    if o > 1:
        ss["operator"] = p * r * float((operators**2).sum())
        ss["interaction"] = r * float(((cells - parts[:, None] - operators[None, :]) ** 2).sum())
        df |= {"operator": o - 1, "interaction": (p - 1) * (o - 1)}
    ss = {name: squares if squares > tiny * x.size else 0.0 for name, squares in ss.items()}  # less is rounding
    ms = {name: ss[name] / df[name] if df[name] else None for name in ss}
    against: dict[Source, Source] = (
        {"part": "interaction", "operator": "interaction", "interaction": "repeatability"}
        if o > 1
        else {"part": "repeatability"}
    )
    order: tuple[Source, ...] = ("part", "operator", "interaction", "repeatability")
    lines = {
        name: Effect(name, df[name], ss[name], ms[name], *_tested(name, against, ms, df, tiny)) for name in order if name in ss
    }
    total = Effect("total", x.size - 1, float((x**2).sum()), None)
    return (*lines.values(), total), lines


def _tested(
    name: Source, against: dict[Source, Source], ms: dict[Source, float | None], df: dict[Source, int], tiny: float
) -> tuple[float | None, float | None]:
    """F and its p-value, twice None without a denominator."""
    from scipy.stats import f

    other = against.get(name)
    top, below = ms[name], None if other is None else ms[other]
    if other is None or top is None or below is None or below <= tiny:
        return None, None
    return top / below, float(f.sf(top / below, df[name], df[other]))


def _without_interaction(full: dict[Source, Effect], tiny: float) -> tuple[Effect, ...]:
    """The analysis of variance with interaction and repeatability together."""
    both = full["interaction"], full["repeatability"]
    df = {"part": full["part"].df, "operator": full["operator"].df, "repeatability": sum(e.df for e in both)}
    ss = {"part": full["part"].ss, "operator": full["operator"].ss, "repeatability": sum(e.ss for e in both)}
    ms: dict[Source, float | None] = {name: ss[name] / df[name] for name in ss}  # type: ignore[misc]
    against: dict[Source, Source] = {"part": "repeatability", "operator": "repeatability"}
    names: tuple[Source, ...] = ("part", "operator", "repeatability")
    lines = [Effect(n, df[n], ss[n], ms[n], *_tested(n, against, ms, df, tiny)) for n in names]  # type: ignore[arg-type]
    return (*lines, Effect("total", sum(df.values()), sum(ss.values()), None))


def _parts_of_variance(ms: dict[Source, NDArray], shape: tuple[int, int, int]) -> dict[Name, NDArray]:
    """Components from mean squares (draws,), as they come, also below 0."""
    p, o, r = shape
    ev = ms["repeatability"]
    none = np.zeros_like(ev)
    base = ms.get("interaction", ev)
    found: dict[Name, NDArray] = {"EV": ev}
    found["interaction"] = (base - ev) / r if "interaction" in ms else none
    found["operator"] = (ms["operator"] - base) / (p * r) if o > 1 else none
    found["PV"] = (ms["part"] - base) / (o * r)
    return found


def _put_together(found: dict[Name, NDArray]) -> dict[Name, NDArray]:
    """All seven, none below 0, in the order in which they are shown."""
    kept = {name: np.maximum(values, 0.0) for name, values in found.items()}
    kept["AV"] = kept["operator"] + kept["interaction"]
    kept["GRR"] = kept["EV"] + kept["AV"]
    kept["TV"] = kept["GRR"] + kept["PV"]
    order: tuple[Name, ...] = ("GRR", "EV", "AV", "operator", "interaction", "PV", "TV")
    return {name: kept[name] for name in order}


def _components(
    used: dict[Source, Effect],
    shape: tuple[int, int, int],
    study_sigmas: float,
    tolerance: float | None,
    confidence: float,
    rng: np.random.Generator,
    draws: int,
) -> tuple[dict[Name, Component], tuple[Name, ...]]:
    """Estimates with their intervals, and the names of those that were below 0."""
    ms: dict[Source, NDArray] = {s: np.array([e.ms]) for s, e in used.items() if e.ms is not None}
    raw = _parts_of_variance(ms, shape)
    estimates = {name: float(values[0]) for name, values in _put_together(raw).items()}
    cut = tuple(name for name, values in raw.items() if values[0] < 0)
    drawn = {s: e[0] * used[s].df / rng.chisquare(used[s].df, draws) for s, e in ms.items()}
    together = _put_together(_parts_of_variance(drawn, shape))
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    total = together["TV"]
    found: dict[Name, Component] = {}
    for name, variance in estimates.items():
        low, high = (float(q) for q in np.quantile(together[name], tails))
        if name == "EV":  # the exact interval, which the draws only approach
            low, high = _exact(variance, used["repeatability"].df, tails)
        shares = np.sqrt(together[name] / total)
        share_low, share_high = (float(q) for q in np.quantile(shares, tails))
        spread = study_sigmas * float(np.sqrt(variance))
        found[name] = Component(
            name=name,
            variance=variance,
            low=low,
            high=high,
            contribution=variance / estimates["TV"],
            study=float(np.sqrt(variance / estimates["TV"])),
            study_low=share_low,
            study_high=share_high,
            spread=spread,
            tolerance=None if tolerance is None else spread / tolerance,
            cut=name in cut,
        )
    return found, cut


def _exact(variance: float, df: int, tails: tuple[float, float]) -> tuple[float, float]:
    """The interval of a variance with `df` degrees of freedom."""
    from scipy.stats import chi2

    return variance * df / float(chi2.ppf(tails[1], df)), variance * df / float(chi2.ppf(tails[0], df))


def _notes(
    x: Floats, used: dict[Source, Effect], cut: tuple[Name, ...], interaction: Effect | None, categories: int | None
) -> tuple[Message, ...]:
    """What is to be said beside the figures."""
    _, o, r = x.shape
    notes: list[Message] = []
    if o == 1:
        notes.append(msg("one operator: reproducibility cannot be judged, and gage R&R is repeatability alone"))
    elif r == 1:
        notes.append(msg("each operator measured each part once: interaction cannot be told from repeatability"))
    if interaction is not None and interaction.p is not None and interaction.p <= 0.05:
        notes.append(
            msg(
                "operators differ from part to part (interaction {p}): look at which parts they read apart",
                p=p_words(interaction.p),
            )
        )
    words: dict[Name, Message] = {
        "operator": msg("operators"),
        "interaction": msg("interaction of parts and operators"),
        "PV": msg("parts"),
    }
    notes += [msg("the variance of {source} was estimated below 0 and is taken as 0", source=words[name]) for name in cut]
    if categories is None or used["repeatability"].ms == 0:
        notes.append(msg("no repeat differs from the other: the gage may read too coarsely to show its error"))
    elif categories < FEWEST_CATEGORIES:
        notes.append(
            msg(
                "the gage tells {n} categories of these parts apart; {m} or more are asked for",
                n=categories,
                m=FEWEST_CATEGORIES,
            )
        )
    if used["part"].df < 9 or (o > 1 and o < 3):
        notes.append(msg("{p} parts and {o} operators make wide intervals; 10 and 3 are customary", p=used["part"].df + 1, o=o))
    return tuple(notes)
