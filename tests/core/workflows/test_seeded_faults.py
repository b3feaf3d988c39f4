"""The true sensor is among the first three in at least 90 % of events, at a size that is detected 80 % of the time."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import workflows as wf
from tests.pages.finished_runs import work_off
from tests.seeded_faults import SENSORS, Found, named


def check(found: Found) -> None:
    print(
        f"{found.size:.2f} sigma, {found.detected:.0%} detected, top 1 {found.hit_1:.1%}, top 3 {found.hit_3:.1%}, chance {found.chance_3:.0%}"
    )
    assert SENSORS >= 20 and found.chance_3 == pytest.approx(0.12)
    assert 0.75 <= found.detected <= 0.87, "the size is the one that it says"
    assert found.hit_3 >= 0.9


@pytest.mark.parametrize("model", ["pca_t2_spe", "combined", "one_class_svm", "lof"])
def test_shallow_detectors_name_the_sensor(model: str, tmp_path: Path) -> None:
    check(named(wf.open_workspace(tmp_path / "home"), tmp_path, model, work_off))


@pytest.mark.slow
@pytest.mark.parametrize("model", ["dense_autoencoder", "conv_autoencoder"])
def test_networks_name_the_sensor(model: str, tmp_path: Path) -> None:
    check(named(wf.open_workspace(tmp_path / "home"), tmp_path, model, work_off, preset="quick"))
