"""The figures of a capability view as a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.spc.capability_indices import INDEX_PARTS, index_name, read_index
from core.spc.distributions import Fit
from core.spc.individuals import NotDefined
from core.spc.normality import Normality
from core.workflows.capability import CapabilityView
from core.workflows.csv_out import DIGITS, write_csv


def export_capability(view: CapabilityView, path: Path) -> None:
    """Every figure of the view as CSV, one a row: part, name, value, the ends of its interval, and why where there is none."""
    lines: list[tuple[str, str, float | None, float | None, float | None, str]] = [
        ("data", name, value, None, None, "")
        for name, value in (
            *(("lower limit", view.spec.lower), ("target", view.spec.target), ("upper limit", view.spec.upper)),
            *(("values", view.n), ("empty", view.n_empty), ("mean", view.mean), ("sd overall", view.sd)),
            ("sd within", None if isinstance(view.sigma_within, NotDefined) else view.sigma_within.sigma),
        )
    ]
    for part, found, in_groups in (("within", view.within, True), ("overall", view.overall, False)):
        for key in INDEX_PARTS:
            if in_groups and key == "target":
                continue
            index, why = (None, found.reason) if isinstance(found, NotDefined) else read_index(getattr(found, key))
            ends = (None, None, None) if index is None else (index.value, index.low, index.high)
            lines.append((part, index_name(key, within=in_groups), *ends, "" if why is None else str(why)))
        bench = None if isinstance(found, NotDefined) else found.z_bench
        lines.append((part, "Z.bench", bench, None, None, ""))
    for part, ppm in view.parts_per_million:
        for name in ("below", "above", "total"):
            value = None if isinstance(ppm, NotDefined) else getattr(ppm, name)
            lines.append((part, f"ppm {name}", value, None, None, str(ppm.reason) if isinstance(ppm, NotDefined) else ""))
    if isinstance(view.normality, Normality):
        lines += [
            ("normality", k, getattr(view.normality, k), None, None, "")
            for k in ("a2", "p", "skewness", "kurtosis", "correlation")
        ]
    for fit in view.fits.values():
        if isinstance(fit, Fit):
            lines += [(f"fit {fit.key}", k, v, None, None, "") for k, v in (*fit.parameters, ("A2", fit.a2), ("AIC", fit.aic))]
    for s in view.strata:
        why_not = "" if s.why_not is None else str(s.why_not)
        lines.append((f"stratum {s.name}", "Ppk", s.ppk, s.low, s.high, why_not))
        lines += [(f"stratum {s.name}", k, v, None, None, "") for k, v in (("values", s.n), ("mean", s.mean), ("sd", s.sd))]
    table = pd.DataFrame(lines, columns=["part", "name", "value", "low", "high", "why not"])
    for name in ("value", "low", "high"):
        table[name] = table[name].astype("float64")
        table.loc[~np.isfinite(table[name]), name] = np.nan
        table[name] = [float(f"{value:.{DIGITS - 2}g}") for value in table[name]]
    write_csv(table, path, formula_safe=True)
