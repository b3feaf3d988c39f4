"""Bidirectional LSTM: reads each window forwards and backwards. Both ways stay within the window: no later row is read."""

from __future__ import annotations

from core.messages import msg
from core.models.heads import lstm_weights
from core.models.recurrent import BidirectionalSettings, Recurrent

SPEC = Recurrent(
    key="bilstm",
    title=msg("Bidirectional LSTM"),
    summary=msg(
        "Reads the window in both directions, so that its first rows count as much as its last: whole cycles and batches."
    ),
    source=(
        "Schuster, Paliwal (1997), IEEE Trans. Signal Processing 45(11); Graves, Schmidhuber (2005), Neural Networks 18(5)"
    ),
    layer="LSTM",
    cell_weights=lstm_weights,
    settings=BidirectionalSettings,
)
