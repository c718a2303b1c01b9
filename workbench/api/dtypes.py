"""`tf.dtypes`: what TensorFlow 1.12 and later call types of elements, too."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench": """
        DType QUANTIZED_DTYPES as_dtype as_string bfloat16 bool cast complex complex128 complex64
        double float16 float32 float64 half int16 int32 int64 int8 qint16 qint32 qint8 quint16
        quint8 resource saturate_cast string uint16 uint32 uint64 uint8 variant
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
