"""Remarks as token numbers: learned from the training part only, the same again from JSON, with nothing that is an error."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from core.data.dataset import Column
from core.data.split import TEST, TRAIN, Split, SplitSettings, TrainPart
from core.features import FeaturePlan
from core.features.plan import plan_features
from core.features.texts import EMPTY, UNKNOWN, TextPlan, fit_text
from core.messages import msg

REMARKS = ["pump is hot", "pump is not hot", "valve E204", "valve E317", None, "泵很热", "泵不热", "zebra"]


def train_part(texts: list[str | None], n_train: int | None = None) -> TrainPart:
    """The first `n_train` rows train, the others test."""
    table = pd.DataFrame({"r": pd.Series(texts, dtype="str"), "x": np.arange(float(len(texts)))})
    parts = np.where(np.arange(len(texts)) < (n_train or len(texts)), TRAIN, TEST).astype(np.int8)
    return Split(SplitSettings(method="first", first=n_train or len(texts)), parts, 1, msg("test")).train_part(table)


def test_the_vocabulary_is_what_two_training_remarks_share_the_most_frequent_first() -> None:
    plan, notes = fit_text(train_part(REMARKS), "r", 64)
    # twice each, so by the alphabet; the codes once each, but their shape e000 twice; "not", "zebra", 很 and 不 once
    assert plan.words == ("e000", "hot", "is", "pump", "valve", "泵", "热")
    assert plan.length == 4 and plan.n_words == 10
    assert notes == ()


def test_numbers_stand_at_the_end_with_padding_in_front() -> None:
    plan, _ = fit_text(train_part(REMARKS), "r", 64)
    e000, hot, is_, pump, valve = range(3, 8)
    given = plan.ids(
        pd.Series(["pump is hot", "valve E999", "the PUMP", None, "", " - ", "very very very very hot"], dtype="str")
    )
    assert given.dtype == np.float32
    assert given.astype(int).tolist() == [
        [0, pump, is_, hot],
        [0, 0, valve, e000],
        [0, 0, UNKNOWN, pump],
        [0, 0, 0, EMPTY],
        [0, 0, 0, EMPTY],
        [0, 0, 0, EMPTY],
        [UNKNOWN] * 4,  # only the beginning is read
    ]


def test_test_rows_teach_no_words() -> None:
    plan, _ = fit_text(train_part(["pump hot", "pump hot", "leak leak", "leak here"], n_train=2), "r", 64)
    assert plan.words == ("hot", "pump")


def test_the_length_is_that_of_99_of_100_remarks_and_capped() -> None:
    texts = ["a b c"] * 99 + ["w " * 50]
    assert fit_text(train_part(texts), "r", 64)[0].length == 3
    assert fit_text(train_part(["a b c"] * 90 + ["w " * 50] * 10), "r", 64)[0].length == 50
    plan, notes = fit_text(train_part(["a b c"] * 90 + ["w " * 50] * 10), "r", 8)
    assert plan.length == 8
    assert str(notes[0]).startswith("10 remarks in 'r' of the training part are longer than 8 words")


def test_a_column_of_empty_remarks_is_no_error() -> None:
    plan, _ = fit_text(train_part([None, None, ""]), "r", 64)
    assert plan.words == () and plan.length == 1
    assert plan.ids(pd.Series([None, "new"], dtype="str")).tolist() == [[EMPTY], [UNKNOWN]]


def test_a_plan_comes_back_from_json_the_same() -> None:
    columns = [Column("r", "text"), Column("x", "number")]
    part = train_part(REMARKS)
    plan = plan_features(lambda column: part, columns, text=("r", 64))
    again = FeaturePlan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert set(again.columns) == {"x", "r"}
    matrix = again.transform(pd.DataFrame({"r": ["pump"], "x": [3.5]}))
    assert matrix.values.shape == (1, plan.n_tokens + len(plan.features))
    assert matrix.values[0, : plan.n_tokens].tolist() == plan.text.ids(pd.Series(["pump"]))[0].tolist()  # type: ignore[union-attr]


def test_an_empty_remark_is_no_filled_cell_and_a_plan_may_have_nothing_but_text() -> None:
    part = train_part(["one two"] * 30 + ["two three"] * 30)
    plan = plan_features(lambda column: part, [Column("r", "text")], text=("r", 64))
    assert plan.columns == ("r",)
    many = train_part([f"w{i} two three" for i in range(60)])
    alone = plan_features(lambda column: many, [Column("r", "text")], text=("r", 64))
    assert alone.features == () and alone.n_values == alone.n_tokens == 3
    assert not alone.transform(pd.DataFrame({"r": pd.Series([None], dtype="str")})).missing.any()


def test_free_text_that_a_model_does_not_read_is_named_as_such() -> None:
    part = train_part([f"w{i} two three" for i in range(60)])
    plan = plan_features(lambda column: part, [Column("r", "text"), Column("x", "number")], unread="r")
    assert [str(n) for n in plan.notes] == ["Column 'r' is free text: only the text families read it."]
    assert plan.text is None and plan.columns == ("x",)


def test_words_are_counted_once_a_remark() -> None:
    assert TextPlan("r", (), 1).n_words == 3
    assert fit_text(train_part(["hot hot hot", "cold"]), "r", 64)[0].words == (), "three times in one remark is one remark"
