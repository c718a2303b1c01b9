"""`tf.contrib.tensorboard.plugins.projector`: embeddings in TensorBoard."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.protos": "EmbeddingInfo ProjectorConfig SpriteMetadata",
    "workbench.train.projector": "visualize_embeddings",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
