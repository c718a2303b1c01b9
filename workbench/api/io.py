"""`tf.io`: what TensorFlow 1.12 and later call readers, parsers and files, too."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench": """
        FixedLenFeature FixedLenSequenceFeature PaddingFIFOQueue PriorityQueue QueueBase
        RandomShuffleQueue SparseFeature VarLenFeature decode_base64 decode_csv decode_json_example
        decode_raw deserialize_many_sparse encode_base64 matching_files parse_example
        parse_single_example parse_single_sequence_example parse_tensor read_file
        serialize_many_sparse serialize_sparse serialize_tensor write_file
        """,
    "workbench.core.platform.python_io": """
        TFRecordCompressionType TFRecordOptions TFRecordWriter tf_record_iterator
        """,
    "workbench.api.image": """
        decode_and_crop_jpeg decode_bmp decode_gif decode_image decode_jpeg decode_png encode_jpeg
        encode_png extract_jpeg_shape
        """,
    "workbench.train": "match_filenames_once write_graph",
}
_get, __dir__, __all__ = namespace(__name__, NAMES, {"gfile": "workbench.api.io_gfile"})


def __getattr__(name: str) -> Any:
    return _get(name)
