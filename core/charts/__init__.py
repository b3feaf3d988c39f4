"""Records in, Plotly figures out, and nothing else: what a chart shows was computed by the package that owns it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go

from core.charts.binning import bin_values
from core.charts.capability import capability_histogram, capability_plot, last_subgroups
from core.charts.captions import (
    caption_before_after,
    caption_confusion,
    caption_curve,
    caption_fleet,
    caption_life,
    caption_loss,
    caption_residuals,
    caption_rows,
    caption_score_timeline,
    caption_sensor_band,
    caption_split,
)
from core.charts.class_curves import det, lift, reliability
from core.charts.classification import confusion_matrix, precision_recall, probability_histogram, roc
from core.charts.cleaning import before_after, histogram_pair
from core.charts.control import caption_control, control_chart
from core.charts.detection import detection_curve, detection_delay, detection_map
from core.charts.downsample import MAX_POINTS, Overview, downsample, downsample_marks
from core.charts.figure import by_spread
from core.charts.forecast import error_by_step, forecast_fan
from core.charts.gage import interaction_lines, interval_chart, values_by_group, variation_bars
from core.charts.life import UnitLife, life_chart
from core.charts.regression import parity, residual_histogram, residuals_over_time
from core.charts.relations import cross_table, lag_chart, pair_scatter, pareto_chart, scatter_matrix, strength_map
from core.charts.row_map import row_map
from core.charts.screening import distribution, screened_column
from core.charts.series import series_over_time
from core.charts.split import split_ribbon
from core.charts.survival import due_chart, survival_chart, weibull_plot
from core.charts.theme import DARK, LIGHT, Theme
from core.charts.timeline import score_timeline, sensor_band
from core.charts.training import loss_curves
from core.charts.why import dependence_curve, effect_bars, maps_over_window, parts_over_window
from core.charts.zones import zone_chart
from core.messages import Message, msg

__all__ = [
    "CATALOGUE", "DARK", "LIGHT", "MAX_POINTS", "ChartInfo", "Overview", "Theme", "UnitLife", "before_after", "bin_values",
    "caption_before_after", "caption_confusion", "caption_curve", "caption_life", "caption_loss", "caption_residuals", "caption_rows",
    "caption_score_timeline", "caption_sensor_band", "caption_split", "confusion_matrix", "downsample",
    "downsample_marks", "error_by_step", "forecast_fan", "histogram_pair", "life_chart", "loss_curves", "parity", "precision_recall",
    "probability_histogram", "residual_histogram", "residuals_over_time", "roc", "score_timeline", "sensor_band",
    "series_over_time", "split_ribbon",
    "screened_column", "distribution", "due_chart", "by_spread", "caption_control", "control_chart", "capability_histogram", "capability_plot",
    "last_subgroups", "survival_chart", "weibull_plot", "caption_fleet",
    "interaction_lines", "interval_chart", "values_by_group", "variation_bars", "cross_table", "lag_chart", "pair_scatter", "pareto_chart",
    "row_map", "scatter_matrix", "strength_map", "det", "lift", "reliability", "zone_chart", "detection_curve", "detection_delay", "detection_map",
    "dependence_curve", "effect_bars", "maps_over_window", "parts_over_window",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChartInfo:
    """One chart of the catalogue: key, what it is called, the function that draws it."""

    key: str
    title: Message
    draw: Callable[..., go.Figure]


CATALOGUE: tuple[ChartInfo, ...] = (
    ChartInfo("loss_curves", msg("Loss by epoch"), loss_curves),
    ChartInfo("split_ribbon", msg("Split"), split_ribbon),
    ChartInfo("series_over_time", msg("Column over time"), series_over_time),
    ChartInfo("before_after", msg("Before and after cleaning"), before_after),
    ChartInfo("histogram_pair", msg("Distribution before and after"), histogram_pair),
    ChartInfo("parity", msg("Predicted against measured"), parity),
    ChartInfo("zone_chart", msg("Zones of predictions"), zone_chart),
    ChartInfo("residuals_over_time", msg("Residuals over time"), residuals_over_time),
    ChartInfo("residual_histogram", msg("Distribution of the residuals"), residual_histogram),
    ChartInfo("forecast_fan", msg("Forecast"), forecast_fan),
    ChartInfo("error_by_step", msg("Error against step ahead"), error_by_step),
    ChartInfo("life_chart", msg("Remaining life"), life_chart),
    ChartInfo("survival_chart", msg("Share of units that still run"), survival_chart),
    ChartInfo("weibull_plot", msg("Weibull plot"), weibull_plot),
    ChartInfo("due_chart", msg("When units are due"), due_chart),
    ChartInfo("confusion_matrix", msg("True and predicted classes"), confusion_matrix),
    ChartInfo("roc", msg("ROC"), roc),
    ChartInfo("precision_recall", msg("Precision and recall"), precision_recall),
    ChartInfo("det", msg("Detection errors"), det),
    ChartInfo("lift", msg("Lift"), lift),
    ChartInfo("reliability", msg("Said and came"), reliability),
    ChartInfo("probability_histogram", msg("Predicted probabilities"), probability_histogram),
    ChartInfo("score_timeline", msg("Score over time"), score_timeline),
    ChartInfo("sensor_band", msg("Sensor around an event"), sensor_band),
    ChartInfo("screened_column", msg("Column with the places of a finding"), screened_column),
    ChartInfo("control_chart", msg("Control chart"), control_chart),
    ChartInfo("capability_histogram", msg("Capability"), capability_histogram),
    ChartInfo("capability_plot", msg("Probability plot"), capability_plot),
    ChartInfo("last_subgroups", msg("Last subgroups"), last_subgroups),
    ChartInfo("distribution", msg("Distribution of a column"), distribution),
    ChartInfo("variation_bars", msg("Where the variation comes from"), variation_bars),
    ChartInfo("values_by_group", msg("Column by category"), values_by_group),
    ChartInfo("interaction_lines", msg("Parts by operators"), interaction_lines),
    ChartInfo("interval_chart", msg("Agreement with its interval"), interval_chart),
    ChartInfo("strength_map", msg("Strength of all pairs"), strength_map),
    ChartInfo("pair_scatter", msg("One column against another"), pair_scatter),
    ChartInfo("cross_table", msg("Rows by two categories"), cross_table),
    ChartInfo("pareto_chart", msg("Pareto"), pareto_chart),
    ChartInfo("lag_chart", msg("Correlation at a distance"), lag_chart),
    ChartInfo("scatter_matrix", msg("Each column against each other"), scatter_matrix),
    ChartInfo("detection_curve", msg("Chance of detection"), detection_curve),
    ChartInfo("detection_delay", msg("Rows to the alarm"), detection_delay),
    ChartInfo("detection_map", msg("Size that is found 80 % of the time"), detection_map),
    ChartInfo("row_map", msg("Map of rows: alike ones lie beside each other"), row_map),
    ChartInfo("effect_bars", msg("What each column adds"), effect_bars),
    ChartInfo("dependence_curve", msg("How the output follows a column"), dependence_curve),
    ChartInfo("parts_over_window", msg("Parts by column and row of the window"), parts_over_window),
    ChartInfo("maps_over_window", msg("Which rows of the window counted"), maps_over_window),
)
