"""Each published example: where it was read, what is printed there, and the same figures by the functions of this package.

Only examples whose text was found are here. Printed figures are texts, so that their digits say how exactly they are known; a figure comes
out where it differs by no more than half of its last digit, or by as many last digits as the print itself is rounded by, which is then said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.messages import Message, msg
from core.spc.validation import data, figures

HALF = 0.501
"""Of the last printed digit: half of it, and the rounding of the comparison itself."""
THREE_DECIMALS = msg("The print divides by d₂ of three decimals; that is undone here.")
NIST = "NIST/SEMATECH e-Handbook of Statistical Methods, section {section}, as quoted in test files of public repositories"
QCC = "Scrucca, A quick tour of qcc (2018), docs/articles/qcc_a_quick_tour.html in github.com/luca-scr/qcc: {part}"


@dataclass(frozen=True, slots=True)
class Example:
    """An example by its source; `printed` figures are texts by name, `compute` gives the same names.

    `rounding` are last printed digits by which the print itself is off, where it is more than half of one, and `remark` says why.
    """

    key: str
    title: Message
    source: str
    printed: Mapping[str, str]
    compute: Callable[[], Mapping[str, float]]
    rounding: float = HALF
    remark: Message | None = None


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One figure of an example: as printed, and ours."""

    name: str
    printed: str
    ours: float
    is_equal: bool


def recompute(example: Example) -> tuple[Recomputed, ...]:
    """The figures of an example, in the order of the print."""
    found = example.compute()
    return tuple(
        Recomputed(name, printed, float(found[name]), comes_out(printed, float(found[name]), example.rounding))
        for name, printed in example.printed.items()
    )


def comes_out(printed: str, ours: float, rounding: float = HALF) -> bool:
    """Whether a figure differs from a printed one by at most `rounding` of its last digits.

    Example:
        >>> comes_out("1.234", 1.23449), comes_out("1.234", 1.2346)
        (True, False)
    """
    last = 10.0 ** -len(printed.partition(".")[2])
    return abs(ours - float(printed)) <= rounding * last


def _digits(values: list[float], places: int, name: str) -> dict[str, str]:
    return {f"{name} {i + 1}": f"{v:.{places}f}" for i, v in enumerate(values)}


EXAMPLES: tuple[Example, ...] = (
    Example(
        "nist_individuals",
        msg("Flow rate: individuals and moving range"),
        NIST.format(section="6.3.2.2"),
        {"centre": "50.81", "mean moving range": "1.8778", "lower limit": "45.8159", "upper limit": "55.8041"},
        figures.flow,
        rounding=0.6,
        remark=THREE_DECIMALS,
    ),
    Example(
        "nist_ewma",
        msg("EWMA of twenty values"),
        NIST.format(section="6.3.2.4"),
        _digits(data.EWMA_PRINTED, 2, "EWMA"),
        figures.nist_ewma,
    ),
    Example(
        "nist_cusum",
        msg("CUSUM of twenty groups"),
        NIST.format(section="6.3.2.3"),
        {
            **_digits(data.CUSUM_HIGH, 2, "upper sum"),
            **_digits(data.CUSUM_LOW, 2, "lower sum"),
            "first group outside": "14",
        },
        figures.nist_cusum,
        rounding=0.76,
        remark=msg("The print rounds each step, so that a sum may be off by three quarters of its last digit."),
    ),
    Example(
        "nist_c",
        msg("Defects on wafers: c"),
        NIST.format(section="6.3.3.1"),
        {"centre": "16", "lower limit": "4", "upper limit": "28", "point outside": "24"},
        figures.wafers,
    ),
    Example(
        "montgomery_cusum",
        msg("Montgomery, example 9.1: tabular CUSUM"),
        "Montgomery, Introduction to Statistical Quality Control, example 9.1, as quoted in github.com/kgdunn/process-improve, tests of the CUSUM chart",
        {
            **_digits(data.MONTGOMERY_UPPER, 2, "upper sum"),
            "first period outside": "29",
            "last period in control": "22",
            "periods above zero, N+": "7",
            "estimated new mean": "11.25",
        },
        figures.montgomery_cusum,
    ),
    Example(
        "qcc_rings",
        msg("Piston rings: means with ranges and with standard deviations"),
        QCC.format(part="data pistonrings (Montgomery 1991)"),
        {
            "centre of means": "74.00118",
            "lower limit of means": "73.98805",
            "upper limit of means": "74.0143",
            "sigma by ranges": "0.009785039",
            "centre of ranges": "0.02276",
            "centre of deviations": "0.009240037",
            "sigma by deviations": "0.009829977",
            "upper limit of deviations": "0.01930242",
        },
        figures.rings,
        remark=THREE_DECIMALS,
    ),
    Example(
        "qcc_juice",
        msg("Orange juice cans: p and np"),
        QCC.format(part="data orangejuice (Montgomery 1991)"),
        {
            "p: centre": "0.2313333",
            "p: lower limit": "0.05242755",
            "p: upper limit": "0.4102391",
            "np: centre": "11.56667",
            "np: lower limit": "2.621377",
            "np: upper limit": "20.51196",
        },
        figures.juice,
    ),
    Example(
        "qcc_circuits",
        msg("Printed circuit boards: c and u"),
        QCC.format(part="data circuit (Montgomery 1991)"),
        {
            "c: centre": "19.84615",
            "c: lower limit": "6.481447",
            "c: upper limit": "33.21086",
            "u: centre": "0.1966667",
            "u: lower limit": "0.06362532",
            "u: upper limit": "0.329708",
        },
        figures.circuits,
    ),
    Example(
        "qcc_ryan",
        msg("Two measurements in subgroups of four: T²"),
        QCC.format(part="data RyanMultivar (Ryan 2000)"),
        {"largest T²": "63.76042", "median T²": "2.50272", "limit, Phase I": "11.03976", "limit, Phase II": "12.20184"},
        figures.ryan,
    ),
    Example(
        "qcc_boiler",
        msg("Eight boiler temperatures: T² of single rows"),
        QCC.format(part="data boiler"),
        {"largest T²": "17.575293", "median T²": "7.074224", "limit, Phase I": "17.41705", "limit, Phase II": "70.02943"},
        figures.boiler,
    ),
    Example(
        "mewma_limits",
        msg("Limits of MEWMA"),
        "Rigdon (1995), p. 358, table 1, and Knoth (2017), p. 82, table 2, quoted in the manual of the R package spc, mewma.crit",
        {
            "p = 4, λ = 0.25, ARL 500": "16.38",
            "p = 3, λ = 0.25, ARL 1000": "15.82",
            "p = 3, λ = 0.1, ARL 1000": "14.76",
            "p = 3, λ = 0.05, ARL 1000": "13.60",
        },
        figures.mewma,
    ),
    Example(
        "qcc_capability",
        msg("Piston rings: capability between 73.95 and 74.05"),
        "R package qcc, process.capability, as held by the tests of the Python package mistat (Kenett, Zacks, Gedeck 2022)",
        {
            "Cp": "1.703",
            "Cp, low": "1.491",
            "Cp, high": "1.915",
            "Cpl": "1.743",
            "Cpu": "1.663",
            "Cpk": "1.663",
            "Cpk, low": "1.448",
            "Cpk, high": "1.878",
            "Cpm": "1.691",
        },
        figures.capability,
        rounding=0.9,
        remark=msg("The print takes d₂ of three decimals, which moves the last digit by up to one."),
    ),
    Example(
        "nag_anderson_darling",
        msg("Anderson-Darling test of 26 values"),
        "NAG Library Manual, example program of g08ck, data g08ckfe.d and results g08ckce.r on support.nag.com",
        {"A²": "0.165956", "A² adjusted": "0.171296", "p": "0.931155"},
        figures.anderson,
        rounding=2,
        remark=msg("The data are printed with seven decimals, which leaves the last digits open."),
    ),
    Example(
        "aiag_gage",
        msg("Gage R&R: ten parts, three appraisers, three trials"),
        "AIAG, Measurement Systems Analysis (4th ed., 2010), ANOVA method, read in public packages that print it with its results",
        {
            "sum of squares, parts": "88.3619",
            "sum of squares, operators": "3.1673",
            "sum of squares, interaction": "0.3590",
            "sum of squares, repeatability": "2.7589",
            "EV": "0.199933",
            "AV": "0.226838",
            "PV": "1.042327",
            "number of distinct categories": "4",
        },
        figures.gage,
    ),
    Example(
        "fleiss_kappa",
        msg("Psychiatric diagnoses: Fleiss' kappa"),
        "Fleiss (1971), Psychological Bulletin 76, 378-382; data and results as in the R package irr, diagnoses and kappam.fleiss",
        {"kappa": "0.4302445", "z": "17.65183"},
        figures.kappa,
    ),
)
