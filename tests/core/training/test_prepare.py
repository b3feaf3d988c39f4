"""What a run prepares, and what it refuses to take for something else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.split import SplitSettings
from core.errors import DataProblem
from core.training.prepare import Prepared, prepare
from core.training.request import TrainRequest
from core.training.resolve import resolve
from tests.synthetic import anomaly_table, as_dataset, class_table, regression_table


def _prepared(
    table: pd.DataFrame, folder: Path, task: str, model: str, split: SplitSettings | None = None, **roles: str
) -> Prepared:
    dataset = as_dataset(table, folder, **roles)
    request = TrainRequest(dataset_id=dataset.id, dataset_version=1, task=task, model=model, split=split)
    return prepare(resolve(dataset, request))


def test_a_measured_target_is_no_label_of_faults(tmp_path: Path) -> None:
    # As labels, 400 different numbers would all be "faulty": precision 1 whatever is flagged.
    prepared = _prepared(regression_table(), tmp_path, "anomaly", "pca_t2_spe", y="target", when="time")
    assert prepared.truth is None
    assert any("'y' holds measured values and no labels" in str(note) for note in prepared.notes)
    assert "y" not in prepared.pipeline.plan.columns


def test_labels_of_faults_stay_labels(tmp_path: Path) -> None:
    prepared = _prepared(anomaly_table(), tmp_path, "anomaly", "pca_t2_spe", label="target", when="time")
    assert prepared.truth is not None and set(prepared.truth) == {"0", "1"}
    assert prepared.notes == ()


def test_test_rows_of_a_class_never_learned_are_counted_out_loud(tmp_path: Path) -> None:
    table = class_table().assign(when=np.arange(600.0))
    table.loc[590:, "result"] = "leak"
    prepared = _prepared(
        table, tmp_path, "classification", "logistic", SplitSettings(method="time"), result="target", when="time"
    )
    assert [str(note) for note in prepared.notes] == [
        "10 test rows of classes that the training part does not show are left out of the figures: leak."
    ]


@pytest.mark.parametrize("texts", [["a", "b"], ["a", None]], ids=["texts", "with-empty-cells"])
def test_texts_are_refused_as_time(tmp_path: Path, texts: list[str | None]) -> None:
    table = regression_table().assign(note=np.resize(np.array(texts, dtype=object), 400))
    with pytest.raises(DataProblem, match="The time column 'note' holds texts such as 'a'"):
        _prepared(table.drop(columns="when"), tmp_path, "regression", "ridge", y="target", note="time")
