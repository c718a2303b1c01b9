"""Hash tables whose keys come and change in the course of a run."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import get_default_graph, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import lookup_ops as lookup_ops
from workbench.core.ops.control import no_op
from workbench.core.ops.creation import call, create
from workbench.core.ops.lookup import LookupInterface, keys_of, like_keys, values_of
from workbench.core.ops.saveable import SaveableObject, SaveSpec


class _MutableTable(LookupInterface):
    """What both mutable tables share."""

    def __init__(
        self, key_dtype: Any, value_dtype: Any, default_value: Tensor, table_ref: Tensor
    ) -> None:
        super().__init__(key_dtype, value_dtype, table_ref.op.name.split("/")[-1])
        self._default_value = default_value
        self._table_ref = table_ref

    def _save_with(self, checkpoint: bool) -> None:
        if checkpoint:
            saveable = _Saveable(self, self._table_ref.op.name)
            get_default_graph().add_to_collection(GraphKeys.SAVEABLE_OBJECTS, saveable)

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
        """An operation that does nothing: the table starts empty."""
        return no_op()

    def size(self, name: str | None = None) -> Tensor:
        """How many keys there are, int64."""
        with name_scope(name, f"{self._name}_Size", [self._table_ref]) as scope:
            return call("LookupTableSizeV2", scope, table_handle=self._table_ref)

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of the keys, a tensor or a SparseTensor; the default for unknown keys."""
        with name_scope(name, f"{self._name}_lookup_table_find", [self._table_ref]) as scope:
            keys, tensor = keys_of(self, keys)
            values = call(
                "LookupTableFindV2",
                scope,
                table_handle=self._table_ref,
                keys=tensor,
                default_value=self._default_value,
            )
        return like_keys(keys, values)

    def insert(self, keys: Any, values: Any, name: str | None = None) -> Operation:
        """An operation that adds keys, or gives them new values."""
        with name_scope(name, f"{self._name}_lookup_table_insert", [self._table_ref]) as scope:
            _, tensor = keys_of(self, keys)
            return create(
                "LookupTableInsertV2",
                scope,
                table_handle=self._table_ref,
                keys=tensor,
                values=values_of(self, values),
            )

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys and their values."""
        title = f"{self._name}_lookup_table_export_values"
        with name_scope(name, title, [self._table_ref]) as scope:
            op = create(
                "LookupTableExportV2",
                scope,
                table_handle=self._table_ref,
                Tkeys=self._key_dtype,
                Tvalues=self._value_dtype,
            )
        return op.outputs[0], op.outputs[1]


class _Saveable(SaveableObject):
    """A table as a checkpoint holds it: its keys and its values."""

    def __init__(self, table: _MutableTable, name: str) -> None:
        keys, values = table.export()
        specs = [SaveSpec(keys, "", name + "-keys"), SaveSpec(values, "", name + "-values")]
        super().__init__(table, specs, name)

    def restore(self, restored_tensors: Any, restored_shapes: Any) -> Operation:
        keys, values = restored_tensors
        return create(
            "LookupTableImportV2", None, table_handle=self.op.table_ref, keys=keys, values=values
        )


class MutableHashTable(_MutableTable):
    """A table from keys to values that grows and changes in a run.

    Args:
      key_dtype: the type of the keys.
      value_dtype: the type of the values.
      default_value: the value of keys that are not in it; its shape is that of all values.
      shared_name: tables of one name in a session are one table.
      name: the name of the operation.
      checkpoint: whether a `Saver` of the whole graph saves it.

    >>> import workbench as tf
    >>> from workbench.core.ops.mutable_lookup import MutableHashTable
    >>> with tf.Graph().as_default(), tf.Session() as session:
    ...     table = MutableHashTable(tf.string, tf.int64, -1)
    ...     session.run(table.insert(["a", "b"], [1, 2]))
    ...     session.run(table.lookup(["b", "c"])).tolist()
    [2, -1]
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        shared_name: str | None = None,
        name: str = "MutableHashTable",
        checkpoint: bool = True,
    ) -> None:
        default = convert_to_tensor(default_value, dtype=value_dtype)
        arguments: dict[str, Any] = {
            "shared_name": shared_name,
            "use_node_name_sharing": checkpoint and shared_name is None,
            "key_dtype": key_dtype,
            "value_dtype": value_dtype,
        }
        if default.shape.ndims == 0:
            table_ref = call("MutableHashTableV2", name, **arguments)
        else:
            table_ref = call(
                "MutableHashTableOfTensorsV2", name, value_shape=default.shape, **arguments
            )
        super().__init__(key_dtype, value_dtype, default, table_ref)
        self._save_with(checkpoint)


class MutableDenseHashTable(_MutableTable):
    """A mutable table with a key, `empty_key`, that may not be used.

    Its keys and values may be tensors of the shapes of `empty_key` and `default_value`; see
    `MutableHashTable` for the rest. `initial_num_buckets` must be a power of two.
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        empty_key: Any,
        initial_num_buckets: int | None = None,
        shared_name: str | None = None,
        name: str = "MutableDenseHashTable",
        checkpoint: bool = True,
    ) -> None:
        default = convert_to_tensor(default_value, dtype=value_dtype, name="default_value")
        key = convert_to_tensor(empty_key, dtype=key_dtype, name="empty_key")
        table_ref = call(
            "MutableDenseHashTableV2",
            name,
            empty_key=key,
            shared_name=shared_name,
            use_node_name_sharing=checkpoint and shared_name is None,
            value_dtype=value_dtype,
            value_shape=default.shape,
            initial_num_buckets=initial_num_buckets,
        )
        super().__init__(key_dtype, value_dtype, default, table_ref)
        self._save_with(checkpoint)
