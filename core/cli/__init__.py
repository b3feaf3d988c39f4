"""The command line: the same workflows as the pages, human text or one JSON object, exit 0 done, 2 fixable, 1 a bug."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from core import __version__
from core.cli.faults import own_fault, refuse
from core.errors import Problem, SettingProblem
from core.messages import msg

_READING = ("how text is read=data.options:ReadOptions", "which table is read=data.formats.records:SourceOptions")


class _Parser(argparse.ArgumentParser):
    """Argument errors as problems, so that they read like all others."""

    def error(self, message: str) -> NoReturn:
        raise SettingProblem(
            msg("The command line could not be read: {why}.", why=message.rstrip(".")),
            msg("Expected: {usage}", usage=" ".join(self.format_usage().split())),
            msg("See '{command} --help'.", command=self.prog),
        )

    def format_help(self) -> str:
        """The help, with the settings that the verb takes; they are imported only here."""
        targets = self.get_default("set_targets")
        if not targets:
            return super().format_help()
        from core.cli.set_help import set_help

        return super().format_help() + set_help(targets)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        options = _parser().parse_args(given)
        answer, lines, code = _load(options.verb)(options)
    except Problem as problem:
        return refuse(problem, as_json)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  here faults of the command line end: a number for people, the rest in a log
        return own_fault(error, as_json)
    try:
        if lines and (code or not as_json):
            print("\n".join(lines), file=sys.stderr if code else sys.stdout, flush=True)
        if as_json:
            print(json.dumps(answer, ensure_ascii=False), flush=True)
    except BrokenPipeError:  # the reader has seen enough, as `| head` has; the end of Python must not fail either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _load(target: str) -> Callable[[argparse.Namespace], tuple[Any, Sequence[str], int]]:
    """The function of a verb, imported when it is called: `serve` shall not wait for pandas, half a second of its start."""
    module, _, function = target.partition(":")
    found: Callable[[argparse.Namespace], tuple[Any, Sequence[str], int]] = getattr(
        importlib.import_module(f"core.cli.{module}"), function
    )
    return found


def _parser() -> _Parser:
    parser = _Parser(prog="python -m core", description="Andon: quality data to models you can defend.")
    parser.add_argument("--version", action="version", version=f"Andon {__version__}")
    added = parser.add_subparsers(title="verbs", metavar="VERB", required=True, parser_class=_Parser)

    def verb(name: str, target: str, help: str) -> argparse.ArgumentParser:
        sub = added.add_parser(name, help=help, description=help)
        sub.set_defaults(verb=target)
        sub.add_argument("--json", action="store_true", help="one JSON object on standard output")
        return sub

    serve = verb("serve", "verbs:serve", "start the web app")
    serve.add_argument("--port", type=int, help="default 8501, or PORT")
    verb("demo", "verbs:demo", "make the demo projects")
    importing = verb("import", "verbs:import_", "read files into a dataset")
    importing.add_argument("files", nargs="*", metavar="FILE")
    importing.add_argument(
        "--again", metavar="DATASET", help="repeat an import from its kept original; --set gives options that differ"
    )
    importing.add_argument("--name")
    importing.add_argument("--stack", action="store_true", help="several files one below the other; the file is a group")
    importing.add_argument("--join", metavar="COLUMN", help="several files side by side; --set tolerance=2 for the nearest row")
    importing.add_argument("--within", metavar="COLUMN", help="with --join: only rows of the same machine or lot go together")
    importing.add_argument(
        "--wide",
        action="store_true",
        help="one row a cycle, one column a time step: one file a sensor, or one file with numbered columns",
    )
    importing.add_argument(
        "--hash", default="", metavar="COLUMN,COLUMN", help="columns hashed with the store's key, never stored"
    )
    importing.add_argument("--drop", default="", metavar="COLUMN,COLUMN", help="columns left away, never stored")
    _add_set(importing, *_READING)
    verb("list", "data:list_", "the datasets, newest first: id, name, rows and columns")
    runs = verb("runs", "data:runs", "the runs, newest first: id, name, task, model, state, and the figure that judges them")
    runs.add_argument("--dataset", metavar="ID", help="only those of a dataset")
    comparing = verb("compare", "data:compare", "what differs between two datasets or versions")
    comparing.add_argument("first", metavar="DATASET[:VERSION]")
    comparing.add_argument("second", metavar="DATASET[:VERSION]")
    verb("audit", "data:audit", "who did what, newest first").add_argument("--dataset", metavar="DATASET")
    deleting = verb("delete", "data:delete", "delete a dataset for good, with everything made from it")
    deleting.add_argument("dataset", metavar="DATASET")
    deleting.add_argument("--yes", action="store_true", help="delete; without it only what would go is listed")
    profile = verb("profile", "profile:profile", "the screening table: a grade a column, with reasons and fixes")
    profile.add_argument("source", metavar="FILE|DATASET")
    control = verb("control", "control:control", "a control chart of a column, its limits and the rules that are broken")
    control.add_argument("source", metavar="FILE|DATASET")
    control.add_argument("--column", required=True, metavar="COLUMN")
    _add_set(control, "workflows.control_settings:ControlSettings")
    control.add_argument("--out", type=Path, metavar="FILE.csv", help="every point with its limits and broken rules")
    capable = verb(
        "capability", "capability:capability", "is a column stable, and how well does it keep its specification limits"
    )
    capable.add_argument("source", metavar="FILE|DATASET")
    capable.add_argument("--column", required=True, metavar="COLUMN")
    _add_set(capable, "workflows.capability_settings:CapabilitySettings")
    capable.add_argument("--out", type=Path, metavar="FILE.csv", help="every figure, one a row")
    _add_quality(verb)
    verb("validate", "validate:validate", "published worked examples recomputed here, equal to the printed digit or not")
    scores = verb("score-chart", "score_chart:score_chart", "the scores or residuals of a run as a control chart")
    scores.add_argument("--run", required=True, metavar="ID")
    _add_set(scores, "workflows.score_chart:ScoreChartSettings")
    scores.add_argument("--out", type=Path, metavar="FILE.csv", help="every row with what was expected, limits and signals")
    budget = verb("alarm-budget", "score_chart:alarm_budget", "the decision limit that a budget of false alarms asks for")
    budget.add_argument("--run", required=True, metavar="ID")
    _add_set(budget, "workflows.alarm_budget:AlarmBudgetSettings")
    _add_judging(verb)
    seeding = verb(
        "seed-faults", "seeding:seed_faults", "how large a fault must be for a run to find it, in its own normal rows"
    )
    seeding.add_argument("run", metavar="RUN|BUNDLE")
    seeding.add_argument("--sensor", action="append", default=[], metavar="COLUMN", help="may be repeated; or all")
    seeding.add_argument(
        "--kind", action="append", default=[], metavar="KIND",
        help="step, drift, spike, noise, lag, stuck, lost_correlation; may be repeated; or all",
    )  # fmt: skip
    seeding.add_argument("--sizes", metavar="S,S,…", help="in the sensor's unit, for a lag in rows; by default from its spread")
    _add_set(seeding, "workflows.seeding_records:SeedSettings")
    seeding.add_argument("--sigma", action="store_true", help="sizes in standard deviations of the training part")
    seeding.add_argument("--together", action="store_true", help="a common cause: each fault in all these sensors at once")
    seeding.add_argument("--out", type=Path, metavar="FILE.csv", help="every size with what was found")
    _add_challenge(verb("challenge", "challenge:challenge", "known cases that a run must answer as it must before it is used"))
    relabel = verb("labels", "labels:labels", "which labels of a classification are likely wrong, and what people say of them")
    relabel.add_argument("run", metavar="RUN|BUNDLE")
    _add_set(relabel, "workflows.label_view:LabelSettings")
    relabel.add_argument("--out", type=Path, metavar="FILE.csv", help="every likely problem")
    relabel.add_argument("--undo", action="store_true", help="take the newest answer back; nothing is deleted")
    relabel.add_argument("--by", metavar="NAME", help="--undo: who takes it back")
    relabel.add_argument("--relabelled", type=Path, metavar="FILE.csv", help="the table with the answers as its labels")
    _add_explain(verb("explain", "explain:explain", "why a row or an event came out as it did, and what a model lives on"))
    _add_events(verb)
    _add_shape(
        verb("shape", "shape:shape", "make a dataset with other rows: a regular time step, one row a group, two tables by time")
    )
    _add_clean(verb("clean", "clean:clean", "apply a recipe, or that of a bundle, and write the cleaned table"))
    proposing = verb("propose", "clean:propose", "propose a cleaning recipe with a reason a step")
    proposing.add_argument("--data", required=True, metavar="FILE|DATASET")
    proposing.add_argument("--out", type=Path, metavar="RECIPE")
    _add_train(verb("train", "train:train", "train a model and compare it with the baseline"))
    _add_train(verb("search", "train:search", "search the settings of one family within the time, and keep the best"))
    study = verb("study", "study:study", "repeat a training: on folds, seeds or sizes, or beside other families or splits")
    study.add_argument("method", choices=("cross-validate", "seeds", "learning-curve", "worth", "optimism"))
    study.add_argument("--folds", type=int, default=5)
    study.add_argument("--repeats", type=int, default=5, help="seeds: how many")
    _add_train(study, is_study=True)
    score = verb("score", "verbs:score", "score a file with a bundle")
    score.add_argument("--bundle", required=True)
    score.add_argument("--data", required=True, type=Path)
    score.add_argument("--out", required=True, type=Path)
    _add_set(score, *_READING)
    evaluate = verb("evaluate", "verbs:evaluate", "figures of scores against the truth")
    evaluate.add_argument("--scores", required=True, type=Path)
    evaluate.add_argument("--truth", required=True, metavar="FILE:COLUMN")
    _add_set(evaluate, "data.options:ReadOptions")
    _add_fleet(verb("fleet", "fleet:fleet", "how long units last, and which of those that run will need work soon"))
    report = verb("report", "verbs:report", "write the report of a run")
    report.add_argument("--run", required=True, metavar="ID|BUNDLE")
    report.add_argument("--out", required=True, type=Path)
    report.add_argument("--language", default="en", choices=("en", "zh"))
    report.add_argument("--fleet", metavar="FILE|DATASET", help="units in service that the report of remaining life speaks of")
    return parser


def _add_set(parser: argparse.ArgumentParser, *targets: str) -> None:
    """--set, and where the settings it takes are declared (`core.cli.set_help`), for the verb's --help."""
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting, see below; may be repeated")
    parser.set_defaults(set_targets=targets)


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--row", type=int, metavar="N", help="a row of the table, counted from 0 as in the file of scores")
    parser.add_argument("--event", type=int, metavar="N", help="an event of the Anomalies screen")
    parser.add_argument("--global", dest="whole", action="store_true", help="which columns the model lives on (the default)")
    parser.add_argument("--column", metavar="COLUMN", help="how the output follows this column")
    parser.add_argument(
        "--method",
        choices=("centre", "expected", "gradients", "ale", "pdp"),
        help="a row: cover by the training centre (default) or by what other columns expect, or integrated gradients of a network; "
        "a column: accumulated local effects (default) or partial dependence",
    )
    parser.add_argument("--class", dest="klass", metavar="CLASS", help="the class whose probability is explained")
    parser.add_argument(
        "--want",
        metavar="LOW:HIGH|CLASS",
        help="with --row: the nearest change that brings this; empty: the specification limits",
    )
    parser.add_argument("--adjust", default="", metavar="COLUMN,COLUMN", help="columns that may be changed; by default all")
    parser.add_argument("--limit", type=float, metavar="SCORE", help="with --event: another decision limit")


def _add_quality(verb: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """Verbs about the measuring and about what columns have to do with each other."""
    gage = verb("gage", "gage:gage", "gage R&R: how much of the variation of measurements comes from measuring")
    agreement = verb("agreement", "gage:agreement", "how far appraisers agree with themselves, each other and a standard")
    for parser, who in ((gage, "operator"), (agreement, "appraiser")):
        parser.add_argument("source", metavar="FILE|DATASET")
        parser.add_argument("--column", required=True, metavar="COLUMN", help="one measurement or rating a row")
        parser.add_argument("--part", required=True, metavar="COLUMN", help="which part a row is about")
        parser.add_argument(f"--{who}", metavar="COLUMN", help=f"which {who}; without it there is one")
    agreement.add_argument("--standard", metavar="COLUMN", help="what each part is in truth")
    gage.add_argument("--out", type=Path, metavar="FILE.csv", help="the components of the variation")
    agreement.add_argument("--out", type=Path, metavar="FILE.csv", help="every rating with its standard")
    pareto = verb("pareto", "relations:pareto", "the categories of a column by count or cost, and how few make most of it")
    pareto.add_argument("source", metavar="FILE|DATASET")
    pareto.add_argument("--column", required=True, metavar="COLUMN")
    pareto.add_argument("--cost", metavar="COLUMN", help="what each row costs; without it rows are counted")
    pareto.add_argument("--out", type=Path, metavar="FILE.csv", help="every category")
    relations = verb(
        "relations", "relations:relations", "which columns hang together; which machine or lot differs; how far one sensor follows another"
    )  # fmt: skip
    relations.add_argument("source", metavar="FILE|DATASET")
    relations.add_argument("--column", metavar="COLUMN", help="this column by its categories, or with --with at a distance")
    relations.add_argument("--by", metavar="COLUMN", help="with --column: the strata; without it each column of categories")
    relations.add_argument("--with", dest="other", metavar="COLUMN", help="with --column: the other sensor")
    relations.add_argument("--out", type=Path, metavar="FILE.csv", help="every pair, stratum or lag")
    _add_set(gage, "workflows.gage:GageSettings")
    _add_set(agreement, "workflows.agreement:AgreementSettings")
    _add_set(pareto, "workflows.strata:ParetoSettings")
    _add_set(relations, "all pairs=workflows.relations:RelationsSettings", "with --with=workflows.relations:LagSettings")


def _add_judging(verb: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """Verbs about what predictions are worth and what may be decided by them."""
    limit = verb("limit", "judging:limit", "a decision limit by cost, by good parts rejected or by defects caught")
    calibration = verb("calibration", "judging:calibration", "whether the probabilities of a run mean what they say")
    costs = verb(
        "costs",
        "judging:costs",
        "what the calls of a run cost with a price for each kind of mistake, and which would cost least",
    )
    worst = verb("worst", "judging:worst", "where a run errs most: machine, lot, shift, stretch of time")
    zones = verb("zones", "judging:zones", "which parts can be accepted or rejected by their prediction, and the Ppk foretold")
    for parser in (limit, calibration, costs, worst, zones):
        parser.add_argument("--run", required=True, metavar="ID")
    for parser in (limit, calibration, costs):
        parser.add_argument("--positive", metavar="CLASS", help="the class to catch; without it the run's own")
    _add_set(limit, "workflows.class_limits:LimitSettings")
    _add_set(costs, "workflows.class_costs:CostSettings")
    costs.add_argument(
        "--limit", type=float, metavar="P", help="the decision limit whose calls are priced; without it the run's own"
    )
    costs.add_argument("--out", type=Path, metavar="FILE.csv", help="rows of the test part with the cheapest class")
    _add_set(worst, "workflows.worst_strata:StrataErrorSettings")
    _add_set(zones, "workflows.zones:ZoneSettings")
    calibration.add_argument("--out", type=Path, metavar="FILE.csv", help="the scores with probabilities at the temperature")
    worst.add_argument("--out", type=Path, metavar="FILE.csv", help="every stratum")
    zones.add_argument("--out", type=Path, metavar="FILE.csv", help="every row of the test part with its zone")


def _add_challenge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("add", "list", "check", "release", "withdraw"))
    parser.add_argument(
        "run", metavar="RUN|BUNDLE", nargs="?", help="list and withdraw do without: then all sets are spoken of"
    )
    parser.add_argument("--name", default="", help="add: of the set")
    parser.add_argument(
        "--from", dest="source", choices=("events", "labelled", "rows", "seeded", "file"), help="add: where the cases come from"
    )
    parser.add_argument("--rows", metavar="A-B,C", help="add: rows of the table from 1, each stretch a case")
    parser.add_argument("--expect", metavar="flag|quiet|CLASS", help="add: what the rows must be")
    parser.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="add: a table with a column 'expected', and 'case'; challenge_expected, challenge_case if the dataset has such columns",
    )
    parser.add_argument("--id", metavar="SET", help="withdraw: which set")
    parser.add_argument("--by", default="", metavar="NAME", help="release, withdraw: who answers for it")
    parser.add_argument("--reason", default="", help="release, withdraw: why")
    _add_set(parser, "workflows.challenge_cases:ChallengeSettings")


def _add_events(verb: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """Verbs about the events of a run: what is known of them, what people say, and what follows from it."""
    events = verb("events", "events:events", "the events of a run: onset, length, sensors, verdict; how many were caught")
    events.add_argument("run", metavar="RUN")
    events.add_argument("--event", type=int, metavar="N", help="one event in detail: lead and lag, similar events, is / is not")
    events.add_argument("--limit", type=float, metavar="SCORE", help="another decision limit; nothing is trained again")
    events.add_argument("--out", type=Path, metavar="FILE.csv", help="one row an event")
    _add_set(events, "workflows.event_facts:EventSettings")
    verdict = verb("verdict", "events:verdict", "say what an event was; nothing said before is overwritten")
    verdict.add_argument("run", metavar="RUN")
    verdict.add_argument("event", type=int, metavar="EVENT")
    verdict.add_argument("state", metavar="open|contained|assignable_cause|false_alarm|sensor_fault|closed")
    verdict.add_argument("--cause", help="what caused it; needed for assignable_cause and closed")
    verdict.add_argument("--fix", help="what fixed it")
    verdict.add_argument("--to", metavar="NAME", help="who works on it")
    verdict.add_argument("--comment", default="")
    verdicts = verb("verdicts", "events:verdicts", "everything that was said of a run's events, oldest first")
    verdicts.add_argument(
        "--confirm", action="store_true", help="write the verdicts that other runs gave its events as its own"
    )
    verdicts.add_argument("run", metavar="RUN")
    for parser in (verdict, verdicts):
        parser.add_argument("--by", metavar="NAME", help="who says it")
    alarms = verb("false-alarms", "events:false_alarms", "what counting the false alarms of a run as normal would do")
    alarms.add_argument("run", metavar="RUN")
    alarms.add_argument("--train", action="store_true", help="train again with them as normal rows")
    faults = verb("fault-classes", "events:fault_classes", "the causes of a dataset's events, and whether they can be learned")
    faults.add_argument("run", metavar="RUN")
    faults.add_argument("--train", action="store_true", help="train a classifier of the causes")
    faults.add_argument("--model", default="auto")


def _add_fleet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN|BUNDLE", help="a run of remaining life; without it age alone tells")
    parser.add_argument("--data", metavar="FILE|DATASET", help="the fleet in service; by default the run's own units")
    for role in ("time", "group"):
        parser.add_argument(f"--{role}", metavar="COLUMN", help=f"without a run: the {role} column")
    parser.add_argument("--within", type=float, metavar="N", help="how far ahead; default a tenth of a usual life")
    parser.add_argument("--period", type=float, metavar="N", help="length of the plan's periods; default --within")
    parser.add_argument(
        "--failed", metavar="ended|running|target|column:NAME[=VALUE]", help="how a unit counts as failed; default: see README"
    )
    parser.add_argument("--ages", choices=("auto", "counter", "first_row"), default="auto", help="what an age counts from")
    parser.add_argument("--truth", metavar="FILE:COLUMN", help="what remained in truth, one row a unit, to judge the chances")
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="the table of the running units")


def _add_clean(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", required=True, metavar="FILE|DATASET")
    parser.add_argument(
        "--recipe", required=True, metavar="FILE|BUNDLE", help="a recipe, or a bundle or run whose fitted one is replayed"
    )
    parser.add_argument("--split", metavar="time|group|random|first:N|column:NAME", help="what a recipe is fitted on")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.csv")
    parser.add_argument("--changes", type=Path, metavar="FILE.csv", help="every changed cell")


def _add_shape(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("operation", choices=("resample", "aggregate", "align"))
    parser.add_argument("sources", nargs="+", metavar="FILE|DATASET", help="for align the second one gives its columns")
    parser.add_argument("--name")
    parser.add_argument("--step", type=float, help="resample: seconds, or the unit of a counter")
    parser.add_argument("--by", metavar="COLUMN,COLUMN", help="aggregate: one row for each of their values")
    parser.add_argument("--direction", choices=("backward", "nearest", "forward"), help="align: which row is the partner")
    parser.add_argument("--tolerance", type=float, help="align: the largest distance in time")
    parser.add_argument("--rows", type=int, metavar="N", help="only show the first rows of the result; nothing is kept")
    for role in ("time", "group"):
        parser.add_argument(f"--{role}", metavar="COLUMN", help=f"the {role} column of every source")
    shaping = (("resample", "resampling:Resample"), ("aggregate", "grouping:Aggregate"), ("align", "aligning:Align"))
    _add_set(parser, *(f"{name}=data.shaping.{place}Settings" for name, place in shaping))


def _add_train(parser: argparse.ArgumentParser, *, is_study: bool = False) -> None:
    parser.add_argument("--data", required=True, metavar="FILE|DATASET")
    parser.add_argument("--task", required=True)
    for role in ("target", "time", "group"):
        parser.add_argument(f"--{role}", metavar="COLUMN")
    parser.add_argument("--ignore", default="", metavar="COLUMN,COLUMN")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--recipe", type=Path, metavar="FILE")
    parser.add_argument("--split", metavar="time|group|random|first:N|column:NAME")
    parser.add_argument("--preset", default="normal", choices=("quick", "normal", "thorough"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--budget-minutes", type=float, default=10.0)
    parser.add_argument("--name", default="")
    if not is_study:
        parser.add_argument("--out", type=Path, metavar="BUNDLE")
    _add_set(
        parser,
        "of the task=training.task_settings:TaskSettings",
        "of the fit=training.settings:FitSettings",
        "of a family (--model), with their defaults=families",
    )
