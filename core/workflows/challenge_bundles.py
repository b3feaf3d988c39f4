"""Which runs of this store a bundle is of, told by where it lies and by what its files hold, not by what its manifest says.

A manifest is a text that anybody can edit: a copy that names another run or dataset would meet no challenge set. So the store keeps the
hashes of the files of each finished run, also after the run is deleted, and a bundle that has one of these files is that run's. What is
not known here, a bundle of another store or one whose files were all made anew, can only be taken at its word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import Problem
from core.serving import Bundle, load_bundle
from core.serving.bundle import file_hashes
from core.workflows.workspace import Workspace

SMALLEST_FILE = 400
"""Bytes below which a file identifies no run: that of a model without fitted numbers, such as the last value, has 280 and is alike in all."""


_DAMAGED: dict[Path, tuple[tuple[str, int, int], ...]] = {}
"""Bundles whose files are not those of their manifest, by what the files looked like then: they are hashed again only once they change."""


@dataclass(frozen=True, slots=True)
class KnownBundle:
    """A run and what it was trained on. `files` are the hashes of those of its files that tell it from others."""

    run_id: str
    dataset_id: str
    task: str
    target: str | None
    files: Mapping[str, str]

    @classmethod
    def of(cls, bundle: Bundle, run_id: str, dataset_id: str) -> KnownBundle:
        return cls(run_id, dataset_id, bundle.manifest.task, bundle.manifest.target_column, _telling(bundle))

    def to_json(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}


def register_bundle(ws: Workspace, run_id: str) -> None:
    """Remember the files of a run that has just been trained.

    Raises:
        DataProblem: a file is missing, or is not the one that the manifest lists.
    """
    row = ws.store.get_run(run_id)
    ws.store.add_bundle(run_id, KnownBundle.of(load_bundle(ws.store.path(run_id, "bundle")), run_id, row.dataset_id).to_json())


def register_bundles(ws: Workspace) -> None:
    """Remember those of runs that were trained before there was a register; one whose files are damaged is left out."""
    known = {str(value["run_id"]) for value in ws.store.list_bundles()}
    for row in ws.store.list_runs():
        if row.metrics is None or row.id in known:
            continue
        folder = ws.store.path(row.id, "bundle")
        looks = _looks(folder)
        if _DAMAGED.get(folder) == looks:
            continue
        try:
            register_bundle(ws, row.id)
            _DAMAGED.pop(folder, None)
        except (Problem, OSError):  # its own use says what is wrong with it; a run may be deleted while its files are read
            _DAMAGED[folder] = looks


def _looks(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of change of each file of a folder, which tell cheaply whether any has changed; empty without one.

    A run may be deleted while it is looked at: what cannot be read is empty too, and other runs are registered all the same.
    """
    try:
        facts = [(path.name, path.stat()) for path in sorted(folder.iterdir())]
    except OSError:
        return ()
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in facts)


def runs_of_bundle(ws: Workspace, bundle: Bundle, run_id: str | None = None) -> tuple[KnownBundle, ...]:
    """The runs that a bundle is of, that of its place or of its word first.

    The run in whose folder it lies; else the run that it names, where all its files are that run's; else every run with which it shares a
    file, and what it says of itself besides.

    Args:
        run_id: The run, where it is known from where the bundle was taken.

    Raises:
        DataProblem: a file is missing, or is not the one that the manifest lists.
    """
    register_bundles(ws)
    known = {str(value["run_id"]): KnownBundle(**value) for value in ws.store.list_bundles()}
    placed = run_id if run_id is not None else _place(ws, bundle, known)
    if placed in known:
        return (known[placed],)
    files = _telling(bundle)
    named = known.get(bundle.manifest.run)
    if named is not None and dict(named.files) == files:
        return (named,)
    own = set(files.values())
    shared = [one for one in known.values() if own & set(one.files.values())]
    return (*shared, *(one for one in _said(bundle, named) if one not in shared))


def _said(bundle: Bundle, named: KnownBundle | None) -> tuple[KnownBundle, ...]:
    """What a bundle says of itself."""
    if named is not None:
        return (named,)
    dataset_id = str(bundle.manifest.dataset.get("id", ""))
    return (KnownBundle.of(bundle, bundle.manifest.run, dataset_id),) if dataset_id else ()


def _place(ws: Workspace, bundle: Bundle, known: Mapping[str, KnownBundle]) -> str | None:
    """The run in whose folder a bundle lies."""
    folder = bundle.folder.resolve()
    return next((run_id for run_id in known if ws.store.path(run_id, "bundle").resolve() == folder), None)


def _telling(bundle: Bundle) -> dict[str, str]:
    """The hashes of the files that tell a bundle from others."""
    hashes = file_hashes(bundle)
    return {
        name: sha256
        for name, sha256 in hashes.items()
        if name != "manifest.json" and (bundle.folder / name).stat().st_size >= SMALLEST_FILE
    }
