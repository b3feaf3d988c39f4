"""A file, or several as one table: one below the other, side by side, or wide files turned long. Runs in a child process.

Each file is read as if it came alone; then DuckDB puts the Parquet tables together, so that nothing is held in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import duckdb

from core.data.dataset import Column
from core.data.findings import Finding
from core.data.formats.joining import join
from core.data.formats.opening import Progress, merged_options, open_source, quiet, read_opened
from core.data.formats.parts import Made, Part, shown_cell
from core.data.formats.records import ALL_MEMBERS, Combination, Opened, SourceOptions
from core.data.formats.stacking import stack
from core.data.formats.widening import widen
from core.data.options import LineCount, OddRow, Outcome, Question, Reading, ReadOptions
from core.data.sniffing import sniff
from core.data.staging import text_literal
from core.errors import DataProblem
from core.messages import msg

MAX_FILES = 1_000
MAX_REJECTS = 10_000
ROLE_CODES = frozenset(
    ["constant", "free_text", "id_like", "ignored_empty", "second_label", "second_time", "split_column", "time_not_sorted"]
)
_HEAD = 20
_MEMORY_MB = 1_000


def import_source(
    path: str, folder: str, parquet: str, source: SourceOptions, options: ReadOptions, shown: str, progress: Progress = quiet
) -> tuple[Opened, Reading]:
    """Open a file and read its table, or all its tables where that was asked for."""
    opened = open_source(path, folder, source, shown, progress)
    if not opened.more:
        return opened, read_opened(opened, parquet, options, progress)
    made = combine([opened, *opened.more], opened.members, folder, parquet, options, opened.source, progress)
    return replace(opened, more=(), source=made.source), made.reading


def combine_files(
    paths: Sequence[str],
    names: Sequence[str],
    folder: str,
    parquet: str,
    options: ReadOptions,
    source: SourceOptions,
    progress: Progress = quiet,
) -> Combination:
    """Read files and put them together as `source.combine` says: the work of a child.

    Args:
        paths: The files as they came.
        names: What they are called, one each; the ending is left out where they become values.
        folder: An empty private folder.
        parquet: Where the table goes.
        options: `ReadOptions` for every file.
        source: `SourceOptions`; a sheet or file inside is looked for in every one.

    Raises:
        DataProblem: a file cannot be read, or they do not go together.
    """
    _check_number(len(paths))
    opened: list[Opened] = []
    shown: list[str] = []
    for n, (path, name) in enumerate(zip(paths, names, strict=True)):
        place = Path(folder) / f"file-{n}"
        place.mkdir(mode=0o700)
        one = open_source(path, str(place), source, name)
        opened += [replace(one, more=()), *one.more]
        shown += [f"{name}/{member}" for member in one.members] if one.more else [name]
        progress("opening", n / len(paths))
    return combine(opened, shown, folder, parquet, options, source, progress)


def combine(
    opened: Sequence[Opened],
    names: Sequence[str],
    folder: str,
    parquet: str,
    options: ReadOptions,
    source: SourceOptions,
    progress: Progress,
) -> Combination:
    """`combine_files` after opening."""
    _check_number(len(opened))
    how = source.combine or ("stack" if source.member == ALL_MEMBERS else "join" if source.key else "stack")
    labels = short_labels(names)
    parts = []
    for n, (one, label) in enumerate(zip(opened, labels, strict=True)):
        told = _wide_options(one, options) if how == "wide" else options
        parts.append(_read(one, label, Path(folder) / f"part-{n}.parquet", told))
        progress("reading", (n + 1) / len(opened))
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{_MEMORY_MB}MB'")
        connection.execute(f"SET temp_directory = {text_literal(folder)}")
        work = {"stack": stack, "join": join, "wide": widen}[how]
        made = work(connection, parts, Path(parquet), source)
    progress("storing", 1.0)
    reading = _described(parts, made)
    return Combination(source.with_values(combine=how), reading, _head(Path(parquet), reading.columns), made.unmatched)


def _check_number(n: int) -> None:
    if n > MAX_FILES:
        raise DataProblem(
            msg("{n} files were given.", n=n),
            msg("Expected up to {n}.", n=MAX_FILES),
            msg("Put them together in several steps."),
        )


def short_labels(names: Sequence[str]) -> list[str]:
    """Names without folders and endings, with as many folders as it takes to tell them apart.

    Example:
        >>> short_labels(["valve1/0.csv", "valve2/0.csv"]), short_labels(["a.csv", "b.csv.gz"])
        (['valve1/0', 'valve2/0'], ['a', 'b'])
        >>> short_labels(["a.csv", "a.csv"])
        ['a', 'a_2']
    """
    paths = [PurePosixPath(_without_endings(name.replace("\\", "/"))) for name in names]
    for n in range(1, max(len(p.parts) for p in paths) + 1):
        labels = ["/".join(p.parts[-n:]) for p in paths]
        if len(set(labels)) == len(labels):
            return labels
    used: dict[str, int] = {}
    unique = []
    for label in labels:
        used[label] = used.get(label, 0) + 1
        unique.append(label if used[label] == 1 else f"{label}_{used[label]}")
    return unique


def _without_endings(name: str) -> str:
    lower = name.lower()
    for ending in (".gz", ".csv", ".tsv", ".txt", ".tab", ".dat", ".xlsx", ".xlsm", ".parquet", ".pq", ".zip"):
        if lower.endswith(ending) and len(name) > len(ending):
            name, lower = name[: -len(ending)], lower[: -len(ending)]
    return name


def _wide_options(opened: Opened, options: ReadOptions) -> ReadOptions:
    """Wide files are numbers from the first row on; where the first row leaves a doubt, it is one of them."""
    if options.header is not None or opened.kind == "parquet":
        return options
    preview = sniff(opened.file, merged_options(opened, options))
    open_header = any(q.code == "header" for q in preview.questions)
    return options.with_values(header=False, units_row=False) if open_header else options


def _read(opened: Opened, label: str, table: Path, options: ReadOptions) -> Part:
    """Read one file; its problem names it."""
    named = replace(opened, label=label)
    try:
        return Part(label, table, read_opened(named, str(table), options))
    except DataProblem as problem:
        if problem.what.values.get("file") != label:
            problem.what = msg("{file}: {finding}", file=label, finding=problem.what)
        raise


def _described(parts: Sequence[Part], made: Made) -> Reading:
    readings = [p.reading for p in parts]
    lines = LineCount(*(sum(getattr(r.lines, k) for r in readings) for k in LineCount.__dataclass_fields__))
    findings = (*_merged_findings(parts), *made.findings)
    questions = (*_first_questions(parts), *made.questions)
    outcome: Outcome = "load"
    if questions:
        outcome = "ask"
    elif lines.rejected or any(f.severity != "info" for f in findings):
        outcome = "warn"
    return Reading(outcome, readings[0].options, made.columns, made.n_rows, lines, findings, _merged_rejects(parts), questions)


def _merged_findings(parts: Sequence[Part]) -> list[Finding]:
    """Each finding once, with the number of files that it was made in; roles are found anew for the whole."""
    found: dict[tuple[str, str], list[tuple[str, Finding]]] = {}
    for part in parts:
        for finding in part.reading.findings:
            if finding.code not in ROLE_CODES:
                found.setdefault((finding.code, finding.column), []).append((part.name, finding))
    merged = []
    for same in found.values():
        name, first = same[0]
        message = msg("{file}: {finding}", file=name, finding=first.message)
        if len(same) > 1:
            message = msg("{n} files, such as {file}: {finding}", n=len(same), file=name, finding=first.message)
        merged.append(replace(first, message=message))
    return merged


def _first_questions(parts: Sequence[Part]) -> tuple[Question, ...]:
    """Each question once, with the file that raised it first; its answer holds for all."""
    asked: dict[str, Question] = {}
    for part in parts:
        for question in part.reading.questions:
            message = msg("{file}: {finding}", file=part.name, finding=question.message)
            asked.setdefault(question.code, replace(question, message=message))
    return tuple(asked.values())


def _merged_rejects(parts: Sequence[Part]) -> tuple[OddRow, ...]:
    rejects: list[OddRow] = []
    for part in parts:
        for reject in part.reading.rejected[: MAX_REJECTS - len(rejects)]:
            rejects.append(replace(reject, reason=msg("{file}: {finding}", file=part.name, finding=reject.reason)))
    return tuple(rejects)


def _head(parquet: Path, columns: Sequence[Column]) -> tuple[tuple[str, ...], ...]:
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT * FROM read_parquet({text_literal(parquet)}) LIMIT {_HEAD}").fetchall()
    return tuple(tuple("" if v is None else shown_cell(v) for v in row) for row in rows)
