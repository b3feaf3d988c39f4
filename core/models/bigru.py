"""Bidirectional GRU: reads each window forwards and backwards. Both ways stay within the window: no later row is read."""

from __future__ import annotations

from core.messages import msg
from core.models.heads import gru_weights
from core.models.recurrent import BidirectionalSettings, Recurrent

SPEC = Recurrent(
    key="bigru",
    title=msg("Bidirectional GRU"),
    summary=msg("Like the bidirectional LSTM with a quarter fewer weights."),
    source="Schuster, Paliwal (1997), IEEE Trans. Signal Processing 45(11); Cho et al. (2014), arXiv:1406.1078",
    layer="GRU",
    cell_weights=gru_weights,
    settings=BidirectionalSettings,
)
