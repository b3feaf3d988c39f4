from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from core.errors import SettingProblem
from core.jobs.kinds import KINDS, kind_by_key, load


def test_keys_are_unique_and_an_unknown_one_is_named() -> None:
    assert len({kind.key for kind in KINDS}) == len(KINDS)
    with pytest.raises(SettingProblem, match="kind is 'trian'.*Did you mean 'train'"):
        kind_by_key("trian")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_what_a_kind_names_is_there(kind: object) -> None:
    assert callable(load(kind.target))  # type: ignore[attr-defined]
    packages = {module if module.startswith("core.") else module.partition(".")[0] for module in kind.preload}  # type: ignore[attr-defined]
    assert all(importlib.util.find_spec(package) for package in packages)


def test_a_worker_starts_without_what_only_some_jobs_need() -> None:
    code = (
        "import core.jobs.worker, sys; print([m for m in ('pandas', 'tensorflow', 'sklearn', 'alembic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
