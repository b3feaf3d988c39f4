"""A warmed-up process trains the same weights as a fresh one, and gives its first batch sooner."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
WORKER = Path(__file__).with_name("resume_worker.py")


@pytest.mark.slow
def test_a_warm_up_changes_no_weight(tmp_path: Path) -> None:
    for name, before in (("cold", ""), ("warm", "from core.training.warmup import warm_up; warm_up(); ")):
        arguments = [str(tmp_path / f"{name}{end}") for end in ("", ".jsonl", ".npz")] + ["0"]
        code = f"{before}import runpy, sys; sys.argv = {[str(WORKER), *arguments]!r}; runpy.run_path(sys.argv[0], run_name='__main__')"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, timeout=180, check=True)
    with np.load(tmp_path / "cold.npz") as cold, np.load(tmp_path / "warm.npz") as warm:
        assert all(np.array_equal(cold[name], warm[name]) for name in cold.files)
