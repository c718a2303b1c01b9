"""`tf.contrib.lookup`: tables from keys to values."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.lookup": "LookupInterface InitializableLookupTableBase HashTable",
    "workbench.core.ops.mutable_lookup": "MutableHashTable MutableDenseHashTable",
    "workbench.core.ops.lookup_fillers": """
        TextFileIndex TableInitializerBase KeyValueTensorInitializer TextFileInitializer
        TextFileStringTableInitializer TextFileIdTableInitializer
        """,
    "workbench.core.ops.lookup_index": """
        FastHashSpec HasherSpec StrongHashSpec IdTableWithHashBuckets index_table_from_file
        index_table_from_tensor index_to_string_table_from_file
        index_to_string_table_from_tensor string_to_index index_to_string
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
