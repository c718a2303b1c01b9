"""Strings and patterns: what newer versions of TensorFlow add to the graphs that they save."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels.scalars import as_array
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare, sample


@lru_cache(256)
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    try:
        return re.compile(pattern)
    except re.error as error:
        text = pattern.decode(errors="replace")
        raise InvalidArgumentError(None, None, f"Invalid pattern: {text}, error: {error}") from None


def _full_match(input: Any, pattern: Any) -> Any:
    if isinstance(pattern, np.ndarray):
        pattern = pattern.item()
    compiled = _compiled(pattern.encode() if isinstance(pattern, str) else pattern)
    texts = as_array(input)
    matches = [compiled.fullmatch(text) is not None for text in texts.reshape(-1).tolist()]
    result = np.array(matches, np.bool_).reshape(texts.shape)
    return result if result.ndim else result[()]


def _static_full_match(input: Any, *, pattern: Any) -> Any:
    return _full_match(input, pattern)


declare(
    "RegexFullMatch",
    inputs="input: string, pattern: string",
    outputs="output: bool",
    shape=shape_rules.first,
    kernel=_full_match,
    samples=[sample([b"abc", b"abd", b"xabc"], b"ab[cx]", want=[True, False, False])],
)
declare(
    "StaticRegexFullMatch",
    inputs="input: string",
    outputs="output: bool",
    attrs="pattern: string",
    shape=shape_rules.first,
    kernel=_static_full_match,
    samples=[sample([b"s3://a", b"/tmp/a"], pattern="^s3://.*", want=[True, False])],
)
