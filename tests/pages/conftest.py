"""Screens are tested from the shell, on a store of their own, with nothing left over from the test before."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.store import open_store
from core.workflows.workspace import Workspace
from tests.pages import finished_runs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty store for this test, and empty caches before and after it."""
    home = tmp_path / "home"
    monkeypatch.setenv("ANDON_HOME", str(home))
    monkeypatch.delenv("ANDON_DATABASE_URL", raising=False)
    st.cache_data.clear()
    st.cache_resource.clear()
    yield home
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def open_app() -> Callable[..., AppTest]:
    """Open the app at an address: `open_app("prepare/data.py", lang="zh", dataset=...)`, and check that nothing broke."""

    def start(page: str = "", **address: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=30)
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        if page:
            app.switch_page(page).run()
        assert not app.exception
        return app

    return start


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one finished run of each task, built once."""
    home = tmp_path_factory.mktemp("built") / "home"
    home.mkdir()
    finished_runs.build(home)
    return home


@pytest.fixture
def ws(built: Path, own_store: Path) -> Workspace:
    """A copy of the built store, for one test."""
    shutil.copytree(built, own_store, dirs_exist_ok=True)
    return Workspace(open_store(own_store))
