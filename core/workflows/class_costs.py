"""The confusion matrix in money: a price for every cell, what the run's calls cost on the test part, and which calls would cost least."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingProblem, unknown_choice
from core.evaluation.bootstrap import Bounds
from core.evaluation.cell_costs import CostOfCalls, cheapest_class, cost_of_calls, least_cost_classes, saving
from core.evaluation.classification import predict_classes
from core.messages import Message, msg
from core.settings import Settings, setting
from core.workflows.class_rows import ClassRows, check_task, class_rows, class_rule
from core.workflows.csv_out import rows_from_one, write_csv
from core.workflows.results import Results, remembered


class CostSettings(Settings):
    """What calls cost."""

    costs: str = setting(
        "",
        title="Costs of calls",
        help="A JSON object of true classes, each an object of called classes with their costs, in any unit. What is not named costs 1 where it is wrong and nothing where it is right.",
    )


@dataclass(frozen=True, slots=True)
class CostView:
    """Costs on one part, in the unit of `costs` (k, k).

    `own` are the calls at the limit that is looked at, `least` those expected to cost least, `constant` calling every row `constant_class`, which was
    chosen on the validation part; `baseline` its cheapest calls, None where none stands beside. `saved` is by how much `least` is cheaper than
    `own` for 1,000 rows, `over_baseline` by how much it is cheaper than `baseline`, with its interval.
    """

    part: str
    classes: tuple[str, ...]
    costs: NDArray[np.float64]
    own: CostOfCalls
    least: CostOfCalls
    baseline: CostOfCalls | None
    constant: CostOfCalls
    constant_class: str
    saved: float
    saved_bounds: Bounds
    over_baseline: tuple[float, Bounds] | None
    rows: NDArray[np.int64]
    called: NDArray[np.int64]

    @property
    def is_clear(self) -> bool | None:
        """Whether the cheapest calls save, or waste, more than chance explains; None where it cannot be told."""
        low, high = self.saved_bounds
        return None if low is None or high is None else low > 0 or high < 0

    @property
    def headline(self) -> Message:
        told: dict[str, str | float] = {"own": float(f"{self.own.mean:.4g}"), "saved": float(f"{abs(self.saved):.4g}")}
        if not len(self.rows):
            return msg("There is no row with both a true class and a prediction.")
        if self.is_clear and self.saved > 0:
            return msg("1,000 rows cost {own} as they are called; calls by least expected cost save {saved} of that", **told)
        if self.is_clear:
            return msg(
                "1,000 rows cost {own} as they are called; calls by least expected cost would cost {saved} more: the probabilities are off",
                **told,
            )
        return msg("1,000 rows cost {own} as they are called; calls by least expected cost make no clear difference", **told)

    @property
    def beside_baseline(self) -> Message | None:
        """Whether the cheapest calls are cheaper than those by the baseline, and whether that is more than chance; None without a baseline."""
        if self.over_baseline is None:
            return None
        mean, (low, high) = self.over_baseline
        told: dict[str, float] = {"n": float(f"{abs(mean):.4g}")}
        words = (
            msg("Against these, calls by least expected cost by the baseline would cost {n} more", **told)
            if mean >= 0
            else msg("Against these, calls by least expected cost by the baseline would cost {n} less", **told)
        )
        if low is None or high is None:
            return words
        told = {"low": float(f"{low:.4g}"), "high": float(f"{high:.4g}")}
        if low > 0 or high < 0:
            return msg("{words}, more than chance (95 % interval {low} to {high})", words=words, **told)
        return msg("{words}, which may be chance (95 % interval {low} to {high})", words=words, **told)


def cost_matrix(classes: tuple[str, ...], settings: CostSettings) -> NDArray[np.float64]:
    """The costs (k, k), true class down, called class across.

    Raises:
        SettingProblem: it is no such table, names another class, holds no number, or makes all calls of every class cost the same.
    """
    found = 1.0 - np.eye(len(classes))
    for true, row in _read(settings.costs).items():
        for called, cost in _read(row).items():
            for name in (true, called):
                if name not in classes:
                    raise unknown_choice("class", name, classes)
            if not _is_price(cost):
                raise _unreadable(
                    msg("The cost of '{true}' called '{called}' is {cost}.", true=true, called=called, cost=str(cost)[:80])
                )
            found[classes.index(true), classes.index(called)] = float(cost)
    if (found == found[:, :1]).all():
        raise SettingProblem(
            msg("All calls cost the same, whatever the true class."),
            msg("Expected at least one wrong call that costs more than the right one."),
            msg("Change a cost."),
        )
    return found


def costs_as_text(classes: tuple[str, ...], costs: NDArray[np.float64]) -> str:
    """What `CostSettings` hold for a table of costs (k, k); "" for the costs that hold without any."""
    plain = 1.0 - np.eye(len(classes))
    named = {
        true: {called: float(costs[i, j]) for j, called in enumerate(classes) if costs[i, j] != plain[i, j]}
        for i, true in enumerate(classes)
    }
    kept = {true: row for true, row in named.items() if row}
    return json.dumps(kept, ensure_ascii=False) if kept else ""


def limit_prices(classes: tuple[str, ...], costs: NDArray[np.float64], positive: str) -> tuple[float, float] | None:
    """What a missed row of the class to catch and a rejected one of the other class cost more than the right call, of prices (k, k).

    None where these two do not say it all: more than two classes, or a wrong call that is cheaper than the right one.
    """
    if len(classes) != 2:
        return None
    own = classes.index(positive)
    missed, rejected = costs[own, 1 - own] - costs[own, own], costs[1 - own, own] - costs[1 - own, 1 - own]
    return (float(missed), float(rejected)) if missed >= 0 and rejected >= 0 else None


def with_limit_prices(
    classes: tuple[str, ...], costs: NDArray[np.float64], positive: str, missed: float, rejected: float
) -> NDArray[np.float64]:
    """Prices (2, 2) of which `limit_prices` gives these two; what right calls cost stays."""
    own = classes.index(positive)
    found = np.array(costs, dtype=np.float64)
    found[own, 1 - own], found[1 - own, own] = costs[own, own] + missed, costs[1 - own, 1 - own] + rejected
    return found


def cost_view(
    results: Results,
    settings: CostSettings | None = None,
    part: str = "test",
    positive: str | None = None,
    threshold: float | None = None,
) -> CostView:
    """Costs of one part at a limit, beside the cheapest calls.

    Raises:
        SettingProblem: the run predicts no class, there is no such class or part, or the costs cannot be read.
    """
    check_task(results, ("classification",))
    rule = class_rule(results.manifest, positive, threshold)
    given, held = class_rows(results, part, rule.positive), class_rows(results, "validation", rule.positive)
    costs = cost_matrix(given.classes, settings or CostSettings())
    own = predict_classes(given.probabilities, rule.place, rule.threshold)
    least = least_cost_classes(given.probabilities, costs)
    blocks = remembered(results, f"blocks {part}", lambda: results.blocks(given.rows))
    always = cheapest_class(held.truth, costs)
    saved, bounds = saving(given.truth, least, own, costs, blocks=blocks)
    return CostView(
        part=part,
        classes=given.classes,
        costs=costs,
        own=cost_of_calls(given.truth, own, costs, blocks=blocks),
        least=cost_of_calls(given.truth, least, costs, blocks=blocks),
        baseline=_of_baseline(given, costs),
        constant=cost_of_calls(given.truth, np.full(len(given.truth), always), costs, blocks=blocks, n_boot=0),
        constant_class=given.classes[always],
        saved=saved,
        saved_bounds=bounds,
        over_baseline=_over_baseline(given, least, costs, blocks),
        rows=given.rows,
        called=least,
    )


def export_cost_calls(results: Results, view: CostView, path: Path) -> None:
    """Rows of the part with the class that is expected to cost least, as CSV: row (from 1), truth, called, cost."""
    import pandas as pd

    truth = results.cells(["truth"], view.rows)["truth"].astype(str).to_numpy(dtype=object)
    names = np.array(view.classes, dtype=object)
    place = {name: i for i, name in enumerate(view.classes)}
    codes = np.array([place[name] for name in truth], dtype=np.int64)
    table = pd.DataFrame(
        {"row": view.rows, "truth": truth, "called": names[view.called], "cost": view.costs[codes, view.called]}
    )
    write_csv(rows_from_one(table), path, formula_safe=True)


def _over_baseline(
    given: ClassRows, least: NDArray[np.int64], costs: NDArray[np.float64], blocks: NDArray[np.int64] | None
) -> tuple[float, Bounds] | None:
    """What 1,000 rows cost less by the model's cheapest calls than by the baseline's, on the rows that both judge."""
    if given.baseline is None:
        return None
    known = np.isfinite(given.baseline).all(axis=1)
    theirs = least_cost_classes(given.baseline[known], costs)
    return saving(given.truth[known], least[known], theirs, costs, blocks=None if blocks is None else blocks[known])


def _of_baseline(given: ClassRows, costs: NDArray[np.float64]) -> CostOfCalls | None:
    """The calls that cost least by the baseline's probabilities; without an interval, as it only stands beside."""
    if given.baseline is None:
        return None
    known = np.isfinite(given.baseline).all(axis=1)
    return cost_of_calls(given.truth[known], least_cost_classes(given.baseline[known], costs), costs, n_boot=0)


def _read(given: Any) -> Mapping[str, Any]:
    if isinstance(given, str):
        if not given.strip():
            return {}
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise _unreadable(msg("The costs cannot be read: {reason}", reason=str(error))) from error
    if not isinstance(given, dict):
        raise _unreadable(msg("The costs are {what}.", what=type(given).__name__))
    return given


def _is_price(cost: Any) -> bool:
    if isinstance(cost, bool) or not isinstance(cost, int | float):
        return False
    try:
        return math.isfinite(cost)
    except OverflowError:  # a whole number that no float holds
        return False


def _unreadable(what: Message) -> SettingProblem:
    return SettingProblem(
        what,
        msg("Expected numbers by true class and called class, such as {example}.", example='{"scrap": {"good": 120}}'),
        msg("Correct the costs."),
    )
