"""Tables between strings and their numbers in a vocabulary."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from workbench.core.graph import dtypes
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.constant import constant
from workbench.core.ops.control import no_op
from workbench.core.ops.lookup import HashTable, LookupInterface, keys_of, like_keys
from workbench.core.ops.lookup_fillers import (
    KeyValueTensorInitializer,
    TextFileIdTableInitializer,
    TextFileIndex,
    TextFileStringTableInitializer,
)
from workbench.core.ops.string_conversion import as_string
from workbench.core.ops.string_hashing import (
    string_to_hash_bucket_fast,
    string_to_hash_bucket_strong,
)


class HasherSpec(NamedTuple):
    """Which hash puts unknown strings into buckets, and its key."""

    hasher: str
    key: Any


FastHashSpec = HasherSpec("fasthash", None)


def StrongHashSpec(key: Any) -> HasherSpec:
    """A hash with a key of two numbers, against strings made to fall into one bucket.

    Raises:
      ValueError: there are not two numbers.
      TypeError: they are no integers from 0 on.
    """
    if len(key) != 2:
        raise ValueError(f"key must have size 2, got {key}.")
    if not all(isinstance(part, int) and part >= 0 for part in key):
        raise TypeError(f"Invalid key {key}. Must be unsigned integer values.")
    return HasherSpec("stronghash", key)


class IdTableWithHashBuckets(LookupInterface):
    """A table of numbers that gives keys it does not know the numbers after its own.

    Args:
      table: a table from strings or int64 to int64, or None: then all keys go to buckets.
      num_oov_buckets: how many buckets there are for unknown keys.
      hasher_spec: how unknown keys are put into buckets.
      name: the name of lookups.
      key_dtype: the type of the keys, strings or integers.

    Raises:
      TypeError: the types do not go together.
      ValueError: there is neither a table nor a bucket.
    """

    def __init__(
        self,
        table: Any,
        num_oov_buckets: int,
        hasher_spec: Any = FastHashSpec,
        name: str | None = None,
        key_dtype: Any = None,
    ) -> None:
        chosen = None if key_dtype is None else as_dtype(key_dtype)
        if table is not None:
            chosen = chosen or table.key_dtype
            if table.key_dtype not in (dtypes.int64, dtypes.string):
                raise TypeError(
                    "Invalid key dtype, expected one of (int64, string), but got "
                    f"{table.key_dtype.name}."
                )
            if table.key_dtype.is_integer != chosen.is_integer:
                kind = "integer" if chosen.is_integer else "non-integer"
                raise TypeError(
                    f"Invalid key dtype, expected {kind} but got {table.key_dtype.name}."
                )
            if table.value_dtype is not dtypes.int64:
                raise TypeError(
                    f"Invalid value dtype, expected int64 but got {table.value_dtype.name}."
                )
            name = name or table.name
        else:
            if num_oov_buckets <= 0:
                raise ValueError("oov_buckets must be > 0 if no table is supplied.")
            chosen = chosen or dtypes.string
            name = name or "hash_bucket"
        if not chosen.is_integer and chosen is not dtypes.string:
            raise TypeError(f"Invalid key_dtype, expected integer or string, got {chosen.name}.")
        if not isinstance(hasher_spec, HasherSpec):
            raise TypeError(f"hasher_spec must be of type HasherSpec, got {hasher_spec!r}")
        super().__init__(chosen, dtypes.int64, name.rstrip("/").split("/")[-1])
        self._table = table
        self._num_oov_buckets = num_oov_buckets
        self._hasher_spec = hasher_spec

    @property
    def table_ref(self) -> Tensor | None:
        """The handle of the table of known keys; None where all keys go to buckets."""
        return None if self._table is None else self._table.table_ref

    @property
    def init(self) -> Operation:
        """The operation that fills the table."""
        if self._table is None:
            return no_op("init")
        found: Operation = self._table.init
        return found

    def size(self, name: str | None = None) -> Tensor:
        """How many numbers there are: those of the table and those of the buckets."""
        with name_scope(name, f"{self._name}_Size"):
            own = constant(0, dtypes.int64) if self._table is None else self._table.size()
            total: Tensor = own + self._num_oov_buckets
            return total

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The number of each key; unknown keys get the number of a bucket."""
        keys, tensor = keys_of(self, keys)
        numbers = tensor
        if self._table is not None and self._table.key_dtype is dtypes.int64:
            numbers = api.to_int64(tensor)
        if self._num_oov_buckets == 0:
            return like_keys(keys, self._table.lookup(numbers, name=name))
        with name_scope(name, f"{self._name}_Lookup") as scope:
            texts = tensor if tensor.dtype is dtypes.string else as_string(tensor)
            bucket_of = _bucket_function(self._hasher_spec)
            buckets = bucket_of(texts, num_buckets=self._num_oov_buckets, name="hash_bucket")
            if self._table is None:
                return like_keys(keys, buckets)
            ids = self._table.lookup(numbers)
            is_known = api.not_equal(ids, self._table.default_value)
            ids = api.where(is_known, ids, api.add(buckets, self._table.size()), name=scope)
        return like_keys(keys, ids)


def _bucket_function(spec: HasherSpec) -> Callable[..., Tensor]:
    if spec.hasher == "fasthash":
        return string_to_hash_bucket_fast
    if spec.hasher == "stronghash":
        return functools.partial(string_to_hash_bucket_strong, key=spec.key)
    raise ValueError(f"Unknown hasher {spec.hasher}: the hashers are fasthash and stronghash")


def _check_buckets(num_oov_buckets: int) -> None:
    if num_oov_buckets < 0:
        raise ValueError(f"num_oov_buckets must be greater or equal than 0, got {num_oov_buckets}.")


def _check_file(vocabulary_file: Any, vocab_size: int | None) -> None:
    if not isinstance(vocabulary_file, Tensor) and not vocabulary_file:
        raise ValueError("vocabulary_file must be specified and must not be empty.")
    if vocab_size is not None and vocab_size < 1:
        raise ValueError(
            f"vocab_size must be greater than 0, got {vocab_size}. "
            f"vocabulary_file: {vocabulary_file}"
        )


def _listed(vocabulary_list: Any, mapping: Any) -> Any:
    """The keys under either of their names."""
    given = mapping if vocabulary_list is None else vocabulary_list
    if given is None:
        raise ValueError(
            "vocabulary_list must be specified. (In contrib.lookup: mapping must be specified.)"
        )
    return given


def _check_key_type(dtype: Any) -> Any:
    chosen = as_dtype(dtype).base_dtype
    if not chosen.is_integer and chosen is not dtypes.string:
        raise TypeError("Only integer and string keys are supported.")
    return chosen


def index_table_from_file(
    vocabulary_file: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    key_dtype: Any = dtypes.string,
    name: str | None = None,
    key_column_index: int = TextFileIndex.WHOLE_LINE,
    value_column_index: int = TextFileIndex.LINE_NUMBER,
    delimiter: str = "\t",
) -> LookupInterface:
    """A table from the lines of a file to their numbers, or between its columns.

    Args:
      vocabulary_file: the file, one key in a line.
      num_oov_buckets: how many numbers after its own unknown keys get; `default_value` for 0.
      vocab_size: how many lines to read; all where it is None.
      default_value: the number of unknown keys.
      hasher_spec: how unknown keys are put into buckets.
      key_dtype: the type of the keys, strings or integers.
      name: the scope of the operations.
      key_column_index: the column of the keys, or a constant of `TextFileIndex`.
      value_column_index: the column of the values, int64, likewise.
      delimiter: what separates the columns.

    Raises:
      ValueError: the file's name is missing, or a count is wrong.
      TypeError: `key_dtype` is neither strings nor integers.
    """
    _check_file(vocabulary_file, vocab_size)
    _check_buckets(num_oov_buckets)
    dtype = _check_key_type(key_dtype)
    with name_scope(name, "string_to_index") as scope:
        with name_scope(None, "hash_table") as table_scope:
            own = dtypes.int64 if dtype.is_integer else dtype
            filler = TextFileIdTableInitializer(
                vocabulary_file,
                key_column_index,
                value_column_index,
                vocab_size=vocab_size,
                delimiter=delimiter,
                name="table_init",
                key_dtype=own,
            )
            shared = _shared_name(vocabulary_file, vocab_size, key_column_index, value_column_index)
            table = HashTable(filler, default_value, shared_name=shared, name=table_scope)
        if num_oov_buckets or dtype is not own:
            return IdTableWithHashBuckets(table, num_oov_buckets, hasher_spec, scope, dtype)
        return table


def _shared_name(file: Any, size: int | None, key_column: int, value_column: int) -> str:
    """Tables of one file are one table in a session."""
    if isinstance(file, Tensor):
        return ""
    sizes = "" if size is None else f"_{size}"
    return f"hash_table_{file}{sizes}_{key_column}_{value_column}"


def index_table_from_tensor(
    vocabulary_list: Any = None,
    num_oov_buckets: int = 0,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    dtype: Any = dtypes.string,
    name: str | None = None,
    mapping: Any = None,
) -> LookupInterface:
    """A table from the elements of a vector to their positions.

    Args:
      vocabulary_list: the keys; `mapping` is its other name.
      num_oov_buckets: how many numbers after its own unknown keys get; `default_value` for 0.
      default_value: the number of unknown keys.
      hasher_spec: how unknown keys are put into buckets.
      dtype: the type of the keys, strings or integers.
      name: the scope of the operations.

    Raises:
      ValueError: there are no keys, they are of another type, or a count is wrong.
      TypeError: `dtype` is neither strings nor integers.

    >>> import workbench as tf
    >>> from workbench.core.ops.lookup_index import index_table_from_tensor
    >>> with tf.Graph().as_default(), tf.Session() as session:
    ...     table = index_table_from_tensor(["emerson", "lake", "palmer"], num_oov_buckets=1)
    ...     session.run(tf.tables_initializer())
    ...     session.run(table.lookup(["palmer", "lake", "king"])).tolist()
    [2, 1, 3]
    """
    given = _listed(vocabulary_list, mapping)
    _check_buckets(num_oov_buckets)
    key_dtype = _check_key_type(dtype)
    with name_scope(name, "string_to_index") as scope:
        keys = convert_to_tensor(given, name="vocabulary_list")
        if keys.dtype.is_integer != key_dtype.is_integer:
            kind = "integer" if key_dtype.is_integer else "non-integer"
            raise ValueError(f"Expected {kind}, got {keys.dtype.name}.")
        values = api.to_int64(api.range(api.size(keys)))
        with name_scope(None, "hash_table") as table_scope:
            own = api.to_int64(keys) if keys.dtype.is_integer else keys
            filler = KeyValueTensorInitializer(own, values, name="table_init")
            table = HashTable(filler, default_value, name=table_scope)
        if num_oov_buckets or key_dtype is not own.dtype:
            return IdTableWithHashBuckets(table, num_oov_buckets, hasher_spec, scope, key_dtype)
        return table


def index_to_string_table_from_file(
    vocabulary_file: Any,
    vocab_size: int | None = None,
    default_value: Any = "UNK",
    name: str | None = None,
    key_column_index: int = TextFileIndex.LINE_NUMBER,
    value_column_index: int = TextFileIndex.WHOLE_LINE,
    delimiter: str = "\t",
) -> HashTable:
    """A table from the numbers of lines to the lines of a file; `default_value` for others.

    Keys and values may come from columns, see `index_table_from_file`: keys int64, values strings.
    """
    _check_file(vocabulary_file, vocab_size)
    with name_scope(name, "index_to_string") as scope:
        filler = TextFileStringTableInitializer(
            vocabulary_file,
            key_column_index,
            value_column_index,
            vocab_size=vocab_size,
            delimiter=delimiter,
            name="table_init",
        )
        shared = _shared_name(vocabulary_file, vocab_size, key_column_index, value_column_index)
        return HashTable(filler, default_value, shared_name=shared, name=scope)


def index_to_string_table_from_tensor(
    vocabulary_list: Any = None,
    default_value: Any = "UNK",
    name: str | None = None,
    mapping: Any = None,
) -> HashTable:
    """A table from positions to the strings of a vector; `default_value` for other positions."""
    given = _listed(vocabulary_list, mapping)
    with name_scope(name, "index_to_string") as scope:
        values = convert_to_tensor(given, dtypes.string, name="vocabulary_list")
        keys = api.to_int64(api.range(api.size(values)))
        filler = KeyValueTensorInitializer(keys, values, name="table_init")
        return HashTable(filler, default_value, name=scope)


def string_to_index(
    tensor: Any, mapping: Any, default_value: int = -1, name: str | None = None
) -> Any:
    """The positions of strings in the vector `mapping`; `default_value` for unknown ones."""
    return index_table_from_tensor(mapping, default_value=default_value, name=name).lookup(tensor)


def index_to_string(
    tensor: Any, mapping: Any, default_value: Any = "UNK", name: str | None = None
) -> Any:
    """The strings at positions of the vector `mapping`; `default_value` for other positions."""
    return index_to_string_table_from_tensor(mapping, default_value, name).lookup(tensor)
