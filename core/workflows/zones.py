"""What predictions may decide about parts: accept, reject or measure again, and the capability that they foretell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData, SettingProblem
from core.evaluation.zones import (
    ACCEPT,
    MEASURE,
    REJECT,
    Limits,
    NoZones,
    PredictedPpk,
    ZoneCounts,
    Zones,
    count_zones,
    make_zones,
    predicted_ppk,
    zone_of,
)
from core.messages import Message, msg
from core.settings import Settings, setting
from core.workflows.class_rows import check_task
from core.workflows.csv_out import rows_from_one, write_csv
from core.workflows.results import Results

LEAST_RISK, MOST_RISK = 0.01, 0.05
ZONE_NAMES = ("accept", "measure", "reject")


class ZoneSettings(Settings):
    """Limits, risk and gage."""

    lower: float | None = setting(None, title="Lower limit", help="Empty: that of the column.", expert=False)
    upper: float | None = setting(None, title="Upper limit", help="Empty: that of the column.", expert=False)
    risk: float | None = setting(
        None,
        title="Risk",
        help="Share of all parts that may be accepted though outside a limit, or rejected though inside. Empty: 0.01, or what the held-out rows allow, 0.05 at most.",
        gt=0,
        lt=0.5,
        expert=False,
    )
    gage_sigma: float | None = setting(
        None,
        title="Standard deviation of the gage",
        help="Repeatability and reproducibility, in the unit of the target; a gage study under Explore tells it. Empty: not taken into account.",
        gt=0,
        expert=False,
    )


@dataclass(frozen=True, slots=True)
class ZoneView:
    """Zones from the validation part, counted on the test part. Arrays are (n,), n = rows of the test part with a prediction.

    `places` says the zone of each row; `counts` are of the rows that were measured too.
    """

    zones: Zones
    unit: str
    target: str
    rows: NDArray[np.int64]
    truth: NDArray[np.float64]
    prediction: NDArray[np.float64]
    places: NDArray[np.int8]
    counts: ZoneCounts
    capability: PredictedPpk

    def share(self, zone: int) -> float:
        """Share of the predicted rows in a zone."""
        return float((self.places == zone).mean()) if len(self.places) else float("nan")

    @property
    def headline(self) -> Message:
        if self.zones.accepts_none:
            return msg("The error is too large for these limits: no part can be accepted by its prediction")
        return msg(
            "{accept} % of the parts can be accepted by their prediction, {reject} % rejected; {measure} % have to be measured",
            accept=round(100 * self.share(ACCEPT), 1),
            reject=round(100 * self.share(REJECT), 1),
            measure=round(100 * self.share(MEASURE), 1),
        )


def zone_view(results: Results, settings: ZoneSettings | None = None) -> ZoneView:
    """Accept, reject and measure zones of a run that predicts a value.

    Raises:
        SettingProblem: the run predicts no value, there is no limit, or the lower one is not below the upper one.
        NotEnoughData: too few held-out rows for the risk.
    """
    check_task(results, ("regression",))
    given = settings or ZoneSettings()
    limits = _limits(results, given)
    held_rows = results.part_rows("validation")
    held = _pairs(results, held_rows)
    errors = held[0] - held[1]
    n = int(np.isfinite(errors).sum())
    risk = given.risk if given.risk is not None else min(MOST_RISK, max(LEAST_RISK, 1 / (n + 1)))
    found = make_zones(errors, limits, risk, given.gage_sigma)
    if isinstance(found, NoZones):
        raise NotEnoughData(
            found.reason,
            msg("Expected held-out rows for the risk, and a gage that is finer than the predictions."),
            msg("Allow a larger risk, hold back more rows, or measure with a finer gage."),
        )
    rows = results.part_rows("test")
    truth, prediction = _pairs(results, rows)
    known = np.isfinite(prediction)
    rows, truth, prediction = rows[known], truth[known], prediction[known]
    return ZoneView(
        zones=found,
        unit=results.unit,
        target=results.manifest.target_column or "",
        rows=rows,
        truth=truth,
        prediction=prediction,
        places=zone_of(found, prediction),
        counts=count_zones(found, truth, prediction),
        capability=predicted_ppk(
            truth,
            prediction,
            errors,
            limits,
            blocks=results.blocks(rows),
            error_blocks=results.blocks(held_rows),
            seed=results.run.request.seed,
        ),
    )


def export_zones(view: ZoneView, path: Path) -> None:
    """Every row of the test part with its prediction and zone, as CSV; rows count from 1."""
    import pandas as pd

    names = np.array(ZONE_NAMES, dtype=object)
    table = pd.DataFrame({"row": view.rows, "truth": view.truth, "prediction": view.prediction, "zone": names[view.places]})
    write_csv(rows_from_one(table), path, formula_safe=True)


def _limits(results: Results, given: ZoneSettings) -> Limits:
    name = results.manifest.target_column
    column = None if name is None else results.dataset.column(name)
    lower = given.lower if given.lower is not None or column is None else column.lower_limit
    upper = given.upper if given.upper is not None or column is None else column.upper_limit
    if lower is None and upper is None:
        raise SettingProblem(
            msg("'{column}' has no specification limit.", column=name or ""),
            msg("Zones stand at a lower or an upper limit."),
            msg("Type one, or enter it with the column's facts on the Data screen."),
        )
    if lower is not None and upper is not None and lower >= upper:
        raise SettingProblem(
            msg("The lower limit {lower} is not below the upper limit {upper}.", lower=lower, upper=upper),
            msg("Expected limits in order."),
            msg("Exchange them."),
        )
    return Limits(lower, upper)


def _pairs(results: Results, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return results.numbers("truth", rows), results.numbers("prediction", rows)
