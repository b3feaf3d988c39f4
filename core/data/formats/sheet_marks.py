"""What a sheet's XML says beside its values: error cells, formulas without a value, hidden rows and columns.

The library that reads the values gives error cells as empty ones and knows nothing of hiding. The XML is looked through in
blocks, by patterns; it is never parsed as a whole.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

_BLOCK = 4 << 20
_OVERLAP = 64 << 10  # A cell's XML is shorter, but for long formulas and texts, which are no errors.
_MAX_PART = 20_000_000
_KEPT = 1_000
_CELL = re.compile(rb"<(?:\w+:)?c(\s[^>]*)(?<!/)>(.*?)</(?:\w+:)?c>", re.DOTALL)  # An empty cell closes itself.
_ERROR = re.compile(rb"\st\s*=\s*[\"']e[\"']")
_TEXT_RESULT = re.compile(rb"\st\s*=\s*[\"']str[\"']")
_PLACE = re.compile(rb"\br\s*=\s*[\"']([A-Z]{1,3}[0-9]{1,7})[\"']")
_VALUE = re.compile(rb"<(?:\w+:)?v[^>]*>([^<]*)</")
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*?\bhidden\s*=\s*[\"'](?:1|true)[\"']")
_COLUMN = re.compile(rb"<(?:\w+:)?col\s[^>]*>")
_HIDDEN = re.compile(rb"\bhidden\s*=\s*[\"'](?:1|true)[\"']")
_SPAN = re.compile(rb"\b(min|max)\s*=\s*[\"']([0-9]{1,5})[\"']")
_NO_VALUE = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^>]*/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_FILLED = re.compile(rb"<(?:\w+:)?(?:v|is)>")
_CUT = re.compile(rb"</(?:\w+:)?c>|</(?:\w+:)?cols>")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(frozen=True, slots=True)
class ErrorCell:
    """An error cell: its place ("C12", or "" where the file does not say) and its code ("#N/A")."""

    cell: str
    code: str


@dataclass(frozen=True, slots=True)
class SheetMarks:
    """What was found. `errors` lists at most 1,000 of `n_errors`."""

    errors: tuple[ErrorCell, ...] = ()
    n_errors: int = 0
    formulas_without_value: int = 0
    hidden_rows: int = 0
    hidden_columns: int = 0


def read_marks(path: Path, sheet: str) -> SheetMarks:
    """The marks of a sheet; none where its XML cannot be found, which is no reason to refuse values that can be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            part = _part_of(archive, sheet)
            if part is None:
                return SheetMarks()
            with archive.open(part) as file:
                return _count(_pieces(iter(lambda: file.read(_BLOCK), b"")))
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ElementTree.ParseError):
        return SheetMarks()


def has_table(path: Path, sheet: str) -> bool:
    """Whether a sheet holds more than one filled cell, without reading it; true where its XML cannot be found."""
    try:
        with zipfile.ZipFile(path) as archive:
            part = _part_of(archive, sheet)
            if part is None:
                return True
            found, held = 0, b""
            with archive.open(part) as file:
                while found < 2 and (block := file.read(_OVERLAP)):
                    found += len(_FILLED.findall(held + block))
                    held = block[-8:]
            return found > 1
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ElementTree.ParseError):
        return True


def column_letters(column: int) -> str:
    """The letters of a column by its 0-based number.

    Example:
        >>> column_letters(0), column_letters(25), column_letters(26), column_letters(701), column_letters(702)
        ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    letters = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The XML file of a sheet: root relations → workbook → its relations → sheet."""
    book = next((t for kind, t in _relations(archive, "_rels/.rels", "").values() if kind.endswith("/officeDocument")), None)
    if book is None:
        return None
    folder, name = posixpath.split(book)
    targets = _relations(archive, f"{folder}/_rels/{name}.rels", folder)
    for node in _xml(archive, book).iter():
        if node.tag.rpartition("}")[2] == "sheet" and node.get("name") == sheet:
            relation = node.get(_RELATION) or next((v for k, v in node.attrib.items() if k.endswith("}id")), "")
            return targets.get(relation, ("", None))[1]
    return None


def _relations(archive: zipfile.ZipFile, part: str, folder: str) -> dict[str, tuple[str, str]]:
    found = {}
    for node in _xml(archive, part.lstrip("/")):
        target = node.get("Target", "")
        place = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        found[node.get("Id", "")] = (node.get("Type", ""), place)
    return found


def _xml(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    """A small part of the workbook. Expat refuses entities that grow (since 2.4.1); the size is bounded here."""
    if archive.getinfo(part).file_size > _MAX_PART:
        raise KeyError(part)
    return ElementTree.fromstring(archive.read(part))


def _pieces(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks that end where a cell does, so that nothing is counted twice or cut."""
    held = b""
    for block in blocks:
        held += block
        end = 0
        for match in _CUT.finditer(held, max(0, len(held) - _OVERLAP)):
            end = match.end()
        if end:
            yield held[:end]
            held = held[end:]
        elif len(held) > 4 * _BLOCK:  # No cell in sight: something else, or one enormous text.
            yield held
            held = b""
    yield held


def _count(pieces: Iterator[bytes]) -> SheetMarks:
    errors: list[ErrorCell] = []
    n_errors = without = rows = columns = 0
    for piece in pieces:
        if b"hidden" in piece:
            rows += len(_HIDDEN_ROW.findall(piece))
            columns += sum(_span(tag) for tag in _COLUMN.findall(piece) if _HIDDEN.search(tag))
        # Plain searches first: they cost a tenth of the patterns, and most blocks have neither.
        has_errors = (b'"e"' in piece or b"'e'" in piece) and _ERROR.search(piece)
        has_formulas = (b"<f" in piece or b":f" in piece) and _NO_VALUE.search(piece)
        if not (has_errors or has_formulas):
            continue
        for match in _CELL.finditer(piece):
            attributes = match.group(1)
            if _ERROR.search(attributes):
                n_errors += 1
                if len(errors) < _KEPT:
                    errors.append(_error(attributes, match.group(2)))
            elif _NO_VALUE.search(match.group()) and not _TEXT_RESULT.search(attributes):
                without += 1
    return SheetMarks(tuple(errors), n_errors, without, rows, columns)


def _span(tag: bytes) -> int:
    ends = {k: int(v) for k, v in _SPAN.findall(tag)}
    return max(1, ends.get(b"max", 1) - ends.get(b"min", 1) + 1)


def _error(attributes: bytes, inner: bytes) -> ErrorCell:
    place, value = _PLACE.search(attributes), _VALUE.search(inner)
    return ErrorCell(place.group(1).decode() if place else "", value.group(1).decode("utf-8", "replace") if value else "?")
