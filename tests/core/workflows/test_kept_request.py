"""What a study measures once more: the model that a run has kept, with its own settings and no other family's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.training.request import TrainRequest
from core.workflows.choices import choice_of
from core.workflows.studies import kept_request


@dataclass
class FakeRun:
    """Only what is asked of a run here."""

    request: TrainRequest
    choice: Any


def run_with(options: dict[str, Any], candidates: list[dict[str, Any]] | None, **more: Any) -> Any:
    request = TrainRequest.read({"dataset_id": "d", "dataset_version": 1, "task": "regression", "options": options, **more})
    stored = None
    if candidates is not None:
        whole = [{"number": i, "state": "done", **c} for i, c in enumerate(candidates)]
        stored = {"chosen": "x", "measure": "rmse", "figure": 1.0, "sentences": [], "candidates": whole}
    return FakeRun(request, choice_of(stored))


def test_the_settings_that_a_search_found_are_measured() -> None:
    trials = [
        {"model": "ridge", "share": 0.0, "settings": {"alpha": 3.0}},
        {"model": "ridge", "share": 1.0, "settings": {"alpha": 7.0}},
    ]
    found = kept_request(run_with({"window": 5, "alpha": 1.0}, trials, model="ridge", search=True))
    assert (found.model, found.search, found.options) == ("ridge", False, {"window": 5, "alpha": 7.0})


def test_of_an_ensemble_the_largest_member_without_the_options_of_others() -> None:
    members = [{"model": "dense", "share": 0.3}, {"model": "ridge", "share": 0.7}]
    found = kept_request(run_with({"units": 64, "epochs": 9, "alpha": 2.0, "window": 3}, members, model="auto"))
    assert found.model == "ridge" and found.options == {"alpha": 2.0, "window": 3}


def test_a_model_asked_for_by_name_is_measured_as_it_was_asked() -> None:
    found = kept_request(run_with({"alpha": 2.0}, None, model="ridge"))
    assert found.model == "ridge" and found.options == {"alpha": 2.0}
