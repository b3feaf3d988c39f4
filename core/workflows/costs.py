"""What a training takes before it starts: weights, memory and seconds, and whether it fits into the memory that is left."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.data.rows import take_rows
from core.errors import SettingProblem
from core.features.plan import n_category_features
from core.features.power import is_skewed
from core.jobs.memory_left import memory_left
from core.models import Estimate, Shape, knows_its_cost, model_by_key, reads_text
from core.training.prepare import STRAIGHTENED
from core.training.resolve import Resolved, cost_of, resolve_candidate
from core.workflows.memory import check_memory, is_elsewhere
from core.workflows.records import PlannedModel
from core.workflows.workspace import Workspace

START_SECONDS = 12.0  # to build and export one network of several
# The split is the job's affair before it has begun; all rows but a fifth is what it trains on at most.
LARGEST_TRAINING_SHARE = 0.8
SKEW_ROWS = 10_000  # the first of the training part say whether a column is skewed


def plan_costs(
    resolved: Resolved, n_features: int, n_train: int
) -> tuple[Estimate | None, float | None, tuple[PlannedModel, ...]]:
    """Weights, memory and seconds of a training, and what is tried; None for a straight-line baseline, which takes seconds.

    An automatic choice needs the memory of its largest candidate, and the time of all or what it is given.
    """
    budget = resolved.fit.budget_minutes
    if resolved.portfolio is None:
        found, seconds = training_estimate(resolved, n_features, n_train)
        if resolved.request.search:
            seconds = None if budget is None else 60 * budget
        return found, seconds, ()
    planned, largest, total = [], None, 0.0
    for key in resolved.portfolio.keys:
        with suppress(SettingProblem):
            found, seconds = training_estimate(resolve_candidate(resolved, key), n_features, n_train)
            seconds = (seconds or 1.0) + (START_SECONDS if model_by_key(key).role == "network" else 0.0)
            planned.append(PlannedModel(key, seconds))
            total += seconds
            if found is not None and (largest is None or found.memory_bytes > largest.memory_bytes):
                largest = found
    planned += [PlannedModel(key, None, why) for key, why in resolved.portfolio.left_out]
    return largest, total if budget is None else min(total, 60 * budget), tuple(planned)


def training_estimate(resolved: Resolved, n_features: int, n_train: int) -> tuple[Estimate | None, float | None]:
    """Weights, memory and seconds of one family's whole training; None for a straight-line baseline, which takes seconds."""
    if resolved.spec.role == "baseline" and not knows_its_cost(resolved.spec):
        return None, None
    found = cost_of(resolved, _shape(resolved, n_features, resolved.width), n_train)
    if knows_its_cost(resolved.spec):
        return found, found.epoch_seconds
    seconds, budget = found.epoch_seconds * resolved.fit.epochs, resolved.fit.budget_minutes
    return found, seconds if budget is None else min(seconds, 60 * budget)


def check_resources(ws: Workspace, resolved: Resolved, train: NDArray[np.int64]) -> None:
    """Refuse what would not fit into the memory that is left; a straight-line baseline always fits.

    An automatic choice leaves out what does not fit by itself.

    Raises:
        SettingProblem: more memory is needed than is left; it names what would help.
    """
    shallow = resolved.spec.role == "baseline" and not knows_its_cost(resolved.spec)
    if shallow or resolved.portfolio is not None or is_elsewhere():
        return
    n_features = features_of(resolved, train)
    check_memory(
        lambda width, batch, n_train: cost_of(
            replace(resolved, fit=resolved.fit.with_values(batch_size=batch)),
            _shape(resolved, n_features, width),
            n_train,
        ),
        memory_left(ws.store),
        width=resolved.width,
        batch=min(resolved.fit.batch_size, len(train)),
        n_rows=len(train),
        narrowest=resolved.spec.smallest_rows,
    )


def _shape(resolved: Resolved, n_features: int, width: int) -> Shape:
    """The shape of a model; free text that it reads comes to the other features, as the first rows let expect it."""
    text = resolved.text_choice
    if text is None or not reads_text(resolved.spec):
        return Shape(width, n_features, n_ahead(resolved))
    n_tokens = min(text.n_tokens, resolved.task.text_tokens)
    return Shape(width, n_tokens + n_features, n_ahead(resolved), n_tokens, text.n_words)


def n_ahead(resolved: Resolved) -> int:
    """Values that the model gives for a window, as far as they are known before the classes are."""
    return 1 if resolved.past is None else resolved.past.horizon


def features_of(resolved: Resolved, train: NDArray[np.int64]) -> int:
    """Features that the model sees, as far as they are known before the recipe; at least 1."""
    n = max(1, _n_features(resolved.dataset, train))
    if resolved.past is not None:
        own = 0 if resolved.target in {c.name for c in resolved.dataset.with_role("sensor")} else 1
        n = _n_features(resolved.dataset, train) + own + resolved.past.has_season_feature
    if resolved.request.task in STRAIGHTENED and resolved.task.straighten:
        n += _n_skewed(resolved.dataset, train)
    is_compared = resolved.request.task == "rul" and resolved.task.own_start
    return 2 * n + 1 if is_compared else n  # each number once more, and the age


def _n_skewed(dataset: Dataset, train: NDArray[np.int64]) -> int:
    """Number columns that come a second time, straightened, as the first training rows let expect it."""
    names = [c.name for c in dataset.with_role("sensor") if c.kind == "number"]
    if not names:
        return 0
    cells = take_rows(dataset.rows(names), np.sort(train[:SKEW_ROWS]), names)
    values = (cells[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names)
    return sum(is_skewed(x[np.isfinite(x)]) for x in values)


def _n_features(dataset: Dataset, train: NDArray[np.int64]) -> int:
    """Features before the recipe: one a number column, one a category of a text column, which is read by itself."""
    sensors = dataset.with_role("sensor")
    texts = [c.name for c in sensors if c.kind == "text"]
    numbers = sum(c.kind == "number" for c in sensors)
    return numbers + sum(n_category_features(dataset.table([name])[name].iloc[train]) for name in texts)
