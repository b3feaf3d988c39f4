"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """Real public data beside the checkout; not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real data sets (../shared/data) are not on this machine")
    return SHARED_DATA


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh, empty store folder that ANDON_HOME points to."""
    folder = tmp_path / "home"
    monkeypatch.setenv("ANDON_HOME", str(folder))
    return folder
