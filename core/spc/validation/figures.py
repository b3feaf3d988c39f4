"""The figures of each published example by the functions of this package, by name."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.spc.attributes import defectives_chart, defects_chart
from core.spc.capability_indices import Index, Specification, normal_indices
from core.spc.capability_sigma import Spread, within_spread
from core.spc.chart import Chart, phases
from core.spc.constants import d2
from core.spc.crossed import Crossed, cross
from core.spc.cusum_shifts import cusum_shifts
from core.spc.gage import Gage, gage_study
from core.spc.individuals import NotDefined
from core.spc.kappa import Kappa, counts_of, fleiss_kappa
from core.spc.normality import Normality, normality
from core.spc.rules import rule_book, signals
from core.spc.subgroups import subgroups_of_size
from core.spc.validation import data
from core.spc.variables import given_process, individuals_charts, mean_and_deviation_charts, mean_and_range_charts
from core.spc.vectors import mewma_limit, t2_individuals, t2_limits, t2_subgroups
from core.spc.weighted import ALLOWANCE, cusum_charts, ewma_chart


def _numbers(text: str) -> NDArray[np.float64]:
    return np.array(text.split(), dtype=np.float64)


def _known(found: object) -> object:
    if isinstance(found, NotDefined):
        raise AssertionError(f"an example is defined: {found.reason}")
    return found


def _pair(found: tuple[Chart, Chart] | NotDefined) -> tuple[Chart, Chart]:
    return _known(found)  # type: ignore[return-value]


def _one(found: Chart | NotDefined) -> Chart:
    return _known(found)  # type: ignore[return-value]


def _value(found: Index | NotDefined) -> Index:
    return _known(found)  # type: ignore[return-value]


def _lines(chart: Chart, i: int = 0, prefix: str = "") -> dict[str, float]:
    return {
        f"{prefix}centre": float(chart.centre[i]),
        f"{prefix}lower limit": float(chart.lower[i]),
        f"{prefix}upper limit": float(chart.upper[i]),
    }


def flow() -> Mapping[str, float]:
    single, ranges = _pair(individuals_charts(data.FLOWRATE))
    centre, wider = float(single.centre[0]), d2(2) / 1.128
    return {
        "centre": centre,
        "mean moving range": float(ranges.centre[0]),
        "lower limit": centre + (float(single.lower[0]) - centre) * wider,
        "upper limit": centre + (float(single.upper[0]) - centre) * wider,
    }


def nist_ewma() -> Mapping[str, float]:
    found = ewma_chart(given_process(data.EWMA, target=50, sigma=2.0539), weight=0.3)
    return {f"EWMA {i + 1}": float(v) for i, v in enumerate(found.points)}


def nist_cusum() -> Mapping[str, float]:
    sigma = 0.635
    high, low = cusum_charts(
        given_process(data.CUSUM, target=325, sigma=sigma), allowance=0.3175 / sigma, interval=4.1959 / sigma
    )
    return {
        **{f"upper sum {i + 1}": float(v) * sigma for i, v in enumerate(high.points)},
        **{f"lower sum {i + 1}": -float(v) * sigma for i, v in enumerate(low.points)},
        "first group outside": float(np.flatnonzero(high.outside)[0] + 1),
    }


def wafers() -> Mapping[str, float]:
    found = _one(defects_chart(data.WAFERS, kind="c"))
    return {**_lines(found), "point outside": float(np.flatnonzero(found.outside)[0] + 1)}


def montgomery_cusum() -> Mapping[str, float]:
    process = given_process(data.MONTGOMERY_9_1, target=10, sigma=1)
    charts = cusum_charts(process)
    shift, *_ = cusum_shifts(process, charts, [signals(chart, rule_book("nelson")) for chart in charts], ALLOWANCE)
    return {
        **{f"upper sum {i + 1}": float(v) for i, v in enumerate(charts[0].points[:29])},
        "first period outside": float(np.flatnonzero(charts[0].outside)[0] + 1),
        "last period in control": float(shift.start),
        "periods above zero, N+": float(shift.count),
        "estimated new mean": shift.mean,
    }


def rings() -> Mapping[str, float]:
    groups, of = subgroups_of_size(_numbers(data.RINGS), 5), phases(40, np.arange(40) < 25)
    means, ranges = _pair(mean_and_range_charts(groups, of))
    _, deviations = _pair(mean_and_deviation_charts(groups, of))
    return {
        "centre of means": float(means.centre[0]),
        "lower limit of means": float(means.lower[0]),
        "upper limit of means": float(means.upper[0]),
        "sigma by ranges": float(means.sigma[0]) * d2(5) / 2.326,
        "centre of ranges": float(ranges.centre[0]),
        "centre of deviations": float(deviations.centre[0]),
        "sigma by deviations": float(deviations.sigma[0]),
        "upper limit of deviations": float(deviations.upper[0]),
    }


def juice() -> Mapping[str, float]:
    first = phases(54, np.arange(54) < 30)
    share = _one(defectives_chart(data.ORANGE_JUICE, 50, first))
    number = _one(defectives_chart(data.ORANGE_JUICE, 50, first, kind="np"))
    return {**_lines(share, prefix="p: "), **_lines(number, prefix="np: ")}


def circuits() -> Mapping[str, float]:
    first = np.arange(46) < 26
    found = _one(defects_chart(data.CIRCUITS, 100, phases(46, first), kind="c"))
    rate = _one(defects_chart(data.CIRCUITS, 100, phases(46, first & ~np.isin(np.arange(46), [5, 19])), kind="u"))
    return {**_lines(found, prefix="c: "), **_lines(rate, 30, prefix="u: ")}


def ryan() -> Mapping[str, float]:
    table = np.column_stack([_numbers(data.RYAN_1), _numbers(data.RYAN_2)])
    found = _one(t2_subgroups(table, np.tile(np.arange(20), 4), alpha=1 - 0.9973**2))
    return {
        "largest T²": float(found.points.max()),
        "median T²": float(np.median(found.points)),
        "limit, Phase I": float(found.upper[0]),
        "limit, Phase II": t2_limits(20, 2, 4, 1 - 0.9973**2)[1],
    }


def boiler() -> Mapping[str, float]:
    found = _one(t2_individuals(_numbers(data.BOILER).reshape(25, 8), alpha=0.001))
    return {
        "largest T²": float(found.points.max()),
        "median T²": float(np.median(found.points)),
        "limit, Phase I": float(found.upper[0]),
        "limit, Phase II": t2_limits(25, 8, 1, 0.001)[1],
    }


def mewma() -> Mapping[str, float]:
    return {
        "p = 4, λ = 0.25, ARL 500": mewma_limit(4, 0.25, 500.0),
        **{f"p = 3, λ = {weight}, ARL 1000": mewma_limit(3, weight, 1000.0) for weight in (0.25, 0.1, 0.05)},
    }


def capability() -> Mapping[str, float]:
    rings = _numbers(data.RINGS)[:125]
    spread: Spread = _known(within_spread(rings, subgroups_of_size(rings, 5), "R-bar/d2"))  # type: ignore[assignment]
    # qcc takes n − 1 degrees of freedom for all intervals.
    found = normal_indices(
        float(rings.mean()),
        Spread(spread.sigma, 124, "overall", 0.99),
        125,
        Specification(73.95, 74.0, 74.05),
        with_target=True,
    )
    cp, cpk = _value(found.both), _value(found.worse)
    return {
        "Cp": cp.value,
        "Cp, low": float(cp.low or np.nan),
        "Cp, high": float(cp.high or np.nan),
        "Cpl": _value(found.below).value,
        "Cpu": _value(found.above).value,
        "Cpk": cpk.value,
        "Cpk, low": float(cpk.low or np.nan),
        "Cpk, high": float(cpk.high or np.nan),
        "Cpm": _value(found.target).value,
    }


def gage() -> Mapping[str, float]:
    parts, operators, _ = np.meshgrid(np.arange(10), np.arange(3), np.arange(3), indexing="ij")
    layout: Crossed = _known(cross(parts.ravel().astype(str), operators.ravel().astype(str)))  # type: ignore[assignment]
    found: Gage = _known(gage_study(data.AIAG.ravel(), layout))  # type: ignore[assignment]
    lines = {e.source: e for e in found.full}
    return {
        "sum of squares, parts": lines["part"].ss,
        "sum of squares, operators": lines["operator"].ss,
        "sum of squares, interaction": lines["interaction"].ss,
        "sum of squares, repeatability": lines["repeatability"].ss,
        "EV": found["EV"].sd,
        "AV": found["AV"].sd,
        "PV": found["PV"].sd,
        "number of distinct categories": float(found.categories or np.nan),
    }


def kappa() -> Mapping[str, float]:
    codes = np.array([[int(c) for c in row] for row in data.DIAGNOSES.split()])
    found: Kappa = _known(fleiss_kappa(counts_of(codes - 1, 5)))  # type: ignore[assignment]
    return {"kappa": found.value, "z": found.value / found.error_by_chance}


def anderson() -> Mapping[str, float]:
    found: Normality = _known(normality(_numbers(data.NAG)))  # type: ignore[assignment]
    return {"A²": found.a2, "A² adjusted": found.adjusted, "p": found.p}
