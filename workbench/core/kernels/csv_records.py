"""Records of comma-separated values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels.support import invalid

_QUOTE = b'"'
_ENDS = (b"\n", b"\r")


def columns(
    records: Sequence[bytes],
    dtypes: Sequence[np.dtype[Any]],
    defaults: Sequence[list[Any]],
    delimiter: bytes,
    quoted: bool,
    missing: bytes,
) -> list[NDArray[Any]]:
    """The fields of all records, column by column.

    `defaults` has for each column one value, or none where the field must be there; fields that
    are empty or `missing` take it.
    """
    rows = []
    for number, record in enumerate(records):
        fields = split(record, delimiter, quoted)
        if len(fields) != len(dtypes):
            raise invalid(f"Expect {len(dtypes)} fields but have {len(fields)} in record {number}")
        rows.append(fields)
    return [
        _column([row[index] for row in rows], index, dtype, default, missing)
        for index, (dtype, default) in enumerate(zip(dtypes, defaults, strict=True))
    ]


def split(record: bytes, delimiter: bytes, quoted: bool) -> list[bytes]:
    """The fields of a record.

    >>> split(b'1,"a, b",c', b",", True)
    [b'1', b'a, b', b'c']
    """
    if not record:
        return []
    has_ends = b"\n" in record or b"\r" in record
    if not has_ends and not (quoted and _QUOTE in record):
        return record.split(delimiter)
    return _split_slowly(record, delimiter, quoted)


def _split_slowly(record: bytes, delimiter: bytes, quoted: bool) -> list[bytes]:
    fields = []
    at, stop = 0, len(record)
    while at < stop:
        if record[at : at + 1] in _ENDS:
            # Ends of lines in front of a field are no part of it.
            at += 1
            continue
        if quoted and record[at : at + 1] == _QUOTE:
            field, at = _quoted_field(record, at + 1, delimiter)
        else:
            end = record.find(delimiter, at)
            end = stop if end < 0 else end
            field = record[at:end]
            if any(end in field for end in _ENDS) or (quoted and _QUOTE in field):
                raise invalid(f"Unquoted fields cannot have quotes/CRLFs inside: {field!r}")
            at = end + 1
        fields.append(field)
    if record.endswith(delimiter):
        fields.append(b"")
    return fields


def _quoted_field(record: bytes, at: int, delimiter: bytes) -> tuple[bytes, int]:
    """A field after its opening quote, and where the next field begins."""
    parts = []
    last = len(record) - 1
    while True:
        end = record.find(_QUOTE, at)
        if end < 0:
            raise invalid("Quoted field has to end with quote followed by delim or end")
        parts.append(record[at:end])
        if end == last or record[end + 1 : end + 2] == delimiter:
            return b"".join(parts), end + 2
        if record[end + 1 : end + 2] != _QUOTE:
            raise invalid(
                "Quote inside a string has to be escaped by another quote (in the field that "
                f"begins with {record[:at][-20:]!r})"
            )
        parts.append(_QUOTE)
        at = end + 2


def _column(
    fields: list[bytes], index: int, dtype: np.dtype[Any], default: list[Any], missing: bytes
) -> NDArray[Any]:
    values: list[Any] = []
    parse = _parser(dtype)
    for number, field in enumerate(fields):
        if not field or field == missing:
            if not default:
                raise invalid(f"Field {index} is required but missing in record {number}!")
            values.append(default[0])
            continue
        try:
            values.append(parse(field))
        except ValueError:
            text = field.decode(errors="replace")
            raise invalid(
                f"Field {index} in record {number} is not a valid {_name(dtype)}: {text}"
            ) from None
    if dtype.hasobject:
        result = np.empty(len(values), object)
        result[:] = values
        return result
    with np.errstate(over="ignore"):
        return np.array(values, np.float64 if dtype.kind == "f" else dtype).astype(dtype)


def _name(dtype: np.dtype[Any]) -> str:
    return {"float32": "float", "float64": "double"}.get(dtype.name, dtype.name)


def _parser(dtype: np.dtype[Any]) -> Any:
    if dtype.hasobject:
        return lambda field: field
    if dtype.kind == "f":
        return _number
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max

    def integer(field: bytes) -> int:
        value = _integer(field)
        if not least <= value <= most:
            raise ValueError(field)
        return value

    return integer


def _integer(field: bytes) -> int:
    if b"_" in field:
        # Python reads underscores between digits; nobody else does.
        raise ValueError(field)
    return int(field)


def _number(field: bytes) -> float:
    if b"_" in field:
        raise ValueError(field)
    return float(field)
