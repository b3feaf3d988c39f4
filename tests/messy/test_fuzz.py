"""Mutated files never bring a fault or lose a line; `python -m benchmarks.fuzz` tries twenty thousand of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import fuzz

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("first", [0, 10_000])
def test_mutated_files_bring_no_fault_no_hang_and_lose_no_line(shared_data: Path, first: int) -> None:
    outcomes = fuzz.run(100, first)
    assert not [bad for bad in ("fault", "hang", "lines") if outcomes[bad]]
    assert outcomes["load"] + outcomes["warn"] > 0 and outcomes["reject"] > 0
