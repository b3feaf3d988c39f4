"""The Explore screen: the chart proposed, the signals told, limits from a baseline, stages from shifts, an address that opens the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.data.dataset import Column, Dataset

Open = Callable[..., AppTest]


@pytest.fixture
def dataset(tmp_path: Path, own_store: Path) -> Dataset:
    """120 rows an hour apart: `width` shifts by 5 sigma at row 80 and has one outlier, `failed` of `tested` parts, `name`, `same`."""
    rng = np.random.default_rng(3)
    n = 120
    width = rng.normal(48, 0.1, n)
    width[80:] += 0.5
    width[30] = 50.0
    table = pd.DataFrame(
        {
            "when": pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(n), unit="h"),
            "width": width.round(4),
            "failed": rng.binomial(200, 0.03, n),
            "tested": np.full(n, 200),
            "same": np.full(n, 3.5),
            "shift": np.tile(["early", "late"], n // 2),
        }
    )
    table.to_csv(tmp_path / "line.csv", index=False)
    columns = [Column("width", "number", "target", "mm"), Column("same", "number", "sensor")]
    made = wf.import_file(wf.open_workspace(), tmp_path / "line.csv", columns=columns).dataset
    assert made is not None
    return made


def screen(open_app: Open, dataset: Dataset, **address: str) -> AppTest:
    return open_app("prepare/explore.py", dataset=dataset.id, **address)


def plain(words: str) -> str:
    """Without the backslashes that keep Markdown away from users' words."""
    return words.replace("\\", "")


def choice(app: AppTest, name: str) -> AppTest:
    return next(s for s in app.selectbox if str(s.key).endswith(f".{name}"))  # type: ignore[return-value]


def test_the_chart_of_the_target_stands_there_with_its_signals(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset)
    assert app.title[0].value.startswith("'width' is not in control")
    assert [m.value for m in app.metric[:1]] == ["I-MR"] and app.metric[2].value.endswith("mm")
    assert "2026-01-05" in plain(app.metric[1].help), "the first signal, by its time"
    table = app.dataframe[0].value
    outside = table[(table["rule"] == 1) & (table["chart"] == "MR")]["where"].item()
    assert outside.startswith("2026-01-06 06:00, 2026-01-06 07:00"), "to the outlier and back"
    assert app.query_params["column"] == "width"


def test_a_lasting_shift_is_offered_as_stages_and_one_click_makes_them(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset)
    assert any("shifts for good at 1 place: 2026-01-08 08:00" in plain(m.value) for m in app.markdown)
    before = int(app.metric[1].value)
    app.button(key="control.make_stages").click().run()
    assert not app.exception
    assert choice(app, "limits").value == "shifts" and int(app.metric[1].value) < before  # type: ignore[attr-defined]
    assert app.query_params["set"] == "shifts=True"
    again = screen(open_app, dataset, set="shifts=True", column="width")
    assert int(again.metric[1].value) == int(app.metric[1].value), "a copied address opens the same chart"


def test_limits_of_a_baseline_are_those_of_its_points(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, set="baseline=25")
    frame = dataset.rows(["width"]).read()
    assert float(app.metric[2].value.split()[0]) == pytest.approx(frame["width"][:25].mean(), abs=5e-3)
    assert any("limits from points 1 to 25" in c.value for c in app.caption)


def test_defective_units_want_the_number_inspected(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, column="failed")
    choice(app, "counts").set_value("defectives").run()  # type: ignore[attr-defined]
    assert "without the number inspected" in app.error[0].value and app.title[0].value == "There is no such chart of 'failed'"
    choice(app, "size_column").set_value("tested").run()  # type: ignore[attr-defined]
    assert not app.error and app.metric[0].value == "np"
    choice(app, "chart.defectives").set_value("p").run()  # type: ignore[attr-defined]
    share = dataset.rows(["failed"]).read()["failed"].mean() / 200
    assert float(app.metric[2].value) == pytest.approx(share, rel=1e-3)


def test_a_column_that_never_changes_is_refused_in_words(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, column="same")
    assert "never change" in app.error[0].value and app.title[0].value == "There is no such chart of 'same'"


@pytest.mark.parametrize("bad", ["baseline=0", "chart=pie", "stage_column=gone", "nonsense", "width=x;rules=none"])
def test_what_an_address_says_wrongly_is_passed_over(open_app: Open, dataset: Dataset, bad: str) -> None:
    app = screen(open_app, dataset, set=bad)
    assert not app.error and app.title[0].value.startswith("'width' is not in control")


def test_a_run_chart_tells_its_tests(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, set="chart=run", lang="en")
    assert "does not run as chance would have it" in app.title[0].value
    assert any("runs about the median" in c.value for c in app.caption)


def test_without_data_the_screen_says_what_will_be_here(open_app: Open) -> None:
    app = open_app("prepare/explore.py")
    assert app.title[0].value == "No data to explore yet" and app.button(key="empty_action")


def test_in_chinese_too(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, lang="zh")
    assert "失控" in app.title[0].value


def test_several_columns_in_one_chart_with_what_lifts_a_row(open_app: Open, tmp_path: Path, own_store: Path) -> None:
    rng = np.random.default_rng(6)
    table = pd.DataFrame(rng.normal(size=(200, 3)).round(4), columns=["flow", "heat", "load"])
    table.loc[150, "heat"] = 12.0
    table.to_csv(tmp_path / "three.csv", index=False)
    made = wf.import_file(wf.open_workspace(), tmp_path / "three.csv").dataset
    assert made is not None
    app = screen(open_app, made, view="many", set="baseline=100;chart=T2")
    assert app.title[0].value.startswith("3 columns together are not in control")
    assert app.dataframe[-1].value["column"][0] == "heat" and any("'heat' most: 12" in plain(m.value) for m in app.markdown)
    assert set(app.query_params["set"].split(";")) == {"baseline=100", "chart=T2"}
    app.multiselect[0].set_value(["flow"]).run()
    assert "There are 1 columns" in app.error[0].value and app.title


@pytest.fixture
def parts(tmp_path: Path, own_store: Path) -> Dataset:
    """300 stable parts of two machines, 10 ± 0.1 mm between 9.7 and 10.4, and `drifts`, which does not stay."""
    rng = np.random.default_rng(12)
    table = pd.DataFrame(
        {
            "bore": rng.normal(10, 0.1, 300).round(4),
            "drifts": (rng.normal(10, 0.1, 300) + np.linspace(0, 2, 300)).round(4),
            "machine": np.tile(["A", "B"], 150),
        }
    )
    table.to_csv(tmp_path / "parts.csv", index=False)
    columns = [Column(name, "number", "sensor", "mm", 9.7, 10.0, 10.4) for name in ("bore", "drifts")]
    made = wf.import_file(wf.open_workspace(), tmp_path / "parts.csv", columns=columns).dataset
    assert made is not None
    return made


def test_a_stable_column_has_its_capability_with_intervals(open_app: Open, parts: Dataset) -> None:
    app = screen(open_app, parts, view="capability")
    assert plain(app.title[0].value).startswith("'bore' is stable: Ppk")
    frame = parts.rows(["bore"]).read()["bore"]
    ppk = min(10.4 - frame.mean(), frame.mean() - 9.7) / (3 * frame.std())
    assert app.metric[0].label == "Ppk" and float(app.metric[0].value) == pytest.approx(ppk, abs=5.1e-3)
    assert {"Cp", "Cpk", "Pp", "Ppk", "Cpm"} <= set(app.dataframe[0].value["index"])
    choice(app, "by_column").set_value("machine").run()  # type: ignore[attr-defined]
    assert app.dataframe[-1].value["name"].tolist() == ["A", "B"] and app.query_params["set"] == "by_column=machine"


def test_an_unstable_column_has_none_and_says_why_and_its_past_can_be_told(open_app: Open, parts: Dataset) -> None:
    app = screen(open_app, parts, view="capability", column="drifts")
    assert app.title[0].value == "'drifts' is not stable, so that it has no capability" and app.metric[0].value == "–"
    assert any("Find the causes" in plain(m.value) for m in app.markdown)
    table = next(d.value for d in app.dataframe if "times" in d.value.columns)
    assert len(table) >= 1 and (table["row"] >= 1).all() and table["why"].ne("").all()
    app.button(key="capability.anyway").click().run()
    assert "promises nothing" in app.title[0].value and float(app.metric[0].value) < 1


def test_a_column_without_limits_asks_for_them(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, view="capability", column="width")
    assert not app.error and app.title[0].value == "What does the customer allow for 'width'?"
    assert any("Lower specification limit" in plain(m.value) and "Upper" in plain(m.value) for m in app.markdown)
    next(n for n in app.number_input if str(n.key).endswith(".upper")).set_value(49.0).run()
    assert not app.error and app.query_params["set"] == "upper=49.0"


def test_rules_chosen_on_the_control_chart_judge_the_capability_too(open_app: Open, parts: Dataset) -> None:
    app = screen(open_app, parts, column="bore", set="only_rules=1|2%3A8")
    app.session_state["explore_view"] = "capability"
    app.run()
    assert not app.exception
    assert any("rules of Nelson (rules 1, 2 (k = 8))" in plain(c.value) for c in app.caption)
    assert "only_rules=1|2%3A8" in app.query_params["set"]
    app.session_state["explore_view"] = "one"
    app.run()
    assert any("rules of Nelson (rules 1, 2 (k = 8))" in plain(c.value) for c in app.caption), "and on the way back"


def test_the_validation_screen_lists_every_example_with_its_source(open_app: Open) -> None:
    app = open_app("help/validation.py")
    found = wf.validate()
    assert plain(app.title[0].value) == str(found.headline)
    assert len(app.expander) == len(found.found) and len(app.dataframe) == len(found.found)
    assert {"yes"} == set(pd.concat([d.value for d in app.dataframe])["equal"])


def test_names_in_a_figure_are_no_pictures_and_no_links(open_app: Open, tmp_path: Path, own_store: Path) -> None:
    """Streamlit reads Markdown in the value and the second line of a metric; a header of a file must load nothing."""
    rng = np.random.default_rng(4)
    base = rng.normal(size=80)
    evil, sly = "![a](http://h/x.png)", "!\\[b\\](http://h/y.png)"
    pd.DataFrame({evil: base.round(3), sly: (base + rng.normal(scale=0.1, size=80)).round(3)}).to_csv(
        tmp_path / "e.csv", index=False
    )
    made = wf.import_file(wf.open_workspace(), tmp_path / "e.csv").dataset
    assert made is not None
    app = screen(open_app, made, view="relations")
    shown = [text for m in app.metric for text in (m.value, m.delta or "")]
    assert any("h/x.png" in text for text in shown), "the closest pair names the columns"
    # Escaped backslashes out of the way, no bracket stands there that opens a link.
    assert not any("[" in text.replace("\\\\", "").replace("\\[", "") for text in shown)


def test_limits_that_were_typed_for_one_column_judge_no_other(open_app: Open, parts: Dataset) -> None:
    app = screen(open_app, parts, view="capability", column="bore", set="lower=5.0")
    assert next(n for n in app.number_input if str(n.key).endswith(".lower")).value == 5.0
    next(s for s in app.selectbox if ".column." in str(s.key)).set_value("drifts").run()
    assert next(n for n in app.number_input if str(n.key).endswith(".lower")).value == 9.7
    assert app.query_params.get("set", "") == ""


def test_a_signal_is_left_out_with_its_cause_and_taken_back(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, set="baseline=60")
    centre = float(app.metric[2].value.split()[0])
    signals = next(m for m in app.multiselect if str(m.key).endswith(".signals"))
    outlier = next(label for label in signals.options if label.endswith("50 mm"))
    signals.set_value([30]).run()
    assert plain(outlier).startswith("2026-01-06 06:00")
    app.button(key="control_left_out.leave").click().run()
    assert "There is no cause yet" in app.error[0].value
    next(i for i in app.text_input if str(i.key).endswith(".cause")).set_value("robot stopped").run()
    app.button(key="control_left_out.leave").click().run()
    assert not app.exception and not app.error
    assert app.query_params["set"] == "baseline=60;left_out=31%3Arobot stopped"
    kept = np.delete(dataset.rows(["width"]).read()["width"].to_numpy()[:60], 30)
    assert float(app.metric[2].value.split()[0]) == pytest.approx(kept.mean(), abs=5e-3) != centre
    assert any("row 31 · 2026-01-06 06:00 · 50 mm: robot stopped" in plain(m.value) for m in app.markdown)
    assert any("1 point left out (hollow)" in plain(c.value) for c in app.caption)
    assert any("row 31 (robot stopped)" in plain(c.value) for c in app.caption), "in the note of the chart"
    again = screen(open_app, dataset, column="width", set="baseline=60;left_out=31%3Arobot stopped")
    assert again.metric[2].value == app.metric[2].value, "a copied address opens the same chart"
    app.button(key="control_left_out.back.0").click().run()
    assert app.query_params["set"] == "baseline=60" and float(app.metric[2].value.split()[0]) == centre


def test_rows_left_out_of_one_column_are_none_of_another(open_app: Open, parts: Dataset) -> None:
    app = screen(open_app, parts, column="bore", set="left_out=3%3Atest|8-9%3Aoil;known_centre=10.0;known_sigma=0.1")
    assert sum("3 points left out" in e.label for e in app.expander) == 1
    next(s for s in app.selectbox if ".column." in str(s.key)).set_value("drifts").run()
    assert app.query_params.get("set", "") == ""
    app.run()
    assert app.query_params.get("set", "") == ""


def test_a_known_standard_is_typed_and_said(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset)
    choice(app, "limits").set_value("known").run()  # type: ignore[attr-defined]
    next(n for n in app.number_input if str(n.key).endswith(".known_centre")).set_value(48.0).run()
    next(n for n in app.number_input if str(n.key).endswith(".known_sigma")).set_value(0.2).run()
    assert app.metric[2].value == "48.000 mm" and app.metric[3].delta == "given"
    assert any("limits given, not estimated" in c.value for c in app.caption)
    assert any("centre 48, σ = 0.2" in plain(c.value) for c in app.caption)
    assert set(app.query_params["set"].split(";")) == {"known_centre=48.0", "known_sigma=0.2"}
    again = screen(open_app, dataset, column="width", set=app.query_params["set"])
    assert choice(again, "limits").value == "known" and again.metric[2].value == "48.000 mm"  # type: ignore[attr-defined]
    choice(again, "limits").set_value("all").run()  # type: ignore[attr-defined]
    assert again.query_params.get("set", "") == "" and not again.error


def test_single_rules_are_chosen_with_their_k(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset)
    for number in (3, 4, 6, 7, 8):
        next(c for c in app.checkbox if str(c.key).endswith(f".nelson.{number}.on")).uncheck()
    next(n for n in app.number_input if str(n.key).endswith(".nelson.2.k")).set_value(8)
    app.run()
    assert not app.exception and not app.error
    assert app.query_params["set"] == "only_rules=1|2%3A8|5"
    assert any("rules of Nelson (rules 1, 2 (k = 8), 5)" in plain(c.value) for c in app.caption)
    again = screen(open_app, dataset, column="width", set="only_rules=1|2%3A8|5")
    assert again.title[0].value == app.title[0].value
    odd = screen(open_app, dataset, column="width", set="only_rules=1%3A0|2%3Ax")
    assert not odd.exception


def test_only_what_the_chosen_chart_uses_is_offered(open_app: Open, dataset: Dataset) -> None:
    def offered(**address: str) -> set[str]:
        app = screen(open_app, dataset, column="width", **address)
        assert not app.exception and not app.error
        fields = {str(w.key).rpartition(".")[2] for w in (*app.number_input, *app.button_group, *app.selectbox)}
        return fields & {"weight", "width", "interval", "allowance", "sigma", "known_centre"}

    assert offered() == set()
    assert offered(set="chart=EWMA") == {"weight", "width", "known_centre"}
    assert offered(set="chart=CUSUM") == {"interval", "allowance", "known_centre"}
    assert offered(set="subgroup=4") == {"sigma"}


def test_a_sigma_below_zero_is_told_in_a_sentence_beside_its_field(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, column="width", set="known_centre=48;known_sigma=0.1")
    sigma = next(n for n in app.number_input if str(n.key).endswith("known_sigma"))
    sigma.set_value(-1.0).run()
    assert not app.exception and "One setting cannot be" in app.title[0].value
    said = [plain(m.value) for m in app.markdown if "Known sigma: −1" in plain(m.value)]
    assert len(said) == 1 and "a number above 0" in said[0] and "Correct it" in said[0]
    next(n for n in app.number_input if str(n.key).endswith("known_sigma")).set_value(0.2).run()
    assert "is not in control" in app.title[0].value


def test_cumulative_sums_say_since_when_and_to_which_mean(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, set="chart=CUSUM;baseline=60;left_out=31%3Arobot")
    assert "the cumulative sums signal" in app.title[0].value
    assert app.metric[2].label == "Target" and app.metric[2].value.startswith("48")
    assert any("The sums leave their limits" in plain(m.value) for m in app.markdown)
    table = next(d.value for d in app.dataframe if "mean" in d.value.columns)
    assert len(table) == int(app.metric[1].value) and set(table["way"]) <= {"up", "down"}
    assert table["mean"].str.startswith("48").any(), "the level after the shift"
    assert any("With n below 20 it is rough" in plain(c.value) for c in app.caption)


def test_an_entry_that_cannot_be_is_taken_back_and_the_others_stay(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, column="width", set="left_out=3%3Arobot|9000%3Awarm-up")
    assert app.error
    app.button(key="control_left_out.last_back").click().run()
    assert not app.error and app.query_params["set"] == "left_out=3%3Arobot"


def test_too_many_points_left_out_can_be_counted_again(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, column="width", set="left_out=1-115%3Aeverything")
    assert "at least 10 values" in app.error[0].value
    app.button(key="control_left_out.all_back").click().run()
    assert not app.error and app.query_params.get("set", "") == "" and app.metric[0].value == "I-MR"
