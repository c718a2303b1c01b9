"""Constants whose elements are a file's bytes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.core.files import read_bytes
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare


def _immutable_const(*, dtype: np.dtype[Any], shape: Any, memory_region_name: str) -> Any:
    if dtype.kind == "O":
        raise invalid("Sorry, DT_STRING is not currently supported for ImmutableConstOp.")
    if shape is None or None in shape:
        raise invalid(f"The shape of a constant must be known, got {shape}")
    content = read_bytes(memory_region_name)
    needed = math.prod(shape) * dtype.itemsize
    if len(content) < needed:
        raise invalid(
            f"{memory_region_name} has {len(content)} bytes, but {dtype.name} {list(shape)} needs "
            f"{needed}"
        )
    return np.frombuffer(content, dtype, math.prod(shape)).reshape(shape).copy()[()]


declare(
    "ImmutableConst",
    outputs="tensor: dtype",
    attrs="dtype: type, shape: shape, memory_region_name: string",
    shape=shape_rules.from_attribute(),
    kernel=_immutable_const,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    expensive=True,
)
