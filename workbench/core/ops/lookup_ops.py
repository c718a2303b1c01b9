"""Operations on hash tables, which live in a session."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from workbench.core.files import read_bytes
from workbench.core.graph.shapes import merge_shapes
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.kernels.tables import DenseTable, FixedTable, MutableTable, Table, read_columns
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare
from workbench.core.ops.strings import plain

_NAMES = "container: string = '', shared_name: string = '', use_node_name_sharing: bool = false"


def _resource(context: Any, make: Any, container: str, shared_name: str) -> Any:
    """The table of an operation in a session; one of another kind under its name is an error."""
    made = make()
    found = context.resource(lambda: made, container, shared_name)
    if getattr(found, "signature", None) != made.signature:
        raise invalid(
            f"There is a table of another type under the name {shared_name or context.name!r}"
        )
    return found


def _hash_table(
    *,
    container: str,
    shared_name: str,
    key_dtype: np.dtype[Any],
    value_dtype: np.dtype[Any],
    context: Any,
) -> Any:
    table = _resource(context, lambda: FixedTable(key_dtype, value_dtype), container, shared_name)
    if not table.is_initialized and context.session._initialises:
        # Where the user opened no session, tables fill themselves, as variables do.
        _initialize_by_itself(table, context)
    return table


def _initialize_by_itself(table: Any, context: Any) -> None:
    if getattr(table, "is_initializing", False):
        return
    table.is_initializing = True
    try:
        for consumer in context.operation.outputs[0].consumers():
            if consumer.type.startswith("InitializeTable"):
                context.session.run(consumer)
    finally:
        table.is_initializing = False


def _declare_both(type_name: str, inputs: str = "", outputs: str = "", **parts: Any) -> None:
    """Declares an operation with handles as references, and its second version with resources."""
    for suffix, handle in (("", "Ref(string)"), ("V2", "resource")):
        declare(
            f"{type_name}{suffix}",
            inputs=inputs.replace("HANDLE", handle),
            outputs=outputs.replace("HANDLE", handle),
            updates=0,
            stateful=True,
            **parts,
        )


def _handle_shape(op: Any) -> list[Any]:
    return [() if op.type.endswith("V2") else (2,)]


_declare_both(
    "HashTable",
    outputs="table_handle: HANDLE",
    attrs=f"{_NAMES}, key_dtype: type, value_dtype: type",
    shape=_handle_shape,
    kernel=_hash_table,
)


def _mutable_table(
    *,
    container: str,
    shared_name: str,
    key_dtype: np.dtype[Any],
    value_dtype: np.dtype[Any],
    context: Any,
) -> Any:
    return _resource(context, lambda: MutableTable(key_dtype, value_dtype), container, shared_name)


_declare_both(
    "MutableHashTable",
    outputs="table_handle: HANDLE",
    attrs=f"{_NAMES}, key_dtype: type, value_dtype: type",
    shape=_handle_shape,
    kernel=_mutable_table,
)


def _known(value_shape: Any) -> tuple[int, ...]:
    if value_shape is None or None in value_shape:
        raise invalid(f"value_shape must be known, got {value_shape}")
    return tuple(value_shape)


def _mutable_table_of_tensors(
    *,
    container: str,
    shared_name: str,
    key_dtype: np.dtype[Any],
    value_dtype: np.dtype[Any],
    value_shape: Any,
    context: Any,
) -> Any:
    if value_shape is not None and len(value_shape) != 1:
        raise invalid(f"Default value must be a vector, got shape {list(value_shape)}")
    return _resource(
        context,
        lambda: MutableTable(key_dtype, value_dtype, _known(value_shape)),
        container,
        shared_name,
    )


_declare_both(
    "MutableHashTableOfTensors",
    outputs="table_handle: HANDLE",
    attrs=f"{_NAMES}, key_dtype: type, value_dtype: type, value_shape: shape = []",
    shape=_handle_shape,
    kernel=_mutable_table_of_tensors,
)


def _dense_table(
    empty_key: Any,
    *,
    container: str,
    shared_name: str,
    key_dtype: np.dtype[Any],
    value_dtype: np.dtype[Any],
    value_shape: Any,
    initial_num_buckets: int,
    max_load_factor: float,
    context: Any,
) -> Any:
    if initial_num_buckets < 4 or not math.log2(initial_num_buckets).is_integer():
        raise invalid(
            f"Number of buckets must be at least 4 and a power of 2, got: {initial_num_buckets}"
        )
    if not 0 < max_load_factor < 1:
        raise invalid(f"max_load_factor must be between 0 and 1, got: {max_load_factor}")
    return _resource(
        context,
        lambda: DenseTable(
            key_dtype,
            value_dtype,
            _known(value_shape),
            empty_key,
            initial_num_buckets,
            max_load_factor,
        ),
        container,
        shared_name,
    )


_declare_both(
    "MutableDenseHashTable",
    inputs="empty_key: key_dtype",
    outputs="table_handle: HANDLE",
    attrs=f"{_NAMES}, key_dtype: type, value_dtype: type, value_shape: shape = [], "
    "initial_num_buckets: int = 131072, max_load_factor: float = 0.8",
    shape=_handle_shape,
    kernel=_dense_table,
)

# -- filling -------------------------------------------------------------------------------------


def _maker(op: Any) -> str:
    """The type, without its version, of the operation that made the table."""
    type_name: str = op.inputs[0].op.type
    return type_name.removesuffix("V2")


def _pair_shape(op: Any) -> list[Any]:
    keys, values = op.inputs[1].entries, op.inputs[2].entries
    made_by = _maker(op)
    if made_by == "HashTable":
        shape_rules.with_rank(keys, 1, "keys")
    if made_by in ("HashTable", "MutableHashTable"):
        merge_shapes(keys, values)
    return []


def _initialize(table_handle: Any, keys: Any, values: Any) -> None:
    table_handle.initialize(keys, values)


_declare_both(
    "InitializeTable",
    inputs="table_handle: HANDLE, keys: Tkey, values: Tval",
    attrs="Tkey: type, Tval: type",
    shape=_pair_shape,
    kernel=_initialize,
)


def _initialize_from_file(
    table_handle: Any,
    filename: Any,
    *,
    key_index: int,
    value_index: int,
    vocab_size: int,
    delimiter: Any,
) -> None:
    path = os.fsdecode(as_array(filename).item())
    separator = delimiter.encode() if isinstance(delimiter, str) else delimiter
    if len(separator) != 1:
        raise invalid(f"delimiter must be a single character, got {delimiter!r}")
    table: Table = table_handle
    keys, values = read_columns(
        read_bytes(path),
        path,
        (key_index, value_index),
        (table.key_dtype, table.value_dtype),
        vocab_size,
        separator,
    )
    table_handle.initialize(keys, values)


def _file_shape(op: Any) -> list[Any]:
    shape_rules.with_rank(op.inputs[1].entries, 0, "filename")
    return []


_declare_both(
    "InitializeTableFromTextFile",
    inputs="table_handle: HANDLE, filename: string",
    attrs="key_index: int >= -2, value_index: int >= -2, vocab_size: int >= -1 = -1, "
    "delimiter: string = '\\t'",
    shape=_file_shape,
    kernel=_initialize_from_file,
    expensive=True,
)


def _mutable(table: Any, what: str) -> Any:
    if not table.is_mutable:
        raise invalid(f"{what} needs a mutable table")
    return table


def _insert(table_handle: Any, keys: Any, values: Any) -> None:
    _mutable(table_handle, "To insert").insert(keys, values)


def _import(table_handle: Any, keys: Any, values: Any) -> None:
    _mutable(table_handle, "To import").replace(keys, values)


for _type_name, _kernel in (("LookupTableInsert", _insert), ("LookupTableImport", _import)):
    _declare_both(
        _type_name,
        inputs="table_handle: HANDLE, keys: Tin, values: Tout",
        attrs="Tin: type, Tout: type",
        shape=_pair_shape,
        kernel=_kernel,
    )

# -- reading -------------------------------------------------------------------------------------


def _find(table_handle: Any, keys: Any, default_value: Any) -> Any:
    return plain(table_handle.find(keys, default_value))


def _found_shape(op: Any) -> list[Any]:
    keys, default = op.inputs[1].entries, op.inputs[2].entries
    made_by = op.inputs[0].op
    if _maker(op) == "MutableDenseHashTable" and keys is not None:
        empty = made_by.inputs[0].entries
        keys = None if empty is None else keys[: len(keys) - len(empty)]
    if keys is None or default is None:
        return [None]
    return [(*keys, *default)]


_declare_both(
    "LookupTableFind",
    inputs="table_handle: HANDLE, keys: Tin, default_value: Tout",
    outputs="values: Tout",
    attrs="Tin: type, Tout: type",
    shape=_found_shape,
    kernel=_find,
)


def _size(table_handle: Any) -> np.int64:
    return np.int64(len(table_handle))


_declare_both(
    "LookupTableSize",
    inputs="table_handle: HANDLE",
    outputs="size: int64",
    shape=shape_rules.scalar,
    kernel=_size,
)


def _export(table_handle: Any, *, Tkeys: np.dtype[Any], Tvalues: np.dtype[Any]) -> tuple[Any, Any]:
    if (table_handle.key_dtype, table_handle.value_dtype) != (Tkeys, Tvalues):
        raise invalid("The types of the table's keys and values are others than those asked for")
    keys, values = table_handle.contents()
    return keys, values


def _exported_shape(op: Any) -> list[Any]:
    made_by = op.inputs[0].op
    if _maker(op) in ("HashTable", "MutableHashTable"):
        return [(None,), (None,)]
    value_shape = made_by.attrs.get("value_shape")
    values = None if value_shape is None else value_shape.entries
    keys = made_by.inputs[0].entries if _maker(op) == "MutableDenseHashTable" else ()
    return [None if each is None else (None, *each) for each in (keys, values)]


_declare_both(
    "LookupTableExport",
    inputs="table_handle: HANDLE",
    outputs="keys: Tkeys, values: Tvalues",
    attrs="Tkeys: type, Tvalues: type",
    shape=_exported_shape,
    kernel=_export,
)
