"""profile, list, compare, audit, delete and private columns on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import workflows as wf
from core.cli import main
from tests.command_line import Capture, called
from tests.synthetic import regression_table

CSV = "machine,pressure\n" + "".join(f"M{i % 3},{i % 10}\n" for i in range(200))


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    first, second = tmp_path / "may.csv", tmp_path / "june.csv"
    first.write_text(CSV)
    second.write_text(CSV.replace("machine", "line").replace(",9\n", ",90\n").replace(",8\n", ",80\n").replace(",7\n", ",70\n"))
    return str(first), str(second)


def test_two_datasets_are_compared_by_name_or_id(home: Path, files: tuple[str, str], capsys: Capture) -> None:
    first = called(capsys, "import", files[0])["dataset"]
    called(capsys, "import", files[1])
    found = called(capsys, "compare", f"{first}:1", "june")
    assert (found["added"], found["removed"], found["rows"]) == (["line"], ["machine"], [200, 200])
    assert [(c["name"], c["verdict"]) for c in found["columns"]] == [("pressure", "shifted")]
    assert called(capsys, "compare", first, first)["same_table"] is True
    assert "There is no dataset" in str(called(capsys, "compare", first, "july", code=2)["what"])


def test_a_name_that_is_neither_file_nor_dataset_lists_the_datasets(
    home: Path, files: tuple[str, str], capsys: Capture
) -> None:
    empty = called(capsys, "profile", "nix", code=2)
    assert (empty["what"], empty["fix"]) == ("There is no file or dataset 'nix'.", "Bring one with 'import FILE'.")
    called(capsys, "import", files[0])
    called(capsys, "import", files[1])
    found = called(capsys, "profile", "nix", code=2)
    assert found["expected"] == "Expected a file, or the name of a dataset: june, may."
    assert called(capsys, "profile", "jume", code=2)["fix"] == "Did you mean 'june'?"
    assert called(capsys, "compare", "may", "jume", code=2)["fix"] == "Did you mean 'june'?"


def test_a_comparison_stands_in_columns_below_one_another(home: Path, tmp_path: Path, capsys: Capture) -> None:
    names = ("t", "温度", "a_rather_long_name_of_a_sensor_in_a_plant")
    for file, shift in (("a", 0), ("b", 5)):
        body = "".join(f"{i % 7 + shift},{i % 11},{i % 5 + shift}\n" for i in range(200))
        (tmp_path / f"{file}.csv").write_text(",".join(names) + "\n" + body, encoding="utf-8")
        called(capsys, "import", str(tmp_path / f"{file}.csv"))
    assert main(["compare", "a", "b"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()[1:]
    at = head.index("verdict")
    # A Chinese character takes two places on a terminal, so that its line has two characters fewer before the verdict.
    found = [max(line.find("shifted"), line.find("alike")) for line in lines]
    assert found == [at, at - 2, at]
    at = head.index("distance")
    assert [line[at - 2 * (k == 1) - 1] for k, line in enumerate(lines)] == [" "] * 3
    assert all(line[at - 2 * (k == 1)].isdigit() for k, line in enumerate(lines))


def test_private_columns_the_trail_and_deletion(home: Path, files: tuple[str, str], capsys: Capture) -> None:
    dataset = called(capsys, "import", files[0], "--hash", "machine")["dataset"]
    refused = called(capsys, "delete", dataset, code=2)
    assert "--yes" in refused["expected"]
    assert called(capsys, "delete", dataset, "--yes")["deleted"] == dataset
    entries = called(capsys, "audit", "--dataset", dataset)["entries"]
    assert [(e["action"], e["details"]) for e in entries] == [
        ("deleted_with_all", {"runs": 0, "reports": 0, "jobs": 0}),
        ("imported", {"rows": 200, "hashed": ["machine"]}),
    ]
    assert not [p for p in (home / "data").rglob("*") if p.is_file()]


@pytest.mark.slow
def test_a_period_of_the_recipe_takes_no_part_in_training_and_scores(home: Path, tmp_path: Path, capsys: Capture) -> None:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(2)
    table = pd.DataFrame({"time": pd.date_range("2026-05-01", periods=600, freq="min"), "a": rng.normal(size=600)})
    table["width"] = 3 * table["a"] + rng.normal(0, 0.01, 600)
    table.loc[100:199, "width"] = 1e6  # the trial, which would spoil any line
    data, recipe = tmp_path / "line.csv", tmp_path / "recipe.json"
    table.to_csv(data, index=False)
    period = "2026-05-01T01:40/2026-05-01T03:19 trial"
    recipe.write_text(json.dumps({"steps": [{"key": "exclude_periods", "settings": {"periods": [period]}}]}))
    bundle, scores = str(tmp_path / "bundle"), tmp_path / "scores.csv"
    task = ("--data", str(data), "--task", "regression", "--target", "width", "--model", "linear", "--recipe", str(recipe))
    trained = called(capsys, "train", *task, "--out", bundle)
    assert trained["metrics"]["rmse"] < 0.1
    called(capsys, "score", "--bundle", bundle, "--data", str(data), "--out", str(scores))
    why = pd.read_csv(scores)["why_not"].fillna("")
    assert np.flatnonzero(why == "left out by exclude_periods").tolist() == list(range(100, 200))


def test_files_are_joined_within_a_machine_and_an_open_group_is_refused_with_both_answers(
    home: Path, tmp_path: Path, capsys: Capture
) -> None:
    machines = ["M1", "M2"] * 10
    for name, order in (("a", machines), ("b", machines[::-1])):
        rows = "".join(f"{m},{k},{k}\n" for k, m in enumerate(order))
        (tmp_path / f"{name}.csv").write_text(f"machine,minute,{name}_value\n{rows}")
    files = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    base = ["import", *files, "--join", "minute", "--set", "tolerance=0.5"]
    asked = called(capsys, *base, code=2)
    assert [option["set"]["within"] for option in asked["questions"][0]["options"]] == ["machine", "*"]
    assert "--set within=machine" in asked["fix"]
    called(capsys, *base, "--within", "machine", "--name", "same")
    called(capsys, *base, "--within", "*", "--name", "any")
    tables = {d.name: d.table() for d in wf.list_datasets(wf.open_workspace())}
    assert tables["same"]["b_value"].isna().all() and tables["any"]["b_value"].tolist() == [float(k) for k in range(20)]


def test_the_datasets_are_listed_and_a_wrong_verb_says_where_help_is(
    home: Path, files: tuple[str, str], capsys: Capture
) -> None:
    assert called(capsys, "list")["datasets"] == []
    made = [called(capsys, "import", file)["dataset"] for file in files]
    listed = called(capsys, "list")["datasets"]
    assert [d["dataset"] for d in listed] == made[::-1] and listed[0]["rows"] == 200 and listed[1]["name"] == "may"
    assert "'python -m core --help'" in str(called(capsys, "lists", code=2)["fix"])
    assert "'python -m core compare --help'" in str(called(capsys, "compare", "may", code=2)["fix"])


def test_a_key_that_one_file_lacks_is_told_with_the_file(home: Path, files: tuple[str, str], capsys: Capture) -> None:
    answer = called(capsys, "import", *files, "--join", "machine", code=2)
    assert "june" in str(answer["what"]) and "same name in every file" in str(answer["fix"])


def test_the_screening_table_of_a_file_and_of_its_dataset(capsys: Capture, home: Path, tmp_path: Path) -> None:
    table = regression_table()
    table.loc[::20, "a"] = -999.0
    table["flat"] = 7.5
    table.to_csv(tmp_path / "data.csv", index=False)
    assert main(["profile", str(tmp_path / "data.csv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 400
    assert found["grades"] == {"A": 4, "B": 0, "C": 1, "ignored": 1}
    by_name = {c["name"]: c for c in found["columns"]}
    (code,) = by_name["a"]["reasons"]
    assert (by_name["a"]["grade"], code["code"], code["severity"], code["state"]) == ("C", "missing_code", "stop", "open")
    assert code["message"].startswith("-999 used as a code in 20 rows (5.0 %)")
    assert [p["first"] for p in code["places"]] == list(range(0, 400, 20))
    # The first row is one of them: before it there is nothing that a line could begin at.
    assert [s["key"] for s in code["fix"]["steps"]] == ["iqr_outliers", "linear_fill", "next_fill"]
    assert by_name["flat"]["grade"] is None
    assert main(["profile", found["dataset"]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("400 rows, 6 columns: 4 A, 0 B, 1 C, 1 ignored")
    assert lines[1].split()[:3] == ["grade", "column", "missing"]
    assert lines[2].startswith("C      a ") and "-999 used as a code" in lines[2]
