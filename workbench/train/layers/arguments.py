"""The arguments of layers with windows: sizes, strides, padding, the order of axes."""

from __future__ import annotations

from typing import Any


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """`value` as a tuple of n ints; a single int stands for all of them.

    >>> normalize_tuple(3, 2, "strides")
    (3, 3)
    """
    if isinstance(value, int):
        return (value,) * n
    try:
        values = tuple(int(single) for single in value)
    except (TypeError, ValueError):
        values = ()
    if len(values) != n:
        raise ValueError(
            f"The `{name}` argument must be an int or a tuple of {n} integers. Received: {value}"
        )
    return values


def normalize_data_format(value: Any) -> str:
    """ "channels_first" or "channels_last"."""
    data_format = str(value).lower()
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            'The `data_format` argument must be one of "channels_first", "channels_last". '
            f"Received: {value}"
        )
    return data_format


def normalize_padding(value: Any) -> str:
    """ "valid" or "same"."""
    padding = str(value).lower()
    if padding not in ("valid", "same"):
        raise ValueError(
            f'The `padding` argument must be one of "valid", "same". Received: {value}'
        )
    return padding


def convert_data_format(data_format: str, ndim: int) -> str:
    """The name operations have for the order of axes.

    >>> convert_data_format("channels_first", 4), convert_data_format("channels_last", 3)
    ('NCHW', 'NWC')
    """
    spatial = {3: "W", 4: "HW", 5: "DHW"}.get(ndim)
    if spatial is None:
        raise ValueError(f"Input rank not supported: {ndim}")
    normalize_data_format(data_format)
    return f"NC{spatial}" if data_format == "channels_first" else f"N{spatial}C"


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """How many windows fit along an axis; padding is "same", "valid" or "full"."""
    if input_length is None:
        return None
    reach = filter_size + (filter_size - 1) * (dilation - 1)
    starts = {"same": input_length, "valid": input_length - reach + 1}
    length = starts.get(padding, input_length + reach - 1)
    return max(0, (length + stride - 1) // stride)


def conv_input_length(
    output_length: int | None, filter_size: int, padding: str, stride: int
) -> int | None:
    """The size along an axis on which so many windows fit."""
    if output_length is None:
        return None
    pad = {"same": filter_size // 2, "valid": 0}.get(padding, filter_size - 1)
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_output_length(input_length: Any, filter_size: int, padding: str, stride: int) -> Any:
    """The size along an axis of the result of a transposed convolution; None and tensors too."""
    if input_length is None:
        return None
    length = input_length * stride
    if padding == "valid":
        return length + max(filter_size - stride, 0)
    if padding == "full":
        return length - (stride + filter_size - 2)
    return length
