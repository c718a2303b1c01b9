"""The operations that parse examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph.shapes import TensorShape
from workbench.core.kernels.examples import batch, single
from workbench.core.kernels.examples.specs import Wanted, bracketed, dense, dense_value, sparse
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare, sample

VALUES = "{float, int64, string}"


def as_bytes(key: Any) -> bytes:
    """A key as bytes."""
    value = key.item() if isinstance(key, np.ndarray) else key
    return value.encode() if isinstance(value, str) else value


def wanted_features(
    sparse_keys: Sequence[Any],
    sparse_types: Sequence[Any],
    dense_keys: Sequence[Any],
    dense_defaults: Sequence[Any],
    dense_types: Sequence[Any],
    dense_shapes: Sequence[Any],
) -> list[Wanted]:
    """What an operation's inputs and attributes ask for: first the sparse features."""
    for number, (default, dtype, shape) in enumerate(
        zip(dense_defaults, dense_types, dense_shapes, strict=True)
    ):
        _check_default(number, as_array(default), dtype, shape)
    return [
        *(sparse(as_bytes(k), t) for k, t in zip(sparse_keys, sparse_types, strict=True)),
        *(
            dense(as_bytes(k), t, s, as_array(d))
            for k, d, t, s in zip(
                dense_keys, dense_defaults, dense_types, dense_shapes, strict=True
            )
        ),
    ]


class _Remembered:
    """What operations asked for that run again and again, by the identity of all they were given.

    It keeps what it was given alive, so that no other object takes its identity.
    """

    #: As many operations as a graph of this kind has, and then some.
    _MOST = 64

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], tuple[tuple[Any, ...], list[Wanted]]] = {}

    def wanted(self, *given: Any) -> list[Wanted]:
        """What `wanted_features` gives; the fourth is a tuple, which may be a new one each time."""
        key = (*map(id, given[:3]), *map(id, given[3]), *map(id, given[4:]))
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= self._MOST:
                self._known.clear()
            found = self._known[key] = (given, wanted_features(*given))
        return found[1]


_remembered = _Remembered()


def _check_default(number: int, default: Any, dtype: Any, shape: Any) -> None:
    if default.dtype != dtype:
        raise invalid(
            f"dense_defaults[{number}].dtype() == {default.dtype} != dense_types_[{number}] == "
            f"{dtype}"
        )
    if shape[:1] == (None,):
        if default.size > 1:
            raise invalid(
                f"dense_shape[{number}] is a variable length shape: {bracketed(shape)}, "
                f"therefore def_value[{number}] must contain a single element (the padding "
                f"element).  But its shape is: {bracketed(default.shape)}"
            )
    elif default.size and not TensorShape(shape).is_compatible_with(default.shape):
        raise invalid(
            f"def_value[{number}].shape() == {bracketed(default.shape)} is not compatible "
            f"with dense_shapes_[{number}] == {bracketed(shape)}"
        )


def _parse_example(
    serialized: Any,
    names: Any,
    sparse_keys: Any,
    dense_keys: Any,
    dense_defaults: Any,
    *,
    sparse_types: Any,
    Tdense: Any,
    dense_shapes: Any,
) -> Any:
    given = as_array(serialized)
    if given.ndim != 1:
        shape = bracketed(given.shape)
        raise invalid(f"Expected serialized to be a vector, got shape {shape}")
    known = as_array(names).reshape(-1)
    if len(known) and len(known) != len(given):
        raise invalid(
            f"Expected len(names) == len(serialized), but got: {len(known)} vs. {len(given)}"
        )
    wanted = wanted_features(
        sparse_keys, sparse_types, dense_keys, dense_defaults, Tdense, dense_shapes
    )
    return plain(batch.outputs(wanted, batch.parse(given.tolist(), known.tolist(), wanted)))


def plain(results: tuple[Any, ...]) -> Any:
    """The results of a kernel: one alone is no tuple."""
    return results[0] if len(results) == 1 else results


def _row(shape: Any) -> Any:
    """The static shape of one example's value."""
    return None if shape.ndims is None else shape.entries


def _example_shape(op: Any) -> list[Any]:
    (rows,) = shape_rules.with_rank(op.inputs[0].entries, 1, "serialized")
    shape_rules.with_rank(op.inputs[1].entries, 1, "names")
    count = len(op.attrs["sparse_types"])
    dense_shapes = [_row(shape) for shape in op.attrs["dense_shapes"]]
    return [
        *[(None, 2)] * count,
        *[(None,)] * count,
        *[(2,)] * count,
        *(None if shape is None else (rows, *shape) for shape in dense_shapes),
    ]


#: An example with the features "a" (1, 2, 1000) and "b" ("x"), as bytes.
_EXAMPLE = (
    b"\n\x1b\n\r\n\x01a\x12\x08\x1a\x06\n\x04\x01\x02\xe8\x07\n\n\n\x01b\x12\x05\n\x03\n\x01x"
)

declare(
    "ParseExample",
    inputs=(
        "serialized: string, names: string, sparse_keys: Nsparse * string, "
        "dense_keys: Ndense * string, dense_defaults: Tdense"
    ),
    outputs=(
        "sparse_indices: Nsparse * int64, sparse_values: sparse_types, "
        "sparse_shapes: Nsparse * int64, dense_values: Tdense"
    ),
    attrs=(
        f"Nsparse: int >= 0, Ndense: int >= 0, sparse_types: list({VALUES}) >= 0, "
        f"Tdense: list({VALUES}) >= 0, dense_shapes: list(shape) >= 0"
    ),
    shape=_example_shape,
    kernel=_parse_example,
    expensive=True,
    samples=[
        sample(
            [_EXAMPLE, b""],
            [],
            [b"a"],
            [b"b"],
            [[b"none"]],
            sparse_types=["int64"],
            dense_shapes=[[1]],
            want=(
                [[0, 0], [0, 1], [0, 2]],
                [1, 2, 1000],
                [2, 3],
                [[b"x"], [b"none"]],
            ),
            dtype=(None, None, None, None, "string"),
        )
    ],
)


def _parse_single(
    serialized: Any,
    dense_defaults: Any,
    *,
    sparse_keys: Any,
    dense_keys: Any,
    sparse_types: Any,
    Tdense: Any,
    dense_shapes: Any,
) -> Any:
    given = as_array(serialized)
    if given.ndim:
        shape = bracketed(given.shape)
        raise invalid(f"Expected serialized to be a scalar, got shape {shape}")
    wanted = _remembered.wanted(
        sparse_keys, sparse_types, dense_keys, tuple(dense_defaults), Tdense, dense_shapes
    )
    count = len(sparse_types)
    found = None if count else single.read_dense(given.item(), wanted)
    if found is not None:
        return plain(found)
    columns = single.read_columns([given.item()], None, wanted)
    sparse_columns = columns[:count]
    results = (
        *(np.arange(len(c.values), dtype=np.int64)[:, None] for c in sparse_columns),
        *(c.values for c in sparse_columns),
        *(np.array([len(c.values)], np.int64) for c in sparse_columns),
        *(
            dense_value(each, column)[0]
            for each, column in zip(wanted[count:], columns[count:], strict=True)
        ),
    )
    return plain(results)


def _single_shape(op: Any) -> list[Any]:
    shape_rules.with_rank(op.inputs[0].entries, 0, "serialized")
    count = len(op.attrs["sparse_types"])
    return [
        *[(None, 1)] * count,
        *[(None,)] * count,
        *[(1,)] * count,
        *(_row(shape) for shape in op.attrs["dense_shapes"]),
    ]


declare(
    "ParseSingleExample",
    inputs="serialized: string, dense_defaults: Tdense",
    outputs=(
        "sparse_indices: num_sparse * int64, sparse_values: sparse_types, "
        "sparse_shapes: num_sparse * int64, dense_values: Tdense"
    ),
    attrs=(
        "num_sparse: int >= 0, sparse_keys: list(string) >= 0, dense_keys: list(string) >= 0, "
        f"sparse_types: list({VALUES}) >= 0, Tdense: list({VALUES}) >= 0, "
        "dense_shapes: list(shape) >= 0"
    ),
    shape=_single_shape,
    kernel=_parse_single,
    samples=[
        sample(
            _EXAMPLE,
            [[b"none"]],
            num_sparse=1,
            sparse_keys=["a"],
            dense_keys=["b"],
            sparse_types=["int64"],
            dense_shapes=[[1]],
            want=([[0], [1], [2]], [1, 2, 1000], [3], [b"x"]),
            dtype=(None, "string"),
        )
    ],
)
