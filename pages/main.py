"""The shell of every screen: configuration, language, navigation, context bar; then the screen itself."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.components import opening

opening.wait()

from pages.components import context_bar, notices, state
from pages.components.text import LANGUAGES, language, t

ASSETS = Path(__file__).resolve().parents[1] / "assets"


def navigation() -> st.Page:
    """The menu in the order of the work, in the session's language; Home answers at "/"."""
    return st.navigation(
        {
            t("Start"): [
                st.Page("start/home.py", title=t("Home"), icon=":material/home:", default=True),
            ],
            t("Prepare"): [
                st.Page("prepare/data.py", title=t("Data"), icon=":material/table_view:", url_path="data"),
                st.Page("prepare/screening.py", title=t("Screening"), icon=":material/fact_check:", url_path="screening"),
                st.Page("prepare/explore.py", title=t("Explore"), icon=":material/monitoring:", url_path="explore"),
                st.Page("prepare/clean.py", title=t("Clean"), icon=":material/cleaning_services:", url_path="clean"),
            ],
            t("Learn"): [
                st.Page("learn/train.py", title=t("Train"), icon=":material/model_training:", url_path="train"),
                st.Page("learn/runs.py", title=t("Runs"), icon=":material/stacked_line_chart:", url_path="runs"),
            ],
            t("Judge"): [
                st.Page("judge/predictions.py", title=t("Predictions"), icon=":material/target:", url_path="predictions"),
                st.Page("judge/anomalies.py", title=t("Anomalies"), icon=":material/notifications:", url_path="anomalies"),
            ],
            t("Use"): [
                st.Page("use/reports.py", title=t("Reports"), icon=":material/description:", url_path="reports"),
            ],
            t("Help"): [
                st.Page("help/validation.py", title=t("Validation"), icon=":material/verified:", url_path="validation"),
            ],
        }
    )


def language_switch() -> None:
    """The switch at the foot of the menu; `?lang=` in the address says the same."""
    st.segmented_control(
        t("Language"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key="lang",
        label_visibility="collapsed",
        required=True,
        on_change=send_choices_again,
    )


def send_choices_again() -> None:
    """The browser knows a choice by its words: in another language none of them would be chosen until it is told again."""
    for key, value in list(st.session_state.items()):
        of_words = isinstance(value, str) or (isinstance(value, list | tuple) and all(isinstance(v, str) for v in value))
        if of_words and key != "lang" and not str(key).startswith("_"):
            st.session_state[str(key)] = value


st.set_page_config(page_title="Andon", page_icon=str(ASSETS / "favicon.png"), layout="wide")
st.session_state["lang"] = language()
page = navigation()
st.logo(str(ASSETS / "logo.svg"), size="large")
with st.sidebar:
    language_switch()
with notices.guard():
    context_bar.show(page.url_path)
state.write_address()
with notices.guard():
    page.run()
notices.show_done()
