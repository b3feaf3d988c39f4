"""Which scored rows are shown: by part, by what went wrong, by text; and the class that a moved limit calls."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.data import rows as rows_module
from core.errors import SettingProblem
from core.serving.raw import PADDED
from core.workflows import filter_scores, matching_rows, scored_rows, scores_at
from core.workflows import results as results_module
from core.workflows import score_rows as score_rows_module
from core.workflows.results import Results
from core.workflows.score_rows import limit_columns, scored_parts

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


def test_a_long_table_is_filtered_called_and_read_in_parts_as_a_short_one_is_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows in seven row groups, with flags at a moved limit, padded windows, a group column and a remark."""
    n = 7_000
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "row": np.arange(n),
            "lot": [f"L{i % 13}" for i in range(n)],
            "part": rng.integers(0, 3, n).astype(np.int8),
            "score": np.where(np.arange(n) % 50 == 0, np.nan, rng.random(n)),
            "flag": False,
            "why_not": [PADDED if i % 9 == 0 else "" for i in range(n)],
        }
    )
    table.to_parquet(tmp_path / "scores.parquet", row_group_size=1_000)
    run: Any = Results(SimpleNamespace(task="anomaly"), SimpleNamespace(), SimpleNamespace(), tmp_path)  # type: ignore[arg-type]
    whole = scores_at(run, 0.8)
    asked = {"part": "test", "kind": "flag", "text": "L1"}
    expected = [
        i
        for i in range(n)
        if table["part"][i] == 2 and table["lot"][i].startswith("L1") and i % 9 and i % 50 and table["score"][i] > 0.8
    ]
    assert filter_scores(whole, "anomaly", **asked).tolist() == expected
    monkeypatch.setattr(results_module, "KEPT_CELLS", 0)
    monkeypatch.setattr(rows_module, "STRETCH_ROWS", 1_000)
    monkeypatch.setattr(score_rows_module, "FEW_ROWS", 10)
    long: Any = Results(SimpleNamespace(task="anomaly"), SimpleNamespace(), SimpleNamespace(), tmp_path)  # type: ignore[arg-type]
    assert len(list(long.stretches())) == 7
    assert matching_rows(long, 0.8, **asked).tolist() == expected
    assert matching_rows(long, 0.8).tolist() == list(range(n))
    rows = np.array(expected)
    parts = list(scored_parts(long, rows, 0.8))
    assert len(parts) > 1
    pd.testing.assert_frame_equal(pd.concat(parts).reset_index(drop=True), whole.iloc[rows].reset_index(drop=True))
    pd.testing.assert_frame_equal(
        scored_rows(long, rows[::-1], 0.8).reset_index(drop=True), whole.iloc[rows[::-1]].reset_index(drop=True)
    )
    assert "scores" not in long.__dict__, "the whole table was never read"
