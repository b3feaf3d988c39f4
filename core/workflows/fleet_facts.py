"""What a report says of a fleet: how long units last, which will need work soon, and how good such chances were."""

from __future__ import annotations

from collections.abc import Callable

from core.data.dataset import Dataset
from core.evaluation.result import Metric
from core.evaluation.survival import ChanceQuality, Count
from core.messages import Message, msg
from core.report import Fact, ReportFigure
from core.workflows.fleet import fleet_view
from core.workflows.fleet_charts import due_figure, fleet_caption, survival_figure
from core.workflows.fleet_lives import FleetSettings
from core.workflows.fleet_plan import FleetView
from core.workflows.results import Results
from core.workflows.unit_words import unit_words

Text = Callable[[Message], str]
MOST_URGENT = 10


def lives_facts(
    results: Results, text: Text, in_service: Dataset | None = None
) -> tuple[tuple[Fact, ...], tuple[ReportFigure, ...]]:
    """Facts and charts of the fleet of a run of remaining life, by the settings that nobody has changed; nothing for other runs.

    Args:
        in_service: The fleet that runs now. None: the units of the run's dataset.

    Raises:
        SettingProblem: a fleet for a run that predicts no remaining life.
        DataProblem: the fleet lacks columns of the model.
    """
    if (results.task != "rul" or results.group is None) and in_service is None:
        return (), ()
    view = fleet_view(results, FleetSettings(), in_service=in_service)
    lives = view.lives
    figures = [ReportFigure(msg("Share of units that still run"), survival_figure(lives, text=text), fleet_caption(lives))]
    if len(view.units):
        figures.append(ReportFigure(msg("When units are due"), due_figure(view, text=text), fleet_caption(lives)))
    return (*_whose(in_service), *_facts(view)), tuple(figures)


def _whose(in_service: Dataset | None) -> tuple[Fact, ...]:
    """Which units are meant, where they are not those of the run."""
    if in_service is None:
        return ()
    named = msg("{name}, version {version}", name=in_service.name, version=in_service.version)
    return (Fact(msg("Units in service"), named),)


def _facts(view: FleetView) -> tuple[Fact, ...]:
    lives, fit, unit = view.lives, view.lives.weibull, unit_words(view.unit)
    found = [
        Fact(msg("The fleet"), view.headline),
        Fact(msg("What counts as failed"), lives.rule),
        Fact(msg("Half last"), _figure(lives.curve.median, unit)),
        Fact(msg("A tenth has failed by"), _figure(fit.b10, unit)),
        Fact(msg("Weibull shape"), _figure(fit.shape, "")),
        Fact(msg("What the shape says"), fit.meaning),
    ]
    if len(view.units):
        names = ", ".join(str(name) for name in view.units["unit"][:MOST_URGENT])
        found.append(Fact(msg("Most urgent units"), names))
    for name, count in (
        (msg("Failures expected within {within} {unit}", within=view.within, unit=unit), view.expected),
        (msg("The same by age alone"), view.expected_by_age),
    ):
        if count is not None and count.n:
            found.append(Fact(name, _count(count)))
    if view.quality is not None:
        found.append(Fact(msg("Chances on units held back"), _quality(view.quality, view)))
    if view.quality_by_age is not None:
        found.append(Fact(msg("The same by age alone"), _quality(view.quality_by_age, view)))
    return (*found, *(Fact(msg("Note"), note) for note in view.notes))


def _figure(metric: Metric, unit: Message | str) -> Message:
    if metric.value is None:
        return msg("not defined: {reason}", reason=metric.why_not or msg("no reason given"))
    value = msg("{value} {unit}", value=metric.value, unit=unit) if unit else msg("{value}", value=metric.value)
    if metric.low is None or metric.high is None:
        return value
    return msg("{value} (95 %: {low} to {high})", value=value, low=metric.low, high=metric.high)


def _count(count: Count) -> Message:
    return msg("{n} of {total} (95 %: {low} to {high})", n=count.expected, total=count.n, low=count.low, high=count.high)


def _quality(found: ChanceQuality, view: FleetView) -> Message:
    return msg(
        "{expected} failures within {within} {unit} foretold, {came} came, on {rows} rows of {units} units; Brier score {brier}",
        expected=found.expected,
        within=view.within,
        unit=unit_words(view.unit),
        came=found.came,
        rows=found.n,
        units=found.n_units,
        brier=found.brier.value,
    )
