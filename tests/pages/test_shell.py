"""The shell: language, address, context bar, and faults that end in one sentence."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.data.dataset import Dataset
from core.errors import DataProblem
from core.messages import msg

Open = Callable[..., AppTest]
SCREENS = (
    "start/home.py",
    "prepare/data.py",
    "prepare/clean.py",
    "learn/train.py",
    "learn/runs.py",
    "judge/predictions.py",
    "judge/anomalies.py",
    "use/reports.py",
)


def stored(folder: Path, name: str) -> Dataset:
    """A small dataset in the store of this test."""
    path = folder / f"{name}.csv"
    rows = "".join(f"2026-05-01 {i // 60:02d}:{i % 60:02d},{4 + (i % 7) / 10},{60 + i % 5}\n" for i in range(200))
    path.write_text("time,pressure,temperature\n" + rows, encoding="utf-8")
    dataset = wf.import_file(wf.open_workspace(), path).dataset
    assert dataset is not None
    return dataset


def popover_labels(app: AppTest) -> list[str]:
    return [block.proto.popover.label for block in app.get("popover")]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_screen_opens_on_an_empty_store(open_app: Open, screen: str, lang: str) -> None:
    app = open_app(screen, lang=lang)
    assert len(app.title) == 1
    assert not app.error
    assert app.session_state["lang"] == lang


def test_the_browser_chooses_the_first_language(open_app: Open) -> None:
    app = AppTest.from_file(str(Path(__file__).parents[2] / "pages" / "main.py"), default_timeout=30)
    app.context = {"locale": "zh-CN"}
    app.run()
    assert app.session_state["lang"] == "zh"
    assert app.query_params["lang"] == "zh"


def test_the_language_switch_reaches_the_address_and_the_next_screen(open_app: Open) -> None:
    app = open_app()
    app.segmented_control(key="lang").set_value("zh").run()
    assert app.title[0].value.startswith("五分钟")
    app.switch_page("prepare/clean.py").run()
    assert app.title[0].value.startswith("还没有可清洗的数据")
    assert app.query_params["lang"] == "zh"


def test_an_unknown_language_falls_back(open_app: Open) -> None:
    assert open_app(lang="tlh").session_state["lang"] == "en"


def test_the_address_opens_a_dataset_and_the_newest_is_the_default(open_app: Open, tmp_path: Path) -> None:
    older, newer = stored(tmp_path, "older"), stored(tmp_path, "newer")
    assert open_app().query_params["dataset"] == newer.id
    app = open_app(dataset=older.id)
    assert app.session_state["_dataset"].id == older.id
    app.switch_page("prepare/clean.py").run()
    assert app.query_params["dataset"] == older.id


def test_an_older_version_can_be_opened(open_app: Open, tmp_path: Path) -> None:
    dataset = stored(tmp_path, "table")
    wf.change_columns(wf.open_workspace(), dataset.id, dataset.columns)
    assert open_app().session_state["_dataset"].version == 2
    app = open_app(dataset=dataset.id, version="1")
    assert app.session_state["_dataset"].version == 1
    assert app.query_params["version"] == "1"
    assert open_app(dataset=dataset.id, version="99").session_state["_dataset"].version == 2


@pytest.mark.parametrize(
    "address", [{"dataset": "no-such-id"}, {"run": "../../etc/passwd"}, {"dataset": "' OR 1=1", "version": "x"}]
)
def test_an_address_that_names_nothing_says_so_and_goes_on(open_app: Open, address: dict[str, str]) -> None:
    app = open_app(**address)
    assert any("not here any more" in warning.value for warning in app.warning)
    assert len(app.title) == 1


def test_a_fault_becomes_one_sentence_with_a_number(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(wf, "list_runs", broken)
    with caplog.at_level(logging.ERROR, logger="andon.pages"):
        app = open_app()
    assert app.error and all("secret" not in box.value and "Traceback" not in box.value for box in app.error)
    assert "secret detail" in caplog.text


def test_a_problem_shows_what_came_what_was_expected_and_the_fix(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise DataProblem(
            msg("There is no column '{column}'.", column="*x*"), msg("Choose one of these."), msg("Choose one of them.")
        )

    monkeypatch.setattr(wf, "demo_cards", refused)
    box = open_app().error[0].value
    assert "no column '\\*x\\*'" in box
    assert "Choose one of these" in box
    assert "Choose one of them" in box
