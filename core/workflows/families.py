"""The model families that can answer a plan's question, as a tree: what each is for, what it needs, what it costs here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.data.dataset import Dataset
from core.errors import Problem
from core.messages import Message
from core.models import models_for, reads_text
from core.models.branches import BRANCHES
from core.training.resolve import resolve
from core.training.text_choice import choose_text
from core.workflows.costs import training_estimate
from core.workflows.datasets import open_dataset
from core.workflows.records import TrainingPlan
from core.workflows.workspace import Workspace


def offered_families(dataset: Dataset, task: str, text_column: str | None = None) -> tuple[str, ...]:
    """Keys of the families to choose from for a question: those that read words only where there is free text.

    Args:
        text_column: What is named to be read, whatever the rule says of it.
    """
    has_words = text_column is not None or choose_text(dataset, None) is not None
    return tuple(spec.key for spec in models_for(task) if has_words or not reads_text(spec))


@dataclass(frozen=True, slots=True)
class FamilyCard:
    """One family for the rows of a plan.

    `useful_rows` is the rule of thumb of `core.models.branches`; `n_rows` the training rows that are there. `seconds`,
    `memory_bytes` and `n_weights` are None where a fit takes seconds and little memory. `why_not` says why it cannot be
    trained on these data.
    """

    key: str
    title: Message
    summary: Message
    source: str
    useful_rows: int
    n_rows: int
    seconds: float | None = None
    memory_bytes: int | None = None
    n_weights: int | None = None
    why_not: Message | None = None

    @property
    def has_enough(self) -> bool:
        return self.n_rows >= self.useful_rows


@dataclass(frozen=True, slots=True)
class FamilyBranch:
    """Families of one kind, simplest first."""

    key: str
    title: Message
    summary: Message
    cards: tuple[FamilyCard, ...]


def family_tree(ws: Workspace, plan: TrainingPlan) -> tuple[FamilyBranch, ...]:
    """Every family that answers the plan's question, each with its cost at default settings on the plan's training rows."""
    able = {spec.key: spec for spec in models_for(plan.request.task)}
    dataset = open_dataset(ws, plan.request.dataset_id, plan.request.dataset_version)
    n_rows = plan.split.counts["train"]
    text = {name: value for name, value in plan.request.options.items() if name == "text_column"}
    found = []
    for branch in BRANCHES:
        cards = []
        for key, rows in branch.rows.items():
            if key not in able:
                continue
            spec = able[key]
            card = FamilyCard(key, spec.title, spec.summary, spec.source, rows, n_rows)
            try:
                resolved = resolve(dataset, plan.request.with_values(model=key, options=text))
            except Problem as problem:
                cards.append(replace(card, why_not=problem.what))
                continue
            cost, seconds = training_estimate(resolved, plan.n_features, n_rows)
            if cost is not None:
                weights = cost.n_parameters if spec.role == "network" else None
                card = replace(card, seconds=seconds, memory_bytes=cost.memory_bytes, n_weights=weights)
            cards.append(card)
        if cards:
            found.append(FamilyBranch(branch.key, branch.title, branch.summary, tuple(cards)))
    return tuple(found)
