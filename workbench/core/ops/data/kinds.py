"""The kinds of datasets that there are: what definitions call them."""

from __future__ import annotations

from workbench.core.ops.data import (
    batches,
    combinations,
    files,
    functions,
    orders,
    parallel,
    rows,
    sources,
    windows,
)
from workbench.core.ops.data.dataset import Dataset

#: The classes by their names, which are those of TensorFlow's operations. What a Python generator
#: yields has none: it stays where it is.
KINDS: dict[str, type[Dataset]] = {
    "BatchDataset": batches.Batched,
    "CacheDataset": orders.Cached,
    "ConcatenateDataset": combinations.Concatenated,
    "DenseToSparseBatchDataset": rows.SparseBatched,
    "FilterDataset": functions.Filtered,
    "FixedLengthRecordDataset": files.FixedLengthRecordDataset,
    "GroupByWindowDataset": windows.Grouped,
    "IgnoreErrorsDataset": rows.SoundElements,
    "InterleaveDataset": functions.Interleaved,
    "MapDataset": functions.Mapped,
    "MatchingFilesDataset": sources.Files,
    "PaddedBatchDataset": batches.Padded,
    "ParallelInterleaveDataset": parallel.ParallelInterleaved,
    "PrefetchDataset": orders.Prefetched,
    "RangeDataset": sources.Range,
    "RepeatDataset": orders.Repeated,
    "ScanDataset": windows.Scanned,
    "ShardDataset": orders.Sharded,
    "ShuffleDataset": orders.Shuffled,
    "SkipDataset": orders.Skipped,
    "SparseTensorSliceDataset": sources.SparseTensorSlices,
    "TFRecordDataset": files.TFRecordDataset,
    "TakeDataset": orders.Taken,
    "TensorDataset": sources.Tensors,
    "TensorSliceDataset": sources.TensorSlices,
    "TextLineDataset": files.TextLineDataset,
    "UnbatchDataset": rows.Unbatched,
    "WindowDataset": windows.Window,
    "ZipDataset": combinations.Zipped,
}
