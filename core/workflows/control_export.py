"""A control chart as a table: what stands at each point, where its limits come from, and what was left out and why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.workflows.control_record import ControlView
from core.workflows.csv_out import without_noise, write_csv
from core.workflows.left_out import causes_of


def export_control(view: ControlView, path: Path) -> None:
    """Points, limits and signals of each chart as CSV, one row a point.

    Columns: row and, where the table has one, time at which a point ends; stage where there are several; baseline (1 where a point gave limits); for each
    chart its statistic, centre, lower, upper, the sigma of single values behind them and the numbers of the rules that are broken; left out (1) and cause.
    """
    of, n = view.charts[0].phases, len(view.rows)
    columns: dict[str, object] = {"row": view.rows + 1}
    if view.stamps is not None:
        columns["time"] = view.stamps
    if len(of.labels) > 1:
        columns["stage"] = np.array(of.labels, dtype=object)[of.stage]
    is_learned = any(chart.known != "both" for chart in view.charts) and view.name != "run"
    columns["baseline"] = of.baseline if is_learned else np.zeros(n, np.bool_)
    for chart, found in zip(view.charts, view.signals, strict=True):
        for name, values in (
            ("", chart.points),
            (" centre", chart.centre),
            (" lower", chart.lower),
            (" upper", chart.upper),
            (" sigma", chart.sigma),
        ):
            # Sums count in sigma, and the sigma behind them in the unit of the column.
            of_its_own = chart.is_sum and name == " sigma"
            columns[f"{chart.kind}{name}"] = without_noise(values, values if of_its_own else view.charts[0].points)
        broken: list[list[str]] = [[] for _ in range(n)]
        for signal in found:
            for i in np.flatnonzero(signal.found):
                broken[int(i)].append(str(signal.number))
        columns[f"{chart.kind} rules"] = [" ".join(numbers) for numbers in broken]
    columns["left out"] = ~of.counted
    columns["cause"] = causes_of(view.left_out, n)
    write_csv(pd.DataFrame(columns), path, formula_safe=True)
