"""Simple recurrent network: one state that each row renews. The plainest model that reads rows in order."""

from __future__ import annotations

from core.messages import msg
from core.models.heads import simple_weights
from core.models.recurrent import Recurrent

SPEC = Recurrent(
    key="rnn",
    title=msg("Simple RNN"),
    summary=msg("The plainest network with a memory: quick to try; forgets what lies more than some ten rows back."),
    source="Elman (1990), Cognitive Science 14(2)",
    layer="SimpleRNN",
    cell_weights=simple_weights,
)
