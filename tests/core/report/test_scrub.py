"""What does not belong in a shared file is taken out; what looks like it stays."""

from __future__ import annotations

import pytest

from core.report.scrub import scrub


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("/home/ann/plant/line4.csv", "line4.csv"),
        ("~/plant/line4.csv", "line4.csv"),
        ("C:\\Users\\ann\\line4.csv", "line4.csv"),
        ("\\\\server\\share\\line4.csv", "line4.csv"),
        ("ask ann.lee@plant.example today", "ask … today"),
        ("postgresql://u:p@db.plant.example/andon", "…"),
        ("see http://host.local:8501/x", "see …"),
    ],
)
def test_paths_and_addresses(words: str, expected: str) -> None:
    assert scrub(words) == expected


@pytest.mark.parametrize("words", ["98 L/min", "N·m/rad", "real / false", "2024/05/06", "3 of 4", "T²/SPE", "a@b", "1/(n+1)"])
def test_ordinary_texts_stay(words: str) -> None:
    assert scrub(words) == words
