"""Which gradients go to other replicas in a shorter form, and in which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.cluster.replication.cut import Cut
from workbench.cluster.wire.encodings import KINDS, restore, shrink
from workbench.core.errors import InvalidArgumentError
from workbench.core.graph import dtypes
from workbench.core.graph.dtypes import DType
from workbench.core.graph.tensor import Tensor

#: Forms that the first program gives by itself: rounding costs nothing there.
_ROUNDED = {"bfloat16": dtypes.bfloat16, "float16": dtypes.float16}
#: Arrays with fewer elements go as they are.
_FEWEST_ELEMENTS = 1024
#: With more replicas than this, all sending all they have takes more bytes than adding up floats.
_MOST_SENDERS = {"bfloat16": 4, "float16": 4, "int8": 8}

Array = np.ndarray[Any, Any]


class GradientEncoding:
    """The form of the dense values at a cut, as one replica sends them.

    "bfloat16" and "float16" are rounded to nearest (beyond 65504 the latter is infinite). "int8" is
    scaled by block, for the wire only, and what it has rounded away is added to the next step's.

    InvalidArgumentError for a form that does not exist.
    """

    def __init__(self, cut: Cut, kind: str | None) -> None:
        check_kind(kind)
        self.kind = kind if kind != "float32" else None
        rounded = _ROUNDED.get(self.kind or "")
        #: The types in which the first program gives tensors, where these are others.
        self.types: dict[Tensor, DType] = {}
        self._is_shrunk = [False] * len(cut.dense)
        for number, tensor in enumerate(cut.dense):
            count = tensor.shape.num_elements()
            if tensor.dtype.base_dtype != dtypes.float32 or (count or 0) < _FEWEST_ELEMENTS:
                continue
            if rounded is not None:
                self.types[tensor] = rounded
            self._is_shrunk[number] = self.kind == "int8"
        self._errors: dict[int, Array] = {}

    def is_worth(self, ranks: int) -> bool:
        """Whether so many replicas send each other what they have in this form."""
        return self.kind is not None and ranks <= _MOST_SENDERS[self.kind]

    def type_of(self, tensor: Tensor) -> DType:
        """The type in which the first program gives a tensor."""
        return self.types.get(tensor, tensor.dtype.base_dtype)

    def sent(self, values: Sequence[Any]) -> tuple[list[Any], dict[int, Array]]:
        """The dense values as they are sent, and what errors `keep` is to remember then."""
        found, errors = list(values), {}
        for number, value in enumerate(values):
            if self._is_shrunk[number]:
                kept = self._errors.get(number)
                wanted = value if kept is None else value + kept
                form, data = shrink(wanted, "int8")
                found[number] = data if form == "int8" else wanted
                if form == "int8":
                    errors[number] = wanted - restore(form, data, value.size).reshape(value.shape)
        return found, errors

    def keep(self, errors: dict[int, Array]) -> None:
        """What was sent is applied: its errors go with the next step."""
        self._errors = errors

    def received(self, values: Sequence[Any], likes: Sequence[Any]) -> list[Any]:
        """What a replica has sent, as arrays like these. ValueError where it is nothing of ours."""
        found = list(values)
        for number, (value, like) in enumerate(zip(values, likes, strict=True)):
            if self._is_shrunk[number] and value.dtype == np.uint8:
                found[number] = restore("int8", value, like.size).reshape(like.shape)
        return found

    def saved_bytes(self, sent: Sequence[Any], values: Sequence[Any]) -> int:
        """How many bytes fewer these are than floats of 32 bits."""
        return sum(
            4 * np.size(value) - one.nbytes
            for one, value in zip(sent, values, strict=True)
            if one.nbytes < 4 * np.size(value) and one.dtype.itemsize < 4
        )

    def widened(self, values: Sequence[Any], tensors: Sequence[Tensor]) -> list[Any]:
        """The dense values in the types of their tensors."""
        return [
            np.asarray(value, tensor.dtype.base_dtype.numpy_dtype)
            for value, tensor in zip(values, tensors, strict=True)
        ]


def check_kind(kind: str | None) -> None:
    """InvalidArgumentError for an encoding that does not exist."""
    if kind is not None and kind not in KINDS:
        raise InvalidArgumentError(
            None, None, f"There is no encoding {kind!r}: it is one of {', '.join(KINDS)}"
        )
