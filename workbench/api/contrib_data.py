"""`tf.contrib.data`: datasets, and functions for `Dataset.apply`."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

_get, __dir__, __all__ = namespace(
    __name__,
    {
        "workbench.core.ops.data.dataset": "Dataset",
        "workbench.core.ops.data.files": "FixedLengthRecordDataset TFRecordDataset TextLineDataset",
        "workbench.core.ops.data.iterators": "Iterator",
        "workbench.core.ops.data.transformations": """
            Counter batch_and_drop_remainder dense_to_sparse_batch enumerate_dataset
            group_by_window ignore_errors map_and_batch padded_batch_and_drop_remainder
            parallel_interleave read_batch_features rejection_resample scan shuffle_and_repeat
            sloppy_interleave unbatch
            """,
        "workbench.core.ops.parsing.examples": "parse_single_example",
    },
)


def __getattr__(name: str) -> Any:
    return _get(name)
