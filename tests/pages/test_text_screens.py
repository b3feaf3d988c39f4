"""Free text on the screens: the Train form names the column, Predictions shows the remark and the words that mattered."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.errors import SettingProblem
from core.store import open_store
from core.training.request import TrainRequest
from core.workflows.reports import make_report
from core.workflows.workspace import Workspace
from tests.pages import finished_runs
from tests.remarks import chinese, english
from tests.synthetic import regression_table

Open = Callable[..., AppTest]


def imported(home: Path, folder: Path, table: pd.DataFrame) -> tuple[Workspace, str]:
    home.mkdir(parents=True, exist_ok=True)
    ws = Workspace(open_store(home))
    table.to_csv(folder / "table.csv", index=False)
    dataset = wf.import_file(ws, folder / "table.csv").dataset
    assert dataset is not None
    return ws, dataset.id


def finished(ws: Workspace, dataset: str, **more: object) -> str:
    """A finished run, trained in this process by the code that workers run."""
    given = {"dataset_id": dataset, "dataset_version": 1, "task": "classification", "target": "class", "model": "bag_of_words"}
    run = wf.start_training(ws, TrainRequest.read(given | more))
    finished_runs.work_off(ws.store)
    assert wf.get_run(ws, run.id).state == "succeeded"
    return run.id


def captions(app: AppTest) -> str:
    return "\n".join(c.value for c in app.caption).replace("\\", "")


def test_the_train_form_names_the_column_and_lets_it_be_changed(open_app: Open, own_store: Path, tmp_path: Path) -> None:
    table = english(300).assign(Second=lambda t: t["Remark"] + " " + t["Remark"])
    _, dataset = imported(own_store, tmp_path, table)
    app = open_app("learn/train.py", dataset=dataset)
    assert "Text families read 'Second': it is free text" in captions(app)
    for model in ("text_gru", "text_attention", "bag_of_words"):
        app.selectbox(key="train_model").set_value(model).run()
        assert not app.exception and not app.error, model
        assert not app.button(key="train_start").disabled
    column = app.selectbox(key=f"opt.task.classification.{dataset}.text_column")
    assert list(column.options) == ["automatic", "Remark", "Second"]
    column.set_value("Remark").run()
    assert "Text families read 'Remark', as asked for" in captions(app)
    app.selectbox(key="train_model").set_value("logistic").run()
    assert "Column 'Remark' is free text: only the text families read it." in captions(app)
    app.selectbox(key="train_model").set_value("text_gru").run()
    _, without = imported(own_store, tmp_path, regression_table(200))
    app.query_params["dataset"] = without
    app.run()  # a table without texts: what cannot read it is not kept
    assert not app.exception and app.selectbox(key="train_model").value == "auto"


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", r"free text, about (\d+) words a row: text families can learn from it"),
        ("zh", r"自由文本，每行约 (\d+) 个词：文本类模型可以从中学习"),
    ],
)
def test_data_and_screening_say_that_a_column_is_free_text(
    lang: str, said: str, open_app: Open, own_store: Path, tmp_path: Path
) -> None:
    table = english(300)
    words = sum(len([w for w in text.split() if any(map(str.isalpha, w))]) for text in table["Remark"]) / len(table)
    _, dataset = imported(own_store, tmp_path, table)
    app = open_app("prepare/data.py", dataset=dataset, lang=lang)
    assert not app.exception and not app.error
    cells = [str(v) for d in app.dataframe for v in d.value.to_numpy().ravel()]
    assert [int(m[1]) for v in cells if (m := re.fullmatch(said, v))] == [round(words)]
    app = open_app("prepare/screening.py", dataset=dataset, lang=lang)
    assert not app.exception and not app.error
    cells = [str(v) for d in app.dataframe for v in d.value.to_numpy().ravel()]
    assert [int(m[1]) for v in cells if (m := re.search(said, v))] == [round(words)]


def test_without_texts_the_form_does_not_ask_for_them(open_app: Open, own_store: Path, tmp_path: Path) -> None:
    _, dataset = imported(own_store, tmp_path, regression_table(200))
    app = open_app("learn/train.py", dataset=dataset)
    app.radio(key="train_task").set_value("regression").run()
    app.selectbox(key=f"train_target.{dataset}.regression").set_value("y").run()
    assert not [w for w in app.selectbox if "free text" in w.label]
    assert not {"Text GRU", "Text attention", "Bag of words"} & set(app.selectbox(key="train_model").options)


def test_predictions_show_the_remark_and_the_words(open_app: Open, own_store: Path, tmp_path: Path) -> None:
    ws, dataset = imported(own_store, tmp_path, english(300))
    run = finished(ws, dataset)
    app = open_app("judge/predictions.py", dataset=dataset, run=run)
    scores = next(d.value for d in app.dataframe if "Remark" in d.value.columns)
    given = english(300)
    assert scores["Remark"].tolist() == given["Remark"][scores["row"].to_numpy() - 1].tolist()
    app.toggle(key="words_on").set_value(True).run()
    assert not app.exception and not app.error
    words = {d.value.columns[1]: d.value for d in app.dataframe if "word" in d.value.columns}
    tables = [d.value for d in app.dataframe if "word" in d.value.columns]
    assert set(words) == {"adds to the probability of fault"} and len(tables) == 2
    assert tables[1]["word"].iloc[0] == "not" and tables[1].iloc[0, 1] < -0.2
    calls = wf.open_results(ws, run).scores["prediction"].to_numpy()
    row, fault = int(np.flatnonzero((calls == "ok") & (given["class"] == "ok"))[0]), int(np.flatnonzero(calls == "fault")[0])
    app.number_input(key="words_row").set_value(row + 1).run()
    assert "The model called this row 'ok'; the words below speak for it." in captions(app)
    mine = words_of_row(app)
    assert list(mine.columns)[1] == "adds to the probability of ok"
    assert mine.set_index("word").iloc[:, 0].idxmax() == "not", "what makes it ok"
    app.selectbox(key=f"words_class.{run}.{row}.ok").set_value("fault").run()
    assert "The model called this row 'ok'; the words below speak for 'fault'." in captions(app)
    other = words_of_row(app)
    assert list(other.columns)[1] == "adds to the probability of fault"
    assert other.set_index("word").iloc[:, 0].idxmin() == "not"
    app.number_input(key="words_row").set_value(fault + 1).run()
    assert "The model called this row 'fault'; the words below speak for it." in captions(app)


def words_of_row(app: AppTest) -> pd.DataFrame:
    return next(d.value for d in app.dataframe if "word" in d.value.columns and "remarks" not in d.value.columns)


def test_the_words_of_a_row_speak_for_the_class_that_a_moved_limit_calls(own_store: Path, tmp_path: Path) -> None:
    ws, dataset = imported(own_store, tmp_path, english(300))
    results = wf.open_results(ws, finished(ws, dataset))
    own = wf.words_of_row(ws, results, 0)
    assert own.positive == own.called == results.cells(["prediction"], np.array([0]))["prediction"].iloc[0]
    always = wf.words_of_row(ws, results, 0, threshold=-0.1, positive="fault")
    never = wf.words_of_row(ws, results, 0, threshold=1.1, positive="fault")
    assert (always.called, always.positive, never.called, never.positive) == ("fault", "fault", "ok", "ok")
    # Two probabilities sum to one: what a word adds to one class it takes from the other.
    np.testing.assert_allclose([w.effect for w in always.words], [-w.effect for w in never.words], atol=1e-6)
    assert wf.words_of_row(ws, results, 0, "ok", threshold=-0.1, positive="fault").positive == "ok"
    with pytest.raises(SettingProblem, match="nonsense"):
        wf.words_of_row(ws, results, 0, "nonsense")


def test_a_remark_column_called_like_one_of_ours_is_shown_in_both_languages(
    open_app: Open, own_store: Path, tmp_path: Path
) -> None:
    ws, dataset = imported(own_store, tmp_path, chinese(300).rename(columns={"Remark": "备注"}))
    run = finished(ws, dataset)
    for lang, shown in (("zh", "文本：备注"), ("en", "备注")):
        app = open_app("judge/predictions.py", dataset=dataset, run=run, lang=lang)
        assert not app.exception and not app.error
        assert any(shown in d.value.columns for d in app.dataframe), [list(d.value.columns) for d in app.dataframe]


def test_a_report_and_a_file_of_scores_hold_no_remark(own_store: Path, tmp_path: Path) -> None:
    ws, dataset = imported(own_store, tmp_path, english(300))
    run = finished(ws, dataset)
    results = wf.open_results(ws, run)
    wf.export_scores(results, tmp_path / "s.csv")
    html = make_report(ws, run).path.read_text(encoding="utf-8")
    texts = english(300)["Remark"].unique()
    for name, content in (("scores", (tmp_path / "s.csv").read_text(encoding="utf-8")), ("report", html)):
        assert content and not [text for text in texts if text in content], name
    assert any("Text families read" in str(note) for note in wf.get_run(ws, run).notes)


@pytest.mark.parametrize("row", [-1, 300])
def test_there_are_no_words_of_a_row_that_is_not_there(row: int, own_store: Path, tmp_path: Path) -> None:
    ws, dataset = imported(own_store, tmp_path, english(300))
    results = wf.open_results(ws, finished(ws, dataset))
    with pytest.raises(SettingProblem, match="Expected a row from 0 to 299"):
        wf.words_of_row(ws, results, row)
