"""A request with every open choice closed: roles, family, split, window and settings, each checked once, here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from core.data.dataset import Column, Dataset
from core.data.split import SplitSettings, default_split
from core.errors import DataProblem, SettingProblem, unknown_choice
from core.features.own_past import OwnPast
from core.messages import Message, msg, msg_n
from core.models import (
    AUTO_KEY,
    MODELS,
    TASKS,
    Estimate,
    Shape,
    estimate,
    estimate_forecast,
    model_by_key,
    models_for,
    reads_text,
)
from core.settings import Settings
from core.training.forecasts import check_forecast, forecast_width, own_past
from core.training.portfolio import Portfolio, make_portfolio
from core.training.presets import preset_settings
from core.training.recommend import Recommendation, recommend_model
from core.training.request import TrainRequest
from core.training.settings import FitSettings
from core.training.task_settings import TaskSettings
from core.training.text_choice import TextChoice, choose_text, no_text

LIFE_WINDOW = 30
SEQUENCE_WINDOW = 30
ANOMALY_WINDOW = 24
FEWEST_GROUPS = 5


@dataclass(frozen=True, slots=True)
class Resolved:
    """What will be trained. `dataset` carries the roles of this run; `spec` is the family's catalogue entry.

    `gap_rows` are left out between the parts of a split by time. For the model "auto", `portfolio` says what is tried, `spec`
    is the family that is recommended, and the gap is that of the widest window, so that all are judged on one split.
    `text_choice` is the column of free text, None where there is none or the question does not go to it.
    `past` are rows ahead, season and step of a forecast, None for other questions. Its parts need no gap between them: what is
    asked for lies in one part, and a window that reaches back into the part before holds only what is known by then.
    """

    request: TrainRequest
    dataset: Dataset
    spec: Any
    model_settings: Settings
    fit: FitSettings
    task: TaskSettings
    split: SplitSettings
    split_reason: Message
    target: str | None
    group: str | None
    time: str | None
    width: int
    gap_rows: int
    recommendation: Recommendation
    portfolio: Portfolio | None = None
    text_choice: TextChoice | None = None
    past: OwnPast | None = None

    @property
    def text(self) -> str | None:
        """The column of free text, whether the family reads it or not."""
        return None if self.text_choice is None else self.text_choice.column

    @property
    def reads_text(self) -> bool:
        """Whether what is trained, or something of what is tried, reads the free text."""
        keys = (self.spec.key,) if self.portfolio is None else self.portfolio.keys
        return self.text is not None and any(reads_text(model_by_key(key)) for key in keys)


def resolve(dataset: Dataset, request: TrainRequest) -> Resolved:
    """Close the open choices of a request against its dataset.

    Raises:
        SettingProblem: an unknown task, model or option, or a model that does not answer this question.
        DataProblem: a named column that is not there, or a missing target.
    """
    if request.task not in TASKS:
        raise unknown_choice("task", request.task, TASKS)
    with_roles = _with_roles(dataset, request)
    text = _text(with_roles, request)
    target = _target(with_roles, request)
    group = next((c.name for c in with_roles.with_role("group")), None)
    time = next((c.name for c in with_roles.with_role("time")), None)
    _check_time(with_roles, time)
    _check_life(request, group, time, target)
    _check_normal(request)
    split, reason = _split(with_roles, request)
    has_order = time is not None or split.method == "first" or request.task == "forecast"
    recommendation = recommend_model(request.task, n_rows=dataset.n_rows, has_order=has_order, has_text=text is not None)
    portfolio = None
    _check_search(request)
    if request.model == AUTO_KEY:
        portfolio = make_portfolio(request.task, n_rows=dataset.n_rows, has_order=has_order, has_text=text is not None)
        _check_options(request, [model_by_key(key) for key in portfolio.keys])
    spec = model_by_key(recommendation.model if portfolio is not None else request.model)
    if request.task not in spec.tasks:
        raise unknown_choice("model", spec.key, [s.key for s in models_for(request.task)])
    if portfolio is None:
        _check_options(request, [spec])
        if reads_text(spec) and text is None:
            raise no_text(spec.title)
    model_settings, task_settings, fit = _settings(spec, request, dataset.n_rows)
    past = None
    if request.task == "forecast":
        known = check_forecast(with_roles, target, split)
        roles: dict[str, Any] = {"target": known, "time": time, "group": group, "seed": request.seed}
        past = own_past(with_roles, split, task_settings, **roles)
    of_family = partial(
        _width, task=request.task, settings=task_settings, has_order=has_order, n_rows=dataset.n_rows, past=past
    )
    width = of_family(spec)
    widest = width if portfolio is None else max(_widths(portfolio, of_family))
    return Resolved(
        request=request,
        dataset=with_roles,
        spec=spec,
        model_settings=model_settings,
        fit=fit,
        task=task_settings,
        split=split,
        split_reason=reason,
        target=target,
        group=group,
        time=time,
        width=width,
        gap_rows=widest - 1 if past is None else 0,
        recommendation=recommendation,
        portfolio=portfolio,
        text_choice=text,
        past=past,
    )


def resolve_candidate(auto: Resolved, key: str, **options: Any) -> Resolved:
    """One family of a portfolio as if it had been asked for by name, on the split that all share.

    Args:
        options: Settings of the family or the fit that differ from those of the request.

    Raises:
        SettingProblem: the window that was set is too short for it.
    """
    spec = model_by_key(key)
    request = auto.request.with_values(model=key, options={**_declared(spec, auto.request), **options})
    model_settings, task_settings, fit = _settings(spec, request, auto.dataset.n_rows)
    has_order = auto.time is not None or auto.split.method == "first"
    width = _width(
        spec, task=request.task, settings=task_settings, has_order=has_order, n_rows=auto.dataset.n_rows, past=auto.past
    )
    return replace(
        auto,
        request=request,
        spec=spec,
        model_settings=model_settings,
        fit=fit,
        task=task_settings,
        width=width,
        portfolio=None,
    )


def _widths(portfolio: Portfolio, of_family: Callable[[Any], int]) -> list[int]:
    """The windows of the families; one that cannot read the window that was set is left out when its turn comes."""
    found = []
    for key in portfolio.keys:
        with suppress(SettingProblem):
            found.append(of_family(model_by_key(key)))
    return found or [1]


def _with_roles(dataset: Dataset, request: TrainRequest) -> Dataset:
    """The dataset with the roles that this run asks for."""
    named: dict[str, str] = {}
    for name in request.ignore:
        named[dataset.column(name).name] = "ignore"
    text = request.options.get("text_column")
    if text and dataset.column(str(text)).role == "ignore" and str(text) not in named:
        named[str(text)] = "sensor"  # an import ignores what has too many texts for categories
    for role, column_name in (("target", request.target), ("time", request.time), ("group", request.group)):
        if column_name is not None:
            named[dataset.column(column_name).name] = role
    single = {role for role in ("target", "time", "group") if getattr(request, role) is not None}
    columns: list[Column] = []
    for column in dataset.columns:
        if column.name in named:
            columns.append(replace(column, role=named[column.name]))  # type: ignore[arg-type]
        elif column.role in single:
            # Another column takes this role in this run. An old target is never a sensor: it may give the answer away.
            columns.append(replace(column, role="ignore" if column.role == "target" else "sensor"))
        else:
            columns.append(column)
    return dataset.with_columns(columns)


def _text(dataset: Dataset, request: TrainRequest) -> TextChoice | None:
    """The column of free text; a question that no text family answers has none."""
    if not any(reads_text(spec) for spec in models_for(request.task)):
        return None
    named = request.options.get("text_column") or None
    return choose_text(dataset, None if named is None else str(named))


def _target(dataset: Dataset, request: TrainRequest) -> str | None:
    found = dataset.with_role("target")
    if found:
        return found[0].name
    if request.task in ("regression", "classification"):
        raise DataProblem(
            msg("No target column is chosen."),
            msg("Predicting needs a column that holds the known result."),
            msg("Name it with --target, or give a column the role 'target'."),
        )
    return None


def _check_time(dataset: Dataset, time: str | None) -> None:
    """Texts have no order in time: sorted by letters, "10" would come before "9"."""
    if time is not None and dataset.column(time).kind == "text":
        example = str(next(iter(dataset.table([time])[time].dropna()), ""))
        raise DataProblem(
            msg("The time column '{column}' holds texts such as '{example}'.", column=time, example=example),
            msg("Expected dates, times or a number that counts up."),
            msg("Choose another time column, or none."),
        )


def _check_life(request: TrainRequest, group: str | None, time: str | None, target: str | None) -> None:
    if request.task == "rul" and (group is None or (time is None and target is None)):
        no_unit = msg("Remaining life was asked for without the column of the machine.")
        no_cycle = msg("Remaining life was asked for without the column of the cycles.")
        raise SettingProblem(
            no_unit if group is None else no_cycle,
            msg("It needs the column that names the machine and the one that counts its cycles."),
            msg("Choose both (on the command line --group and --time)."),
        )


def _check_normal(request: TrainRequest) -> None:
    if request.known_normal and request.task != "anomaly":
        raise SettingProblem(
            msg("Rows of false alarms were to count as normal in a question of another kind ({task}).", task=request.task),
            msg("Only a model that learns what is normal can take them."),
            msg("Leave them out, or ask for anomalies."),
        )


def _check_search(request: TrainRequest) -> None:
    if request.search and request.model == AUTO_KEY:
        raise SettingProblem(
            msg("Settings were to be searched for the model 'auto'."),
            msg("A search looks into one family."),
            msg("Name the family, or train with 'auto' without a search."),
        )
    if request.search and request.task == "anomaly":
        raise SettingProblem(
            msg("Settings were to be searched for a question about anomalies."),
            msg("A search needs a known result to judge by; labels of anomalies only judge the finished model."),
            msg("Train with the settings that you want."),
        )


def _split(dataset: Dataset, request: TrainRequest) -> tuple[SplitSettings, Message]:
    """The split asked for, else the default rule. Fewer than five groups are strata and not lots: then by time."""
    if request.split is not None:
        return request.split, msg("Chosen by the user.")
    settings, reason = default_split(dataset.columns, request.task)
    if settings.method != "group" or request.task in ("rul", "forecast"):
        return settings, reason
    group = dataset.with_role("group")[0].name
    n_groups = int(dataset.table([group])[group].nunique())
    if n_groups >= FEWEST_GROUPS:
        return settings, reason
    settings, _ = default_split([c for c in dataset.columns if c.role != "group"], request.task)
    few = msg("'{column}' has only {n} values, too few to hold some back", column=group, n=n_groups)
    how = {"time": msg("split by time"), "random": msg("split at random")}[settings.method]
    return settings, msg("{few}; {how} instead.", few=few, how=how)


def _settings(spec: Any, request: TrainRequest, n_rows: int) -> tuple[Settings, TaskSettings, FitSettings]:
    """The options parted by who declares them."""
    owners: tuple[type[Settings], ...] = (spec.settings, TaskSettings, FitSettings)
    parts = [{k: v for k, v in _declared(spec, request).items() if k in owner.model_fields} for owner in owners]
    preset = preset_settings(request.preset, spec, n_rows)
    fit = preset.with_values(**({"budget_minutes": request.budget_minutes} | parts[2]))
    return spec.settings.read(parts[0]), TaskSettings.read(parts[1]), fit


def _declared(spec: Any, request: TrainRequest) -> dict[str, Any]:
    """The options that concern one family."""
    owners = (spec.settings, TaskSettings, FitSettings)
    return {k: v for k, v in request.options.items() if any(k in owner.model_fields for owner in owners)}


def _check_options(request: TrainRequest, specs: Sequence[Any]) -> None:
    """An option that nobody declares is refused."""
    owners = [*(spec.settings for spec in specs), TaskSettings, FitSettings]
    for name in request.options:
        if not any(name in owner.model_fields for owner in owners):
            raise unknown_choice("setting", name, sorted({f for owner in owners for f in owner.model_fields}))


def _width(spec: Any, task: str, settings: TaskSettings, has_order: bool, n_rows: int, past: OwnPast | None = None) -> int:
    """The window: as set, else by task and family, at most a tenth of the rows but what the family needs.

    Raises:
        SettingProblem: the window that was set is shorter than the family can read.
    """
    if settings.window is not None:
        if settings.window < spec.smallest_rows:
            raise SettingProblem(
                msg_n("The window has {n} row.", "The window has {n} rows.", settings.window),
                msg("{model} needs at least {smallest}.", model=spec.title, smallest=spec.smallest_rows),
                msg("Set a longer window, or choose another model."),
                window=settings.window,
                smallest=spec.smallest_rows,
            )
        needed = 1 if past is None else past.smallest_window
        if settings.window < needed:
            raise SettingProblem(
                msg_n("The window has {n} row.", "The window has {n} rows.", settings.window),
                msg(
                    "A forecast of {ahead} rows with a season of {season} rows needs at least {smallest}.",
                    ahead=settings.horizon,
                    season=1 if past is None else past.season,
                    smallest=needed,
                ),
                msg("Set a longer window, or forecast fewer rows."),
                window=settings.window,
                smallest=needed,
            )
        return settings.window
    if past is not None:
        return forecast_width(past, spec.smallest_rows)
    if task == "rul":
        wanted = LIFE_WINDOW
    elif task == "anomaly":
        wanted = ANOMALY_WINDOW if has_order else 1
    else:
        wanted = SEQUENCE_WINDOW if spec.windowed else 1
    return max(spec.smallest_rows, min(wanted, n_rows // 10))


def cost_of(resolved: Resolved, shape: Shape, n_windows: int) -> Estimate:
    """Weights, memory and seconds of the family on so many training windows."""
    given = (resolved.spec, resolved.model_settings, shape, n_windows, resolved.fit.batch_size)
    if resolved.past is None:
        return estimate(*given)
    return estimate_forecast(*given, has_season=resolved.past.has_season_feature)


def model_titles() -> dict[str, Message]:
    """Key → title of every family, in menu order."""
    return {spec.key: spec.title for spec in MODELS}
