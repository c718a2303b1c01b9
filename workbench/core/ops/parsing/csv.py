"""Lines of CSV as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import csv_records
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import declare, sample


def _decode(
    records: Any,
    record_defaults: Any,
    *,
    OUT_TYPE: Any,
    field_delim: Any,
    use_quote_delim: bool,
    na_value: Any,
) -> Any:
    given = as_array(records)
    delimiter = field_delim.encode() if isinstance(field_delim, str) else field_delim
    if len(delimiter) != 1:
        raise invalid(f"field_delim should be only 1 char, got {field_delim!r}")
    defaults = []
    for number, default in enumerate(map(as_array, record_defaults)):
        if default.size > 1:
            raise invalid(
                f"There should only be 1 default per field but field {number} has {default.size}"
            )
        defaults.append(default.reshape(-1).tolist())
    missing = na_value.encode() if isinstance(na_value, str) else na_value
    columns = csv_records.columns(
        given.reshape(-1).tolist(), OUT_TYPE, defaults, delimiter, use_quote_delim, missing
    )
    shaped = [column.reshape(given.shape) for column in columns]
    results = tuple(each if each.ndim else each[()] for each in shaped)
    return results[0] if len(results) == 1 else results


def _shape(op: Any) -> list[Any]:
    for number, default in enumerate(op.inputs[1:]):
        entries = default.entries
        if entries is None:
            continue
        if len(entries) > 1:
            raise ValueError(
                f"Each default of record_defaults must be a scalar or a vector of at most one "
                f"value; field {number} has rank {len(entries)}"
            )
        if entries and isinstance(entries[0], int) and entries[0] > 1:
            raise ValueError(
                f"Shape of a default must be a length-0 or length-1 vector, or a scalar; field "
                f"{number} has {entries[0]} values"
            )
    return [op.inputs[0].entries] * len(op.outputs)


declare(
    "DecodeCSV",
    inputs="records: string, record_defaults: OUT_TYPE",
    outputs="output: OUT_TYPE",
    attrs=(
        "OUT_TYPE: list({float, double, int32, int64, string}) >= 1, field_delim: string = ',', "
        "use_quote_delim: bool = true, na_value: string = ''"
    ),
    shape=_shape,
    kernel=_decode,
    expensive=True,
    samples=[
        sample(
            [b'1,"a ""b"""', b",c"],
            [[7], [b"none"]],
            want=([1, 7], [b'a "b"', b"c"]),
        )
    ],
)


def decode_csv(
    records: Any,
    record_defaults: Sequence[Any],
    field_delim: str = ",",
    use_quote_delim: bool = True,
    name: str | None = None,
    na_value: str = "",
) -> list[Tensor]:
    """The columns of CSV records (a tensor of strings), each a tensor of the records' shape.

    `record_defaults` has a tensor for each column: its dtype (float32, float64, int32, int64 or
    string) is the column's, its value stands for fields that are empty or `na_value`; an empty
    tensor says that the field must be there. With `use_quote_delim`, fields in double quotes may
    hold the delimiter, and a quote written twice.

    A run fails with InvalidArgumentError for a record with another number of fields, a required
    field that is missing, a number that is none, and quotes that are wrong.

    >>> import workbench as tf
    >>> number, word = tf.decode_csv(["1,one", ",two"], [[-1], [""]])
    >>> number.eval().tolist(), word.eval().tolist()
    ([1, -1], [b'one', b'two'])
    """
    op = create(
        "DecodeCSV",
        name,
        records=records,
        record_defaults=list(record_defaults),
        field_delim=field_delim,
        use_quote_delim=use_quote_delim,
        na_value=na_value,
    )
    return list(op.outputs)
