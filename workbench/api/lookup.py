"""Tables, under the names that `tf.contrib.lookup` gives them."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.lookup": """
        HashTable InitializableLookupTableBase LookupInterface initialize_all_tables
        tables_initializer
        """,
    "workbench.core.ops.lookup_fillers": """
        KeyValueTensorInitializer TableInitializerBase TextFileIdTableInitializer TextFileIndex
        TextFileInitializer TextFileStringTableInitializer
        """,
    "workbench.core.ops.lookup_index": """
        FastHashSpec HasherSpec IdTableWithHashBuckets StrongHashSpec index_table_from_file
        index_table_from_tensor index_to_string index_to_string_table_from_file
        index_to_string_table_from_tensor string_to_index
        """,
    "workbench.core.ops.mutable_lookup": "MutableDenseHashTable MutableHashTable",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
