"""`python -m core validate`: the published examples on this machine, in words and as JSON."""

from __future__ import annotations

import json

import pytest

from core.cli import main


def test_all_published_figures_come_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("All ") and "NIST/SEMATECH" in said
    assert main(["validate", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["figures"] == answer["equal"] > 100 and all(e["source"] for e in answer["examples"])
