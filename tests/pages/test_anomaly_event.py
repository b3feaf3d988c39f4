"""The score of an event in its row of the table."""

from types import SimpleNamespace

import numpy as np

from core.anomalies.events import make_events
from pages.components.anomaly_event import sparkline


def test_the_small_curve_shows_the_event_s_own_machine_where_machines_take_turns() -> None:
    # Rows 0, 2, 4 … belong to machine a, whose scores stay below 6; machine b reaches 90 in the same rows of the file.
    rows, groups = np.r_[np.arange(0, 200, 2), np.arange(1, 200, 2)], np.repeat(["a", "b"], 100)
    scores = np.zeros(200)
    scores[40:46], scores[140:146] = 5, 90
    view = SimpleNamespace(places=np.argsort(rows), groups=groups, scores=scores)
    event = next(e for e in make_events(scores, 1.0, rows, groups=groups) if e.group == "a")
    assert max(sparkline(view, event)) == 5
