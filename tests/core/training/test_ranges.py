"""Ranges of a search, by hand for one family, and their promises over all."""

from __future__ import annotations

import pytest

from core.models import MODELS, model_by_key
from core.settings import field_bounds
from core.training.ranges import Range, search_ranges
from core.training.settings import FitSettings


def test_ranges_of_the_dense_network_by_hand() -> None:
    spec = model_by_key("dense")
    found = search_ranges(spec, spec.settings(), FitSettings(learning_rate=0.002, batch_size=32))
    assert found["layers"] == Range(1, 8, is_whole=True, is_log=True)  # 2 / 4 rounds to 0, which is no layer
    assert found["units"] == Range(32, 512, is_whole=True, is_log=True)
    assert found["dropout"].low == 0 and found["dropout"].high == pytest.approx(0.5)
    assert found["learning_rate"].low == pytest.approx(0.0005) and found["learning_rate"].high == pytest.approx(0.008)
    assert set(found) == {"layers", "units", "dropout", "learning_rate", "batch_size"}


def test_a_step_is_searched_on_a_logarithmic_scale_and_a_share_on_a_plain_one() -> None:
    spec = model_by_key("gradient_boosting")
    found = search_ranges(spec, spec.settings(), FitSettings())
    assert found["learning_rate"] == Range(0.0125, 0.2, is_log=True)
    assert (found["row_share"].low, found["row_share"].high) == (pytest.approx(0.4), 1.0)


def test_switches_and_caps_and_what_is_found_by_itself_are_left_alone() -> None:
    for key in ("gradient_boosting", "random_forest", "svm", "nearest_neighbours", "logistic"):
        spec = model_by_key(key)
        found = search_ranges(spec, spec.settings(), FitSettings())
        assert not {"class_weights", "rounds", "trees", "most_rows", "penalty", "reach", "neighbours"} & set(found), key
    assert search_ranges(model_by_key("nearest_neighbours"), model_by_key("nearest_neighbours").settings(), FitSettings()) == {
        "weighting": Range(words=("distance", "same"))
    }


@pytest.mark.parametrize("spec", MODELS, ids=lambda s: s.key)
def test_both_ends_of_every_range_are_allowed_values(spec) -> None:
    for name, found in search_ranges(spec, spec.settings(), FitSettings()).items():
        owner = spec.settings if name in spec.settings.model_fields else FitSettings
        for value in found.words or (found.low, found.high):
            owner.read({name: int(value) if found.is_whole else value})
        if not found.words:
            low, high = field_bounds(owner.model_fields[name])
            assert found.low < found.high and (low is None or found.low >= low) and (high is None or found.high <= high)
