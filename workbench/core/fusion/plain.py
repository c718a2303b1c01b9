"""Attributes of nodes, and notes of kernels, as plain data that JSON can hold, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.codegen.unsupported import Unsupported
from workbench.core.graph.dtypes import DType, as_dtype

#: Larger arrays are not written down.
_MOST_BYTES = 1 << 16
#: What stands for itself.
_PLAIN = (bool, int, float, str, type(None))


def to_plain(value: Any) -> Any:
    """Plain data for a value.

    Raises:
      Unsupported: it is of a kind that cannot be written down, or too large.

    >>> to_plain((1, 2.5, "SAME"))
    {'tuple': [1, 2.5, 'SAME']}
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, DType):
        return {"dtype": value.name}
    if isinstance(value, tuple):
        return {"tuple": [to_plain(v) for v in value]}
    if isinstance(value, list):
        return [to_plain(v) for v in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"items": [[key, to_plain(v)] for key, v in value.items()]}
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype == object or value.nbytes > _MOST_BYTES:
            raise Unsupported(f"an array of {value.nbytes} bytes of {value.dtype}")
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        dtype = as_dtype(value.dtype).name
        return {kind: value.tobytes().hex(), "of": dtype, "shape": list(value.shape)}
    raise Unsupported(f"a {type(value).__name__}")


def from_plain(plain: Any) -> Any:
    """The value that plain data stands for; ValueError, KeyError or TypeError for other data.

    >>> from_plain(to_plain((1, 2.5, "SAME")))
    (1, 2.5, 'SAME')
    """
    if isinstance(plain, list):
        return [from_plain(v) for v in plain]
    if not isinstance(plain, dict):
        return plain
    if "dtype" in plain:
        return as_dtype(plain["dtype"])
    if "tuple" in plain:
        return tuple([from_plain(v) for v in plain["tuple"]])
    if "items" in plain:
        return {key: from_plain(v) for key, v in plain["items"]}
    kind = "array" if "array" in plain else "scalar"
    dtype = as_dtype(plain["of"]).numpy_dtype
    array = np.frombuffer(bytes.fromhex(plain[kind]), dtype).reshape(plain["shape"]).copy()
    return array if kind == "array" else array[()]
