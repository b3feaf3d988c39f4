"""What a file is by its bytes. The name says nothing: a workbook that is called .csv is a workbook."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import BinaryIO, Literal

from core.errors import DataProblem
from core.messages import Message, msg

Format = Literal["text", "zip", "xlsx", "parquet"]
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_PARQUET = (b"PAR1", b"PARE")
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ARCHIVES = (
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "RAR"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument.spreadsheet"
HEAD_BYTES = 16


def head_of(path: Path) -> bytes:
    """The first bytes; none where there is no such file."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def is_plain_text(path: Path) -> bool:
    """Whether the file goes to the text reader as it is, which also words what is wrong with it."""
    head = head_of(path)
    return not head.startswith((*_ZIP, *_PARQUET, _OLE2))


def archive_word(head: bytes) -> str:
    """The kind of archive that begins so, or ""."""
    if head.startswith(_ZIP):
        return "ZIP"
    return next((word for magic, word in _ARCHIVES if head.startswith(magic)), "")


def format_of(path: Path) -> Format:
    """The format by content.

    Raises:
        DataProblem: a spreadsheet of a kind that is not read.
    """
    head = head_of(path)
    if head.startswith(_PARQUET):
        return "parquet"
    if head.startswith(_OLE2):
        raise _other_spreadsheet(path.name, msg("an old Excel file (.xls) or one with a password"))
    if not head.startswith(_ZIP):
        return "text"
    with path.open("rb") as file:
        return zip_kind(file, path.name)


def zip_kind(file: BinaryIO, name: str) -> Format:
    """Whether a ZIP file is a workbook; a damaged one counts as an archive, whose reader has the words for it.

    Raises:
        DataProblem: a spreadsheet of a kind that is not read.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if "xl/workbook.bin" in names:
                raise _other_spreadsheet(name, msg("a binary Excel file (.xlsb)"))
            if "[Content_Types].xml" in names and any(n.startswith("xl/") for n in names):
                return "xlsx"
            small = "mimetype" in names and archive.getinfo("mimetype").file_size < 200
            if small and archive.read("mimetype").startswith(_OPEN_DOCUMENT):
                raise _other_spreadsheet(name, msg("an OpenDocument spreadsheet (.ods)"))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError):
        return "zip"
    return "zip"


def _other_spreadsheet(name: str, kind: Message) -> DataProblem:
    return DataProblem(
        msg("'{file}' is {kind}, which is not read.", file=name, kind=kind),
        msg("Expected CSV, TSV, TXT, XLSX or Parquet; one of these in a ZIP or, for text, as .gz."),
        msg("Open it in its program and save the table as an Excel workbook (.xlsx) or as CSV."),
    )
