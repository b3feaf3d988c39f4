"""Indices by hand and by published output, their intervals against simulation, and what is not defined.

QCC: R package qcc, process.capability of the piston rings; the printed values as they are held by the tests of the Python package mistat
(Kenett, Zacks, Gedeck, 2022, mistat/qcc/tests/test_processCapability.py).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.spc.capability_indices import (
    Index,
    Indices,
    Specification,
    normal_indices,
    normal_outside,
    observed_outside,
    specification,
)
from core.spc.capability_sigma import Spread, overall_spread, within_spread
from core.spc.constants import d2
from core.spc.individuals import NotDefined
from core.spc.subgroups import subgroups, subgroups_of_size
from tests.core.spc.test_published import RINGS, numbers

SPEC = Specification(8.0, 14.0, 20.0)


def index(found: Index | NotDefined) -> Index:
    assert isinstance(found, Index), str(found)
    return found


def spread_of(found: Spread | NotDefined) -> Spread:
    assert isinstance(found, Spread), str(found)
    return found


def ends(found: Index | NotDefined) -> tuple[float, float, float]:
    i = index(found)
    assert i.low is not None and i.high is not None
    return i.value, i.low, i.high


def test_indices_by_hand() -> None:
    found = normal_indices(16.0, Spread(2.0, 99, "overall", 1.0), 100, SPEC, with_target=True)
    assert index(found.both).value == 1.0  # 12 / (6 · 2)
    assert (index(found.below).value, index(found.above).value) == pytest.approx((8 / 6, 4 / 6))
    assert index(found.worse) == index(found.above)
    # Bissell by hand: 1.95996 √(1/900 + 0.44444/198) = 0.11354
    assert ends(found.worse) == pytest.approx((0.66667, 0.55313, 0.78021), abs=1e-5)
    assert index(found.target).value == pytest.approx(12 / (6 * np.sqrt(8)))  # τ² = 4 + (16 − 14)²
    assert found.z_bench == pytest.approx(stats.norm.isf(stats.norm.sf(2) + stats.norm.cdf(-4)))


def test_a_target_off_the_middle_is_judged_by_the_nearer_limit() -> None:
    found = normal_indices(16.0, Spread(2.0, 99, "overall", 1.0), 100, Specification(8.0, 17.0, 20.0), with_target=True)
    assert index(found.target).value == pytest.approx(3 / (3 * np.sqrt(4 + 1)))


@pytest.mark.parametrize(
    ("limits", "printed"),
    [
        ((73.95, 74.05), {"both": (1.703, 1.491, 1.915), "below": 1.743, "above": 1.663, "worse": (1.663, 1.448, 1.878), "target": 1.691}),
        ((73.99, 74.01), {"both": (0.3407, 0.2983, 0.3830), "below": 0.3807, "above": 0.3006, "worse": (0.3006, 0.2312, 0.3700), "target": 0.3382}),
        ((73.99, 74.1), {"both": (1.8736, 1.6406, 2.1063), "below": 0.3807, "above": 3.3665, "worse": (0.3807, 0.3055, 0.4559), "target": 0.4083}),
    ],
)  # fmt: skip
def test_piston_rings_as_qcc_prints_them(limits: tuple[float, float], printed: dict[str, object]) -> None:
    rings = numbers(RINGS)[:125]
    sigma = spread_of(within_spread(rings, subgroups_of_size(rings, 5))).sigma
    # qcc takes d₂ from a table of three decimals, 2.326.
    assert (rings.mean(), sigma * d2(5) / 2.326) == pytest.approx((74.00118, 0.009785039), rel=2e-7)
    # qcc takes sigma by R̄/d₂ and n − 1 degrees of freedom for all intervals.
    found = normal_indices(
        float(rings.mean()),
        Spread(sigma, 124, "overall", 0.99),
        125,
        Specification(limits[0], sum(limits) / 2, limits[1]),
        with_target=True,
    )
    for part, value in printed.items():
        if isinstance(value, tuple):
            assert ends(getattr(found, part)) == pytest.approx(value, rel=5e-4), part
        elif part != "target" or limits[1] < 74.06:
            assert index(getattr(found, part)).value == pytest.approx(value, rel=5e-4), part
    # Of a one-sided index qcc prints 95 % bounds to either side, which together are a two-sided 90 %.
    ninety = normal_indices(
        float(rings.mean()),
        Spread(sigma, 124, "overall", 0.99),
        125,
        Specification(*limits[:1], None, limits[1]),
        confidence=0.9,
    )
    if limits == (73.95, 74.05):
        assert ends(ninety.above) == pytest.approx((1.663, 1.483, 1.844), rel=5e-4)
        assert ends(ninety.below) == pytest.approx((1.743, 1.555, 1.932), rel=5e-4)


def test_parts_per_million_of_the_piston_rings() -> None:
    rings = numbers(RINGS)[:125]
    spec = Specification(73.99, None, 74.01)
    seen, expected = observed_outside(rings, spec), normal_outside(float(rings.mean()), 0.009785039, spec)
    # qcc prints 12 and 16 % observed, 13 and 18 % expected.
    assert [round(v / 1e4) for v in (seen.below, seen.above, expected.below, expected.above) if v is not None] == [
        12,
        16,
        13,
        18,
    ]
    assert seen.total == pytest.approx(1e6 * float(((rings < 73.99) | (rings > 74.01)).mean()))


def test_one_limit_leaves_cp_undefined_and_says_so() -> None:
    found = normal_indices(16.0, Spread(2.0, 99, "overall", 1.0), 100, Specification(None, 15.0, 20.0), with_target=True)
    assert isinstance(found.both, NotDefined) and "both specification limits" in str(found.both.reason)
    assert isinstance(found.below, NotDefined) and "no lower" in str(found.below.reason)
    assert index(found.worse) == index(found.above)
    assert index(found.target).value == pytest.approx(5 / (3 * np.sqrt(4 + 1)))
    assert found.z_bench == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ((None, 1.0, None), "no specification limit"),
        ((5.0, None, 1.0), "do not ascend"),
        ((1.0, None, 1.0), "do not ascend"),
        ((1.0, 9.0, 5.0), "do not ascend"),
        ((float("nan"), None, 5.0), "do not ascend"),
    ],
)
def test_limits_that_are_none(given: tuple[float | None, float | None, float | None], why: str) -> None:
    found = specification(*given)
    assert isinstance(found, NotDefined) and why in str(found.reason)


def test_a_spread_needs_values_that_spread() -> None:
    for values, why in ((np.full(40, 3.0), "do not spread"), (np.array([1.0]), "there are 1")):
        found = overall_spread(values)
        assert isinstance(found, NotDefined) and why in str(found.reason)
    one = within_spread([], subgroups(np.arange(5.0), np.zeros(5)))
    assert isinstance(one, NotDefined) and "at least 5 subgroups" in str(one.reason)


@pytest.mark.parametrize(
    ("method", "size", "relative"),
    [("MR-bar/d2", 1, 0.045), ("R-bar/d2", 5, 0.045), ("S-bar/c4", 5, 0.045), ("pooled", 5, 0.045)],
)
def test_degrees_of_freedom_are_those_that_simulation_gives(method: str, size: int, relative: float) -> None:
    rng = np.random.default_rng(11)
    made = []
    for _ in range(2_500):
        x = rng.normal(0, 1, 100)
        groups = None if size == 1 else subgroups_of_size(x, size)
        made.append(spread_of(within_spread(x, groups, "R-bar/d2" if size == 1 else method)))  # type: ignore[arg-type]
    sigmas = np.array([m.sigma for m in made])
    assert sigmas.mean() == pytest.approx(1.0, abs=0.01), "no bias"
    # sd of √(χ²_ν / ν) without bias is √(1 / c₄² − 1)
    from scipy.special import gammaln

    nu = made[0].freedom
    c4 = np.sqrt(2 / nu) * np.exp(gammaln((nu + 1) / 2) - gammaln(nu / 2))
    assert sigmas.std() == pytest.approx(np.sqrt(1 / c4**2 - 1), rel=relative)


def test_gaps_make_no_moving_range_and_cost_freedom() -> None:
    x = np.random.default_rng(1).normal(0, 1, 60)
    gapped = x.copy()
    gapped[::3] = np.nan  # pairs only, none of which share a value
    found = spread_of(within_spread(gapped))
    assert found.sigma == pytest.approx(np.abs(x[2::3] - x[1::3]).mean() * np.sqrt(np.pi) / 2)
    variance = (2 - 4 / np.pi) / 20 / (4 / np.pi)
    assert found.freedom == pytest.approx((1 + np.sqrt(1 + 2 * variance)) / (4 * variance))


@pytest.mark.parametrize("n", [40, 150])
@pytest.mark.parametrize("size", [1, 5])
def test_intervals_cover_the_truth_as_often_as_they_promise(n: int, size: int) -> None:
    rng = np.random.default_rng(5)
    spec = Specification(6.0, 11.0, 13.0)
    # mean 10 and sd 1: Cp 7/6, Cpk 1, Cpm = 2 / (3 √2) with the target 11, 2 from the nearer limit
    truth = {"both": 7 / 6, "above": 1.0, "below": 4 / 3, "worse": 1.0, "target": 2 / (3 * np.sqrt(2))}
    covered: dict[tuple[str, str], list[bool]] = {}
    for _ in range(1_200):
        x = rng.normal(10, 1, n)
        groups = None if size == 1 else subgroups_of_size(x, size)
        for name, spread in (("overall", overall_spread(x)), ("within", within_spread(x, groups))):
            found = normal_indices(float(x.mean()), spread_of(spread), n, spec, with_target=name == "overall")
            for part, value in truth.items():
                if part != "target" or name == "overall":
                    _, low, high = ends(getattr(found, part))
                    covered.setdefault((name, part), []).append(low <= value <= high)
    for key, hits in covered.items():
        assert 0.93 <= np.mean(hits) <= 0.97, key


def test_a_mean_outside_is_negative() -> None:
    found = normal_indices(21.0, Spread(0.5, 99, "overall", 1.0), 100, SPEC)
    assert isinstance(found, Indices)
    assert index(found.worse).value == pytest.approx(-2 / 3)
    assert found.z_bench == pytest.approx(-2.0, abs=1e-6)
