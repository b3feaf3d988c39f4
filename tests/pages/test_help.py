"""Every screen of the menu has its help, in the same place, in both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import help

SCREENS = {
    "": "start/home.py",
    "data": "prepare/data.py",
    "screening": "prepare/screening.py",
    "explore": "prepare/explore.py",
    "clean": "prepare/clean.py",
    "train": "learn/train.py",
    "runs": "learn/runs.py",
    "predictions": "judge/predictions.py",
    "anomalies": "judge/anomalies.py",
    "reports": "use/reports.py",
    "validation": "help/validation.py",
}


def test_no_screen_is_without_help() -> None:
    assert set(help.SCREENS) == set(SCREENS)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("screen", SCREENS)
def test_the_help_of_a_screen_is_about_this_screen(open_app: Callable[..., AppTest], screen: str, lang: str) -> None:
    app = open_app(SCREENS[screen], lang=lang)
    shown = [m.value for m in app.markdown if m.value.startswith("- ")]
    assert len(shown) == 1 and shown[0].count("\n") >= 1
    assert any("一" <= letter <= "鿿" for letter in shown[0]) == (lang == "zh")
