"""What a report says further of predictions: calibration, the test against the baseline, where it errs, and what may be decided by them."""

from __future__ import annotations

from core.errors import Problem
from core.messages import Message, msg
from core.report import Fact
from core.workflows.calibration import calibration_view
from core.workflows.predictions import classification_view
from core.workflows.results import Results
from core.workflows.unit_words import unit_words
from core.workflows.worst_strata import TASKS, worst_strata
from core.workflows.zones import zone_view

MOST_WORSE = 5


def judged_facts(results: Results) -> tuple[Fact, ...]:
    """Sentences on the test part; what cannot be told, such as zones without specification limits, is left out."""
    if results.task not in TASKS or not len(results.part_rows("test")):
        return ()
    facts = [*_classes(results), *_zones(results)]
    try:
        view = worst_strata(results)
    except Problem:
        return tuple(facts)
    facts.append(Fact(msg("Where it errs"), view.headline))
    for s in view.worse[:MOST_WORSE]:
        told: dict[str, str | float | Message] = {"n": s.n, "error": _rounded(s.error), "others": _rounded(s.others)}
        told["unit"] = unit_words(view.unit)
        sentence = msg("{n} rows, error {error} {unit}; all others {others} {unit}", **told)
        if view.are_classes:
            shares: dict[str, str | float] = {"n": s.n, "error": _rounded(100 * s.error), "others": _rounded(100 * s.others)}
            sentence = msg("{n} rows, {error} % wrong; all others {others} %", **shares)
        facts.append(Fact(msg("{column}: {stratum}", column=s.column, stratum=s.stratum), sentence))
    return tuple(facts)


def _classes(results: Results) -> list[Fact]:
    if results.task != "classification":
        return []
    found = calibration_view(results)
    facts = [Fact(msg("Calibration"), found.headline)]
    paired = classification_view(results).paired
    if paired is not None:
        told: dict[str, str | float] = {
            "n": paired.n,
            "first": paired.first_only,
            "second": paired.second_only,
            "p": round(paired.p, 4),
        }
        words = msg(
            "Of {n} rows the model alone is right in {first}, the baseline alone in {second} (McNemar mid-P {p}, rows taken as independent)",
            **told,
        )
        facts.append(Fact(msg("Against the baseline"), words))
    return facts


def _zones(results: Results) -> list[Fact]:
    if results.task != "regression":
        return []
    try:
        view = zone_view(results)
    except Problem:
        return []
    ppk = view.capability
    facts = [Fact(msg("Accept or measure"), view.headline)]
    if ppk.measured is not None and ppk.predicted is not None:
        told = {"predicted": _rounded(ppk.predicted), "measured": _rounded(ppk.measured)}
        facts.append(
            Fact(msg("Ppk foretold"), msg("{predicted} from predictions with their error; {measured} as measured", **told))
        )
    return facts


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
