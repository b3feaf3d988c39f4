"""LSTM: recurrent network with a memory that can keep what happened many rows ago."""

from __future__ import annotations

from core.messages import msg
from core.models.heads import lstm_weights
from core.models.recurrent import Recurrent

SPEC = Recurrent(
    key="lstm",
    title=msg("LSTM"),
    summary=msg("For slow wear and long memory: remaining life, drifting processes."),
    source="Hochreiter, Schmidhuber (1997), Neural Computation 9(8)",
    layer="LSTM",
    cell_weights=lstm_weights,
)
