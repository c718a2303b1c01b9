"""The operation that parses sequence examples."""

from __future__ import annotations

from typing import Any

from workbench.core.kernels.examples import sequences
from workbench.core.kernels.examples.specs import bracketed, dense, sparse
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.parsing.example_ops import VALUES, as_bytes, plain, wanted_features

_EMPTY = as_array(b"")[None][:0]


def _parse(
    serialized: Any,
    feature_list_dense_missing_assumed_empty: Any,
    context_sparse_keys: Any,
    context_dense_keys: Any,
    feature_list_sparse_keys: Any,
    feature_list_dense_keys: Any,
    context_dense_defaults: Any,
    debug_name: Any,
    *,
    context_sparse_types: Any,
    Tcontext_dense: Any,
    feature_list_dense_types: Any,
    context_dense_shapes: Any,
    feature_list_sparse_types: Any,
    feature_list_dense_shapes: Any,
) -> Any:
    given = as_array(serialized)
    if given.ndim:
        shape = bracketed(given.shape)
        raise invalid(f"Expected serialized to be a scalar, got shape {shape}")
    may_be_missing = set(as_array(feature_list_dense_missing_assumed_empty).reshape(-1).tolist())
    in_context = wanted_features(
        context_sparse_keys,
        context_sparse_types,
        context_dense_keys,
        context_dense_defaults,
        Tcontext_dense,
        context_dense_shapes,
    )
    count = len(context_sparse_types)
    example = sequences.read(given.item(), as_array(debug_name).item())
    dense_values = [sequences.context_dense(example, each) for each in in_context[count:]]
    sparse_parts = [sequences.context_sparse(example, each) for each in in_context[:count]]
    list_values = []
    for key, dtype, shape in zip(
        map(as_bytes, feature_list_dense_keys),
        feature_list_dense_types,
        feature_list_dense_shapes,
        strict=True,
    ):
        wanted = dense(key, dtype, shape, _EMPTY)
        list_values.append(sequences.list_dense(example, wanted, key in may_be_missing))
    list_parts = [
        sequences.list_sparse(example, sparse(as_bytes(key), dtype))
        for key, dtype in zip(feature_list_sparse_keys, feature_list_sparse_types, strict=True)
    ]
    return plain(
        (*_transposed(sparse_parts), *dense_values, *_transposed(list_parts), *list_values)
    )


def _transposed(parts: list[sequences.SparseParts]) -> list[Any]:
    """All indices, then all values, then all shapes."""
    return [each for column in zip(*parts, strict=True) for each in column]


def _shape(op: Any) -> list[Any]:
    shape_rules.with_rank(op.inputs[0].entries, 0, "serialized")
    shape_rules.with_rank(op.inputs[1].entries, 1, "feature_list_dense_missing_assumed_empty")
    attrs = op.attrs
    in_context, in_lists = (
        len(attrs[name]) for name in ("context_sparse_types", "feature_list_sparse_types")
    )
    return [
        *[(None, 1)] * in_context,
        *[(None,)] * in_context,
        *[(1,)] * in_context,
        *(shape.entries for shape in attrs["context_dense_shapes"]),
        *[(None, 2)] * in_lists,
        *[(None,)] * in_lists,
        *[(2,)] * in_lists,
        *(
            None if shape.ndims is None else (None, *shape.entries)
            for shape in attrs["feature_list_dense_shapes"]
        ),
    ]


#: A sequence example with "a" (7) in its context and the list "b" of features (1, 2) and (3).
_SEQUENCE = (
    b"\n\x0c\n\n\n\x01a\x12\x05\x1a\x03\n\x01\x07"
    b"\x12\x18\n\x16\n\x01b\x12\x11\n\x06\x1a\x04\n\x02\x01\x02\n\x00\n\x05\x1a\x03\n\x01\x03"
)

declare(
    "ParseSingleSequenceExample",
    inputs=(
        "serialized: string, feature_list_dense_missing_assumed_empty: string, "
        "context_sparse_keys: Ncontext_sparse * string, "
        "context_dense_keys: Ncontext_dense * string, "
        "feature_list_sparse_keys: Nfeature_list_sparse * string, "
        "feature_list_dense_keys: Nfeature_list_dense * string, "
        "context_dense_defaults: Tcontext_dense, debug_name: string"
    ),
    outputs=(
        "context_sparse_indices: Ncontext_sparse * int64, "
        "context_sparse_values: context_sparse_types, "
        "context_sparse_shapes: Ncontext_sparse * int64, "
        "context_dense_values: Tcontext_dense, "
        "feature_list_sparse_indices: Nfeature_list_sparse * int64, "
        "feature_list_sparse_values: feature_list_sparse_types, "
        "feature_list_sparse_shapes: Nfeature_list_sparse * int64, "
        "feature_list_dense_values: feature_list_dense_types"
    ),
    attrs=(
        "Ncontext_sparse: int >= 0 = 0, Ncontext_dense: int >= 0 = 0, "
        "Nfeature_list_sparse: int >= 0 = 0, Nfeature_list_dense: int >= 0 = 0, "
        f"context_sparse_types: list({VALUES}) >= 0 = [], "
        f"Tcontext_dense: list({VALUES}) >= 0 = [], "
        f"feature_list_dense_types: list({VALUES}) >= 0 = [], "
        "context_dense_shapes: list(shape) >= 0 = [], "
        f"feature_list_sparse_types: list({VALUES}) >= 0 = [], "
        "feature_list_dense_shapes: list(shape) >= 0 = []"
    ),
    shape=_shape,
    kernel=_parse,
    samples=[
        sample(
            _SEQUENCE,
            [],
            [],
            [b"a"],
            [b"b"],
            [],
            [[-1]],
            b"",
            Tcontext_dense=["int64"],
            context_dense_shapes=[[1]],
            feature_list_sparse_types=["int64"],
            want=([7], [[0, 0], [0, 1], [2, 0]], [1, 2, 3], [3, 2]),
            dtype=(None, None, None, None, None, None, "int64", None),
        )
    ],
)
