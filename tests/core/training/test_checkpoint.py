from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from core.errors import StoreProblem
from core.training.checkpoint import Snapshot, read_checkpoint, write_checkpoint
from core.training.progress import Progress


def _snapshot(epoch: int) -> Snapshot:
    model = [np.full((2, 3), epoch, np.float32), np.array([epoch, 1], np.uint32)]
    return Snapshot(
        Progress(epoch=epoch, best=0.5, best_epoch=1), model, [np.array(epoch, np.int64)], [np.zeros(3, np.float32)]
    )


def test_what_is_written_comes_back_with_its_types(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, _snapshot(3), "abc")
    restored = read_checkpoint(tmp_path, "abc").snapshot
    assert restored is not None
    assert restored.progress == _snapshot(3).progress
    for part in ("model", "optimizer", "best"):
        for given, wanted in zip(getattr(restored, part), getattr(_snapshot(3), part), strict=True):
            assert given.dtype == wanted.dtype
            assert np.array_equal(given, wanted)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for epoch in (1, 2, 3, 10):
        write_checkpoint(tmp_path, _snapshot(epoch), "abc")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch_0003_batch_000000", "epoch_0010_batch_000000"]


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "no sums"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_says_so(tmp_path: Path, damage: str) -> None:
    write_checkpoint(tmp_path, _snapshot(1), "abc")
    path = write_checkpoint(tmp_path, _snapshot(2), "abc")
    arrays = path / "arrays.npz"
    if damage == "truncate":
        arrays.write_bytes(arrays.read_bytes()[:-10])
    elif damage == "flip":
        content = bytearray(arrays.read_bytes())
        content[len(content) // 2] ^= 1
        arrays.write_bytes(content)
    else:
        (arrays if damage == "remove" else path / "sha256.json").unlink()
    restored = read_checkpoint(tmp_path, "abc")
    assert restored.snapshot is not None
    assert restored.snapshot.progress.epoch == 1
    assert "epoch_0002_batch_000000 is damaged" in str(restored.notes[0])


def test_another_configuration_is_not_used(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, _snapshot(1), "abc")
    restored = read_checkpoint(tmp_path, "other")
    assert restored.snapshot is None
    assert "other settings or data" in str(restored.notes[0])


def test_a_missing_folder_holds_nothing(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path / "none", "abc").snapshot is None


def test_a_draft_left_by_a_kill_is_ignored(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, _snapshot(1), "abc")
    (tmp_path / "epoch_0002_batch_000000.tmp").mkdir()
    restored = read_checkpoint(tmp_path, "abc")
    assert restored.snapshot is not None
    assert restored.notes == ()


def test_a_full_disk_leaves_the_earlier_checkpoint_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_checkpoint(tmp_path, _snapshot(1), "abc")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("core.training.checkpoint.os.fsync", full)
    with pytest.raises(StoreProblem, match="No space left on device.*Free some disk space"):
        write_checkpoint(tmp_path, _snapshot(2), "abc")
    assert [p.name for p in tmp_path.iterdir()] == ["epoch_0001_batch_000000"]


def test_the_state_is_json_without_code(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path, _snapshot(4), "abc")
    assert json.loads((path / "state.json").read_text())["progress"]["epoch"] == 4
