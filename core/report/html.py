"""Facts → one self-contained HTML file: no request leaves it, no upload button, user text escaped.

The content security policy names the two scripts by hash. Figures are JSON in data blocks that no browser runs. Plotly
needs inline styles, and data: and blob: images to save a picture; its SVG traces need neither eval nor workers.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from core.charts.figure import moment
from core.evaluation.result import Metric
from core.messages import Message, msg
from core.report.facts import MetricLine, ReportFacts
from core.report.labels import LABELS, WORDS
from core.report.scrub import scrub

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "report"
MOST_EVENTS = 100
Text = Callable[[Message], str]


def render_html(facts: ReportFacts, text: Text = str, language: str = "en") -> str:
    """The report as one HTML document.

    Args:
        facts: What it says.
        text: Renders a message in the language of the report.
        language: "en" or "zh_CN"; stands in the document as its language.

    Returns:
        About 5 MB of text, nearly all of it plotly.js.
    """
    library, boot = _scripts()
    return _environment(text).get_template("report.html.j2").render(
        facts=facts,
        label=LABELS,
        word=WORDS,
        language=language.replace("_", "-"),
        policy=content_security_policy(library, boot),
        css=Markup((ASSETS / "report.css").read_text("utf-8")),
        library=Markup(library),
        boot=Markup(boot),
        figures=[Markup(figure_json(f.figure)) for f in facts.figures],
        headlines=[line for line in facts.metrics if line.metric.is_defined][:4],
        events=facts.events[:MOST_EVENTS],
        events_left=max(0, len(facts.events) - MOST_EVENTS),
        created=facts.created.strftime("%Y-%m-%d %H:%M %Z").strip(),
    )  # fmt: skip


def content_security_policy(*scripts: str) -> str:
    """The policy under which exactly these inline scripts run and nothing is fetched."""
    hashes = " ".join(f"'sha256-{b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def figure_json(figure: go.Figure) -> str:
    """A figure as JSON that may stand inside a script element: no character of it can end the element."""
    raw = str(figure.to_json())
    for sign in "<>&\u2028\u2029":
        raw = raw.replace(sign, f"\\u{ord(sign):04x}")
    return raw


def metric_words(metric: Metric | None, unit: str, text: Text) -> str:
    """Value with unit, or why there is none; a dash where there is no metric."""
    if metric is None:
        return "–"
    if metric.value is None:
        return text(msg("not defined: {reason}", reason=metric.why_not or msg("no reason given")))
    return f"{_number(metric.value)} {unit}".strip()


def interval_words(metric: Metric | None, text: Text) -> str:
    """The 95 % interval, or a dash."""
    if metric is None or metric.low is None or metric.high is None:
        return "–"
    return text(msg("{low} to {high}", low=metric.low, high=metric.high))


def _environment(text: Text) -> Environment:
    def say(value: object) -> object:
        return text(value) if isinstance(value, Message) else value

    env = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=say,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "number": lambda value: "" if value is None else _number(value),
        "moment": moment,
        "free": lambda value: scrub(str(say(_spoken(value)))),
        "metric": lambda line: metric_words(line.metric, line.unit, text),
        "baseline": lambda line: metric_words(line.baseline, line.unit, text),
        "value": lambda metric, unit: metric_words(metric, unit, text),
        "interval": lambda metric: interval_words(metric, text),
        "sensors": lambda event: _sensor_words(event, text),
        "compare": lambda line: _compare(line, text),
    }
    return env


def _spoken(value: Any) -> Any:
    return _number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _number(value: float) -> str:
    """Counts whole, measures with 4 significant digits; thousands separated."""
    return f"{value:,}" if isinstance(value, int) else str(msg("{value}", value=float(value)))


def _sensor_words(event: Any, text: Text) -> str:
    """The three sensors with the largest share."""
    said = []
    for sensor in event.sensors[:3]:
        share = msg("{column} {share} %", column=sensor.column, share=round(100 * sensor.share))
        away = (
            f" ({sensor.deviation:+.4g} {sensor.unit}".rstrip().replace("(-", "(−") + ")"
            if sensor.deviation is not None
            else ""
        )
        said.append(text(share) + away)
    return ", ".join(said)


def _compare(line: MetricLine, text: Text) -> str:
    """The small second line of a headline figure: the baseline's value."""
    if line.baseline is None or line.baseline.value is None:
        return ""
    return text(msg("baseline {value}", value=f"{_number(line.baseline.value)} {line.unit}".strip()))


@lru_cache(maxsize=1)
def _scripts() -> tuple[str, str]:
    """plotly.js and the script that draws the figures, with the line ends that a browser hashes."""
    return tuple(
        s.replace("\r\n", "\n").replace("\r", "\n") for s in (get_plotlyjs(), (ASSETS / "figures.js").read_text("utf-8"))
    )  # type: ignore[return-value]
