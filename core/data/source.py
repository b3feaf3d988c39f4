"""Bytes of a file → UTF-8 text: what the file is, its encoding, and its text in blocks with `\\n` line ends."""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import DataProblem
from core.messages import Message, msg

BLOCK = 8 << 20
SAMPLE = 1 << 20
_GZIP = b"\x1f\x8b"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "ZIP or Excel (.xlsx)"),
    (b"PK\x05\x06", "ZIP"),
    (b"\xd0\xcf\x11\xe0", "Excel (.xls)"),
    (b"%PDF", "PDF"),
    (b"\x7fELF", "ELF program"),
    (b"MZ\x90\x00", "Windows program"),
    (b"PAR1", "Parquet"),
    (b"\x89PNG", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"\x89HDF", "HDF5"),
    (b"SQLite format 3", "SQLite database"),
    (b"BZh9", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf", "7z"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LEGACY = ("gb18030", "big5", "cp932", "euc_kr", "cp1251", "cp1252")  # What text of one byte a character is guessed among.
_EXPECTED = msg("Expected a text file with a header and rows: CSV or TSV, also as .gz.")


def check_file(path: Path) -> bytes:
    """The first bytes of the (unpacked) file.

    Raises:
        DataProblem: there is no such file, it is a folder, it is empty, or its bytes are not text.
    """
    if path.is_dir():
        raise _problem(msg("'{file}' is a folder.", file=path.name), msg("Choose one file."))
    if not path.is_file():
        raise _problem(msg("There is no file '{file}'.", file=path.name), msg("Check the name and the place of the file."))
    with path.open("rb") as file:
        raw = file.read(16)
    if raw.startswith(_GZIP) and path.suffix.lower() not in (".gz", ".gzip"):
        raise _not_text(path, "gzip", msg("Rename it to end with .gz, or unpack it first."))
    head = _read_head(path)
    if not head.strip(b"\r\n\t \x00\xef\xbb\xbf\xff\xfe"):
        raise _problem(
            msg("The file '{file}' is empty.", file=path.name), msg("Export the table again and check that it has rows.")
        )
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            raise _not_text(path, kind, msg("Open it in its own program and export the table as CSV."))
    if (
        b"\x00" in head
        and _utf16_by_zeros(head) is None
        and not any(head.startswith(bom) for bom, _ in _BOMS)
        and _is_binary(head)
    ):
        raise _not_text(path, "binary", msg("Open it in its own program and export the table as CSV."))
    return head


def _is_binary(head: bytes) -> bool:
    """Whether bytes with zeros among them are no text: no lines, many zeros, or other control characters too."""
    zeros = head.count(0)
    control = sum(head.count(bytes([b])) for b in range(1, 32) if b not in (1, 9, 10, 12, 13, 31))
    return b"\n" not in head and b"\r" not in head or zeros > 0.2 * len(head) or control > 0.02 * len(head)


def _read_head(path: Path) -> bytes:
    with open_bytes(path) as file:
        try:
            return file.read(SAMPLE)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise damaged_gzip(path) from error


def open_bytes(path: Path) -> BinaryIO:
    """The unpacked bytes of a file; gzip is known by its first bytes."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def text_bytes(path: Path) -> int:
    """About how many bytes a file has when it is unpacked: at least four times its size where it is packed.

    A gzip file ends with the size of its last part modulo 4 GB, which is the whole truth for most files and never more
    than it; tables shrink by four times and more.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(2) != _GZIP or size < 18:
            return size
        file.seek(-4, os.SEEK_END)
        return max(int.from_bytes(file.read(4), "little"), 4 * size)


def check_packed(path: Path) -> None:
    """Unpack a gzip file to its end, keeping nothing: the size that a cut-off file tells is any number.

    Raises:
        DataProblem: it ends early or does not unpack.
    """
    with open_bytes(path) as file:
        try:
            while file.read(SAMPLE):
                pass
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise damaged_gzip(path) from error


def damaged_gzip(path: Path) -> DataProblem:
    """The error for a gzip file that ends early or does not unpack."""
    return _problem(msg("The packed file '{file}' is damaged.", file=path.name), msg("Copy or download it again."))


def _problem(what: Message, fix: Message) -> DataProblem:
    return DataProblem(what, _EXPECTED, fix)


def _not_text(path: Path, kind: str, fix: Message) -> DataProblem:
    return _problem(msg("'{file}' is not a text table: its bytes are {kind}.", file=path.name, kind=kind), fix)


def _utf16_by_zeros(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: Latin text has a zero in every second byte."""
    sample = head[:4096]
    if len(sample) < 8:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = max(1, len(sample) // 2)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


@dataclass(frozen=True, slots=True)
class Encoding:
    """How bytes become characters; `others` are encodings that come into question as well."""

    name: str
    others: tuple[str, ...] = ()


def detect_encoding(path: Path, head: bytes, *, only_head: bool = False) -> Encoding:
    """The encoding of a file: byte order mark, else strict UTF-8 over the whole file, else by its characters.

    With `only_head`, a file whose first MB is UTF-8 counts as that: the caller finds out for itself what is not.
    """
    for bom, name in _BOMS:
        if head.startswith(bom):
            if name.startswith(("utf-16", "utf-32")) and head[4:].isascii() and b"\x00" not in head[4:]:
                raise _problem(
                    msg("'{file}' begins like {encoding} and goes on in another encoding.", file=path.name, encoding=name),
                    msg("Save it again as UTF-8."),
                )
            return Encoding(name)
    if b"\x00" in head and (zeros := _utf16_by_zeros(head)):
        return Encoding(zeros)
    if only_head and _begins_as_utf8(head):
        return Encoding("utf-8")
    wrong = _first_bytes_not_utf8(path)
    return Encoding("utf-8") if wrong is None else _by_characters(wrong)


def _begins_as_utf8(head: bytes) -> bool:
    """Whether bytes are UTF-8, but for a last character that is cut off."""
    return _decodes(head, "utf-8")


def _first_bytes_not_utf8(path: Path) -> bytes | None:
    """None when the whole file is UTF-8, else the block that is not."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        with open_bytes(path) as file:
            while block := file.read(BLOCK):
                if block.isascii() and not decoder.getstate()[0]:
                    continue
                try:
                    decoder.decode(block)
                except UnicodeDecodeError as error:
                    return block[max(0, error.start - 4096) : error.start + (SAMPLE // 4)]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged_gzip(path) from error
    return None


def _by_characters(sample: bytes) -> Encoding:
    """Latin-1 (as its superset cp1252) where high bytes stand alone between ASCII ones, else what characters suggest."""
    high = [b >= 0x80 for b in b"\n" + sample + b"\n"]
    runs = sum(1 for i in range(1, len(high)) if high[i] and not high[i - 1])
    single = sum(1 for i in range(1, len(high) - 1) if high[i] and not high[i - 1] and not high[i + 1])
    if runs and single >= 0.5 * runs:
        return Encoding(_strict_or_latin(sample, "cp1252"))
    # A long sample may begin in the middle of a character; a short one begins where the file does.
    whole_lines = sample if len(sample) < 4096 else sample[sample.find(b"\n") + 1 :] or sample
    if _is_simplified_chinese(sample):
        return Encoding("gb18030")
    from charset_normalizer import from_bytes

    best = from_bytes(whole_lines, cp_isolation=list(_LEGACY)).best()
    if best is None:
        return Encoding(_strict_or_latin(sample, "gb18030"))
    if best.encoding == "cp1252":
        return Encoding("cp1252")
    return Encoding(best.encoding, tuple(e for e in _LEGACY if e != best.encoding and _decodes(whole_lines, e))[:4])


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _is_simplified_chinese(sample: bytes) -> bool:
    """Whether the two-byte characters are those of GB 2312 level 1, the 3,755 most used (lead bytes B0 to D7).

    Big5 fills less than half of that block, Japanese has kana beside it, and Korean stays below C9; a guess from
    character frequencies alone takes short Chinese headers for one of these.
    """
    pairs: list[tuple[int, int]] = []
    place = 0
    while place + 1 < len(sample):
        if sample[place] < 0x80:
            place += 1
            continue
        pairs.append((sample[place], sample[place + 1]))
        place += 2
    if not pairs:
        return False
    common = sum(0xB0 <= lead <= 0xD7 and trail >= 0xA1 for lead, trail in pairs)
    beyond_korean = sum(0xC9 <= lead <= 0xD7 and trail >= 0xA1 for lead, trail in pairs)
    kana = sum(lead in (0xA4, 0xA5) for lead, _ in pairs)
    return common >= 0.7 * len(pairs) and beyond_korean >= 0.15 * len(pairs) and kana <= 0.1 * len(pairs)


def _strict_or_latin(sample: bytes, encoding: str) -> str:
    return encoding if _decodes(sample, encoding) else "latin-1"


class TextBlocks:
    """The file as UTF-8 bytes with `\\n` line ends, in blocks that may end anywhere.

    `replaced` counts characters that the encoding could not read (they become U+FFFD), `zeros` the zero characters,
    which mean nothing in a table and are left out.
    """

    def __init__(self, path: Path, encoding: str, block: int = BLOCK) -> None:
        self.path, self.encoding, self.block, self.replaced, self.zeros = path, encoding, block, 0, 0

    def __iter__(self) -> Iterator[bytes]:
        try:
            with open_bytes(self.path) as file:
                yield from self._blocks(file)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise damaged_gzip(self.path) from error

    def _blocks(self, file: BinaryIO) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        plain = self.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "ascii")
        held = b""
        while block := file.read(self.block):
            if not (plain and block.isascii() and not decoder.getstate()[0]):
                block = self._recode(decoder, block, final=False)
            block = held + block
            held = b"\r" if block.endswith(b"\r") else b""
            yield self._clean(block[:-1] if held else block)
        tail = held + self._recode(decoder, b"", final=True)
        if tail:
            yield self._clean(tail)

    def _clean(self, block: bytes) -> bytes:
        if b"\x00" in block:
            self.zeros += block.count(0)
            block = block.replace(b"\x00", b"")
        return _newlines(block)

    def _recode(self, decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool) -> bytes:
        text = decoder.decode(block, final)
        self.replaced += text.count("\ufffd")
        return text.encode("utf-8", "replace")


def _newlines(block: bytes) -> bytes:
    if b"\r" not in block:
        return block
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
