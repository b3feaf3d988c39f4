"""1,030 files that others use to test readers: what becomes of each of them, and a table of it (`pytest -s`)."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.messy.corpus import Corpus, Read, duckdb_rows, read_one, same_rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

HANG = 10.0
VERY_WIDE = ("frictionless/wide.csv",)  # 9,074 columns

# Where the proposal is wrong, or allows another outcome itself. Each entry says why.
ARGUED = {
    "rvl/corpus/wide_row_extra_non_empty.csv": (
        "ask",
        "two names, one row of three cells: as inconsistent_columns_3.csv, which asks",
    ),
    "messytables/mixedGLB.csv": (
        "warn",
        "in this copy the header stands once, in line 4; nothing is repeated and nothing is open",
    ),
    "rvl/corpus/backslash_escape.csv": ("warn", 'the check allows the value a"b, which is what is loaded'),
    "duckdb/mixed_new_line.csv": ("ask", "1,2,3 above 4,5,6: the same as no_header_row3.csv, which asks"),
    "rvl/corpus/locale_decimal.csv": ("load", "1.234,56 has one reading only; it is 1234.56, as the check wants"),
    "csvkit/test_locale.csv": ("warn", "1,7 and 200.000.000 have one reading only; they are what the check wants"),
    "messytables/null.csv": ("warn", "a count that goes on in ten rows makes the first row data; the null words are counted"),
    "duckdb/conflict_timestamp.csv": ("load", "01-01-2020 is the same day in both orders"),
    "csvkit/test_no_leading_zeroes.csv": ("load", "01 and 00.11 stay texts, so that no zero is dropped; as leading_zeros.csv"),
}

# Files of which the other list of this collection wants another outcome than DuckDB's default.
NOT_AS_DUCKDB = {
    "duckdb/empty.csv": "proposed: refuse",
    "duckdb/null_terminator.csv": "proposed: refuse",
    "duckdb/inconsistencies/inconsistent_columns_3.csv": "proposed: ask",
    "duckdb/no_quote.csv": "proposed: ask",
    "duckdb/inconsistencies/inconsistent_columns_6.csv": "as extra_delimiters.csv: flag the odd line; DuckDB makes one column of all",
    "duckdb/unescaped_quotes/stops.csv": "as unescaped_quote.csv: the cells without their quotes; DuckDB keeps quotes around all",
    "duckdb/inconsistent_cells.csv": "proposed: flag each odd line; DuckDB skips four lines and says nothing",
}


@pytest.fixture(scope="module")
def corpus(shared_data: Path) -> Corpus:
    return Corpus(shared_data / "messy-csv")


@pytest.fixture(scope="module")
def read(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Read]:
    folder = tmp_path_factory.mktemp("messy")
    return {file: read_one(corpus.root, file, folder) for file in corpus.files}


def shown(title: str, rows: list[tuple[str, object]]) -> None:
    print(f"\n{title}")
    for name, value in rows:
        print(f"  {name:<62} {value}")


def test_no_file_brings_a_fault_or_a_hang_and_every_line_is_accounted_for(read: dict[str, Read]) -> None:
    outcomes = Counter(r.outcome for r in read.values())
    slowest = max(read.values(), key=lambda r: r.seconds)
    shown("1,030 files", [*sorted(outcomes.items()), ("slowest (processor seconds)", f"{slowest.seconds:.1f} {slowest.file}")])
    assert [r.fault for r in read.values() if r.fault] == []
    # Processor time of all threads, of which DuckDB has two; the widest file has a bar of its own.
    assert [r.file for r in read.values() if r.seconds > (3 * HANG if r.file in VERY_WIDE else HANG)] == []
    assert [r.file for r in read.values() if r.reading and not r.reading.lines.holds] == []
    assert [r.file for r in read.values() if r.reading and len(r.rows) != r.reading.n_rows] == []
    assert [r.said for r in read.values() if "left behind" in r.said] == []
    assert len(read) == 1030


def test_the_curated_files_come_out_as_proposed(corpus: Corpus, read: dict[str, Read]) -> None:
    wanted = {f: row["proposed_outcome"].lower() for f, row in corpus.proposed.items()}
    differing = {f: (read[f].outcome, w) for f, w in wanted.items() if read[f].outcome != w}
    argued = {f for f, (got, _) in differing.items() if f in ARGUED and ARGUED[f][0] == got}
    as_proposed = len(wanted) - len(differing)
    shown(
        f"{as_proposed} of {len(wanted)} as proposed, {len(argued)} argued",
        [(f, f"{got}, proposed {w}: {ARGUED.get(f, ('', 'NOT ARGUED'))[1]}") for f, (got, w) in sorted(differing.items())],
    )
    assert (as_proposed + len(argued)) / len(wanted) >= 0.97
    assert [f for f in ARGUED if f not in differing] == []


def test_files_that_duckdb_reads_by_default_load_with_its_rows_unasked(corpus: Corpus, read: dict[str, Read]) -> None:
    files = [f for f in corpus.read_by_duckdb if f not in NOT_AS_DUCKDB]
    theirs = {f: duckdb_rows(corpus.root / f) for f in files}
    same = {
        f for f, table in theirs.items() if table and read[f].outcome in ("load", "warn") and same_rows(read[f].rows, table[1])
    }
    shown(f"{len(same)} of {len(files)} as DuckDB reads them", [(f, read[f].outcome) for f in files if f not in same])
    assert len(same) / len(files) >= 0.9


def test_csv_spectrum_is_read_cell_by_cell(corpus: Corpus, read: dict[str, Read]) -> None:
    expected = {
        p.stem: json.loads(p.read_text(encoding="utf-8")) for p in (corpus.root / "csv-spectrum" / "json").glob("*.json")
    }
    equal = []
    for stem, rows in expected.items():
        found = read[f"csv-spectrum/csvs/{stem}.csv"]
        ours = [dict(zip(found.names, row, strict=True)) for row in found.rows]
        rows = [{name: value.replace("\r\n", "\n") for name, value in row.items()} for row in rows]  # Andon's line end in cells
        same = [list(r) for r in rows] == [list(r) for r in ours] and same_rows(
            [list(r.values()) for r in ours], [[v if v else None for v in r.values()] for r in rows]
        )
        equal += [stem] if same and found.outcome == "load" else []
    shown(f"csv-spectrum: {len(equal)} of {len(expected)}", [(s, "differs") for s in expected if s not in equal])
    assert len(equal) == len(expected) == 11


def test_the_errors_that_frictionless_lists_are_reported(corpus: Corpus, read: dict[str, Read]) -> None:
    facts = corpus.frictionless()
    missed = [(f, fact) for f, errors in facts.items() for fact in errors if not reported(read[f], *fact)]
    n = sum(map(len, facts.values()))
    shown(f"frictionless: {n - len(missed)} of {n} errors reported", [(f, fact) for f, fact in missed])
    assert (n - len(missed)) / n >= 0.95


def reported(read: Read, row: int | None, field: int | None, kind: str) -> bool:
    """Whether a reading names the line, or the column, of an error in frictionless's list."""
    lines = {r.line for r in (*read.odd_rows, *(read.reading.repaired if read.reading else ()))}
    if kind == "blank-row":
        return row in lines or bool(read.codes & {"blank_lines", "repaired"}) or read.outcome == "reject"
    if kind in ("missing-cell", "extra-cell"):
        return row in lines or "unnamed" in read.asked
    if kind == "blank-label":
        return bool(read.codes & {"blank_name", "empty_column"})
    if kind == "duplicate-label":
        return "duplicate_name" in read.codes
    raise AssertionError(f"an error of another kind: {kind}")
