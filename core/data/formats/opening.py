"""A file of any kind taken apart as far as one table, then previewed or read. These functions run in a child process.

They take and give plain values and the records of `core.data.formats.plain`; paths travel as text.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from core.data.findings import Finding
from core.data.formats.archive import ArchiveLimits, checked_entries, open_archive, tables_in, unpack
from core.data.formats.magic import format_of
from core.data.formats.parquet import preview_parquet, read_parquet
from core.data.formats.records import ALL_MEMBERS, Opened, SourceOptions, source_question
from core.data.formats.workbook import Workbook
from core.data.options import Preview, Question, Reading, ReadOptions
from core.data.reading import read_file
from core.data.sniffing import sniff
from core.errors import DataProblem
from core.messages import Message, msg, msg_n

Progress = Callable[[str, float], None]
_NAMED = 12
_WORKBOOK_LIMITS = ArchiveLimits(total_ratio=100.0)  # The XML of a sheet repeats itself more than any CSV.
_FREE_OF_FORMAT = ("header", "units_row", "preamble_rows", "day_first", "decimal", "thousands", "signs", "last_line", "cells")


def quiet(stage: str, part: float) -> None:
    """Progress that nobody hears."""


def open_source(path: str, folder: str, source: SourceOptions, shown: str, progress: Progress = quiet) -> Opened:
    """The table of a file; what has to be written for it goes to `folder`.

    Args:
        path: The file as it came.
        folder: An empty private folder.
        source: The sheet and the file inside, where they are known.
        shown: The file's name as the user knows it.

    Raises:
        DataProblem: it cannot be opened, holds no table, or lacks the sheet or file that was named.
    """
    file, place = Path(path), Path(folder)
    with _told_as(file.name, shown):
        kind = format_of(file)
        if kind == "zip":
            return _open_archive(file, place, source, shown, progress)
        return _open_table(kind, file, place, source, shown, progress)


def _open_table(kind: str, file: Path, place: Path, options: SourceOptions, shown: str, progress: Progress) -> Opened:
    if kind == "xlsx":
        return _open_workbook(file, place, options, shown, progress)
    return Opened(str(file), "parquet" if kind == "parquet" else "text", ReadOptions(), options, label=shown)


def _open_workbook(file: Path, place: Path, options: SourceOptions, shown: str, progress: Progress) -> Opened:
    with open_archive(file) as archive:
        checked_entries(archive, file, _WORKBOOK_LIMITS)
    progress("opening", 0.0)
    book = Workbook(file, shown)
    every = (*book.sheets, *book.hidden)
    questions: tuple[Question, ...] = ()
    if options.sheet is not None:
        sheet = _named(options.sheet, every, shown, msg("sheet"))
    else:
        filled = book.filled_sheets()
        if not filled:
            raise _no_sheet(book, shown)
        sheet, questions = filled[0], _which_sheet(filled, options)
    target = place / "sheet.tsv"
    read, findings = book.write_text(sheet, target, progress)
    chosen = options.with_values(sheet=sheet)
    return Opened(str(target), "text", read, chosen, tuple(findings), questions, sheets=every, label=f"{shown} · {sheet}")


def _no_sheet(book: Workbook, shown: str) -> DataProblem:
    fix = (
        msg("Hidden sheets: {names}. Name one of them as the sheet, or show it in Excel.", names=", ".join(book.hidden))
        if book.hidden
        else msg("Open the workbook and look for its table.")
    )
    return DataProblem(
        msg("No sheet of '{file}' holds a table.", file=shown), msg("Expected a visible sheet with a header and rows."), fix
    )


def _which_sheet(filled: Sequence[str], options: SourceOptions) -> tuple[Question, ...]:
    if len(filled) < 2:
        return ()
    answers = [(options.with_values(sheet=name), msg("{name}", name=name)) for name in filled]
    message = msg_n("{n} sheet holds a table. Which one?", "{n} sheets hold tables. Which one?", len(filled))
    return (source_question("sheet", message, answers),)


def _open_archive(file: Path, place: Path, options: SourceOptions, shown: str, progress: Progress) -> Opened:
    limits = ArchiveLimits()
    with open_archive(file) as archive:
        tables = tables_in(archive, checked_entries(archive, file, limits), file)
        names = tuple(e.filename for e in tables)
        by_name = dict(zip(names, tables, strict=True))
        if options.member == ALL_MEMBERS and len(names) > 1:
            return _open_all(archive, by_name, file, place, options, shown, progress)
        wanted = options.member if options.member not in (None, ALL_MEMBERS) else names[0]
        member = _named(str(wanted), names, shown, msg("file"))
        opened = _open_member(archive, by_name[member], file, place, 0, options.with_values(member=member), progress)
    questions = () if options.member is not None else _which_member(names, options)
    return replace(opened, questions=(*questions, *opened.questions), members=names, label=f"{shown} · {opened.label}")


def _open_member(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    file: Path,
    place: Path,
    n: int,
    options: SourceOptions,
    progress: Progress,
) -> Opened:
    folder = place / f"member-{n}"
    folder.mkdir(mode=0o700)
    target = folder / "table"  # Our own name: the name in the archive is only data.
    unpack(archive, entry, file, target, ArchiveLimits(), progress)
    with _told_as(target.name, entry.filename):
        kind = format_of(target)
    if kind == "zip":
        raise DataProblem(
            msg(
                "'{file}' holds '{entry}': {why}.",
                file=file.name,
                entry=entry.filename,
                why=msg("it is an archive inside an archive"),
            ),
            msg("Expected an archive of plain files, without a password."),
            msg("Pack the table again, or import it unpacked."),
        )
    return _open_table(kind, target, folder, options, entry.filename, progress)


def _open_all(
    archive: zipfile.ZipFile,
    tables: Mapping[str, zipfile.ZipInfo],
    file: Path,
    place: Path,
    options: SourceOptions,
    shown: str,
    progress: Progress,
) -> Opened:
    every = [_open_member(archive, entry, file, place, n, options, progress) for n, entry in enumerate(tables.values())]
    return replace(every[0], members=tuple(tables), more=tuple(every[1:]), questions=every[0].questions)


def _which_member(names: Sequence[str], options: SourceOptions) -> tuple[Question, ...]:
    if len(names) < 2:
        return ()
    answers = [(options.with_values(member=name), msg("{name}", name=name)) for name in names]
    together = (options.with_values(member=ALL_MEMBERS), msg("all of them, one below the other"))
    message = msg_n("The archive holds {n} table. Which one?", "The archive holds {n} tables. Which one?", len(names))
    return (source_question("member", message, [*answers, together]),)


def _named(wanted: str, names: Sequence[str], shown: str, what: Message) -> str:
    """The sheet or file of that name.

    Raises:
        DataProblem: there is none; the error lists the names and the closest one.
    """
    if wanted in names:
        return wanted
    same = [n for n in names if n.casefold() == wanted.casefold()]
    if len(same) == 1:
        return same[0]
    close = get_close_matches(wanted, names, n=1, cutoff=0.5)
    raise DataProblem(
        msg("There is no {what} '{name}' in '{file}'.", what=what, name=wanted, file=shown),
        msg("It has: {names}.", names=", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")),
        msg("Did you mean '{close}'?", close=close[0]) if close else msg("Choose one of these."),
    )


def merged_options(opened: Opened, options: ReadOptions | None) -> ReadOptions:
    """What a person said about the text and what the format says: how cells are written is the format's own affair."""
    given = options or ReadOptions()
    if opened.read == ReadOptions():
        return given
    changes = {k: getattr(given, k) for k in _FREE_OF_FORMAT if getattr(given, k) is not None}
    return opened.read.with_values(**changes)


def preview_opened(opened: Opened, options: ReadOptions | None, progress: Progress = quiet) -> Preview:
    """The first rows of an opened table, as they would be read.

    Raises:
        DataProblem: it cannot be read as a table.
    """
    if opened.kind == "parquet":
        preview = preview_parquet(opened.file, opened.label)
    else:
        with _told_as(opened.file.name, opened.label):
            preview = sniff(opened.file, merged_options(opened, options))
    refusal = preview.refusal
    if refusal is not None and refusal.what.values.get("file") == opened.file.name:
        refusal.what = replace(refusal.what, values={**refusal.what.values, "file": opened.label})
    return replace(
        preview,
        refusal=refusal,
        findings=(*_without_encoding(opened, preview.findings), *opened.findings),
        questions=(*opened.questions, *preview.questions),
    )


def read_opened(opened: Opened, parquet: str, options: ReadOptions | None, progress: Progress = quiet) -> Reading:
    """Read an opened table as a whole into a Parquet file.

    Raises:
        DataProblem: it cannot be read as a table.
    """
    progress("reading", 0.0)
    if opened.kind == "parquet":
        reading = read_parquet(opened.file, Path(parquet), opened.label, progress)
    else:
        with _told_as(opened.file.name, opened.label):
            told = partial(progress, "reading")
            reading = read_file(opened.file, Path(parquet), merged_options(opened, options), told)
    if not (opened.findings or opened.questions):
        return reading
    findings = (*_without_encoding(opened, reading.findings), *opened.findings)
    outcome = reading.outcome
    if opened.questions:
        outcome = "ask"
    elif outcome == "load" and any(f.severity != "info" for f in opened.findings):
        outcome = "warn"
    return replace(reading, outcome=outcome, findings=findings, questions=(*opened.questions, *reading.questions))


@contextmanager
def _told_as(name: str, shown: str) -> Iterator[None]:
    """A problem with a copy under another name names what the user knows: the file, the sheet, the file inside."""
    try:
        yield
    except DataProblem as problem:
        if problem.what.values.get("file") == name:
            problem.what = replace(problem.what, values={**problem.what.values, "file": shown})
        raise


def _without_encoding(opened: Opened, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The encoding of a text that we wrote ourselves is no news."""
    return tuple(f for f in findings if opened.read == ReadOptions() or f.code != "encoding")
