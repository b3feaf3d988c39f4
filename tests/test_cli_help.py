"""`VERB --help` names every setting that the verb takes by --set, from its declaration."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.cli import _parser, main
from core.cli.set_help import FAMILIES, set_help, settings_class
from core.models import MODELS
from tests.command_line import refused

Capture = pytest.CaptureFixture[str]


def verbs() -> dict[str, argparse.ArgumentParser]:
    action = next(a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction))
    return {name: parser for name, parser in action.choices.items() if "--set" in parser._option_string_actions}


@pytest.mark.parametrize("name", verbs())
def test_every_setting_of_a_verb_stands_in_its_help(name: str) -> None:
    parser = verbs()[name]
    places = [target.rpartition("=")[2] for target in parser.get_default("set_targets")]
    told = parser.format_help()
    assert places, "a verb with --set says what it takes"
    for place in places:
        if place == FAMILIES:
            assert all(re.search(rf"^    {spec.key}\b", told, re.MULTILINE) for spec in MODELS)
            continue
        for key in settings_class(place).model_fields:
            assert re.search(rf"^    {key}(\s|$)", told, re.MULTILINE), (place, key)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("control", "--column", "x"), "workflows.control_settings:ControlSettings"),
        (("capability", "--column", "x"), "workflows.capability_settings:CapabilitySettings"),
        (("gage", "--column", "x", "--part", "p"), "workflows.gage:GageSettings"),
        (("agreement", "--column", "x", "--part", "p"), "workflows.agreement:AgreementSettings"),
        (("pareto", "--column", "x"), "workflows.strata:ParetoSettings"),
        (("relations",), "workflows.relations:RelationsSettings"),
        (("relations", "--column", "x", "--with", "y"), "workflows.relations:LagSettings"),
    ],
)
def test_the_class_in_the_help_is_the_one_that_the_verb_reads(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], place: str
) -> None:
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "home"))
    said = refused(capsys, words[0], "file.csv", *words[1:], "--set", "nonsense=1")
    assert "nonsense" in said["what"]
    assert all(key in said["expected"] for key in settings_class(place).model_fields)


def test_bounds_choices_units_and_defaults_are_told(capsys: Capture) -> None:
    told = " ".join(set_help(("workflows.control_settings:ControlSettings",)).split())
    assert "known_sigma number above 0." in told
    assert "weight number above 0 to 1, default 0.2." in told
    assert "subgroup whole number from 1 to 1000, in rows." in told
    assert "shifts true|false, default false." in told
    assert "rules nelson|western_electric|aiag|montgomery, default nelson." in told
    with pytest.raises(SystemExit) as ended:
        main(["control", "--help"])
    assert ended.value.code == 0 and "known_sigma" in capsys.readouterr().out


def test_settings_are_imported_for_the_help_alone() -> None:
    """`serve` shall not wait for pandas, half a second of its start."""
    code = "import sys; from core.cli import _parser; _parser().format_help(); print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
