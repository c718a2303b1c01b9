"""String kernels on object arrays of bytes: joins, splits, conversions, encodings, hash buckets."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.kernels.fingerprint import Words, farm_fingerprint, murmur_hash, sip_hash
from workbench.core.kernels.support import invalid, position

_FILLS = " +-0#"
_HEX = re.compile(rb"\s*[+-]?0[xX]")
_INTEGER = re.compile(rb"\s*-?[0-9]+\s*")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9_-]")


def string_join(inputs: tuple[np.ndarray, ...], *, separator: str | bytes = "") -> np.ndarray:
    """The strings at each position joined; scalars go to every position.

    >>> string_join((np.array([b"a", b"b"], object), np.array(b"c", object)), separator="-")
    array([b'a-c', b'b-c'], dtype=object)
    """
    arrays = [np.asarray(array) for array in inputs]
    shape: tuple[int, ...] = next((array.shape for array in arrays if array.ndim), ())
    for array in arrays:
        if array.ndim and array.shape != shape:
            raise invalid(f"Input shapes do not match: {shape} vs. {array.shape}")
    between = _bytes(separator)
    columns = [np.broadcast_to(array, shape).reshape(-1).tolist() for array in arrays]
    return _strings([between.join(row) for row in zip(*columns, strict=True)], shape)


def reduce_join(
    inputs: np.ndarray,
    reduction_indices: np.ndarray,
    *,
    keep_dims: bool = False,
    separator: str | bytes = "",
) -> np.ndarray:
    """The strings along some dimensions joined, the last dimension listed varying slowest.

    >>> reduce_join(np.array([[b"a", b"b"], [b"c", b"d"]], object), np.array([0, 1]))
    array(b'acbd', dtype=object)
    """
    inputs = np.asarray(inputs)
    axes: list[int] = []
    for value in np.asarray(reduction_indices).reshape(-1).tolist():
        if not -inputs.ndim <= value < inputs.ndim:
            raise invalid(
                f"Invalid reduction dimension {value} for input with {inputs.ndim} dimension(s)"
            )
        if value % inputs.ndim in axes:
            raise invalid(f"Duplicate reduction dimension {value % inputs.ndim}")
        axes.append(value % inputs.ndim)
    if not axes:
        return inputs
    kept = [axis for axis in range(inputs.ndim) if axis not in axes]
    outer = tuple(inputs.shape[axis] for axis in kept)
    # TensorFlow joins the elements with the first listed dimension running fastest.
    size = int(np.prod([inputs.shape[axis] for axis in axes]))
    rows = inputs.transpose(*kept, *axes[::-1]).reshape(int(np.prod(outer)), size)
    if keep_dims:
        outer = tuple(1 if axis in axes else n for axis, n in enumerate(inputs.shape))
    between = _bytes(separator)
    return _strings([between.join(row) for row in rows.tolist()], outer)


def string_split(
    input: np.ndarray, delimiter: np.ndarray, *, skip_empty: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A sparse matrix (indices, values, shape) with the pieces of each string in a row.

    Every byte of ``delimiter`` splits; an empty one splits into single bytes.

    >>> indices, values, shape = string_split(np.array([b"a b", b"c"], object), np.array(b" "))
    >>> indices.tolist(), values.tolist(), shape.tolist()
    ([[0, 0], [0, 1], [1, 0]], [b'a', b'b', b'c'], [2, 2])
    """
    input, delimiter = np.asarray(input), np.asarray(delimiter)
    if input.ndim != 1:
        raise invalid(f"input must be a vector, got shape: {list(input.shape)}")
    if delimiter.ndim:
        raise invalid(f"delimiter must be a scalar, got shape: {list(delimiter.shape)}")
    marks: bytes = delimiter.item()
    same = bytes.maketrans(marks, marks[:1] * len(marks))
    indices, values, widest = [], [], 0
    for row, text in enumerate(input.tolist()):
        if not marks:
            pieces = [text[i : i + 1] for i in range(len(text))]
        elif not text:
            pieces = []
        else:
            pieces = text.translate(same).split(marks[:1])
            if skip_empty:
                pieces = [piece for piece in pieces if piece]
        indices += [(row, column) for column in range(len(pieces))]
        values += pieces
        widest = max(widest, len(pieces))
    return (
        np.array(indices, np.int64).reshape(len(indices), 2),
        _strings(values, (len(values),)),
        np.array([input.size, widest], np.int64),
    )


def substr(input: np.ndarray, pos: np.ndarray, len: np.ndarray) -> np.ndarray:
    """``len`` bytes of each string from ``pos`` on, fewer at its end; both broadcast.

    A negative ``pos`` counts from the end of the string.

    >>> substr(np.array([b"hello", b"world"], object), np.array(1), np.array(3))
    array([b'ell', b'orl'], dtype=object)
    """
    input, starts, lengths = np.asarray(input), np.asarray(pos), np.asarray(len)
    if starts.shape != lengths.shape:
        raise invalid(
            f"pos and len should have the same shape, got: {starts.shape} vs. {lengths.shape}"
        )
    try:
        texts, starts, lengths = np.broadcast_arrays(input, starts, lengths)
    except ValueError:
        raise invalid(f"Incompatible shapes: {input.shape} vs. {starts.shape}") from None
    columns = (
        texts.reshape(-1).tolist(),
        starts.reshape(-1).tolist(),
        lengths.reshape(-1).tolist(),
    )
    pieces = [_piece(*row, number) for number, row in enumerate(zip(*columns, strict=True))]
    return _strings(pieces, texts.shape)


def _piece(text: bytes, start: int, length: int, number: int) -> bytes:
    first = start + len(text) if start < 0 else start
    if not 0 <= first <= len(text):
        raise invalid(
            f"pos {start} out of range for string {text!r} at index {number}: it has {len(text)} "
            "bytes"
        )
    return text[first:] if length < 0 else text[first : first + length]


def as_string(
    input: np.ndarray,
    *,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str | bytes = "",
) -> np.ndarray:
    """Numbers and booleans as text, by the rules of C's printf: ``%f``, or ``%e``, or ``%g``.

    ``precision`` digits for floats, padded to ``width`` with ``fill`` (" ", "+", "-", "0" or "#").

    >>> as_string(np.array([1.5, -2.0]), precision=2, width=6, fill="0")
    array([b'001.50', b'-02.00'], dtype=object)
    """
    input = np.asarray(input)
    flag = _bytes(fill).decode("latin-1")
    kind = "f" if input.dtype.kind == "V" else input.dtype.kind  # bfloat16 is a void to NumPy
    _check_format(input.dtype, kind in "fc", precision, scientific, shortest, flag)
    if kind == "b":
        texts = [b"true" if value else b"false" for value in input.reshape(-1).tolist()]
        return _strings(texts, input.shape)
    rest = str(width) if width > -1 else ""
    rest += f".{precision}" if precision > -1 else ""
    rest += "d" if kind in "iu" else "e" if scientific else "g" if shortest else "f"
    form = f"%{flag}{rest}".encode()
    if kind in "iu":
        return _strings([form % value for value in input.reshape(-1).tolist()], input.shape)
    # Infinities and NaN are padded with blanks where numbers are with zeros.
    forms = (form, f"%{flag if flag != '0' else ''}{rest}".encode())

    def written(value: float) -> bytes:
        return forms[not math.isfinite(value)] % value

    if kind == "c":
        pairs = [(value.real, value.imag) for value in input.reshape(-1).tolist()]
        texts = [b"(%b,%b)" % (written(real), written(imaginary)) for real, imaginary in pairs]
        return _strings(texts, input.shape)
    wide = input.astype(np.float64).reshape(-1).tolist()
    return _strings([written(value) for value in wide], input.shape)


def _check_format(
    dtype: np.dtype[Any],
    floating: bool,
    precision: int,
    scientific: bool,
    shortest: bool,
    flag: str,
) -> None:
    if not floating and (scientific or shortest):
        raise invalid(f"scientific and shortest format not supported for datatype {dtype}")
    if not floating and precision > -1:
        raise invalid(f"precision not supported for datatype {dtype}")
    if scientific and shortest:
        raise invalid("Cannot select both scientific and shortest notation")
    if len(flag) > 1:
        raise invalid(f"Fill string must be one or fewer characters, got {flag!r}")
    if flag not in ("", *_FILLS):
        raise invalid(f"Fill argument not supported: {flag!r}; accepted are {list(_FILLS)}")


def string_to_number(string_tensor: np.ndarray, *, out_type: np.dtype[Any]) -> np.ndarray:
    """The numbers that strings spell in decimal (floats also in hexadecimal, inf and nan).

    >>> string_to_number(np.array([b"1e3", b" -2 "], object), out_type=np.dtype(np.float32))
    array([1000.,   -2.], dtype=float32)
    """
    string_tensor = np.asarray(string_tensor)
    integral = out_type.kind in "iu"
    read: Callable[[bytes], float | None] = _read_float
    if integral:
        limits = np.iinfo(out_type)

        def read(text: bytes) -> float | None:
            value = int(text) if _INTEGER.fullmatch(text) else None
            return None if value is None or not limits.min <= value <= limits.max else value

    values = []
    for where, text in enumerate(string_tensor.reshape(-1).tolist()):
        value = read(text)
        if value is None:
            at = position(string_tensor.shape, where)
            raise invalid(
                f"StringToNumberOp could not correctly convert string: "
                f"{text.decode(errors='backslashreplace')} (as {out_type}"
                + (f", at {at})" if at else ")")
            )
        values.append(value)
    with np.errstate(over="ignore"):
        wide = np.array(values, None if integral else np.float64)
        return wide.astype(out_type).reshape(string_tensor.shape)


def encode_base64(input: np.ndarray, *, pad: bool = False) -> np.ndarray:
    """Web-safe base64 (with - and _), with padding only if asked for.

    >>> encode_base64(np.array([b"ab"], object))
    array([b'YWI'], dtype=object)
    """

    def encode(text: bytes) -> bytes:
        encoded = base64.urlsafe_b64encode(text)
        return encoded if pad else encoded.rstrip(b"=")

    return _map(encode, input)


def decode_base64(input: np.ndarray) -> np.ndarray:
    """The bytes that web-safe base64 stands for, padded or not.

    >>> decode_base64(np.array([b"YWI"], object))
    array([b'ab'], dtype=object)
    """

    def decode(text: bytes) -> bytes:
        bare = text
        if len(text) % 4 == 0:
            bare = text.removesuffix(b"=").removesuffix(b"=")
        wrong = _NOT_BASE64.search(bare)
        if wrong:
            raise invalid(
                f"Invalid character found in base64: {wrong[0]!r} in {text!r} (the web-safe "
                "alphabet has - and _)"
            )
        if len(bare) % 4 == 1:
            raise invalid(f"Base64 string length cannot be 1 modulo 4: {text!r} is not whole")
        return base64.urlsafe_b64decode(bare + b"=" * (-len(bare) % 4))

    return _map(decode, input)


def decode_raw(
    bytes: np.ndarray, *, out_type: np.dtype[Any], little_endian: bool = True
) -> np.ndarray:
    """The bytes of equally long strings seen as numbers, which make up a new last dimension.

    >>> decode_raw(np.array([b"\\x01\\x00", b"\\x00\\x01"], object), out_type=np.dtype(np.int16))
    array([[  1],
           [256]], dtype=int16)
    """
    strings = np.asarray(bytes)
    texts = strings.reshape(-1).tolist()
    length = len(texts[0]) if texts else 0
    for where, text in enumerate(texts):
        if len(text) != length:
            raise invalid(
                "DecodeRaw requires input strings to all be the same size, but element "
                f"{where} has size {length} != {len(text)}"
            )
    if length % out_type.itemsize:
        raise invalid(
            f"Input to DecodeRaw has length {length} that is not a multiple of "
            f"{out_type.itemsize}, the size of {out_type}"
        )
    raw = np.frombuffer(bytearray().join(texts), np.uint8)
    part = out_type.itemsize // (2 if out_type.kind == "c" else 1)
    if not little_endian:
        raw = np.ascontiguousarray(raw.reshape(-1, part)[:, ::-1]).reshape(-1)
    result = raw != 0 if out_type == np.bool_ else raw.view(out_type)
    return result.reshape(*strings.shape, length // out_type.itemsize)


def string_to_hash_bucket_fast(input: np.ndarray, *, num_buckets: int) -> np.ndarray:
    """The bucket of each string by FarmHash: the same on every machine, now and later.

    >>> string_to_hash_bucket_fast(np.array([b"hello"], object), num_buckets=10)
    array([6])
    """
    return _buckets(farm_fingerprint(np.asarray(input)), num_buckets)


def string_to_hash_bucket_strong(
    input: np.ndarray, *, num_buckets: int, key: Sequence[int]
) -> np.ndarray:
    """The bucket of each string by SipHash: nobody without the key can fill one bucket on purpose.

    >>> string_to_hash_bucket_strong(np.array([b""], object), num_buckets=10, key=(0, 0))
    array([7])
    """
    if len(key) != 2:
        raise invalid(f"Key must have 2 elements, got {len(key)}")
    return _buckets(sip_hash(np.asarray(input), key), num_buckets)


def string_to_hash_bucket(string_tensor: np.ndarray, *, num_buckets: int) -> np.ndarray:
    """The bucket of each string by TensorFlow's older hash."""
    return _buckets(murmur_hash(np.asarray(string_tensor)), num_buckets)


def _buckets(hashes: Words, num_buckets: int) -> np.ndarray:
    if num_buckets < 1:
        raise invalid(f"num_buckets must be positive, got {num_buckets}")
    return np.asarray(hashes % np.uint64(num_buckets), np.int64)


def _read_float(text: bytes) -> float | None:
    if b"_" in text:
        return None
    try:
        return float.fromhex(text.decode("ascii")) if _HEX.match(text) else float(text)
    except ValueError:
        return None


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _map(function: Callable[[bytes], bytes], input: np.ndarray) -> np.ndarray:
    strings = np.asarray(input)
    return _strings([function(text) for text in strings.reshape(-1).tolist()], strings.shape)


def _strings(values: list[bytes], shape: tuple[int, ...]) -> np.ndarray:
    result = np.empty(len(values), object)
    result[:] = values
    return result.reshape(shape)
