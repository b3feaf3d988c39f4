"""Mutated files of the messy-csv collection through the reader: `python -m benchmarks.fuzz [FILES] [FIRST]`.

Each file is a seed: the same number gives the same bytes. No fault, no hang, and every line accounted for; what goes
wrong is printed with its seed, and the exit status is 1.
"""

from __future__ import annotations

import csv
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from core.data.reading import read_file
from core.errors import Problem

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "data" / "messy-csv"
LIMIT_SECONDS = 10  # of processor time, for a busy machine is no hang,
WAIT_SECONDS = 120  # and of any time, for one that waits for nothing
LARGEST = 20_000
_PIECES = (b",", b";", b"\t", b'"', b"'", b"\n", b"\r\n", b"\r", b"\\", b"#", b"\x00", b"\xff", b"\xef\xbb\xbf", b"1,5", b"NA")


class Hang(BaseException):
    """A file took longer than the limit; not an Exception, so that nothing on the way takes it for its own."""


def mutated(seed: int, originals: Sequence[bytes]) -> bytes:
    """One file with one to five changes: bytes changed, left out, doubled, put in, lines exchanged, the end cut off."""
    rng = random.Random(seed)
    text = bytearray(rng.choice(originals))
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(text) + 1)
        stop = min(len(text), at + rng.randint(1, 40))
        change = rng.randrange(6)
        if change == 0 and text:
            text[min(at, len(text) - 1)] = rng.randrange(256)
        elif change == 1:
            del text[at:stop]
        elif change == 2:
            text[at:at] = text[at:stop] * rng.randint(1, 3)
        elif change == 3:
            text[at:at] = rng.choice(_PIECES) * rng.randint(1, 4)
        elif change == 4:
            lines = bytes(text).split(b"\n")
            rng.shuffle(lines)
            text = bytearray(b"\n".join(lines))
        else:
            del text[at:]
    return bytes(text)


def tried(content: bytes, folder: Path) -> str:
    """What became of a file: its outcome, or "fault", "hang" or "lines" where something is wrong."""
    path, table = folder / "a.csv", folder / "a.parquet"
    path.write_bytes(content)
    signal.setitimer(signal.ITIMER_PROF, LIMIT_SECONDS)
    signal.alarm(WAIT_SECONDS)
    try:
        reading = read_file(path, table)
    except Problem:
        return "reject"
    except Hang:
        return "hang"
    except Exception:  # noqa: BLE001 - any fault is what this looks for
        traceback.print_exc()
        return "fault"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
    return reading.outcome if reading.lines.holds else "lines"


def originals() -> list[bytes]:
    """The files that are small enough to be mutated by the thousand."""
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    contents = [(CORPUS / name).read_bytes() for name in names if not name.endswith((".gz", ".zip"))]
    return [c for c in contents if len(c) <= LARGEST]


def run(n: int, first: int = 0) -> Counter[str]:
    """Try n files and say which went wrong."""

    def hang(*_: object) -> None:
        raise Hang

    before = {which: signal.signal(which, hang) for which in (signal.SIGALRM, signal.SIGPROF)}
    files, outcomes, start = originals(), Counter[str](), time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(first, first + n):
                found = tried(mutated(seed, files), Path(folder))
                outcomes[found] += 1
                if found in ("fault", "hang", "lines"):
                    print(f"seed {seed}: {found}", flush=True)
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
    print(f"{n} files from seed {first} in {time.monotonic() - start:.0f} s: {dict(sorted(outcomes.items()))}")
    return outcomes


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:]]
    counted = run(*(numbers or [20_000]))
    sys.exit(any(counted[bad] for bad in ("fault", "hang", "lines")))
