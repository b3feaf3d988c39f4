"""What the benchmarks share: the machine's line, medians, and tables kept between markers in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import psutil

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def machine() -> str:
    """The machine and the day, as every table carries them."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{date.today()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def median(values: Sequence[float]) -> float:
    """The median."""
    return float(np.median(values))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def publish(key: str, command: str, text: str) -> None:
    """Print a section and put it between its markers in docs/benchmarks.md, if the page has them."""
    body = f"{text}\n\n`{command}` · {machine()}"
    print(f"\n{body}\n")
    page = PAGE.read_text(encoding="utf-8")
    start, end = f"<!-- {key} -->", f"<!-- /{key} -->"
    if start in page:
        found = re.compile(re.escape(start) + ".*?" + re.escape(end), re.S)
        PAGE.write_text(found.sub(lambda _: f"{start}\n{body}\n{end}", page), encoding="utf-8")
