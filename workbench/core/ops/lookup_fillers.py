"""What fills tables: tensors and text files."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.context import get_default_graph, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import tables
from workbench.core.ops import lookup_ops as lookup_ops
from workbench.core.ops.creation import create


class TextFileIndex:
    """What stands in place of a column: the whole line, or its number."""

    WHOLE_LINE = tables.WHOLE_LINE
    LINE_NUMBER = tables.LINE_NUMBER


class TableInitializerBase:
    """What fills a table: it knows the types of keys and values."""

    def __init__(self, key_dtype: Any, value_dtype: Any) -> None:
        self._key_dtype = as_dtype(key_dtype)
        self._value_dtype = as_dtype(value_dtype)

    @property
    def key_dtype(self) -> DType:
        """The type of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        """The type of the values."""
        return self._value_dtype

    def initialize(self, table: Any) -> Operation:
        """The operation that fills `table`."""
        raise NotImplementedError

    def _check(self, table: Any) -> None:
        for what, own, others in (
            ("key", self._key_dtype, table.key_dtype),
            ("value", self._value_dtype, table.value_dtype),
        ):
            if own is not others:
                raise TypeError(f"Invalid {what} dtype, expected {others.name} but got {own.name}.")


#: What numbers of lines and whole lines can be.
_COLUMN_TYPES: dict[tuple[str, int], tuple[DType, ...]] = {
    ("Keys", TextFileIndex.LINE_NUMBER): (dtypes.int64,),
    ("Values", TextFileIndex.LINE_NUMBER): (dtypes.int64,),
    ("Keys", TextFileIndex.WHOLE_LINE): (dtypes.string, dtypes.int64, dtypes.int32),
    ("Values", TextFileIndex.WHOLE_LINE): (dtypes.string,),
}


def _collect(op: Operation) -> Operation:
    get_default_graph().add_to_collection(GraphKeys.TABLE_INITIALIZERS, op)
    return op


class KeyValueTensorInitializer(TableInitializerBase):
    """Fills a table with the keys of one tensor and the values of another."""

    def __init__(
        self,
        keys: Any,
        values: Any,
        key_dtype: Any = None,
        value_dtype: Any = None,
        name: str | None = None,
    ) -> None:
        with name_scope(name, "key_value_init", [keys, values]) as scope:
            self._keys = convert_to_tensor(keys, dtype=key_dtype, name="keys")
            self._values = convert_to_tensor(values, dtype=value_dtype, name="values")
            self._name = scope
        super().__init__(self._keys.dtype.base_dtype, self._values.dtype.base_dtype)

    def initialize(self, table: Any) -> Operation:
        """The operation that fills `table`; TypeError where its types are others."""
        self._check(table)
        with name_scope(self._name, values=[table.table_ref, self._keys]) as scope:
            return _collect(
                create(
                    "InitializeTableV2",
                    scope,
                    table_handle=table.table_ref,
                    keys=self._keys,
                    values=self._values,
                )
            )


class TextFileInitializer(TableInitializerBase):
    """Fills a table from a text file, one pair in a line.

    Args:
      filename: the file; a tensor may be fed.
      key_dtype: the type of the keys.
      key_index: the column of the keys, or `TextFileIndex.WHOLE_LINE` (strings) or
        `TextFileIndex.LINE_NUMBER` (int64, from 0).
      value_dtype: the type of the values.
      value_index: the column of the values, likewise.
      vocab_size: how many lines to read; all where it is None.
      delimiter: what separates the columns.
      name: the name of the operation.

    Raises:
      ValueError: there is no file name, or a type does not go with a column.
    """

    def __init__(
        self,
        filename: Any,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = None,
    ) -> None:
        if not isinstance(filename, Tensor) and not filename:
            raise ValueError("Filename required")
        super().__init__(key_dtype, value_dtype)
        for what, index, dtype in (
            ("Keys", key_index, self._key_dtype),
            ("Values", value_index, self._value_dtype),
        ):
            if index < TextFileIndex.WHOLE_LINE:
                raise ValueError(f"Invalid index of the column of {what.lower()}: {index}")
            wanted = _COLUMN_TYPES.get((what, index))
            if wanted is not None and dtype not in wanted:
                names = " or ".join(each.name for each in wanted)
                raise ValueError(
                    f"Signature mismatch. {what} must be dtype {names}, got {dtype.name}."
                )
        if vocab_size is not None and vocab_size <= 0:
            raise ValueError(f"Invalid vocab_size {vocab_size}.")
        self._filename = filename
        self._columns = {"key_index": key_index, "value_index": value_index}
        self._vocab_size = -1 if vocab_size is None else vocab_size
        self._delimiter = delimiter
        self._name = name

    def initialize(self, table: Any) -> Operation:
        """The operation that fills `table`; TypeError where its types are others."""
        self._check(table)
        with name_scope(self._name, "text_file_init", [table.table_ref]) as scope:
            filename = convert_to_tensor(self._filename, dtypes.string, name="asset_filepath")
            op = create(
                "InitializeTableFromTextFileV2",
                scope,
                table_handle=table.table_ref,
                filename=filename,
                vocab_size=self._vocab_size,
                delimiter=self._delimiter,
                **self._columns,
            )
        if filename.op.type == "Const":
            get_default_graph().add_to_collection(GraphKeys.ASSET_FILEPATHS, filename)
        return _collect(op)


class TextFileStringTableInitializer(TextFileInitializer):
    """Fills a table from numbers of lines to strings."""

    def __init__(
        self,
        filename: Any,
        key_column_index: int = TextFileIndex.LINE_NUMBER,
        value_column_index: int = TextFileIndex.WHOLE_LINE,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str = "text_file_string_table_init",
    ) -> None:
        super().__init__(
            filename,
            dtypes.int64,
            key_column_index,
            dtypes.string,
            value_column_index,
            vocab_size,
            delimiter,
            name,
        )


class TextFileIdTableInitializer(TextFileInitializer):
    """Fills a table from strings (or numbers) to numbers of lines."""

    def __init__(
        self,
        filename: Any,
        key_column_index: int = TextFileIndex.WHOLE_LINE,
        value_column_index: int = TextFileIndex.LINE_NUMBER,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str = "text_file_id_table_init",
        key_dtype: Any = dtypes.string,
    ) -> None:
        super().__init__(
            filename,
            key_dtype,
            key_column_index,
            dtypes.int64,
            value_column_index,
            vocab_size,
            delimiter,
            name,
        )
