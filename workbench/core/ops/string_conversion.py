"""Strings to numbers and bytes, and back."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import text
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.strings import on_strings


def _raw_shape(op: Any) -> list[Any]:
    entries = op.inputs[0].entries
    return [None if entries is None else (*entries, None)]


declare(
    "AsString",
    inputs="input: T",
    outputs="output: string",
    attrs="T: {number, bool}, precision: int = -1, scientific: bool = false, "
    "shortest: bool = false, width: int = -1, fill: string = ''",
    shape=shape_rules.first,
    kernel=on_strings(text.as_string),
    samples=[
        sample([3, -2], want=[b"3", b"-2"]),
        sample([3.1415926, 2.71828], precision=2, want=[b"3.14", b"2.72"]),
        sample(True, want=b"true"),
    ],
)
declare(
    "StringToNumber",
    inputs="string_tensor: string",
    outputs="output: out_type",
    attrs="out_type: {float, double, int32, int64} = DT_FLOAT",
    shape=shape_rules.first,
    kernel=on_strings(text.string_to_number),
    samples=[
        sample([b"1.5", b"-3e2"], want=[1.5, -300.0]),
        sample(b"-7", out_type=dtypes.int64, want=-7),
    ],
)
declare(
    "EncodeBase64",
    inputs="input: string",
    outputs="output: string",
    attrs="pad: bool = false",
    shape=shape_rules.first,
    kernel=on_strings(text.encode_base64),
    samples=[sample([b"a", b"\xff"], want=[b"YQ", b"_w"]), sample(b"a", pad=True, want=b"YQ==")],
)
declare(
    "DecodeBase64",
    inputs="input: string",
    outputs="output: string",
    shape=shape_rules.first,
    kernel=on_strings(text.decode_base64),
    samples=[sample([b"YQ", b"_w=="], want=[b"a", b"\xff"])],
)
declare(
    "DecodeRaw",
    inputs="bytes: string",
    outputs="output: out_type",
    attrs="out_type: {half, float, double, int32, uint16, uint8, int16, int8, int64, complex64, "
    "complex128, bool}, little_endian: bool = true",
    shape=_raw_shape,
    kernel=on_strings(text.decode_raw),
    samples=[
        sample([b"\1\0", b"\0\1"], out_type=dtypes.int16, want=[[1], [256]]),
        sample(b"\1\0", out_type=dtypes.int16, little_endian=False, want=[256]),
    ],
)


def as_string(
    input: Any,
    precision: int | None = None,
    scientific: bool | None = None,
    shortest: bool | None = None,
    width: int | None = None,
    fill: str | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers and booleans as text, in the manner of C's printf.

    `precision` is the count of digits of floats after the point, in `scientific` notation, the
    `shortest` one, or plain; all are padded to `width` with `fill`.

    >>> import workbench as tf
    >>> tf.as_string([1.5, 20.0], precision=1).eval().tolist()
    [b'1.5', b'20.0']
    """
    return call(
        "AsString",
        name,
        input=input,
        precision=precision,
        scientific=scientific,
        shortest=shortest,
        width=width,
        fill=fill,
    )


def string_to_number(
    string_tensor: Any, out_type: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """The numbers that strings spell; InvalidArgumentError for one that spells none.

    >>> import workbench as tf
    >>> tf.string_to_number(["1.5", "-2"]).eval().tolist()
    [1.5, -2.0]
    """
    return call("StringToNumber", name, string_tensor=string_tensor, out_type=out_type)


def encode_base64(input: Any, pad: bool | None = None, name: str | None = None) -> Tensor:
    """Strings in web-safe base64, padded where `pad` says so."""
    return call("EncodeBase64", name, input=input, pad=pad)


def decode_base64(input: Any, name: str | None = None) -> Tensor:
    """What strings in web-safe base64 stand for, padded or not."""
    return call("DecodeBase64", name, input=input)


def decode_raw(
    bytes: Any = None,
    out_type: Any = None,
    little_endian: bool | None = None,
    name: str | None = None,
    input_bytes: Any = None,
) -> Tensor:
    """The bytes of equally long strings seen as numbers, along a new last axis.

    >>> import workbench as tf
    >>> tf.decode_raw(["ab", "cd"], tf.uint8).eval().tolist()
    [[97, 98], [99, 100]]
    """
    given = input_bytes if bytes is None else bytes
    return call("DecodeRaw", name, bytes=given, out_type=out_type, little_endian=little_endian)
