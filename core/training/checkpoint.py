"""Checkpoints of a running fit: complete or absent, never half; the last two are kept, and every byte is verified."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.durable import sha256_of, sync_folder
from core.errors import StoreProblem
from core.messages import Message, msg
from core.training.progress import Progress

KEPT = 2
ARRAYS, STATE, SUMS = "arrays.npz", "state.json", "sha256.json"
Arrays = list[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a fit needs to go on as if nothing had happened.

    `model` and `optimizer` hold the variables in their order, random-seed states included; `best` the weights of the
    best epoch, empty before there is one. The order of windows needs no state: it follows from seed and epoch.
    """

    progress: Progress
    model: Arrays
    optimizer: Arrays
    best: Arrays


@dataclass(frozen=True, slots=True)
class Restored:
    """The newest sound checkpoint, and what to tell about those that were not."""

    snapshot: Snapshot | None
    notes: tuple[Message, ...]


def write_checkpoint(folder: Path, snapshot: Snapshot, config_hash: str) -> Path:
    """Write `epoch_0007_batch_000000` in `folder`: under another name first, synced to disk, then renamed.

    Raises:
        StoreProblem: the disk is full or not writable; older checkpoints stay, nothing half-written is left.
    """
    progress = snapshot.progress
    final = folder / f"epoch_{progress.epoch:04d}_batch_{progress.next_batch:06d}"
    draft = final.with_name(final.name + ".tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        _write_files(draft, snapshot, config_hash)
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
        sync_folder(folder)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise StoreProblem(
            msg(
                "The checkpoint of epoch {epoch} could not be written: {reason}.",
                epoch=progress.epoch,
                reason=str(error.strerror),
            ),
            msg("Training needs a writable folder with room for its checkpoints."),
            msg("Free some disk space, then resume the run; earlier checkpoints are kept."),
            epoch=progress.epoch,
        ) from error
    for old in _newest_first(folder)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def read_checkpoint(folder: Path, config_hash: str) -> Restored:
    """The newest checkpoint in `folder` that is sound and belongs to this configuration, else none.

    A damaged one is named in a note and the one before it is taken. One of another configuration is not used.
    """
    notes: list[Message] = []
    for path in _newest_first(folder):
        reason = _damage(path)
        if reason is not None:
            notes.append(
                msg("Checkpoint {name} is damaged ({reason}); the one before it is used.", name=path.name, reason=reason)
            )
            continue
        state = json.loads((path / STATE).read_text(encoding="utf-8"))
        if state["config_hash"] != config_hash:
            notes.append(msg("Checkpoint {name} belongs to other settings or data and is not used.", name=path.name))
            continue
        return Restored(_read_snapshot(path, state["progress"]), tuple(notes))
    return Restored(None, tuple(notes))


def _write_files(draft: Path, snapshot: Snapshot, config_hash: str) -> None:
    arrays = {
        f"{part}_{i:04d}": value for part in ("model", "optimizer", "best") for i, value in enumerate(getattr(snapshot, part))
    }
    with (draft / ARRAYS).open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    _write_json(draft / STATE, {"config_hash": config_hash, "progress": snapshot.progress.to_json()})
    _write_json(draft / SUMS, {name: sha256_of(draft / name) for name in (ARRAYS, STATE)})
    sync_folder(draft)


def _write_json(path: Path, values: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(values, file)
        file.flush()
        os.fsync(file.fileno())


def _newest_first(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.glob("epoch_*_batch_*") if p.suffix != ".tmp"), reverse=True)


def _damage(path: Path) -> Message | None:
    """Why the checkpoint cannot be trusted, or None."""
    try:
        sums = json.loads((path / SUMS).read_text(encoding="utf-8"))
        wrong = [name for name in (ARRAYS, STATE) if sha256_of(path / name) != sums.get(name)]
    except (OSError, ValueError, AttributeError):
        return msg("a file is missing or unreadable")
    return msg("{file} has changed", file=wrong[0]) if wrong else None


def _read_snapshot(path: Path, progress: dict[str, Any]) -> Snapshot:
    with np.load(path / ARRAYS, allow_pickle=False) as stored:
        parts = {
            part: [stored[k] for k in sorted(stored.files) if k.startswith(part)] for part in ("model", "optimizer", "best")
        }
    return Snapshot(Progress.from_json(progress), parts["model"], parts["optimizer"], parts["best"])
