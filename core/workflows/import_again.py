"""The import of a dataset repeated from its kept original: with the same options, or with others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.data.formats.records import SourceOptions
from core.data.options import ReadOptions
from core.workflows.apart import Cancelled, Progress
from core.workflows.import_many import import_files
from core.workflows.importing import Imported, import_file
from core.workflows.originals import original_files
from core.workflows.workspace import Workspace


def import_again(
    ws: Workspace,
    dataset_id: str,
    *,
    name: str | None = None,
    changed: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Imported:
    """Read the original of a dataset again, as a new dataset.

    Args:
        name: The new dataset's name; that of the old one by default.
        changed: Read options that differ from those of the first time. Without any the same table comes out, and the
            roles, units and limits of the dataset go with it.

    Raises:
        StoreProblem: there is no such dataset, or its original is not kept or damaged.
        DataProblem: the file cannot be read so.
        SettingProblem: an option that there is not, or a value that it does not take.
    """
    row = ws.store.get_dataset(dataset_id)
    used = dict(row.options)
    source = SourceOptions.read(used.pop("source", {}))
    options = ReadOptions.read(used).with_values(**dict(changed or {}))
    columns = None if changed else row.columns
    title = name or row.name
    with original_files(ws, dataset_id) as files:
        if files[0].is_one_of_several:
            return import_files(
                ws,
                [f.path for f in files],
                names=[f.name for f in files],
                name=title,
                options=options,
                source=source,
                columns=columns,
                progress=progress,
                cancelled=cancelled,
            )
        return import_file(
            ws,
            files[0].path,
            name=title,
            options=options,
            source_name=files[0].name,
            source=source,
            columns=columns,
            progress=progress,
            cancelled=cancelled,
        )
