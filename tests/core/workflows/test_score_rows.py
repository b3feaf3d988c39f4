"""Which scored rows are shown: by part, by what went wrong, by text; and the class that a moved limit calls."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import SettingProblem
from core.workflows import filter_scores, scores_at
from core.workflows.score_rows import limit_columns

CLASSES = pd.DataFrame(
    {
        "row": [0, 1, 2, 3, 4],
        "part": np.array([0, 1, 2, 2, 3], dtype=np.int8),
        "lot": ["A1", "a2", "B1", "B2", None],
        "truth": ["ok", "bad", "ok", None, "bad"],
        "prediction": ["ok", "ok", "bad", "bad", ""],
        "probability_bad": [0.1, 0.4, 0.8, 0.9, np.nan],
        "probability_ok": [0.9, 0.6, 0.2, 0.1, np.nan],
        "why_not": ["", "filled", "", None, "not a finite number"],
    }
)
VALUES = pd.DataFrame(
    {
        "row": [0, 1, 2, 3],
        "part": np.array([2, 2, 2, 2], dtype=np.int8),
        "truth": [1.0, 2.0, 3.5, np.nan],
        "prediction": [2.0, 2.0, 2.0, 2.0],
        "lower": [1.0] * 4,
        "upper": [3.0] * 4,
        "why_not": [""] * 4,
    }
)


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"part": "test"}, [2, 3]),
        ({"part": "gap"}, [4]),
        ({"kind": "refused"}, [1, 4]),
        ({"kind": "wrong"}, [1, 2]),  # row 3 has no known class, row 4 was not called at all
        ({"kind": "wrong", "part": "test"}, [2]),
        ({"text": " a "}, [0, 1, 2, 3, 4]),  # lots A1 and a2, class "bad"
        ({"text": "b1"}, [2]),
        ({"text": "filled"}, []),  # remarks have a filter of their own
        ({"text": "0.8"}, []),  # scored numbers are not searched
        ({"text": "("}, []),  # a text, not a pattern
    ],
)
def test_rows_are_kept_by_part_kind_and_text(asked: dict[str, str], rows: list[int]) -> None:
    table = CLASSES.assign(why_not=CLASSES["why_not"])
    assert filter_scores(table, "classification", **asked).tolist() == rows
    pd.testing.assert_frame_equal(table, CLASSES)


def test_a_value_on_the_end_of_its_interval_lies_inside() -> None:
    assert filter_scores(VALUES, "regression", kind="outside").tolist() == [2]
    assert filter_scores(VALUES.drop(columns=["lower", "upper"]), "rul", kind="outside").tolist() == []


def test_flagged_rows_are_kept_and_unknown_words_refused() -> None:
    flags = pd.DataFrame({"part": [2, 2, 2], "flag": [True, False, True], "score": [3.0, 1.0, 2.0]})
    assert filter_scores(flags, "anomaly", kind="flag").tolist() == [0, 2]
    with pytest.raises(SettingProblem, match="kind is 'wrong'"):
        filter_scores(flags, "anomaly", kind="wrong")
    with pytest.raises(SettingProblem, match="part is 'tests'"):
        filter_scores(flags, "anomaly", part="tests")


def _run(classes: tuple[str, ...], positive: str | None, decision: float | None, scores: pd.DataFrame) -> Any:
    manifest = SimpleNamespace(target={"classes": list(classes)}, positive=positive, decision=decision)
    return SimpleNamespace(task="classification", manifest=manifest, scores=scores)


def test_a_moved_limit_calls_the_class_above_it_and_never_a_row_without_probabilities() -> None:
    run = _run(("bad", "ok"), "bad", 0.5, CLASSES)
    assert scores_at(run) is run.scores and scores_at(run, 0.5) is run.scores
    assert scores_at(run, 0.39)["prediction"].tolist() == ["ok", "bad", "bad", "bad", ""]
    assert scores_at(run, 0.8)["prediction"].tolist() == ["ok", "ok", "ok", "bad", ""], "only above the limit"
    assert limit_columns(run, 0.8, None) == {"threshold": 0.8, "threshold_of": "bad"}
    assert run.scores["prediction"].tolist() == ["ok", "ok", "bad", "bad", ""], "the stored scores stay"


def test_among_three_classes_a_limit_on_one_gives_the_others_to_the_most_probable() -> None:
    table = pd.DataFrame(
        {
            "prediction": ["a", "c", "b"],
            "probability_a": [0.5, 0.1, 0.3],
            "probability_b": [0.3, 0.3, 0.4],
            "probability_c": [0.2, 0.6, 0.3],
        }
    )
    run = _run(("a", "b", "c"), None, None, table)
    assert scores_at(run, None, "a") is run.scores, "without a limit the most probable class is called"
    assert scores_at(run, 0.5, "a")["prediction"].tolist() == ["b", "c", "b"]
    assert scores_at(run, 0.25, "a")["prediction"].tolist() == ["a", "c", "a"]
    assert limit_columns(run, None, "a") == {}
