"""`python -m benchmarks.accuracy [DATA…] [--models A,B]`: cells are kept in `.accuracy`, so that a long measurement goes on
where it stopped; ANDON_ACCURACY_FOLDER names another folder, ANDON_ACCURACY_MINUTES the longest that one training takes. Without the shared data it says so and ends."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy import cycles, detectors, forecasts, series, tables
from benchmarks.accuracy.cells import measure_cells, page
from benchmarks.common import publish
from core import workflows as wf
from core.jobs import Supervisor

ROOT = Path(__file__).resolve().parents[2]
SETS = {data.key: data for data in (*series.SETS, *forecasts.SETS, *detectors.SETS, *tables.SETS, *cycles.SETS)}


def main(arguments: Sequence[str]) -> int:
    """Measure what is missing of the named sets, or of all, and write docs/benchmarks.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy")
    parser.add_argument("data", nargs="*", choices=[*SETS, []], metavar="DATA")
    parser.add_argument("--models", default="", metavar="A,B")
    options = parser.parse_args(arguments)
    root = ROOT.parent / "shared" / "data"
    if not root.is_dir():
        print("The real data sets (../shared/data) are not on this machine.")
        return 2
    kept = Path(os.environ.get("ANDON_ACCURACY_FOLDER", ROOT / ".accuracy"))
    chosen = [SETS[key] for key in options.data or SETS]
    with tempfile.TemporaryDirectory(prefix="andon-accuracy-") as folder:
        ws = wf.open_workspace(Path(folder))
        supervisor = Supervisor(ws.store)
        supervisor.start()
        try:
            for data in chosen:
                measure_cells(ws, data, root, kept, [m for m in options.models.split(",") if m])
        finally:
            supervisor.stop()
    parts = [page(data, kept) for data in SETS.values() if (kept / data.key).is_dir()]
    publish("accuracy", "make bench-accuracy", "\n\n".join(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
