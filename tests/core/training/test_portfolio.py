"""What the automatic choice tries: the documented rule."""

from __future__ import annotations

import pytest

from core.models import baseline_for, model_by_key, models_for
from core.models.spec import TASKS
from core.training.portfolio import make_portfolio


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("n_rows", [50, 3_000, 1_000_000])
@pytest.mark.parametrize("has_order", [False, True])
def test_every_family_can_do_the_task_and_none_is_tried_twice(task: str, n_rows: int, has_order: bool) -> None:
    portfolio = make_portfolio(task, n_rows=n_rows, has_order=has_order)
    assert set(portfolio.keys) <= {spec.key for spec in models_for(task)}
    named = [*portfolio.keys, *(key for key, _ in portfolio.left_out)]
    assert len(set(named)) == len(named)


@pytest.mark.parametrize("task", ["regression", "classification", "rul"])
def test_the_baseline_comes_first_and_networks_after_all_shallow_families(task: str) -> None:
    keys = make_portfolio(task, n_rows=3_000, has_order=True).keys
    assert keys[0] == baseline_for(task)[0] and keys[1] == "gradient_boosting"
    networks = [model_by_key(key).role == "network" for key in keys if key != "minirocket"]
    assert networks == sorted(networks) and any(networks)


def test_small_and_large_tables_leave_families_out_and_say_why() -> None:
    few = make_portfolio("regression", n_rows=60, has_order=False)
    assert "dense" not in few.keys and "svm" in few.keys
    assert "60 rows are too few" in str(dict(few.left_out)["dense"])
    many = make_portfolio("classification", n_rows=30_000, has_order=False)
    assert not {"svm", "nearest_neighbours"} & set(many.keys)
    assert "5,000" in str(dict(many.left_out)["svm"]).replace("5000", "5,000")


def test_families_that_read_windows_need_rows_in_order() -> None:
    assert "cnn" not in make_portfolio("regression", n_rows=5_000, has_order=False).keys
    assert "cnn" in make_portfolio("regression", n_rows=5_000, has_order=True).keys


def test_detectors_are_taken_by_rule() -> None:
    assert make_portfolio("anomaly", n_rows=5_000, has_order=True).keys == ("knn_distance",)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_free_text_brings_its_families_and_a_fair_baseline(task: str) -> None:
    keys = make_portfolio(task, n_rows=10_000, has_order=True, has_text=True).keys
    assert keys[:2] == (baseline_for(task)[0], "bag_of_words")
    assert keys.index("text_gru") < keys.index("text_attention") < keys.index("tabular")
    assert baseline_for(task, has_text=True) == ("bag_of_words", *baseline_for(task))
    some = make_portfolio(task, n_rows=9_999, has_order=True, has_text=True)
    assert "text_gru" in some.keys and "from 10,000 rows" in str(dict(some.left_out)["text_attention"])
    few = make_portfolio(task, n_rows=60, has_order=False, has_text=True)
    assert "bag_of_words" in few.keys and "too few" in str(dict(few.left_out)["text_gru"])
    assert "bag_of_words" not in make_portfolio(task, n_rows=3_000, has_order=True).keys


@pytest.mark.parametrize("task", ["anomaly", "rul"])
def test_other_questions_have_no_text_families(task: str) -> None:
    portfolio = make_portfolio(task, n_rows=3_000, has_order=True, has_text=True)
    assert not {"bag_of_words", "text_gru", "text_attention"} & set(portfolio.keys)
    assert baseline_for(task, has_text=True) == baseline_for(task)
