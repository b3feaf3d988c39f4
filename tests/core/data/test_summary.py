"""Summary and roles against pandas, and columns that have nothing to summarise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.dataset import Column, Dataset
from core.data.roles import guess_columns, guess_roles, words_of
from core.data.summary import Summary, summarise


def dataset(folder: Path, frame: pd.DataFrame, **roles: str) -> Dataset:
    path = folder / "d.parquet"
    frame.to_parquet(path)
    columns = tuple(
        Column(
            str(name),
            "number" if kind.kind == "f" else "time" if kind.kind == "M" else "text",
            roles.get(str(name), "sensor"),  # type: ignore[arg-type]
        )
        for name, kind in frame.dtypes.items()
    )
    return Dataset("d", 1, "d", path, len(frame), columns, "")


def test_texts_of_many_kinds_are_no_category_and_ignored_with_the_reason(tmp_path: Path) -> None:
    notes = [f"note {k % 60}" for k in range(300)]
    table = pd.DataFrame({"p": np.arange(300) % 7 + 0.5, "note": notes, "material": [f"M{k % 50}" for k in range(300)]})
    table.to_parquet(tmp_path / "t.parquet", index=False)
    columns, findings = guess_roles(tmp_path / "t.parquet", list(table), ["number", "text", "text"], [""] * 3)
    assert [(c.name, c.role) for c in columns] == [("p", "sensor"), ("note", "ignore"), ("material", "sensor")]
    assert [str(f.message) for f in findings] == ["'note' is ignored: it holds 60 different texts, too many for categories."]


def test_numbers_agree_with_pandas(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(5, 2, 1000), "w": rng.choice(["a", "b"], 1000)})
    frame.loc[:399, "x"] = np.nan
    summary = summarise(dataset(tmp_path, frame))
    x, w = summary.columns
    assert x.missing_fraction == pytest.approx(0.4)
    assert (x.minimum, x.maximum) == (frame["x"].min(), frame["x"].max())
    assert x.mean == pytest.approx(frame["x"].mean())
    assert x.sd == pytest.approx(frame["x"].std())
    assert (w.n_distinct, w.mean, w.sparkline) == (2, None, ())
    expected = frame["x"].to_numpy().reshape(40, 25)
    assert np.isnan(x.sparkline[:16]).all()
    assert x.sparkline[16:] == pytest.approx(expected[16:].mean(axis=1))
    assert [f.code for f in x.findings] == ["much_missing"]


def test_columns_with_nothing_to_say(tmp_path: Path) -> None:
    frame = pd.DataFrame({"none": [np.nan] * 20, "one": [1.0] + [np.nan] * 19, "same": [4.0] * 20})
    frame["serial"] = [f"S{i}" for i in range(20)]
    found = {c.name: c for c in summarise(dataset(tmp_path, frame)).columns}
    assert [f.code for f in found["none"].findings] == ["all_missing"]
    assert found["none"].mean is None and not found["none"].is_constant
    assert [f.code for f in found["one"].findings] == ["single_value", "much_missing"]
    assert found["one"].sd is None
    assert [f.code for f in found["same"].findings] == ["constant"] and found["same"].is_constant
    assert [f.code for f in found["serial"].findings] == ["id_like"]


def test_a_column_of_free_text_says_so_with_its_words_a_row(tmp_path: Path) -> None:
    # Seven pieces with a letter in each row; the number is none.
    frame = pd.DataFrame({"remark": [f"bearing {i} of the left pump is hot" for i in range(60)], "x": np.arange(60.0)})
    frame["note"] = frame["remark"]
    found = {c.name: c.findings for c in summarise(dataset(tmp_path, frame, note="ignore")).columns}
    assert [(f.code, f.severity) for f in found["remark"]] == [("free_text", "info")]
    assert str(found["remark"][0].message) == "free text, about 7 words a row: text families can learn from it"
    assert found["note"] == (), "no family reads what is ignored, and it is no serial number either"


def test_period_and_json(tmp_path: Path) -> None:
    times = pd.date_range("2024-01-01", periods=50, freq="min").as_unit("us")
    frame = pd.DataFrame({"t": times, "x": np.arange(50.0)})
    summary = summarise(dataset(tmp_path, frame, t="time"))
    assert summary.period == (times[0].to_pydatetime(), times[-1].to_pydatetime())
    assert Summary.from_json(json.loads(json.dumps(summary.to_json()))) == summary


def test_words_of() -> None:
    assert words_of("Machine failure") == ["machine", "failure"]
    assert words_of("unitNumber [-]") == ["unit", "number"]


def test_roles_of_a_table_of_units(tmp_path: Path) -> None:
    n = 60
    frame = pd.DataFrame({"unit_id": np.repeat([1.0, 2.0, 3.0], 20), "cycle": np.tile(np.arange(20.0), 3)})
    frame["x"] = np.random.default_rng(0).normal(size=n)
    frame["fixed"] = 3.0
    frame["row"] = np.arange(float(n))
    frame["Serial"] = [f"A{i}" for i in range(n)]
    frame["RUL"] = 20 - frame["cycle"]
    frame["part"] = ["train"] * 40 + ["test"] * 20
    made = dataset(tmp_path, frame)
    kinds = [c.kind for c in made.columns]
    columns = guess_columns(made.path, [c.name for c in made.columns], kinds, [""] * len(kinds))
    assert {c.name: c.role for c in columns} == {
        "unit_id": "group",
        "cycle": "time",
        "x": "sensor",
        "fixed": "ignore",
        "row": "ignore",
        "Serial": "ignore",
        "RUL": "target",
        "part": "ignore",
    }
