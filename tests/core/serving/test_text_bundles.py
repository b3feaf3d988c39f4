"""Runs on free text: what only the remark tells is learned, order counts, and any remark can be scored without TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.clean.recipe import Recipe, RecipeStep
from core.data.room import Room
from core.data.rows import FrameRows
from core.errors import DataProblem, NotEnoughData, SettingProblem
from core.features.texts import EMPTY
from core.jobs.examples import example
from core.jobs.fitting import fit_baseline, fit_deep
from core.jobs.judged import judge
from core.jobs.unknowns import with_unknown
from core.models import MODELS, model_by_key, reads_text
from core.serving import Bundle, load_bundle
from core.serving.bundle import pack_bundle
from core.serving.scoring import score_table
from core.training.prepare import Prepared, can_fit, for_family, prepare
from core.training.request import TrainRequest
from core.training.resolve import Resolved, resolve
from tests.remarks import chinese, english, order_only
from tests.synthetic import as_dataset

NETWORKS = ["text_gru", "text_attention"]
KEYS = [spec.key for spec in MODELS if reads_text(spec)]


def ready(table: pd.DataFrame, folder: Path, model: str, task: str = "classification", **options: object) -> Resolved:
    folder.mkdir(parents=True, exist_ok=True)
    target = "class" if task == "classification" else "hours"
    dataset = as_dataset(table, folder, **{target: "target"})
    return resolve(
        dataset, TrainRequest(dataset_id=dataset.id, dataset_version=1, task=task, model=model, options=dict(options))
    )


def trained(resolved: Resolved, folder: Path) -> tuple[Bundle, Prepared]:
    prepared = prepare(resolved)
    if resolved.spec.role == "network":
        bundle, _ = fit_deep(
            resolved,
            prepared,
            folder / "bundle",
            emit=lambda _: None,
            stop_requested=lambda: False,
            checkpoints=folder / "checkpoints",
        )
    else:
        bundle = fit_baseline(resolved, prepared, resolved.spec, resolved.model_settings, folder / "bundle")
    return judge(with_unknown(bundle, prepared, resolved), prepared, resolved).bundle, prepared


def accuracy(bundle: Bundle, table: pd.DataFrame) -> float:
    return float((bundle.score(table)["prediction"] == table["class"]).mean())


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bag")
    return trained(ready(english(600), folder, "bag_of_words"), folder)[0]


@pytest.fixture(scope="module")
def gru(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("gru")
    return trained(ready(english(800), folder, "text_gru", epochs=25), folder)[0]


def test_a_bag_of_words_learns_what_only_the_remark_tells(bag: Bundle, tmp_path: Path) -> None:
    new = english(300, seed=9)
    assert accuracy(bag, new) > 0.97
    plain = ready(english(600), tmp_path, "logistic")
    bundle, prepared = trained(plain, tmp_path)
    assert accuracy(bundle, new) < 0.65, "the other columns are noise"
    assert any("only the text families read it" in str(note) for note in prepared.notes)
    assert "Remark" not in bundle.pipeline.plan.columns


@pytest.mark.slow
@pytest.mark.parametrize("model", NETWORKS)
def test_a_network_learns_what_only_the_remark_tells(model: str, tmp_path: Path) -> None:
    bundle, _ = trained(ready(english(800), tmp_path, model, epochs=25), tmp_path)
    assert accuracy(bundle, english(300, seed=9)) > 0.95
    assert bundle.manifest.training["onnx_difference"] <= 1e-5


@pytest.mark.parametrize("model", ["bag_of_words", *(pytest.param(key, marks=pytest.mark.slow) for key in NETWORKS)])
def test_chinese_remarks_are_learned_character_by_character(model: str, tmp_path: Path) -> None:
    options = {} if model == "bag_of_words" else {"epochs": 25}
    bundle, _ = trained(ready(chinese(800), tmp_path, model, **options), tmp_path)
    assert accuracy(bundle, chinese(300, seed=9)) > 0.95
    assert {"没", "有"} <= set(bundle.pipeline.plan.text.words)  # type: ignore[union-attr]
    told = bundle.score(pd.DataFrame({"Remark": ["早班记录主泵漏油", "早班记录主泵没有漏油"], "pressure": 0.0, "speed": 0.0}))
    assert told["prediction"].tolist() == ["故障", "正常"]


@pytest.mark.slow
@pytest.mark.parametrize("model", NETWORKS)
def test_the_order_of_words_alone_tells_a_network_what_a_bag_cannot_see(model: str, tmp_path: Path) -> None:
    new = order_only(300, seed=9)
    bundle, _ = trained(ready(order_only(1_200), tmp_path / "deep", model, epochs=40), tmp_path / "deep")
    shallow, _ = trained(ready(order_only(1_200), tmp_path / "bag", "bag_of_words"), tmp_path / "bag")
    assert accuracy(shallow, new) < 0.65
    assert accuracy(bundle, new) > 0.9


@pytest.mark.slow
def test_not_hot_is_not_hot(gru: Bundle) -> None:
    told = gru.score(
        pd.DataFrame(
            {"Remark": ["found the drive shaft is hot", "found the drive shaft is not hot"], "pressure": 0, "speed": 0}
        )
    )
    assert told["prediction"].tolist() == ["fault", "ok"]


ODD = [
    "",
    None,
    "   \t\n",
    "zorble quux frobnicate",
    "the hose 4 is hot " * 600,  # more than 10,000 characters
    '=HYPERLINK("http://x")',
    "@SUM(A1:A9) + cmd|' /C calc'!A0",
    "🔥🔥 👍🏽 ok",
    "\u0000\u200b\ufeff\u202e",
    "a" * 10_000,
    "没有过热",
    "E204" * 50,
]


@pytest.mark.parametrize("model", ["bag", pytest.param("gru", marks=pytest.mark.slow)])
def test_any_remark_is_scored_and_none_is_an_error(model: str, request: pytest.FixtureRequest) -> None:
    bundle: Bundle = request.getfixturevalue(model)
    table = pd.DataFrame({"Remark": pd.Series(ODD, dtype="str"), "pressure": 0.0, "speed": 0.0})
    scored = bundle.score(table)
    chances = scored[["probability_fault", "probability_ok"]].to_numpy()
    assert np.isfinite(chances).all() and np.allclose(chances.sum(axis=1), 1, atol=1e-6)
    assert (scored["why_not"] == "").all(), "an empty remark is a remark, and no cell that was filled"
    np.testing.assert_array_equal(chances[0], chances[1])
    np.testing.assert_array_equal(chances[0], chances[2])
    ids = bundle.pipeline.plan.text.ids(table["Remark"])  # type: ignore[union-attr]
    assert ids[0, -1] == EMPTY and (ids >= 0).all() and ids.max() < bundle.pipeline.plan.text.n_words  # type: ignore[union-attr]


@pytest.mark.parametrize("model", ["bag", pytest.param("gru", marks=pytest.mark.slow)])
def test_a_packed_bundle_scores_the_same_without_tensorflow(model: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    bundle: Bundle = request.getfixturevalue(model)
    pack_bundle(bundle.folder, tmp_path / "b.zip")
    english(40, seed=4).to_json(tmp_path / "new.json", orient="split")
    code = (
        "import json, sys\nimport pandas as pd\nfrom pathlib import Path\nfrom core.serving import load_bundle\n"
        "scored = load_bundle(Path(sys.argv[1])).score(pd.read_json(Path(sys.argv[2]), orient='split'))\n"
        "print(json.dumps([scored['probability_ok'].tolist(), sorted(m for m in ('tensorflow', 'keras') if m in sys.modules)]))"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "b.zip"), str(tmp_path / "new.json")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    given, loaded = json.loads(done.stdout)
    assert loaded == []
    np.testing.assert_allclose(given, bundle.score(english(40, seed=4))["probability_ok"], atol=1e-12)
    assert json.loads((bundle.folder / "manifest.json").read_text())["pipeline"]["features"]["text"]["column"] == "Remark"


def test_a_value_is_predicted_from_the_remark(tmp_path: Path) -> None:
    table = english(500)
    table["hours"] = np.where(table.pop("class") == "fault", 2.0, 8.0) + np.random.default_rng(1).normal(0, 0.2, 500)
    bundle, _ = trained(ready(table, tmp_path, "bag_of_words", "regression"), tmp_path)
    error = bundle.score(table)["prediction"] - table["hours"]
    assert float(np.sqrt((error**2).mean())) < 0.8 < 2.5 < float(table["hours"].std())


@pytest.mark.slow
def test_a_value_is_predicted_from_words_and_numbers_together(tmp_path: Path) -> None:
    table = english(1_000)
    table["hours"] = np.where(table.pop("class") == "fault", 2.0, 8.0) + 3 * table["pressure"]
    bundle, _ = trained(ready(table, tmp_path, "text_gru", "regression", epochs=40), tmp_path)
    error = bundle.score(table.tail(200))["prediction"] - table["hours"].tail(200).to_numpy()
    assert float(np.sqrt((error**2).mean())) < 1.5, "remark alone leaves 3, pressure alone leaves 3"


@pytest.mark.parametrize("model", ["bag_of_words", *(pytest.param(key, marks=pytest.mark.slow) for key in NETWORKS)])
def test_a_table_of_remarks_alone_is_enough(model: str, tmp_path: Path) -> None:
    options = {} if model == "bag_of_words" else {"epochs": 25}
    resolved = ready(english(600)[["Remark", "class"]], tmp_path, model, **options)
    bundle, prepared = trained(resolved, tmp_path)
    assert accuracy(bundle, english(200, seed=9)) > 0.95
    assert bundle.manifest.unknown is None, "words have no distance"
    assert not can_fit(prepared, model_by_key("logistic"))
    with pytest.raises(NotEnoughData, match="Beside the text of 'Remark' there is no column"):
        for_family(prepared, model_by_key("logistic"))


def test_a_family_that_reads_no_text_sees_what_it_would_see_without_any(tmp_path: Path) -> None:
    prepared = prepare(ready(english(300), tmp_path / "a", "bag_of_words"))
    without = prepare(ready(english(300).drop(columns="Remark"), tmp_path / "b", "logistic"))
    stripped = for_family(prepared, model_by_key("logistic"))
    assert stripped.pipeline.plan.features == without.pipeline.plan.features and stripped.pipeline.plan.text is None
    places = np.arange(20)
    np.testing.assert_array_equal(stripped.inputs.windows.batch(places), without.inputs.windows.batch(places))
    assert for_family(prepared, model_by_key("text_gru")) is prepared


def test_windows_of_several_rows_read_the_remark_of_the_last(tmp_path: Path) -> None:
    bundle, _ = trained(ready(english(600), tmp_path, "bag_of_words", window=3), tmp_path)
    assert bundle.pipeline.width == 3
    new = english(200, seed=9)
    assert (bundle.score(new)["prediction"] == new["class"])[2:].mean() > 0.95


def test_without_free_text_a_text_family_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(SettingProblem, match="Text GRU reads free text, and no column of the table is free text"):
        ready(english(100).drop(columns="Remark"), tmp_path, "text_gru")


def test_the_column_can_be_named_and_has_to_be_one_of_texts(tmp_path: Path) -> None:
    table = english(200).assign(Short=[f"note {i % 5} ok" for i in range(200)])
    assert ready(table, tmp_path, "text_gru").text == "Remark"
    named = ready(table, tmp_path, "text_gru", text_column="Short")
    assert named.text == "Short" and "as asked for" in str(named.text_choice.sentence)  # type: ignore[union-attr]
    with pytest.raises(DataProblem, match="Column 'pressure' holds no texts"):
        ready(table, tmp_path, "text_gru", text_column="pressure")
    with pytest.raises(SettingProblem, match="'class' is to be read as free text and is ignored, or is the target"):
        ready(table, tmp_path, "text_gru", text_column="class")
    with pytest.raises(DataProblem, match="Remrk"):
        ready(table, tmp_path, "text_gru", text_column="Remrk")


def test_the_column_with_the_most_words_is_proposed_and_an_ignored_one_only_when_named(tmp_path: Path) -> None:
    table = english(200)
    table["Long"] = table["Remark"] + " and " + table["Remark"]
    assert ready(table, tmp_path, "text_gru").text == "Long"
    dataset = as_dataset(table, tmp_path, **{"class": "target", "Long": "ignore"})
    request = TrainRequest(dataset_id=dataset.id, dataset_version=1, task="classification", model="text_gru")
    assert resolve(dataset, request).text == "Remark"
    assert resolve(dataset, request.with_values(options={"text_column": "Long"})).text == "Long"
    assert resolve(dataset, request.with_values(ignore=("Remark",), model="logistic")).text is None
    with pytest.raises(SettingProblem, match="'Remark' is to be read as free text and is ignored"):
        resolve(dataset, request.with_values(ignore=("Remark",), options={"text_column": "Remark"}))


def test_a_recipe_that_encodes_the_remark_leaves_a_text_family_nothing_to_read(tmp_path: Path) -> None:
    dataset = as_dataset(english(300), tmp_path, **{"class": "target"})
    steps = Recipe(steps=(RecipeStep(key="frequency_encode", columns=("Remark",)),)).model_dump(mode="json")
    request = TrainRequest(dataset_id=dataset.id, dataset_version=1, task="classification", model="bag_of_words", recipe=steps)
    with pytest.raises(NotEnoughData, match="A step of the recipe has removed or encoded it"):
        prepare(resolve(dataset, request))
    prepared = prepare(resolve(dataset, request.with_values(model="auto")))
    with pytest.raises(NotEnoughData, match="A step of the recipe has removed or encoded it"):
        for_family(prepared, model_by_key("bag_of_words"))
    assert for_family(prepared, model_by_key("logistic")).pipeline.plan.features


def test_scoring_makes_of_a_table_what_training_made_of_it(tmp_path: Path) -> None:
    resolved = ready(english(300), tmp_path, "bag_of_words")
    prepared = prepare(resolved)
    bundle = fit_baseline(resolved, prepared, resolved.spec, resolved.model_settings, tmp_path / "bundle")
    again = load_bundle(bundle.folder).pipeline
    assert again == prepared.pipeline
    np.testing.assert_array_equal(
        again.inputs(FrameRows(english(300)), Room()).windows.values[:], prepared.inputs.windows.values[:]
    )


def test_remarks_of_another_plant_are_scored_with_a_word_of_warning(bag: Bundle) -> None:
    other = english(50).assign(Remark="wszystko działa dobrze dzisiaj")
    notes = [str(note) for note in score_table(bag, other).notes]
    assert notes and notes[0].startswith("100 % of the words of 'Remark' are unknown to the model")
    assert not [n for n in score_table(bag, english(50)).notes if "unknown to the model" in str(n)]


def test_the_example_of_a_model_that_reads_no_text_holds_no_remark(bag: Bundle, tmp_path: Path) -> None:
    plain, prepared = trained(ready(english(300), tmp_path, "logistic"), tmp_path)
    assert "Remark" not in json.loads(example(plain, prepared))["rows"]["columns"]
    reading, prepared = trained(ready(english(300), tmp_path / "b", "bag_of_words"), tmp_path / "b")
    assert "Remark" in json.loads(example(reading, prepared))["rows"]["columns"]


def said(bundle: Bundle, prepared: Prepared) -> tuple[pd.DataFrame, list[str]]:
    """The rows of the example as somebody who checks it reads them, after proof that they give what the example expects."""
    stored = json.loads(example(bundle, prepared))
    rows = pd.DataFrame(stored["rows"]["data"], columns=stored["rows"]["columns"])
    expected = pd.DataFrame(stored["expected"]["data"], columns=stored["expected"]["columns"])
    given = bundle.score(rows)
    assert list(given["prediction"]) == list(expected["prediction"])
    np.testing.assert_allclose(given["probability_ok"], expected["probability_ok"], rtol=1e-9)
    return rows, [text for text in english(300)["Remark"].unique() if text in json.dumps(stored)]


@pytest.mark.parametrize(
    ("step", "columns", "stays", "is_there"),
    [
        ("standard_scale", ("pressure",), False, False),  # does not touch the remark: the column is left out
        ("mode_fill", ("Remark",), False, True),  # looks for the column: it is there, and empty
        ("text_features", ("Remark",), True, True),  # makes columns of its words, which the model reads
    ],
)
def test_with_a_recipe_too_the_example_holds_only_remarks_that_the_answer_rests_on(
    step: str, columns: tuple[str, ...], stays: bool, is_there: bool, tmp_path: Path
) -> None:
    recipe = Recipe(steps=(RecipeStep(key=step, columns=columns),)).model_dump(mode="json")
    resolved = ready(english(300), tmp_path, "logistic")
    resolved = resolve(resolved.dataset, resolved.request.with_values(recipe=recipe))
    rows, remarks = said(*trained(resolved, tmp_path))
    assert ("Remark" in rows.columns) == is_there
    assert bool(remarks) == stays
    assert stays or not is_there or rows["Remark"].isna().all()
