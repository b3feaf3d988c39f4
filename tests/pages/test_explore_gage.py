"""Explore, measurement systems: the study of AIAG's manual on the screen, ratings with their mistakes, and tables that hold no study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.data.dataset import Column, Dataset
from pages.components.study_guess import guess_study
from tests.core.spc.test_gage import AIAG

Open = Callable[..., AppTest]


def imported(table: pd.DataFrame, folder: Path, columns: list[Column] | None = None) -> Dataset:
    table.to_csv(folder / "study.csv", index=False)
    made = wf.import_file(wf.open_workspace(), folder / "study.csv", columns=columns or []).dataset
    assert made is not None
    return made


def screen(open_app: Open, dataset: Dataset, **address: str) -> AppTest:
    return open_app("prepare/explore.py", dataset=dataset.id, view="gage", **address)


def plain(words: str) -> str:
    """Without the backslashes that keep Markdown away from users' words."""
    return words.replace("\\", "")


def choice(app: AppTest, name: str) -> AppTest:
    return next(s for s in app.selectbox if str(s.key).endswith(f".{name}"))  # type: ignore[return-value]


@pytest.fixture
def gage(tmp_path: Path, own_store: Path) -> Dataset:
    """The study of AIAG's manual: 10 parts, 3 operators, 3 trials, between -4 and 4 mm."""
    rows = [(i + 1, "ABC"[j], k + 1, AIAG[i, j, k]) for i in range(10) for j in range(3) for k in range(3)]
    table = pd.DataFrame(rows, columns=["Part No", "Operator", "Trial", "thickness"])
    return imported(table, tmp_path, [Column("thickness", "number", "sensor", "mm", -4.0, 0.0, 4.0)])


@pytest.fixture
def ratings(tmp_path: Path, own_store: Path) -> Dataset:
    """20 parts rated twice by two: the first 10 are bad; Bob lets part 1 pass both times and rejects part 20 once. Ann makes no mistake."""
    rows = []
    for part in range(1, 21):
        truth = "bad" if part <= 10 else "good"
        for who in ("Ann", "Bob"):
            for trial in (1, 2):
                wrong = who == "Bob" and (part == 1 or (part == 20 and trial == 2))
                rows.append((f"P{part}", who, trial, {"bad": "good", "good": "bad"}[truth] if wrong else truth, truth))
    return imported(pd.DataFrame(rows, columns=["part", "appraiser", "trial", "rating", "standard"]), tmp_path)


@pytest.fixture
def usual(tmp_path: Path, own_store: Path) -> Dataset:
    """A table of a process, with nothing measured twice."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {"pressure": rng.normal(5, 1, 60).round(3), "width": rng.normal(48, 0.1, 60).round(4), "lot": np.repeat(["a", "b"], 30)}
    )
    return imported(table, tmp_path)


def test_the_study_of_the_manual_is_found_by_its_names_and_told_as_printed(open_app: Open, gage: Dataset) -> None:
    app = screen(open_app, gage)
    assert plain(app.title[0].value).startswith("'thickness': gage R&R is 27.9 % of the variation")
    values = {m.label: m.value for m in app.metric}
    # AIAG (2010), table of the ANOVA method: %GRR 27.86, ndc 4; GRR 0.302373 · 6 / 8 mm tolerance = 22.7 %.
    assert values["Gage R&R"] == "27.9 %" and values["Of the tolerance"] == "22.7 %" and values["Distinct categories"] == "4"
    components = app.dataframe[0].value.set_index("component")
    assert components.loc["repeatability (EV)", "sd"] == pytest.approx(0.199933, abs=5e-6)
    assert components.loc["reproducibility (AV)", "sd"] == pytest.approx(0.226838, abs=5e-6)
    full = app.dataframe[-1].value.set_index("source")
    assert full.loc["parts", "f"] == pytest.approx(492.291, abs=1e-3) and full.loc["parts × operators", "p"] == "0.9741"
    assert (app.query_params["part"], app.query_params["operator"]) == ("Part No", "Operator")
    assert app.query_params["column"] == "thickness"


def test_without_operators_repeatability_alone_is_told(open_app: Open, gage: Dataset) -> None:
    app = screen(open_app, gage, operator="-")
    assert not app.exception and not app.error
    assert "interaction of parts and operators" not in set(app.dataframe[0].value["component"])
    assert any("repeatability alone" in c.value for c in app.caption)
    assert choice(app, "operator").value is None and app.query_params["operator"] == "-"  # type: ignore[attr-defined]


def test_a_tolerance_that_is_written_takes_the_place_of_the_limits(open_app: Open, gage: Dataset) -> None:
    app = screen(open_app, gage, set="tolerance=4")
    assert next(m.value for m in app.metric if m.label == "Of the tolerance") == "45.4 %"
    assert any("above 30 %" in plain(m.value) for m in app.markdown)


def test_ratings_are_known_by_their_columns_and_mistakes_are_counted(open_app: Open, ratings: Dataset) -> None:
    app = screen(open_app, ratings)
    assert app.query_params["kind"] == "ratings"
    assert plain(app.title[0].value).startswith("'rating': all ratings of 18 of 20 parts are right, 90.0 %")
    choice(app, "bad.rating").set_value("bad").run()  # type: ignore[attr-defined]
    assert not app.exception and not app.error
    mistakes = app.dataframe[1].value.set_index("who")
    # Bob: 2 of 20 ratings of bad parts missed, 1 of 20 of good parts called bad.
    assert mistakes.loc["Bob", "misses"] == pytest.approx(10) and mistakes.loc["Bob", "alarms"] == pytest.approx(5)
    assert mistakes.loc["Ann", "misses"] == 0 and mistakes.loc["Bob", "missed"].startswith("2 of 20")
    assert next(m for m in app.metric if m.label == "Most misses").value == "10 %"
    agreed = app.dataframe[0].value.set_index("comparison")["agreed"]
    assert agreed["Ann, own repeats"] == "20 of 20" and agreed["Bob, own repeats"] == "19 of 20"
    assert set(app.query_params["set"].split(";")) == {"standard_column=standard", "bad=bad"}


def test_a_table_without_a_study_is_told_what_one_looks_like(open_app: Open, usual: Dataset) -> None:
    app = screen(open_app, usual)
    assert app.title[0].value == "How much of the variation comes from measuring is not known yet" and not app.error
    assert any("One measurement a row" in m.value for m in app.markdown)
    assert list(app.dataframe[0].value.columns) == ["part no.", "operator", "trial", "value"]
    choice(app, "part").set_value("pressure").run()  # type: ignore[attr-defined]
    assert app.error and any("One measurement a row" in m.value for m in app.markdown)
    assert "There is no gage study of" in app.title[0].value


def test_ratings_too(open_app: Open, usual: Dataset) -> None:
    app = screen(open_app, usual, kind="ratings")
    assert app.title[0].value == "Whether ratings agree is not known yet" and not app.error
    assert list(app.dataframe[0].value.columns) == ["part no.", "appraiser", "trial", "rating", "standard"]


def test_the_way_to_the_capability_of_the_same_column(open_app: Open, gage: Dataset) -> None:
    app = screen(open_app, gage)
    app.button(key="gage.next").click().run()
    assert not app.exception and app.query_params["view"] == "capability" and "part" not in app.query_params
    assert app.query_params["column"] == "thickness"


def test_in_chinese_too(open_app: Open, gage: Dataset) -> None:
    app = screen(open_app, gage, lang="zh")
    assert "量具 R&R" in app.title[0].value and "量具可接受" not in app.title[0].value


@pytest.mark.parametrize(
    ("names", "part", "who"),
    [
        (["PartID", "OperatorName", "value"], "PartID", "OperatorName"),
        (["partial pressure", "who knows", "x"], None, "who knows"),
        (["零件号", "操作者", "测量值"], "零件号", "操作者"),
        (["sample no.", "appraiser", "reading"], "sample no.", "appraiser"),
        (["lot", "machine", "width"], None, None),
    ],
)
def test_columns_are_guessed_by_whole_words(
    tmp_path: Path, own_store: Path, names: list[str], part: str | None, who: str | None
) -> None:
    rng = np.random.default_rng(2)
    table = pd.DataFrame({name: rng.normal(size=8).round(3) for name in names})
    found = guess_study(imported(table, tmp_path))
    assert (found.part, found.who) == (part, who)
