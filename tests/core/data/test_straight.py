"""The straight way gives what the careful way gives, and steps back wherever a file is more than plain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.data import byte_facts as bytes_module
from core.data import reading as reading_module
from core.data import straight
from core.data.byte_facts import byte_facts
from core.data.reading import Reading, read_file

ROWS = 12_000  # More than the rows that are sampled.
Read = Callable[..., tuple[Reading, pd.DataFrame, bool]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read a file of any size the straight way if it goes; the reading, the table, and whether it went."""
    monkeypatch.setattr(straight, "SMALLEST", 0)
    went: list[bool] = []
    real = reading_module.straight_table

    def spied(*arguments: object) -> object:
        found = real(*arguments)  # type: ignore[arg-type]
        went.append(found is not None)
        return found

    monkeypatch.setattr(reading_module, "straight_table", spied)

    def read_one(content: bytes | str) -> tuple[Reading, pd.DataFrame, bool]:
        path = tmp_path / "a.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        reading = read_file(path, tmp_path / "a.parquet")
        assert reading.lines.holds
        return reading, pd.read_parquet(tmp_path / "a.parquet"), went[-1]

    return read_one


def plant(rows: int = ROWS, *, end: str = "\n", changed: dict[int, str] | None = None) -> str:
    """`when,machine,count,value` with a row a second; some rows replaced by what is given for their number."""
    lines = ["when,machine,count,value"]
    for i in range(rows):
        clock = f"{i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d}"
        lines.append((changed or {}).get(i, f'2024-05-06T{clock},"press-{i % 3}",{i},{i / 8}'))
    return end.join(lines) + end


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("head", ["", "\ufeff", "exported by line 4\n\n"])
def test_a_plain_file_goes_straight(read: Read, end: str, head: str) -> None:
    reading, table, went = read(head.replace("\n", end) + plant(end=end).removesuffix(end))
    assert went and reading.n_rows == ROWS
    assert [c.kind for c in reading.columns] == ["time", "text", "number", "number"]
    assert table["count"].tolist() == list(range(ROWS))
    assert table["value"].tolist() == [i / 8 for i in range(ROWS)]
    assert table["machine"][[0, 1, 2, 3]].tolist() == ["press-0", "press-1", "press-2", "press-0"]
    assert table["when"][3661] == datetime(2024, 5, 6, 1, 1, 1)
    above = head.removeprefix("\ufeff").count("\n")
    assert (reading.lines.total, reading.lines.accepted) == (above + 1 + ROWS, ROWS)


def test_empty_cells_are_empty_and_a_column_without_values_is_named(read: Read) -> None:
    rows = "".join(f"{i},,{'' if i % 4 else i},{'' if i % 2 else 'a'}\n" for i in range(ROWS))
    reading, table, went = read("i,none,some,word\n" + rows)
    assert went and [c.kind for c in reading.columns] == ["number", "number", "number", "text"]
    assert table["none"].isna().all() and table["some"].notna().sum() == ROWS // 4 and table["word"].isna().sum() == ROWS // 2
    assert "all_missing" in {f.code for f in reading.findings}


@pytest.mark.parametrize(
    ("row", "column", "kind"),
    [
        ("2024-05-06T03:15:00,press-1,007,5.5", "count", "text"),
        ('2024-05-06T03:15:00,press-1,"007",5.5', "count", "text"),
        ("2024-05-06T03:15:00,press-1,11_700,5.5", "count", "text"),
        ("2024-05-06T03:15:00,press-1,1E5,5.5", "count", "number"),
        ("2024-05-06T03:15:00,press-1,12345678901234567890,5.5", "count", "text"),
        ("2024-05-06T03:15:00,press-1,11700,inf", "value", "number"),
        ("2024-05-06T03:15:00,press-1,11700,nan", "value", "number"),
        ("2024-05-06T03:15:00,press-1,11700,ERR", "value", "number"),
        ("2024-05-06T03:15:00,NA,11700,5.5", "machine", "text"),
        ('2024-05-06T03:15:00,"press ""1""",11700,5.5', "machine", "text"),
        ('2024-05-06T03:15:00,"press\n1",11700,5.5', "machine", "text"),
        ("2024-05-06T03:15:00,press \ufffd,11700,5.5", "machine", "text"),
        ("-infinity,press-1,11700,5.5", "when", "time"),
        ("2024-05-06T03:15:00+02:00,press-1,11700,5.5", "when", "time"),
        ("2024-05-06 03:15 PM,press-1,11700,5.5", "when", "time"),
        ("2024-05-06T03:15:00,press-1,11700", "value", "number"),
        ("2024-05-06T03:15:00,press-1,11700,5.5,6.6", "value", "number"),
        ("", "value", "number"),
        (",,,", "value", "number"),
        ("when,machine,count,value", "value", "number"),
        ("2024-05-06T03:15:00,press-1,11700,5.5\x00", "value", "number"),
        ("2024-05-06T03:15:00,press-1,11700,5.5\r", "value", "number"),
    ],
)
def test_what_is_more_than_plain_takes_the_careful_way(
    read: Read, monkeypatch: pytest.MonkeyPatch, row: str, column: str, kind: str
) -> None:
    """One row behind the sample is enough, and what comes out is what the careful way alone gives."""
    content = plant(changed={11_700: row})
    reading, table, went = read(content)
    assert not went
    assert next(c.kind for c in reading.columns if c.name == column) == kind
    monkeypatch.setattr(straight, "SMALLEST", 1 << 60)
    careful, expected, _ = (*read(content)[:2], None)
    assert reading == careful
    pd.testing.assert_frame_equal(table, expected)


def test_bytes_that_are_no_utf8_behind_the_beginning_change_the_encoding(read: Read) -> None:
    """The first MB is UTF-8; one Latin-1 letter far behind it makes the file another."""
    rows = "".join(f"{i},{i / 8},press\n" for i in range(70_000)).encode()
    assert len(rows) > 1 << 20
    reading, table, went = read(b"i,value,place\n" + rows + "1,2,Lübeck\n".encode("latin-1"))
    assert not went and reading.options.encoding == "cp1252" and table["place"].iloc[-1] == "Lübeck"


@pytest.mark.parametrize("last", ["Total,72000000", "合计,72000000", "Summe,1"])
def test_a_file_that_may_end_with_totals_takes_the_careful_way(read: Read, last: str) -> None:
    """The word stands in a text column, so that no cast refuses it."""
    reading, _, went = read("lot,value\n" + "L1,6000\n" * ROWS + last + "\n")
    assert not went and (reading.n_rows == ROWS or reading.outcome == "ask")


@pytest.mark.parametrize("last", ["Total\x0c,72000000", "Total\u2028,72000000"])
def test_odd_separators_do_not_hide_totals(read: Read, last: str) -> None:
    _, _, went = read("lot,value\n" + "L1,6000\n" * ROWS + last + "\n")
    assert not went


def test_a_character_that_could_not_be_read_before_is_counted_in_the_header_too(read: Read) -> None:
    reading, _, went = read(plant().replace("machine", "Maschine \ufffd", 1))
    assert not went and "bad_characters" in {f.code for f in reading.findings}


def test_many_columns_are_read_within_the_memory_of_an_import(read: Read) -> None:
    """120 columns of texts, for which the straight way has no room."""
    header = ",".join(f"c{i}" for i in range(120))
    rows = "".join(",".join(f"value-{(i * k) % 977}" for k in range(120)) + "\n" for i in range(600))
    reading, table, went = read(header + "\n" + rows)
    assert not went and table.shape == (600, 120) and reading.n_rows == 600


def test_a_file_for_which_the_memory_does_not_suffice_is_read_the_careful_way(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> object:
        raise duckdb.OutOfMemoryException("failed to allocate data of size 32.0 MiB (480 MiB/512 MiB used)")

    monkeypatch.setattr(straight._Straight, "_copied", full)
    reading, _, went = read(plant())
    assert not went and reading.n_rows == ROWS


def test_rows_that_look_alike_are_written_by_one_thread(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples of equal lines cannot show that pieces were exchanged, so what several threads wrote is not believed."""
    real, written = straight.copy_in_order, []
    monkeypatch.setattr(straight, "copy_in_order", lambda *a: (written.append(a[2]), real(*a)))
    _, table, went = read("state,alarm,value\n" + "".join(f"RUN,{int(i == 9_000)},21.5\n" for i in range(ROWS * 20)))
    assert went and len(written) == 1 and table["alarm"].to_numpy().nonzero()[0].tolist() == [9_000]


def test_how_far_it_is_goes_to_its_end_on_either_way_and_a_stop_goes_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(straight, "SMALLEST", 0)
    path = tmp_path / "a.csv"
    path.write_text(plant(60_000))
    told: list[float] = []
    read_file(path, tmp_path / "a.parquet", told=told.append)
    assert told == sorted(told) and told[-1] == 1.0 and len(told) > 3
    path.write_text(plant(60_000, changed={59_000: "2024-05-06T03:15:00,press-1,11700,ERR"}))
    told.clear()
    read_file(path, tmp_path / "a.parquet", told=told.append)
    assert told[-1] == 1.0 and told != sorted(told), "the careful way begins anew"

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    for content in (plant(60_000), plant(60_000, changed={15_000: "2024-05-06T03:15:00,press-1,11700,ERR"})):
        path.write_text(content)
        with pytest.raises(KeyboardInterrupt):
            read_file(path, tmp_path / "b.parquet", told=stop)
        assert not list(tmp_path.glob("b.parquet")) and not list(tmp_path.glob(".reading-*"))


def test_a_leading_zero_in_a_text_column_is_no_hindrance(read: Read) -> None:
    rows = "".join(f"{i},{i % 7:03d}-a\n" for i in range(ROWS))
    _, table, went = read("i,lot\n" + rows)
    assert went and table["lot"][8] == "001-a"


def test_rows_that_come_out_in_another_order_are_noticed_and_written_again(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    real = straight._Straight._copied

    def exchanged(self: straight._Straight, written: Path, sample: object) -> object:
        facts = real(self, written, sample)  # type: ignore[arg-type]
        table = pq.read_table(written)
        half = table.num_rows // 2
        pq.write_table(pq.ParquetFile(written).schema_arrow.empty_table(), written)
        import pyarrow as pa

        pq.write_table(pa.concat_tables([table.slice(half), table.slice(0, half)]), written)
        return facts

    monkeypatch.setattr(straight._Straight, "_copied", exchanged)
    reading, table, went = read(plant())
    assert went and table["count"].tolist() == list(range(ROWS)) and reading.n_rows == ROWS


@pytest.fixture(params=[40, 100, 1 << 18])
def small_blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that lines and cells are parted in every way."""
    monkeypatch.setattr(bytes_module, "_BLOCK", request.param)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("text", "typed", "whole", "odd", "lines"),
    [
        ("a,b\n1,2\n3,4\n", {0, 1}, (), "", 3),
        ("a,b\n1,2\n3,4", {0, 1}, (), "", 3),
        ("a,b\r\n1,2\r\n3,4\r\n", {0, 1}, (), "", 3),
        ("a,b\n1,0\n0,0.5\n-07,1\n", {0, 1}, (), "", 4),
        ("a,b\n1,2\n01,2\n", {0, 1}, (), "leading_zero", None),
        ("a,b\n1,2\n01,2\n", {1}, (), "", 3),
        ("a,b\n1,2\n1,02\n", {1}, (), "leading_zero", None),
        ('a,b\n1,2\n1,"02"\n', {1}, (), "leading_zero", None),
        ('a,b\n1,2\n"x,01",2\n', {1}, (), "", 3),
        ("a,b\n1,2\n1,2_0\n", {1}, (), "underscore", None),
        ("a,b\n1,2\nx_1,2\n1_1,2\n", {1}, (), "", 4),
        ("a,b\n1,2\n1,2E5\n", {1}, {1}, "exponent", None),
        ("a,b\n1,2\n1,2E+5\n", {1}, {1}, "", 3),
        ("a,b\n1,2\n1E5,2\n", {1}, {1}, "", 3),
        ("a,b\n1,2\x00\n", {1}, (), "zero_character", None),
        ("a,b\n1,2\r\n1,3\n", {1}, (), "line_ends", None),
        ("a,b\r\n1,2\n", {1}, (), "line_ends", None),
        ("a\tb\n1\t2\n", {1}, (), "", 2),
    ],
)
def test_bytes_tell_lines_and_what_needs_a_closer_look(
    tmp_path: Path, text: str, typed: set[int], whole: set[int], odd: str, lines: int | None
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    facts = byte_facts(path, "\t" if "\t" in text else ",", '"', typed=typed, whole=whole, skip=1)
    assert facts.odd == odd
    if lines is not None:
        assert facts.lines == lines
        for number, line in facts.samples:
            assert text.encode().splitlines()[number] == line


def test_a_line_longer_than_a_block_is_odd(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1," + "x" * (1 << 19) + "\n")
    assert byte_facts(path, ",", '"', typed={0}, skip=1).odd == "long_line"
