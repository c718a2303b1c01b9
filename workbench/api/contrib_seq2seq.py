"""`tf.contrib.seq2seq`: decoders of sequences, attention, and the loss of sequences."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.nn.beam_paths": "gather_tree",
    "workbench.train.seq2seq.attention": """
        AttentionMechanism BahdanauAttention LuongAttention hardmax
        """,
    "workbench.train.seq2seq.attention_wrapper": "AttentionWrapper AttentionWrapperState",
    "workbench.train.seq2seq.basic_decoder": "BasicDecoder BasicDecoderOutput",
    "workbench.train.seq2seq.beam_search": """
        BeamSearchDecoder BeamSearchDecoderOutput BeamSearchDecoderState
        FinalBeamSearchDecoderOutput
        """,
    "workbench.train.seq2seq.beams": "tile_batch",
    "workbench.train.seq2seq.decoding": "Decoder dynamic_decode",
    "workbench.train.seq2seq.feedback": """
        GreedyEmbeddingHelper InferenceHelper SampleEmbeddingHelper
        """,
    "workbench.train.seq2seq.helpers": "CustomHelper Helper TrainingHelper",
    "workbench.train.seq2seq.loss": "sequence_loss",
    "workbench.train.seq2seq.monotonic": """
        BahdanauMonotonicAttention LuongMonotonicAttention monotonic_attention safe_cumprod
        """,
    "workbench.train.seq2seq.scheduled": """
        ScheduledEmbeddingTrainingHelper ScheduledOutputTrainingHelper
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
