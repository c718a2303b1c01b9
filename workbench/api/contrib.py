"""`tf.contrib`: the few parts of it that the core serves."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

_get, __dir__, __all__ = namespace(
    __name__,
    {},
    {
        "data": "workbench.api.contrib_data",
        "distributions": "workbench.api.distributions",
        "framework": "workbench.api.contrib_framework",
        "layers": "workbench.api.contrib_layers",
        "learn": "workbench.api.contrib_learn",
        "legacy_seq2seq": "workbench.api.contrib_legacy_seq2seq",
        "lookup": "workbench.api.contrib_lookup",
        "losses": "workbench.api.contrib_losses",
        "metrics": "workbench.api.contrib_metrics",
        "rnn": "workbench.api.contrib_rnn",
        "seq2seq": "workbench.api.contrib_seq2seq",
        "slim": "workbench.api.contrib_slim",
        "staging": "workbench.api.contrib_staging",
        "summary": "workbench.api.contrib_summary",
        "tensorboard": "workbench.api.contrib_tensorboard",
        "training": "workbench.api.contrib_training",
        "util": "workbench.api.contrib_util",
    },
)


def __getattr__(name: str) -> Any:
    return _get(name)
