"""The tree of families and what a diagnosis leads to: every family has its place, its cost and a change that can be trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import workflows as wf
from core.messages import msg
from core.models import MODELS, TASKS, model_by_key, models_for, reads_text
from core.models.branches import BRANCHES
from core.store import open_store
from core.training.request import TrainRequest
from core.training.resolve import resolve
from core.workflows.records import Diagnosis, TrainingPlan
from core.workflows.workspace import Workspace
from tests.remarks import english
from tests.synthetic import regression_table


def test_every_family_has_one_place_in_the_tree() -> None:
    placed = [key for branch in BRANCHES for key in branch.rows]
    assert sorted(placed) == sorted(spec.key for spec in MODELS)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(open_store(tmp_path / "store"))


def request_for(ws: Workspace, folder: Path, n: int = 300, **more: object) -> TrainRequest:
    regression_table(n).to_csv(folder / "table.csv", index=False)
    dataset = wf.import_file(ws, folder / "table.csv").dataset
    assert dataset is not None
    given = {"dataset_id": dataset.id, "dataset_version": dataset.version, "task": "regression", "target": "y", **more}
    return TrainRequest.read(given)


def plan_for(ws: Workspace, folder: Path, **more: object) -> TrainingPlan:
    return wf.plan_training(ws, request_for(ws, folder, **more))


def test_the_tree_of_a_plan_shows_each_family_that_answers_it_with_its_cost(workspace: Workspace, tmp_path: Path) -> None:
    plan = plan_for(workspace, tmp_path)
    tree = wf.family_tree(workspace, plan)
    cards = {card.key: card for branch in tree for card in branch.cards}
    assert set(cards) == {spec.key for spec in models_for("regression")} and all(branch.cards for branch in tree)
    n = plan.split.counts["train"]
    assert all(card.n_rows == n and card.has_enough == (n >= card.useful_rows) for card in cards.values())
    assert not cards["transformer"].has_enough and cards["ridge"].has_enough
    assert cards["ridge"].seconds is None
    dense = plan_for(workspace, tmp_path, model="dense")
    assert cards["dense"].seconds == dense.seconds_total
    assert dense.estimate is not None and cards["dense"].n_weights == dense.estimate.n_parameters
    assert cards["gradient_boosting"].n_weights is None and cards["gradient_boosting"].memory_bytes


def test_settings_of_another_family_do_not_keep_the_tree_from_being_drawn(workspace: Workspace, tmp_path: Path) -> None:
    plan = plan_for(workspace, tmp_path, model="dense", options={"units": 32})
    cards = [c for branch in wf.family_tree(workspace, plan) for c in branch.cards]
    assert {c.why_not for c in cards if not reads_text(model_by_key(c.key))} == {None}


def test_families_of_free_text_say_what_they_lack_and_cost_something_where_it_is_there(
    workspace: Workspace, tmp_path: Path
) -> None:
    without = [c for branch in wf.family_tree(workspace, plan_for(workspace, tmp_path)) for c in branch.cards]
    lacking = [str(c.why_not) for c in without if reads_text(model_by_key(c.key))]
    assert len(lacking) == 3 and all("no column of the table is free text" in why for why in lacking)
    english(400).to_csv(tmp_path / "remarks.csv", index=False)
    dataset = wf.import_file(workspace, tmp_path / "remarks.csv").dataset
    assert dataset is not None
    given = {"dataset_id": dataset.id, "dataset_version": 1, "task": "classification", "target": "class", "model": "dense"}
    plan = wf.plan_training(workspace, TrainRequest.read(given))
    assert "only the text families read it" in str(plan.text)
    cards = {c.key: c for branch in wf.family_tree(workspace, plan) for c in branch.cards}
    assert all(card.why_not is None for card in cards.values())
    # 32 numbers a word, a vocabulary of some dozens; GRU: 3 · 64 · (32 + 64 + 2)
    assert cards["text_gru"].n_weights is not None and 18_816 < cards["text_gru"].n_weights < 30_000
    read = wf.plan_training(workspace, TrainRequest.read(given | {"model": "text_gru"}))
    assert str(read.text).startswith("Text families read 'Remark': it is free text, with")
    assert read.estimate is not None and read.estimate.n_parameters == cards["text_gru"].n_weights


def test_every_task_has_a_tree_of_two_branches_or_more() -> None:
    for task in TASKS:
        able = {spec.key for spec in models_for(task)}
        assert sum(any(key in able for key in branch.rows) for branch in BRANCHES) >= 2, task


def found(code: str) -> Diagnosis:
    return Diagnosis(code, msg("The loss is still falling."), msg("The loss is still falling."))


CHANGES = [
    ("diverging", {"learning_rate": 0.01}, {"learning_rate": 0.001}, "normal"),
    ("plateau", {"learning_rate": 0.01}, {"learning_rate": 0.03}, "normal"),
    ("overfitting", {"dropout": 0.1}, {"dropout": 0.3}, "normal"),
    ("overfitting", {"dropout": 0.4}, {"dropout": 0.5}, "normal"),
    ("overfitting", {"dropout": 0.5, "units": 64}, {"dropout": 0.5, "units": 32}, "normal"),
    ("improving", {"units": 64}, {"units": 64}, "thorough"),
    ("improving", {"epochs": 30}, {"epochs": 60}, "normal"),
]


@pytest.mark.parametrize(("code", "given", "wanted", "preset"), CHANGES, ids=[f"{c}-{g}" for c, g, _, _ in CHANGES])
def test_a_diagnosis_leads_to_one_change(
    workspace: Workspace, tmp_path: Path, code: str, given: dict[str, object], wanted: dict[str, object], preset: str
) -> None:
    run = wf.start_training(workspace, request_for(workspace, tmp_path, model="dense", options=given))
    remedy = wf.remedy_of(workspace, run, found(code))
    assert remedy is not None and remedy.request.options == wanted and remedy.request.preset == preset
    assert remedy.request.with_values(options=given, preset="normal") == run.request
    resolve(wf.open_dataset(workspace, run.dataset_id, 1), remedy.request)  # it can be trained


def test_too_little_data_leads_to_the_baseline_without_the_settings_of_the_network(
    workspace: Workspace, tmp_path: Path
) -> None:
    request = request_for(workspace, tmp_path, model="dense", options={"units": 64, "interval_miss_rate": 0.2})
    remedy = wf.remedy_of(workspace, wf.start_training(workspace, request), found("too_little_data"))
    assert remedy is not None and remedy.request.model == "ridge" and remedy.request.options == {"interval_miss_rate": 0.2}


def test_curves_that_have_settled_lead_to_nothing(workspace: Workspace, tmp_path: Path) -> None:
    run = wf.start_training(workspace, request_for(workspace, tmp_path, model="dense"))
    assert wf.remedy_of(workspace, run, Diagnosis("fine", msg("The loss is still falling."), None)) is None
    assert wf.remedy_of(workspace, run, None) is None
