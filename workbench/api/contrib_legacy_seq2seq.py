"""`tf.contrib.legacy_seq2seq`: sequence to sequence models over lists of steps."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.legacy_seq2seq.decoders": """
        attention_decoder embedding_attention_decoder embedding_rnn_decoder rnn_decoder
        """,
    "workbench.train.legacy_seq2seq.losses": """
        model_with_buckets sequence_loss sequence_loss_by_example
        """,
    "workbench.train.legacy_seq2seq.models": """
        basic_rnn_seq2seq embedding_attention_seq2seq embedding_rnn_seq2seq
        embedding_tied_rnn_seq2seq one2many_rnn_seq2seq tied_rnn_seq2seq
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
