"""`tf.contrib.rnn`: cells and networks, those of `tf.nn` and further ones."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace
from workbench.api.rnn_cell import NAMES as CELLS

NAMES: dict[str, str] = {
    **CELLS,
    "workbench.core.ops.nn.recurrent.static": """
        static_rnn static_state_saving_rnn static_bidirectional_rnn
        """,
    "workbench.train.recurrent.attention_cell": "AttentionCellWrapper",
    "workbench.train.recurrent.block": "LSTMBlockCell LSTMBlockFusedCell LSTMBlockWrapper",
    "workbench.train.recurrent.gru_block": "GRUBlockCell GRUBlockCellV2",
    "workbench.train.recurrent.convolutional": """
        ConvLSTMCell Conv1DLSTMCell Conv2DLSTMCell Conv3DLSTMCell
        """,
    "workbench.train.recurrent.coupled": "CoupledInputForgetGateLSTMCell",
    "workbench.train.recurrent.directions": """
        stack_bidirectional_rnn stack_bidirectional_dynamic_rnn
        """,
    "workbench.train.recurrent.frequencies": "TimeFreqLSTMCell",
    "workbench.train.recurrent.fused": "FusedRNNCell FusedRNNCellAdaptor TimeReversedFusedRNN",
    "workbench.train.recurrent.grid": "BidirectionalGridLSTMCell GridLSTMCell",
    "workbench.train.recurrent.grouped": "GLSTMCell",
    "workbench.train.recurrent.layer_norm": "LayerNormBasicLSTMCell",
    "workbench.train.recurrent.more_wrappers": "CompiledWrapper HighwayWrapper",
    "workbench.train.recurrent.phased": "PhasedLSTMCell",
    "workbench.train.recurrent.projections": """
        EmbeddingWrapper InputProjectionWrapper OutputProjectionWrapper
        """,
    "workbench.train.recurrent.variants": "IntersectionRNNCell NASCell UGRNNCell",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
