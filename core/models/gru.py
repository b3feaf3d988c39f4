"""GRU: recurrent network with fewer gates than LSTM; often as good and a quarter cheaper."""

from __future__ import annotations

from core.messages import msg
from core.models.heads import gru_weights
from core.models.recurrent import Recurrent

SPEC = Recurrent(
    key="gru",
    title=msg("GRU"),
    summary=msg("Like LSTM with a quarter fewer weights; good when there is less data."),
    source="Cho et al. (2014), EMNLP, arXiv:1406.1078",
    layer="GRU",
    cell_weights=gru_weights,
)
