"""A bundle: a folder (or zip of it) with manifest.json, the model, an example with its expected output.

Loading checks the hash of each file that the manifest lists. Nothing is unpickled and no `.keras` file is opened.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import re
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.thresholds import Threshold
from core.durable import sha256_of
from core.errors import DataProblem
from core.features import Pipeline, Target
from core.features.targets import target_from_json
from core.messages import msg
from core.serving.manifest import FORMAT_VERSION, Manifest
from core.serving.own_past import of_forecast
from core.serving.predictors import Predictor, make_ensemble, make_predictor, read_arrays
from core.serving.unknown import KnownRows
from core.settings import Settings

ALLOWED_FILES = ("model.onnx", "model.npz", "model.keras", "model.txt", "calibration.npz", "known_rows.npz", "example.json")
MEMBER_FILE = re.compile(r"member\d{1,2}\.(onnx|npz|keras|txt)")
MAX_FILE_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle. `folder` holds its files."""

    folder: Path
    manifest: Manifest

    @cached_property
    def predictor(self) -> Predictor:
        members = [(m.predictor, m.weight, m.width, m.skipped) for m in self.manifest.members]
        if members:
            return make_ensemble(members, self.folder, self.target)
        kind = self.manifest.predictor
        return of_forecast(make_predictor(kind, self.folder), kind, self.target)

    @cached_property
    def target(self) -> Target | None:
        """What the model's outputs mean; None for anomalies."""
        return None if self.manifest.target is None else target_from_json(self.manifest.target)

    @cached_property
    def pipeline(self) -> Pipeline:
        return Pipeline.from_json(self.manifest.pipeline)

    @cached_property
    def calibration(self) -> dict[str, NDArray[np.float64]]:
        """The arrays that turn an autoencoder's residuals into scores; empty for other tasks."""
        path = self.folder / "calibration.npz"
        return read_arrays(path) if path.exists() else {}

    @cached_property
    def known_rows(self) -> KnownRows | None:
        """The rows that tell none of the known classes; None where that is not asked for or cannot be promised."""
        path, facts = self.folder / "known_rows.npz", self.manifest.unknown
        return None if facts is None or facts.limit is None else KnownRows.from_arrays(read_arrays(path))

    @property
    def threshold(self) -> Threshold:
        """The decision limit of an anomaly bundle."""
        return Threshold.from_json(self.manifest.threshold or {})

    def score(self, table: pd.DataFrame) -> pd.DataFrame:
        """One output row for each input row, in order. See `core.serving.scoring`."""
        from core.serving.scoring import score_table

        return score_table(self, table).table


def is_allowed(name: str) -> bool:
    """Whether a file of this name may lie in a bundle beside its manifest."""
    return name in ALLOWED_FILES or MEMBER_FILE.fullmatch(name) is not None


def write_bundle(
    folder: Path, manifest: Manifest, *, files: Mapping[str, bytes], arrays: Mapping[str, Mapping[str, NDArray]]
) -> Manifest:
    """Write the files, then the manifest that lists their hashes. Returns the manifest as written.

    `files` are written as they are; `arrays` become npz files. Files that already lie in the folder under an
    allowed name (the exported network) are hashed too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    for name, content in arrays.items():
        with (folder / name).open("wb") as out:
            np.savez(out, allow_pickle=False, **{k: np.asarray(v) for k, v in content.items()})
    hashes = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if is_allowed(path.name)}
    finished = manifest.model_copy(update={"files": hashes})
    (folder / "manifest.json").write_text(finished.model_dump_json(indent=1), encoding="utf-8")
    return finished


def load_bundle(path: Path, *, check: bool = True) -> Bundle:
    """Open a bundle folder or zip.

    Raises:
        DataProblem: not a bundle, a newer format, or a file whose hash differs from the manifest's.
    """
    folder = _unpacked(path) if path.is_file() else path
    source = folder / "manifest.json"
    if not source.is_file():
        raise _not_a_bundle(path, msg("manifest.json is not there."))
    try:
        raw = json.loads(source.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _not_a_bundle(path, msg("manifest.json is not valid JSON.")) from error
    if not isinstance(raw, dict) or raw.get("format_version") != FORMAT_VERSION:
        raise _not_a_bundle(
            path,
            msg("its format version is {version}.", version=str(raw.get("format_version") if isinstance(raw, dict) else None)),
        )
    manifest = _read_manifest(Manifest, raw, path)
    if check:
        _check_hashes(folder, manifest, path)
    return Bundle(folder, manifest)


def file_hashes(bundle: Bundle) -> dict[str, str]:
    """The SHA-256 of the manifest and of every file of a bundle as they lie there now, by name; nothing is remembered.

    Raises:
        DataProblem: a file is missing, or is not the one that the manifest lists.
    """
    _check_hashes(bundle.folder, bundle.manifest, bundle.folder)
    listed = dict(bundle.manifest.files)
    others = [p for p in bundle.folder.iterdir() if p.name == "manifest.json" or (is_allowed(p.name) and p.name not in listed)]
    return {**listed, **{path.name: sha256_of(path) for path in others}}


def fingerprint(bundle: Bundle) -> str:
    """SHA-256 over the hashes of `file_hashes`.

    Raises:
        DataProblem: as there.
    """
    return hashlib.sha256(json.dumps(file_hashes(bundle), sort_keys=True).encode()).hexdigest()


def pack_bundle(folder: Path, target: Path) -> None:
    """A bundle folder as one zip file, the form in which it leaves the store."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())


def _read_manifest(kind: type[Settings], raw: dict[str, object], path: Path) -> Manifest:
    from core.errors import SettingProblem

    try:
        return kind.read(raw)  # type: ignore[return-value]
    except SettingProblem as error:
        raise _not_a_bundle(path, error.what) from error


def _check_hashes(folder: Path, manifest: Manifest, path: Path) -> None:
    for name, expected in manifest.files.items():
        file = folder / name
        if not is_allowed(name) or not file.is_file() or sha256_of(file) != expected:
            raise DataProblem(
                msg("The file {file} of the bundle '{bundle}' is missing or changed.", file=name, bundle=path.name),
                msg("Its hash must be the one that the manifest lists."),
                msg("Copy the bundle again from where it was made."),
            )


def _unpacked(path: Path) -> Path:
    """The members of a bundle zip under our own names in a private folder; anything else is refused."""
    target = Path(mkdtemp(prefix="andon-bundle-"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                inner = info.filename.removeprefix("baseline/")
                if info.is_dir():
                    continue
                if not (is_allowed(inner) or inner == "manifest.json") or info.file_size > MAX_FILE_BYTES:
                    raise _not_a_bundle(path, msg("it contains '{file}'.", file=info.filename[:80]))
                out = target / ("baseline" if info.filename != inner else ".") / inner
                out.parent.mkdir(exist_ok=True)
                out.write_bytes(archive.read(info))
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
    ) as error:  # RuntimeError: encrypted, or packed in a way unknown
        raise _not_a_bundle(path, msg("it is neither a folder nor a zip file.")) from error
    return target


def _not_a_bundle(path: Path, reason: object) -> DataProblem:
    return DataProblem(
        msg("'{bundle}' is not an Andon bundle: {reason}", bundle=path.name, reason=reason),  # type: ignore[arg-type]
        msg("Expected a folder or zip that 'train --out' wrote, format {version}.", version=FORMAT_VERSION),
        msg("Check the path, or train again."),
    )
