"""The facts of a run as its report says them: gathered from results and views, with the charts of its task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from core import __version__, charts
from core.anomalies.records import AnomalyEvent
from core.clean import FittedRecipe, Recipe, RecipeStep
from core.data.dataset import Dataset
from core.evaluation import Curve, main_first, metric_info
from core.messages import Message, msg, msg_n
from core.models import model_by_key
from core.report import DatasetFacts, Fact, MetricLine, RecipeLine, ReportFacts, ReportFigure, SplitFacts
from core.settings import Settings
from core.training.request import TrainRequest
from core.workflows import report_forecast
from core.workflows.anomalies import anomaly_view, event_detail, later_events
from core.workflows.choices import ChoiceFacts, candidate_words
from core.workflows.fleet_facts import lives_facts
from core.workflows.predictions import PART_TITLES, classification_view, regression_view
from core.workflows.recipe_text import learned_notes, step_reason, step_settings, step_title
from core.workflows.report_chart import control_facts
from core.workflows.report_events import event_lines
from core.workflows.report_judging import judged_facts
from core.workflows.report_proof import challenge_facts, seeded_facts
from core.workflows.results import Results
from core.workflows.setting_words import setting_title, value_words
from core.workflows.training import TASK_CHOICES, read_curves
from core.workflows.unit_words import spoken_unit
from core.workflows.workspace import Workspace

Text = Callable[[Message], str]
SHOWN_UNITS = 6
SHOWN_EVENTS = 3
METHODS = {
    "time": msg("by time"),
    "group": msg("by group"),
    "random": msg("at random"),
    "first": msg("first rows train"),
    "column": msg("by a column"),
}


def report_facts(ws: Workspace, results: Results, text: Text, in_service: Dataset | None = None) -> ReportFacts:
    """Everything that the report of a run says; of remaining life also of the fleet `in_service`, or of the run's own units.

    Raises:
        DataProblem, SettingProblem: as `lives_facts`, for a fleet that does not go with the run.
    """
    run, manifest = results.run, results.manifest
    verdict, figures, events, threshold = _by_task(ws, results, text)
    lives, of_lives = lives_facts(results, text, in_service)
    seeded, of_seeded = seeded_facts(ws, results, text)
    control, of_control = control_facts(results, text)
    dataset = results.dataset
    row = ws.store.get_dataset(dataset.id, dataset.version)
    period = results.positions(np.array([0, results.n_rows - 1])) if results.time and not results.group else None
    return ReportFacts(
        title=run.name,
        created=datetime.now(UTC),
        app_version=__version__,
        verdict=verdict,
        dataset=DatasetFacts(
            name=dataset.name,
            version=dataset.version,
            rows=dataset.n_rows,
            columns=dataset.columns,
            sha256=dataset.sha256,
            source=row.source_name,
            source_sha256=row.source_sha256,
            period=None if period is None else charts.captions.period(period),
        ),
        split=SplitFacts(
            METHODS[manifest.split["method"]], Message.from_json(manifest.split["reason"]), manifest.split["counts"]
        ),
        model_name=model_by_key(run.model).title,
        baseline_name=model_by_key(run.baseline).title if run.baseline else None,
        other_baselines=tuple(model_by_key(key).title for key in run.other_baselines),
        run=_run_lines(results),
        metrics=_metric_lines(results, text),
        recipe=_recipe_lines(results),
        settings=_settings(results),
        threshold=threshold,
        events=events,
        events_note=events_note(results, events),
        figures=(*figures, *of_control, *of_lives, *of_seeded, *_loss(ws, results, text)),
        versions=manifest.versions,
        hashes={
            "table": dataset.sha256,
            "source": row.source_sha256,
            **({} if in_service is None else {"fleet": in_service.sha256}),
            **manifest.files,
        },
        notes=run.notes,
        choice=() if run.choice is None else run.choice.sentences,
        candidates=_candidates(run.choice),
        lives=lives,
        judged=judged_facts(results),
        control=control,
        seeded=seeded,
        challenge=challenge_facts(ws, results),
    )


def _candidates(choice: ChoiceFacts | None) -> tuple[Fact, ...]:
    return () if choice is None else tuple(Fact(c.title, candidate_words(c, choice.measure)) for c in choice.candidates)


def _run_lines(results: Results) -> tuple[Fact, ...]:
    run, training = results.run, results.manifest.training
    lines = [
        Fact(msg("Run"), f"{run.number}"),
        Fact(msg("Task"), next(choice.title for choice in TASK_CHOICES if choice.key == run.task)),
        Fact(msg("Seed"), run.request.seed),
        Fact(msg("Window (rows)"), int(results.manifest.pipeline["width"])),
    ]
    if run.task == "forecast":
        lines += report_forecast.lines(results)
    for key, name in (("epochs", msg("Epochs")), ("best_epoch", msg("Best epoch")), ("parameters", msg("Weights"))):
        if training.get(key) is not None:
            lines.append(Fact(name, training[key]))
    if training.get("seconds") is not None:
        lines.append(Fact(msg("Training time (s)"), float(training["seconds"])))
    return tuple(lines)


def _metric_lines(results: Results, text: Text) -> tuple[MetricLine, ...]:
    run, lines = results.run, []
    for key in main_first(run.task, run.metrics):
        metric, info = run.metrics[key], metric_info(key)
        unit = spoken_unit(results.unit, text) if info.in_target_unit else ""
        others = tuple(found.get(key) for found in run.other_baselines.values())
        lines.append(MetricLine(info.title, metric, run.baseline_metrics.get(key), unit, others))
    return tuple(lines)


def _recipe_lines(results: Results) -> tuple[RecipeLine, ...]:
    """The enabled steps with what they learned and changed; a run made before recipe version 2 is read as well."""
    recipe, changes = Recipe.read(results.run.request.recipe), results.run.summary.get("changes", ())
    fitted = FittedRecipe.from_json(results.manifest.pipeline["recipe"])
    lines = []
    for step, learner, change in zip(recipe.active, fitted.steps, changes, strict=False):
        lines.append(
            RecipeLine(
                title=step_title(step),
                columns=step.columns,
                settings=tuple(Fact(name, value) for name, value in step_settings(step)),
                changed_cells=sum(change["changed_cells"].values()),
                flagged_cells=sum(change["flagged_cells"].values()),
                left_out_rows=int(change["left_out_rows"]),
                notes=(*_reason(step), *learned_notes(learner), *_real_events(change)),
            )
        )
    return tuple(lines)


def _reason(step: RecipeStep) -> tuple[Message, ...]:
    reason = step_reason(step)
    return () if reason is None else (reason,)


def _real_events(change: Mapping[str, Any]) -> tuple[Message, ...]:
    """How many cells were labelled; runs of before recipe version 2 know no such label."""
    n = sum(change.get("real_event_cells", {}).values())
    return (msg_n("{n} cell labelled as a real event", "{n} cells labelled as a real event", n),) if n else ()


def _settings(results: Results) -> tuple[Fact, ...]:
    """What was asked for and what was fitted with: settings of the question, the preset, of model and fit, as declared."""
    from core.training.settings import FitSettings
    from core.training.task_settings import NOT_ASKED, TaskSettings

    request, spec = results.run.request, model_by_key(results.run.model)
    left_out = ("window", *NOT_ASKED.get(results.task, ()))  # the window is told as it came out, among the facts of the run
    asked = TaskSettings.read({k: v for k, v in request.options.items() if k in TaskSettings.model_fields}).model_dump()
    parts: tuple[tuple[type[Settings], Mapping[str, Any]], ...] = (
        (TaskSettings, {name: value for name, value in asked.items() if name not in left_out}),
        (TrainRequest, {"preset": request.preset} if spec.role == "network" else {}),
        (spec.settings, results.manifest.settings),
        (FitSettings, results.manifest.training.get("fit", {})),
    )
    return tuple(
        Fact(setting_title(owner.model_fields[name]), value_words(owner.model_fields[name], value))
        for owner, values in parts
        for name, value in values.items()
        if name in owner.model_fields and value is not None
    )


def _by_task(ws: Workspace, results: Results, text: Text):  # type: ignore[no-untyped-def]
    """Verdict, figures, events and threshold facts of the run's task."""
    if results.task == "anomaly":
        return _anomaly(ws, results, text)
    if results.task == "classification":
        return *_classification(results, text), (), ()
    if results.task == "forecast":
        return *report_forecast.figures(results, text), (), ()
    return *_value(results, text), (), ()


def _value(results: Results, text: Text) -> tuple[Message, tuple[ReportFigure, ...]]:
    view = regression_view(results)
    unit = spoken_unit(view.unit, text)
    name = results.manifest.target_column or text(msg("remaining life"))
    half = None if view.interval is None else view.interval.half_width
    interval = None
    if view.interval is not None:
        interval = msg("interval ±{half} from {n} validation rows", half=view.interval.half_width, n=view.interval.n)
    caption = charts.caption_residuals(len(view.rows), None if view.groups is not None else view.times, interval)
    figures = [
        ReportFigure(
            msg("Predicted against measured"),
            charts.parity(
                truth=view.truth,
                prediction=view.prediction,
                name=name,
                unit=unit,
                rows=view.rows,
                half_width=half,
                limits=view.limits if any(v is not None for v in view.limits) else None,
                text=text,
            ),
            caption,
        ),
        ReportFigure(
            msg("Residuals"),
            charts.residuals_over_time(
                residuals=view.residuals,
                name=name,
                x=None if view.groups is not None else view.times,
                unit=unit,
                rows=view.rows,
                half_width=half,
                text=text,
            ),
            caption,
        ),
    ]
    if view.groups is not None and results.task == "rul":
        units = _units(view)
        figures.insert(
            0,
            ReportFigure(
                msg("Remaining life of machines that were held back"),
                charts.life_chart(units=units, unit=unit, text=text),
                charts.caption_life(len(set(view.groups.tolist())), len(units), view.cap),
            ),
        )
    return view.verdict, tuple(figures)


def _units(view: Any) -> list[charts.UnitLife]:
    """The first machines of the part, each with its prediction over its counter."""
    units = []
    for name in list(dict.fromkeys(view.groups.tolist()))[:SHOWN_UNITS]:
        mine = view.groups == name
        order = np.argsort(view.times[mine], kind="stable")
        arrays = [a[mine][order] for a in (view.times, view.prediction, view.truth)]
        bands = [None if b is None else b[mine][order] for b in (view.lower, view.upper)]
        label = f"{name:g}" if isinstance(name, float) else str(name)
        units.append(charts.UnitLife(label, *arrays, *bands))
    return units


def _classification(results: Results, text: Text) -> tuple[Message, tuple[ReportFigure, ...]]:
    view = classification_view(results)
    baseline = model_by_key(results.baseline).title if results.baseline else None
    n_positive = int(view.confusion[view.classes.index(view.positive)].sum())
    caption = charts.caption_curve(view.n, n_positive, view.positive)
    name = model_by_key(results.run.model).title
    confusion = ReportFigure(
        msg("Confusion matrix"),
        charts.confusion_matrix(counts=view.confusion, classes=view.classes, text=text),
        charts.caption_confusion(view.n, PART_TITLES[view.part], view.positive, view.decided_at),
    )
    if view.roc.why_not is not None:
        return view.verdict, (confusion,)
    figures = (
        confusion,
        ReportFigure(
            msg("ROC curve"),
            charts.roc(curve=_xy(view.roc), baseline=_xy(view.baseline_roc), operating_point=view.operating_point, text=text),
            caption,
        ),
        ReportFigure(
            msg("Precision and recall"),
            charts.precision_recall(
                curve=_xy(view.pr),
                baseline=_xy(view.baseline_pr),
                operating_point=view.pr_point,
                prevalence=n_positive / max(1, view.n),
                text=text,
                name=name,
                baseline_name=baseline,
            ),
            caption,
        ),
    )
    return view.verdict, figures


def _xy(curve: Curve | None):  # type: ignore[no-untyped-def]
    """A curve's points, or None where it is not defined."""
    return None if curve is None or not len(curve.x) else (curve.x, curve.y)


def _anomaly(ws: Workspace, results: Results, text: Text):  # type: ignore[no-untyped-def]
    view = anomaly_view(ws, results)
    x = None if view.groups is not None else view.times
    source = msg("decision limit from {n} held-out normal blocks", n=view.threshold.n)
    figures = [
        ReportFigure(
            msg("Score over time"),
            charts.score_timeline(
                scores=view.scores,
                limit=view.threshold.value,
                x=x,
                rows=view.rows if view.groups is None else None,
                parts=view.parts,
                events=view.events[:20] if view.groups is None else (),
                text=text,
            ),
            charts.caption_score_timeline(len(view.scores), x, source, view.n_refused, int(view.flags.sum())),
        )
    ]
    for event in view.events[:SHOWN_EVENTS]:
        for trace in event_detail(results, event, sensors=1).traces:
            figures.append(
                ReportFigure(
                    msg("Event {number}: {sensor}", number=event.number, sensor=trace.column),
                    charts.sensor_band(
                        values=trace.values,
                        column=trace.column,
                        unit=trace.unit,
                        x=trace.times,
                        low=trace.normal_low,
                        high=trace.normal_high,
                        expected=trace.expected,
                        began=event.began,
                        ended=event.ended,
                        text=text,
                    ),
                    charts.caption_sensor_band(len(trace.values), trace.times),
                )
            )
    threshold = (
        Fact(msg("Decision limit"), float(view.threshold.value)),
        Fact(msg("Promised share of normal blocks above it"), float(view.threshold.rate)),
        Fact(msg("Calibration blocks"), int(view.threshold.n)),
        *(Fact(msg("Note"), note) for note in view.threshold.notes),
        *event_lines(results, view),
    )
    return view.verdict, tuple(figures), view.events, threshold


def events_note(results: Results, events: tuple[AnomalyEvent, ...]) -> Message | None:
    """The count of events as the screen gives it, and how many more lie in the baseline period; None without events."""
    later = len(later_events(results, events))
    if not events:
        return None
    if later == len(events):
        return msg_n("{n} event", "{n} events", later)
    return msg("After the baseline period: {later}. In the baseline period: {early}.", later=later, early=len(events) - later)


def _loss(ws: Workspace, results: Results, text: Text) -> tuple[ReportFigure, ...]:
    curves = read_curves(ws, results.run.id)
    if not len(curves.epochs):
        return ()
    figure = charts.loss_curves(
        epochs=curves.epochs, loss=curves.loss, val_loss=curves.val_loss, best_epoch=curves.best_epoch, text=text
    )
    return (ReportFigure(msg("Loss by epoch"), figure, charts.caption_loss(len(curves.epochs), curves.best_epoch)),)
