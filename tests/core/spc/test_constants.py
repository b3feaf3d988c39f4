"""Constants of control charts against printed tables, against simulation and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from core.spc.constants import c4, d2, d3, shewhart_factors

# "Shewhart Constants for Control Charts", vignette of the R package SixSigma (Cano, Moguerza and Redchuk, 2012), found at
# rdrr.io/cran/SixSigma/f/inst/doc/ShewhartConstants.pdf: n, d2, d3, c4, A2, D3, D4, B3, B4.
SIX_SIGMA = """
2 1.1284 0.8525 0.7979 1.8800 0.0000 3.2665 0.0000 3.2665
3 1.6926 0.8884 0.8862 1.0233 0.0000 2.5746 0.0000 2.5682
4 2.0588 0.8798 0.9213 0.7286 0.0000 2.2821 0.0000 2.2660
5 2.3259 0.8641 0.9400 0.5768 0.0000 2.1145 0.0000 2.0890
6 2.5344 0.8480 0.9515 0.4832 0.0000 2.0038 0.0304 1.9696
7 2.7044 0.8332 0.9594 0.4193 0.0757 1.9243 0.1177 1.8823
8 2.8472 0.8198 0.9650 0.3725 0.1362 1.8638 0.1851 1.8149
9 2.9700 0.8078 0.9693 0.3367 0.1840 1.8160 0.2391 1.7609
10 3.0775 0.7971 0.9727 0.3083 0.2230 1.7770 0.2837 1.7163
11 3.1729 0.7873 0.9754 0.2851 0.2556 1.7444 0.3213 1.6787
12 3.2585 0.7785 0.9776 0.2658 0.2833 1.7167 0.3535 1.6465
13 3.3360 0.7704 0.9794 0.2494 0.3072 1.6928 0.3816 1.6184
14 3.4068 0.7630 0.9810 0.2354 0.3281 1.6719 0.4062 1.5938
15 3.4718 0.7562 0.9823 0.2231 0.3466 1.6534 0.4282 1.5718
16 3.5320 0.7499 0.9835 0.2123 0.3630 1.6370 0.4479 1.5521
17 3.5879 0.7441 0.9845 0.2028 0.3779 1.6221 0.4657 1.5343
18 3.6401 0.7386 0.9854 0.1943 0.3913 1.6087 0.4818 1.5182
19 3.6890 0.7335 0.9862 0.1866 0.4035 1.5965 0.4966 1.5034
20 3.7349 0.7287 0.9869 0.1796 0.4147 1.5853 0.5102 1.4898
21 3.7783 0.7242 0.9876 0.1733 0.4250 1.5750 0.5228 1.4772
22 3.8194 0.7199 0.9882 0.1675 0.4345 1.5655 0.5344 1.4656
23 3.8583 0.7159 0.9887 0.1621 0.4434 1.5566 0.5452 1.4548
"""
# AVEVA Plant SCADA documentation, "Control Chart Line Constants", found at docs.aveva.com/bundle/plant-scada/page/1217199.html:
# n, A2, D3, D4, B3, B4, three decimals, made from constants that were themselves rounded.
AVEVA = """
2 1.880 0 3.267 0 3.267
3 1.023 0 2.574 0 2.568
4 0.729 0 2.282 0 2.266
5 0.577 0 2.114 0 2.089
6 0.483 0 2.004 0.030 1.970
7 0.419 0.076 1.924 0.118 1.882
8 0.373 0.136 1.864 0.185 1.815
9 0.337 0.184 1.816 0.239 1.761
10 0.308 0.223 1.777 0.284 1.716
15 0.223 0.347 1.653 0.428 1.572
20 0.180 0.415 1.585 0.510 1.490
25 0.153 0.459 1.541 0.565 1.435
"""
# A3, of the same kind: gist.github.com/mrtomeq/e5d7a3d6321444ed89b263998c8e537b.
A3 = {2: 2.659, 3: 1.954, 4: 1.628, 5: 1.427}


def rows(table: str) -> list[tuple[int, list[float]]]:
    parts = [line.split() for line in table.strip().splitlines()]
    return [(int(p[0]), [float(v) for v in p[1:]]) for p in parts]


@pytest.mark.parametrize(("n", "printed"), rows(SIX_SIGMA))
def test_constants_equal_the_table_of_four_decimals(n: int, printed: list[float]) -> None:
    f = shewhart_factors(n)
    computed = [f.d2, f.d3, f.c4, f.a2, f.d3_lower, f.d4_upper, f.b3, f.b4]
    # A little above half a unit of the last digit: d2 of 20 is 3.734950 and printed as 3.7349.
    assert computed == pytest.approx(printed, abs=5.1e-5)


@pytest.mark.parametrize(("n", "printed"), rows(AVEVA))
def test_factors_equal_the_table_of_three_decimals(n: int, printed: list[float]) -> None:
    f = shewhart_factors(n)
    # 0.001: D4 of 5 is printed as 2.114 and as 2.115 in different tables, and is 2.1145.
    assert [f.a2, f.d3_lower, f.d4_upper, f.b3, f.b4] == pytest.approx(printed, abs=1e-3)


@pytest.mark.parametrize(("n", "printed"), A3.items())
def test_a3_equals_its_table(n: int, printed: float) -> None:
    assert shewhart_factors(n).a3 == pytest.approx(printed, abs=5.01e-4)


@pytest.mark.parametrize("n", [5, 20, 100])
def test_d2_equals_tippetts_integral_by_another_quadrature(n: int) -> None:
    expected, _ = quad(lambda x: 1 - norm.cdf(x) ** n - norm.sf(x) ** n, -np.inf, np.inf, epsabs=1e-12, epsrel=1e-12)
    assert d2(n) == pytest.approx(expected, abs=1e-9)


def test_two_and_three_values_have_closed_forms() -> None:
    assert d2(2) == pytest.approx(2 / np.sqrt(np.pi), rel=1e-12)
    assert d2(3) == pytest.approx(3 / np.sqrt(np.pi), rel=1e-12)
    assert d3(2) == pytest.approx(np.sqrt(2 - 4 / np.pi), rel=1e-10)  # the range of two is |N(0, 2)|
    assert c4(2) == pytest.approx(np.sqrt(2 / np.pi), rel=1e-12)


@pytest.mark.parametrize("n", [7, 60])
def test_constants_are_the_moments_of_simulated_samples(n: int) -> None:
    samples = np.random.default_rng(n).normal(size=(40_000, n))
    ranges, deviations = np.ptp(samples, axis=1), samples.std(axis=1, ddof=1)
    assert ranges.mean() == pytest.approx(d2(n), abs=0.015)
    assert ranges.std() == pytest.approx(d3(n), abs=0.015)
    assert deviations.mean() == pytest.approx(c4(n), abs=0.006)


def test_c4_of_very_many_values_is_nearly_one_and_finite() -> None:
    assert c4(1_000_001) == pytest.approx(1 - 1 / (4 * 1_000_000), abs=1e-9)


@pytest.mark.parametrize("constant", [d2, d3, c4])
def test_one_value_has_no_spread(constant) -> None:
    with pytest.raises(ValueError, match="at least 2 values"):
        constant(1)
