"""Bundles of shallow detectors: the same scores after a move, a fault found, its sensor named, the promise kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core.data.room import Room
from core.data.rows import FrameRows
from core.models import MODELS
from core.serving import load_bundle
from core.serving.bundle import pack_bundle
from core.serving.scoring import raw_scores
from tests.core.serving.test_bundle import trained
from tests.synthetic import anomaly_table

DETECTORS = [spec.key for spec in MODELS if "anomaly" in spec.tasks and spec.role == "baseline"]
SHAPE_ONLY = ("matrix_profile",)  # a level that stands too high has the same shape
NAMELESS = ("isolation_forest", "one_class_svm")  # whose sensors come from what the others say of each
BOUNDED = ("isolation_forest", "one_class_svm", "ecod", "copod")  # all that is outside is about as odd as the oddest known


@pytest.mark.parametrize("key", DETECTORS)
def test_a_packed_bundle_scores_as_the_fitted_one_and_finds_the_fault(key: str, tmp_path: Path) -> None:
    bundle = trained(anomaly_table(), tmp_path, "anomaly", key, when="time", label="target")[0]
    pack_bundle(bundle.folder, tmp_path / "b.zip")
    new = anomaly_table(seed=9)
    fresh = load_bundle(tmp_path / "b.zip").score(new)
    pd.testing.assert_frame_equal(fresh, bundle.score(new))
    more = {"calibration.npz"} if key in NAMELESS else set()
    assert more <= set(bundle.manifest.files) <= {"model.onnx", "model.npz"} | more
    fault, full = np.arange(600) >= 480, np.arange(600) >= 60
    if key in SHAPE_ONLY:
        assert np.isfinite(fresh["score"]).all()
        return
    assert roc_auc_score(fault[full], fresh["score"][full]) > 0.9
    if key not in BOUNDED:
        assert fresh["flag"][full & fault].mean() > 0.8
    assert fresh["flag"][full & ~fault].mean() < 0.05


@pytest.mark.parametrize("key", ["knn_distance", "kmeans_distance", "lof", "ecod", "copod", "combined"])
def test_the_sensor_that_moved_has_the_largest_part(key: str, tmp_path: Path) -> None:
    bundle = trained(anomaly_table(), tmp_path, "anomaly", key, when="time", label="target")[0]

    raw = raw_scores(bundle, FrameRows(anomaly_table(seed=9)), Room())
    assert raw.contributions is not None
    parts = raw.contributions[:][520:]
    assert parts.shape[1] == 2 and (parts >= 0).all()
    share = parts.sum(axis=0) / parts.sum()
    assert share[bundle.pipeline.plan.columns.index("p2")] > 0.6
