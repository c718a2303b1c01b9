"""`tf.contrib.learn.preprocessing`: texts as rows of numbers."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.contrib.vocabulary": "CategoricalVocabulary VocabularyProcessor tokenizer",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
