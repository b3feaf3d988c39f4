"""What a dataset is compared with first."""

from __future__ import annotations

from pathlib import Path

from core import workflows as wf
from core.data.dataset import Column, Dataset


def imported(ws: wf.Workspace, folder: Path, name: str, columns: str) -> Dataset:
    width = columns.count(",") + 1
    rows = "".join(",".join(str(i * 7 % 13 + k) for k in range(width)) + "\n" for i in range(40))
    (folder / f"{name}.csv").write_text(f"{columns}\n{rows}", encoding="utf-8")
    made = wf.import_file(ws, folder / f"{name}.csv").dataset
    assert made is not None
    return made


def test_an_earlier_version_comes_first_then_whoever_shares_most_columns(home: Path, tmp_path: Path) -> None:
    ws = wf.open_workspace(home)
    imported(ws, tmp_path, "half", "p,q,x1,x2")
    may = imported(ws, tmp_path, "may", "p,q,r,s")
    imported(ws, tmp_path, "june", "p,q,r,s2")
    imported(ws, tmp_path, "newest but unrelated", "u,v,w")
    assert [d.name for d in wf.comparable(ws, may)] == ["june", "half", "newest but unrelated"]
    now = wf.change_columns(ws, may.id, [Column("p", "number", "ignore")])
    now = wf.change_columns(ws, may.id, [Column("q", "number", "ignore")])
    assert [(d.name, d.version) for d in wf.comparable(ws, now)][:3] == [("may", 2), ("may", 1), ("june", 1)]
