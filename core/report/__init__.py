"""Results → facts → a document that can be shared: one HTML file that works offline."""

from __future__ import annotations

from core.report.facts import DatasetFacts, Fact, MetricLine, RecipeLine, ReportFacts, ReportFigure, SplitFacts
from core.report.html import render_html

__all__ = ["DatasetFacts", "Fact", "MetricLine", "RecipeLine", "ReportFacts", "ReportFigure", "SplitFacts", "render_html"]
