"""The operation that reads examples written as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare, sample


def _decode(json_examples: Any) -> Any:
    given = as_array(json_examples)
    result = np.empty(given.shape, object)
    flat = result.reshape(-1)
    for number, text in enumerate(given.reshape(-1).tolist()):
        flat[number] = _example(text, number)
    return result if result.ndim else result[()]


def _example(text: bytes, number: int) -> bytes:
    from google.protobuf import json_format

    from workbench.core.protos import Example

    try:
        message = json_format.Parse(text, Example())
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise invalid(f"Error while parsing JSON of example {number}: {error}") from None
    serialized: bytes = message.SerializeToString(deterministic=True)
    return serialized


declare(
    "DecodeJSONExample",
    inputs="json_examples: string",
    outputs="binary_examples: string",
    shape=shape_rules.first,
    kernel=_decode,
    samples=[
        sample(
            [b'{"features": {"feature": {"a": {"int64List": {"value": ["5"]}}}}}', b"{}"],
            want=[b"\n\x0c\n\n\n\x01a\x12\x05\x1a\x03\n\x01\x05", b""],
        )
    ],
)
