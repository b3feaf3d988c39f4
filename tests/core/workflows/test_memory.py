"""A training that would not fit is refused before it starts, with what would help; limits of containers are seen."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from core import workflows as wf
from core.errors import SettingProblem
from core.jobs.memory_left import memory_left
from core.models import Estimate
from core.training.request import TrainRequest
from core.workflows.memory import check_memory
from tests.synthetic import regression_table

MEGABYTE = 10**6


def _estimate(width: int, batch: int, n_rows: int) -> Estimate:
    """800 MB, 1 MB for each window row and window of a batch, 100 bytes a training row."""
    return Estimate(1, 800 * MEGABYTE + width * batch * MEGABYTE + 100 * n_rows, 1.0)


def _check(left: int, **changes: int) -> None:
    values = {"width": 40, "batch": 64, "n_rows": 8_000_000, "narrowest": 4, **changes}
    check_memory(_estimate, left, **values)


def test_what_just_fits_is_not_refused_and_a_byte_less_is() -> None:
    needed = (800 + 40 * 64 + 800) * MEGABYTE
    _check(needed)
    with pytest.raises(SettingProblem, match="would need about"):
        _check(needed - 1)


def test_the_refusal_names_the_first_halving_of_each_kind_that_would_fit() -> None:
    # 800 + 2,560 + 800 MB are needed. 2.9 GB: half the window or batch leaves 800 + 1,280 + 800; no number of rows would do.
    with pytest.raises(SettingProblem) as refused:
        _check(2_900 * MEGABYTE)
    assert str(refused.value) == (
        "This training would need about 4.2 GB of memory. At most 2.9 GB are left here. "
        "It would fit with a window of 20 rows or a batch of 32 windows; or close other programs."
    )
    with pytest.raises(
        SettingProblem, match=r"fit with a window of 20 rows or a batch of 32 windows or 4,000,000 training rows"
    ):
        _check(3_800 * MEGABYTE)


def test_a_window_is_not_offered_shorter_than_the_family_reads() -> None:
    with pytest.raises(SettingProblem, match=r"fit with a batch of 32 windows; or close"):
        _check(2_900 * MEGABYTE, narrowest=30)


def test_where_nothing_smaller_would_fit_it_says_so() -> None:
    with pytest.raises(SettingProblem, match="Close other programs, choose a smaller model"):
        _check(700 * MEGABYTE)


@pytest.mark.parametrize(
    ("limit", "used", "stat", "files"),
    [
        ("memory.max", "memory.current", "inactive_file 5000\n", 5000),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "inactive_file 1\ntotal_inactive_file 7000\n", 7000),
    ],
)
def test_the_limit_of_a_container_counts_where_it_is_less(tmp_path: Path, limit: str, used: str, stat: str, files: int) -> None:
    (tmp_path / limit).write_text("100000\n")
    (tmp_path / used).write_text("30000\n")
    (tmp_path / "memory.stat").write_text("anon 9\n" + stat)
    assert memory_left(cgroups=tmp_path) == 70_000 + files


def test_without_a_limit_the_machine_s_free_memory_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("30000\n")
    assert memory_left(cgroups=tmp_path) == pytest.approx(psutil.virtual_memory().available, rel=0.3)
    assert memory_left(cgroups=tmp_path / "nothing") > 10_000_000


def test_page_and_command_line_are_refused_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = wf.open_workspace(tmp_path / "home")
    regression_table(200).to_csv(tmp_path / "data.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "data.csv").dataset
    assert dataset is not None
    named = {"dataset_id": dataset.id, "dataset_version": 1, "task": "regression", "model": "lstm", "target": "y"}
    request = TrainRequest.read({**named, "time": "when"})
    monkeypatch.setattr("core.workflows.costs.memory_left", lambda store: 100 * MEGABYTE)
    for ask in (wf.plan_training, wf.start_training):
        with pytest.raises(SettingProblem, match=r"would need about .* GB of memory\. At most 0\.1 GB are left"):
            ask(ws, request)
    assert not wf.list_runs(ws)
    ridge = request.with_values(model="ridge")
    assert wf.plan_training(ws, ridge).model == "ridge"
