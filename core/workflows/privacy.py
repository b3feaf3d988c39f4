"""Columns that must not be kept as they are: hashed with the store's own key, or dropped, before anything is stored.

A hash is HMAC-SHA256 (RFC 2104) of the cell's text under a key that never leaves the store's folder: equal cells stay equal, in
this table and in later ones, so that a serial number still groups rows; without the key a list of possible numbers is of no use.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.data.dataset import Column
from core.data.findings import Finding
from core.errors import SettingProblem, unknown_column
from core.messages import msg, msg_n
from core.store import AuditEntry, MadeFrom
from core.workflows.workspace import Workspace

Treatment = Literal["hash", "drop"]
HASH_LENGTH = 32  # hexadecimal digits: 128 bits


def check_choices(choices: Mapping[str, Treatment], names: Sequence[str]) -> None:
    """Refuse a choice that names no column, or one that leaves nothing.

    Raises:
        DataProblem: there is no such column.
        SettingProblem: every column is to be dropped.
    """
    for name in choices:
        if name not in names:
            raise unknown_column(name, names)
    if names and all(choices.get(name) == "drop" for name in names):
        raise SettingProblem(
            msg("Every column is to be dropped."), msg("Expected at least one column to stay."), msg("Keep a column.")
        )


def protect(source: Path, target: Path, choices: Mapping[str, Treatment], key: bytes) -> None:
    """Write the table of `source` to `target` with some columns hashed or dropped, one row group at a time.

    Hashed columns are texts; empty cells stay empty. Rows keep their order.
    """
    file = pq.ParquetFile(source)
    writer: pq.ParquetWriter | None = None
    try:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            table = table.drop_columns([name for name, how in choices.items() if how == "drop"])
            for name in (name for name, how in choices.items() if how == "hash"):
                hashed = _hashed(table.column(name), key)
                table = table.set_column(table.column_names.index(name), name, hashed)
            table = table.replace_schema_metadata(None)  # a library may have written samples of values there
            writer = writer or pq.ParquetWriter(target, table.schema, compression="zstd")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _hashed(cells: pa.ChunkedArray, key: bytes) -> pa.Array:
    """Each different cell once, then put in its places."""
    encoded = cells.combine_chunks().dictionary_encode()
    words = [None if text is None else _hash(text, key) for text in _texts(encoded.dictionary)]
    return pc.take(pa.array(words, pa.string()), encoded.indices)


def _texts(values: pa.Array) -> list[str | None]:
    """A number as the shortest text that names it (12, not 12.0), so that a table read as text gives the same hash."""
    given = values.to_pylist()
    if pa.types.is_floating(values.type):
        return [None if v is None or np.isnan(v) else f"{v:.0f}" if v == int(v) and abs(v) < 1e15 else repr(v) for v in given]
    return [None if v is None else v.isoformat(" ") if hasattr(v, "isoformat") else str(v) for v in given]


def _hash(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(), sha256).hexdigest()[:HASH_LENGTH]


def treated_columns(columns: Sequence[Column], choices: Mapping[str, Treatment]) -> tuple[Column, ...]:
    """The columns that are left, hashed ones as texts without unit and limits."""
    kept = [c for c in columns if choices.get(c.name) != "drop"]
    return tuple(Column(c.name, "text", "sensor" if c.role == "target" else c.role) if c.name in choices else c for c in kept)


def treated_findings(findings: Sequence[Finding], choices: Mapping[str, Treatment]) -> tuple[Finding, ...]:
    """Findings on treated columns go, as they may quote cells; what was done is added."""
    n_hashed = sum(1 for how in choices.values() if how == "hash")
    n_dropped = len(choices) - n_hashed
    told = []
    if n_hashed:
        told.append(
            msg_n("{n} column was hashed with the store's key.", "{n} columns were hashed with the store's key.", n_hashed)
        )
    if n_dropped:
        told.append(msg_n("{n} column was dropped before storing.", "{n} columns were dropped before storing.", n_dropped))
    told.append(msg("The original file and its rejected rows are not kept, because they show what was to be hidden."))
    kept = tuple(f for f in findings if f.column not in choices)
    return (*kept, *(Finding("privacy", message, severity="info") for message in told))


def privacy_facts(choices: Mapping[str, Treatment]) -> dict[str, Any]:
    """For the audit trail: names of the columns by what was done."""
    found = {how: [name for name, h in choices.items() if h == how] for how in ("hash", "drop")}
    return {word: found[how] for how, word in (("hash", "hashed"), ("drop", "dropped")) if found[how]}


def made_from_dataset(ws: Workspace, dataset_id: str) -> MadeFrom:
    """What would go with a dataset: runs, reports, jobs, bytes.

    Raises:
        StoreProblem: there is no such dataset.
    """
    ws.store.get_dataset(dataset_id)
    return ws.store.made_from(dataset_id)


def delete_with_everything(ws: Workspace, dataset_id: str) -> MadeFrom:
    """Delete a dataset and everything made from it for good, and note it in the audit trail.

    The backups that the store made of itself are emptied of it too; those that could not be are named in the answer.

    Raises:
        StoreProblem: a running job uses it, or there is none.
    """
    return ws.store.purge_dataset(dataset_id)


def list_audit(ws: Workspace, object_id: str | None = None) -> tuple[AuditEntry, ...]:
    """The audit trail, newest first; of one object when it is given."""
    return ws.store.list_audit(object_id)
