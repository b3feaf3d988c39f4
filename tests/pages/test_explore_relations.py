"""Explore, relations: pairs, strata, Pareto and lags of a table whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Multiselect

from core import workflows as wf
from core.data.dataset import Column, Dataset

Open = Callable[..., AppTest]


@pytest.fixture
def line(tmp_path: Path, own_store: Path) -> Dataset:
    """400 rows a minute apart: `heat` follows `feed` by 5 rows, `bend` is a parabola of `feed`; press C makes `width` 1 mm wider."""
    rng = np.random.default_rng(8)
    n = 400
    feed = rng.normal(0, 1, n)
    press = np.tile(["A", "B", "C", "A"], n // 4)
    table = pd.DataFrame(
        {
            "when": pd.Timestamp("2026-04-01") + pd.to_timedelta(np.arange(n), unit="min"),
            "feed": feed.round(4),
            "heat": (np.roll(feed, 5) + rng.normal(0, 0.2, n)).round(4),
            "bend": (feed**2).round(4),
            "width": (10 + (press == "C") + rng.normal(0, 0.1, n)).round(4),
            "press": press,
            "defect": np.repeat(["flash", "warp", "burn"], [280, 80, 40]),
            "cost": np.repeat([1.0, 1.0, 20.0], [280, 80, 40]),
        }
    )
    table.to_csv(tmp_path / "line.csv", index=False)
    columns = [Column("width", "number", "target", "mm"), Column("press", "text", "sensor")]
    made = wf.import_file(wf.open_workspace(), tmp_path / "line.csv", columns=columns).dataset
    assert made is not None
    return made


def screen(open_app: Open, dataset: Dataset, **address: str) -> AppTest:
    return open_app("prepare/explore.py", dataset=dataset.id, view="relations", **address)


def plain(words: str) -> str:
    """Without the backslashes that keep Markdown away from users' words."""
    return words.replace("\\", "")


def choice(app: AppTest, name: str) -> AppTest:
    return next(s for s in app.selectbox if str(s.key).endswith(f".{name}"))  # type: ignore[return-value]


def chosen(app: AppTest, name: str) -> Multiselect:
    return next(m for m in app.multiselect if name in str(m.key))


def test_pairs_that_hang_together_are_told_the_closest_first_and_a_bend_by_name(open_app: Open, line: Dataset) -> None:
    app = screen(open_app, line)
    assert "pairs of columns hang together by more than chance" in app.title[0].value
    table = app.dataframe[0].value
    assert (np.diff(table["strength"]) <= 0).all()
    bend = table[(table["one"] == "feed") & (table["other"] == "bend")]
    assert bend["kind"].tolist() == ["bent"]
    among = table[["one", "other"]].apply(frozenset, axis=1).tolist()
    assert frozenset(("width", "press")) in among and frozenset(("feed", "width")) not in among
    assert app.metric[0].value == str(len(table))


def test_chosen_columns_stand_in_the_address_and_open_the_same(open_app: Open, line: Dataset) -> None:
    app = screen(open_app, line)
    chosen(app, ".columns").set_value(["feed", "bend"]).run()
    assert app.query_params["columns"] == "feed|bend" and app.metric[3].value == "2"
    again = screen(open_app, line, columns="feed|bend")
    assert again.title[0].value == app.title[0].value


@pytest.mark.parametrize("pair", ["feed|bend", "width|press", "press|defect"])
def test_any_pair_has_its_picture(open_app: Open, line: Dataset, pair: str) -> None:
    app = screen(open_app, line, pair=pair)
    assert not app.error
    shown = choice(app, f"pair.{line.id}.7").value  # type: ignore[attr-defined]
    assert shown is not None and any("rows drawn" in c.value for c in app.caption)
    if pair == "press|defect":  # no clear pair, but one that can be looked at all the same
        assert app.query_params["pair"] == pair


def test_several_columns_and_a_map_of_rows(open_app: Open, line: Dataset) -> None:
    app = screen(open_app, line, picture="several")
    assert not app.error and len(chosen(app, "several").value) == 4
    chosen(app, "several").set_value(["feed"]).run()
    assert any("Choose two to five columns" in m.value for m in app.markdown)
    app = screen(open_app, line, picture="map")
    assert any("Two components tell" in c.value for c in app.caption) and not app.error
    colour = next(s for s in app.selectbox if "colour" in str(s.key))
    assert colour.value == "when", "coloured by time at first"
    colour.set_value("press").run()
    assert not app.exception and not app.error


def test_the_press_that_differs_is_named_and_stands_first(open_app: Open, line: Dataset) -> None:
    app = screen(open_app, line, question="differs")
    assert plain(app.title[0].value).startswith("'width' differs by 'press'") and "'C' lies" in app.title[0].value
    frame = line.rows(["width", "press"]).read()
    difference = frame.loc[frame["press"] == "C", "width"].mean() - frame.loc[frame["press"] != "C", "width"].mean()
    table = app.dataframe[0].value
    assert table["stratum"][0] == "C" and table["difference"][0] == pytest.approx(difference)
    assert app.metric[0].value == f"{difference:.4g} mm"
    columns = app.dataframe[1].value
    assert columns["by"][0] == "press" and columns["differs"].tolist()[0] == "differs"
    choice(app, f"by.{line.id}").set_value("defect").run()  # type: ignore[attr-defined]
    assert app.query_params["by"] == "defect" and "does not differ by 'defect'" in app.title[0].value


def test_what_occurs_most_and_what_costs_most_are_two_answers(open_app: Open, line: Dataset) -> None:
    app = screen(open_app, line, question="most")
    assert app.query_params["column"] == "defect", "a column of defects comes first by its name"
    table = app.dataframe[0].value
    assert table["category"].tolist() == ["flash", "warp", "burn"] and table["reached"].tolist() == pytest.approx([70, 90, 100])
    assert app.metric[0].value == "2" and app.metric[2].value == "70 %"
    choice(app, "cost").set_value("cost").run()  # type: ignore[attr-defined]
    # 280 · 1, 80 · 1 and 40 · 20 = 800 of 1160.
    table = app.dataframe[0].value
    assert table["category"].tolist() == ["burn", "flash", "warp"] and table["share"][0] == pytest.approx(100 * 800 / 1160)
    assert app.query_params["set"] == "cost_column=cost"


def test_the_sensor_that_follows_is_named_with_its_delay(open_app: Open, line: Dataset) -> None:
    app = screen(open_app, line, question="follows")
    assert plain(app.title[0].value).startswith("'heat' follows 'feed' by 5 rows (300 s)")
    assert app.metric[0].value == "5 rows" and any("one row is 60 s" in c.value for c in app.caption)
    assert (app.query_params["column"], app.query_params["other"]) == ("feed", "heat")


def test_another_question_starts_anew(open_app: Open, line: Dataset) -> None:
    app = screen(open_app, line, question="most", set="cost_column=cost")
    question = next(c for c in app.get("button_group") if c.key == "relations_question")
    question.set_value("differs").run()
    assert not app.exception and "set" not in app.query_params and app.query_params["column"] == "width"


def test_a_question_that_cannot_be_answered_is_a_sentence(open_app: Open, tmp_path: Path, own_store: Path) -> None:
    pd.DataFrame({"x": np.arange(10.0), "y": np.arange(10.0) ** 2}).to_csv(tmp_path / "short.csv", index=False)
    made = wf.import_file(wf.open_workspace(), tmp_path / "short.csv").dataset
    assert made is not None
    app = screen(open_app, made)
    assert (
        "The table has 10 rows." in plain(app.error[0].value)
        and app.title[0].value == "Which columns hang together cannot be told"
    )
    app = screen(open_app, made, question="differs")
    assert "No column of categories" in app.error[0].value


def test_in_chinese_too(open_app: Open, line: Dataset) -> None:
    app = screen(open_app, line, lang="zh", question="follows")
    assert "滞后于" in app.title[0].value
