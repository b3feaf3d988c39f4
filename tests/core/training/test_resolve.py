"""A request with its open choices closed."""

from pathlib import Path

import pytest

from core.training.request import TrainRequest
from core.training.resolve import resolve
from tests.synthetic import as_dataset, regression_table


@pytest.mark.parametrize(
    ("options", "minutes"),
    [({}, 10.0), ({"budget_minutes": "1"}, 1.0), ({"budget_minutes": None}, None)],
    ids=["request", "setting", "emptied"],
)
def test_the_time_budget_is_part_of_the_fit_and_a_setting_of_that_name_counts(
    tmp_path: Path, options: dict[str, str | None], minutes: float | None
) -> None:
    dataset = as_dataset(regression_table(), tmp_path, y="target", when="time")
    request = TrainRequest(
        dataset_id=dataset.id, dataset_version=1, task="regression", model="dense", options=options, budget_minutes=10
    )
    assert resolve(dataset, request).fit.budget_minutes == minutes
