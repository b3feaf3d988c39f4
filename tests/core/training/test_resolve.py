"""A request with its open choices closed."""

from pathlib import Path

import pytest

from core.errors import SettingProblem
from core.models import model_by_key, models_for
from core.training.recommend import recommend_model
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


def width_of(folder: Path, model: str, n: int = 400, **options: str) -> int:
    """The window of a run whose time column gives the rows an order."""
    dataset = as_dataset(regression_table(n), folder, y="target", when="time")
    return resolve(
        dataset, TrainRequest(dataset_id=dataset.id, dataset_version=1, task="regression", model=model, options=options)
    ).width


@pytest.mark.parametrize(("model", "width"), [("minirocket", 30), ("tcn", 30), ("ridge", 1), ("dense", 1)])
def test_families_that_read_the_order_get_a_window(tmp_path: Path, model: str, width: int) -> None:
    assert width_of(tmp_path, model) == width


def test_a_short_table_gets_a_window_that_the_family_can_read(tmp_path: Path) -> None:
    assert width_of(tmp_path, "cnn", n=60) == 6  # a tenth of the rows
    assert width_of(tmp_path, "minirocket", n=60) == 9  # what its kernels span


def test_a_window_shorter_than_the_family_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingProblem, match=r"The window has 5 rows.*MiniRocket.*at least 9.*longer window"):
        width_of(tmp_path, "minirocket", window="5")
    assert width_of(tmp_path, "minirocket", window="9") == 9


@pytest.mark.parametrize(
    ("n_rows", "has_order", "model"), [(1000, True, "knn_distance"), (1000, False, "knn_distance"), (150, True, "pca_t2_spe")]
)
def test_what_is_recommended_for_anomalies_and_the_others_that_can_be_taken(n_rows: int, has_order: bool, model: str) -> None:
    found = recommend_model("anomaly", n_rows=n_rows, has_order=has_order)
    assert found.model == model
    others = [key for key, _ in found.alternatives]
    assert model not in others
    assert {model, *others} <= {spec.key for spec in models_for("anomaly")}
    assert any(model_by_key(key).role == "network" for key in others)
