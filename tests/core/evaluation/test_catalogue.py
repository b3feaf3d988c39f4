"""The words and directions of the metrics."""

import pytest

from core.errors import SettingProblem
from core.evaluation import METRICS, metric_info

KEYS = (
    "rmse mae r2 mape accuracy macro_f1 f1 precision recall roc_auc average_precision far mar phm08 coverage flagged_fraction unknown_fraction "
    "event_recall vus_pr mase skill"
)


def test_every_metric_that_scripts_may_rely_on_is_there() -> None:
    assert set(METRICS) == set(KEYS.split())
    assert all(info.key == key and str(info.title) and str(info.help).endswith(".") for key, info in METRICS.items())


def test_the_words_on_screen_are_those_of_the_shop_floor() -> None:
    assert str(METRICS["recall"].title) == "Defects caught"
    assert str(METRICS["far"].title) == "Good parts rejected"


def test_directions_and_units() -> None:
    assert {k for k, i in METRICS.items() if i.higher_is_better is False} == {
        "rmse",
        "mae",
        "mape",
        "mase",
        "far",
        "mar",
        "phm08",
    }
    assert {k for k, i in METRICS.items() if i.in_target_unit} == {"rmse", "mae"}


def test_an_unknown_metric_is_refused_with_the_closest() -> None:
    with pytest.raises(SettingProblem, match="Did you mean 'rmse'"):
        metric_info("rsme")
