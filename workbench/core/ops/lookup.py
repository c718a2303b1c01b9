"""Hash tables that are filled once: `tf.contrib.lookup.HashTable` and what fills it."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import get_default_graph, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import lookup_ops as lookup_ops
from workbench.core.ops.control import group, no_op
from workbench.core.ops.creation import call, create


def tables_initializer(name: str = "init_all_tables") -> Operation:
    """An operation that fills all tables of the default graph.

    >>> import workbench as tf
    >>> tf.tables_initializer().run()
    """
    found = get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS)
    return group(*found, name=name) if found else no_op(name)


def initialize_all_tables(name: str = "init_all_tables") -> Operation:
    """The old name of `tables_initializer`."""
    return tables_initializer(name)


class LookupInterface:
    """What all tables have in common: the types of their keys and values, and a name."""

    def __init__(self, key_dtype: Any, value_dtype: Any, name: str) -> None:
        self._key_dtype = as_dtype(key_dtype)
        self._value_dtype = as_dtype(value_dtype)
        self._name = name

    @property
    def key_dtype(self) -> DType:
        """The type of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        """The type of the values."""
        return self._value_dtype

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def init(self) -> Operation:
        """The operation that fills the table."""
        raise NotImplementedError

    @property
    def initializer(self) -> Operation:
        """The operation that fills the table."""
        return self.init

    def size(self, name: str | None = None) -> Tensor:
        """How many keys there are, int64."""
        raise NotImplementedError

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of the keys."""
        raise NotImplementedError


def keys_of(table: LookupInterface, keys: Any) -> tuple[Any, Tensor]:
    """The keys and their tensor (the values of a sparse one); TypeError for another type."""
    if not isinstance(keys, SparseTensor):
        dtype = None if isinstance(keys, Tensor) else table.key_dtype
        keys = convert_to_tensor(keys, dtype, name="keys")
    if keys.dtype.base_dtype is not table.key_dtype:
        raise TypeError(
            f"Signature mismatch. Keys must be dtype {table.key_dtype.name}, got "
            f"{keys.dtype.base_dtype.name}."
        )
    return keys, keys.values if isinstance(keys, SparseTensor) else keys


def values_of(table: LookupInterface, values: Any) -> Tensor:
    """The tensor of the values; TypeError for another type."""
    dtype = None if isinstance(values, Tensor) else table.value_dtype
    tensor = convert_to_tensor(values, dtype, name="values")
    if tensor.dtype.base_dtype is not table.value_dtype:
        raise TypeError(
            f"Signature mismatch. Values must be dtype {table.value_dtype.name}, got "
            f"{tensor.dtype.base_dtype.name}."
        )
    return tensor


def like_keys(keys: Any, values: Tensor) -> Any:
    """The values in the positions of the keys, where those are sparse."""
    if isinstance(keys, SparseTensor):
        return SparseTensor(keys.indices, values, keys.dense_shape)
    return values


class InitializableLookupTableBase(LookupInterface):
    """A table of a session that an initializer fills."""

    def __init__(self, table_ref: Tensor, default_value: Any, initializer: Any) -> None:
        name = table_ref.op.name.split("/")[-1]
        super().__init__(initializer.key_dtype, initializer.value_dtype, name)
        self._table_ref = table_ref
        default = convert_to_tensor(default_value, dtype=self._value_dtype, name="default_value")
        default.shape.assert_has_rank(0)
        self._default_value = default
        self._init = initializer.initialize(self)

    @property
    def table_ref(self) -> Tensor:
        """The tensor that stands for the table."""
        return self._table_ref

    @property
    def graph(self) -> Any:
        """The graph that holds the table."""
        return self._table_ref.graph

    @property
    def default_value(self) -> Tensor:
        """The value of keys that are not in the table."""
        return self._default_value

    @property
    def init(self) -> Operation:
        """The operation that fills the table."""
        found: Operation = self._init
        return found

    def size(self, name: str | None = None) -> Tensor:
        """How many keys there are, int64."""
        with (
            name_scope(name, f"{self._name}_Size", [self._table_ref]) as scope,
            get_default_graph().colocate_with(self._table_ref),
        ):
            return call("LookupTableSizeV2", scope, table_handle=self._table_ref)

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of the keys, a tensor or a SparseTensor; the default for unknown keys.

        Raises TypeError where the keys are of another type, and FailedPreconditionError in a run
        before the table is filled.
        """
        with name_scope(name, f"{self._name}_Lookup", [self._table_ref]) as scope:
            keys, tensor = keys_of(self, keys)
            values = call(
                "LookupTableFindV2",
                scope,
                table_handle=self._table_ref,
                keys=tensor,
                default_value=self._default_value,
            )
        return like_keys(keys, values)


class HashTable(InitializableLookupTableBase):
    """A table from keys to values that is filled once.

    Args:
      initializer: what fills it, such as a `KeyValueTensorInitializer`.
      default_value: the value of keys that are not in it.
      shared_name: tables of one name in a session are one table.
      name: the name of the operation.

    >>> import workbench as tf
    >>> from workbench.api.lookup import HashTable, KeyValueTensorInitializer
    >>> with tf.Graph().as_default(), tf.Session() as session:
    ...     ages = HashTable(KeyValueTensorInitializer(["ann", "bob"], [30, 40]), -1)
    ...     session.run(tf.tables_initializer())
    ...     session.run(ages.lookup(["bob", "eve"])).tolist()
    [40, -1]
    """

    def __init__(
        self,
        initializer: Any,
        default_value: Any,
        shared_name: str | None = None,
        name: str | None = None,
    ) -> None:
        with name_scope(name, "hash_table", [default_value]) as scope:
            table_ref = call(
                "HashTableV2",
                scope,
                shared_name=shared_name,
                key_dtype=initializer.key_dtype,
                value_dtype=initializer.value_dtype,
            )
            super().__init__(table_ref, default_value, initializer)

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys and their values."""
        with name_scope(name, f"{self._name}_Export", [self._table_ref]) as scope:
            keys, values = create(
                "LookupTableExportV2",
                scope,
                table_handle=self._table_ref,
                Tkeys=self._key_dtype,
                Tvalues=self._value_dtype,
            ).outputs
        return keys, values
