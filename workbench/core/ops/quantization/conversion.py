"""Floats as quantised tensors, back, and from one range to another."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.quantization import conversion as kernels
from workbench.core.ops.concatenation import joined_entries
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.quantization.support import TYPES, first_entries, with_range

_MODES = "mode: {'MIN_COMBINED', 'MIN_FIRST', 'SCALED'} = 'MIN_COMBINED'"

declare(
    "QuantizeV2",
    inputs="input: float, min_range: float, max_range: float",
    outputs="output: T, output_min: float, output_max: float",
    attrs=(
        f"T: {TYPES}, {_MODES}, "
        "round_mode: {'HALF_AWAY_FROM_ZERO', 'HALF_TO_EVEN'} = 'HALF_AWAY_FROM_ZERO'"
    ),
    shape=with_range(first_entries, [1, 2]),
    kernel=kernels.quantize_v2,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([0.0, 1.0, 2.0, 9.0], 0.0, 2.0, T="quint8", want=([0, 128, 255, 255], 0.0, 2.0)),
        sample([-1.0, 1.0], -1.0, 1.0, T="qint8", want=([-128, 127], -1.0, 1.0)),
        sample(
            [1.0, 3.0, -3.0],
            -2.0,
            127.0,
            T="qint8",
            mode="SCALED",
            want=([1, 3, -3], -128.0, 127.0),
        ),
        sample([-1.0, 0.0], -1.0, 254.0, T="quint8", mode="MIN_FIRST", want=([0, 1], -1.0, 254.0)),
    ],
)
declare(
    "Dequantize",
    inputs="input: T, min_range: float, max_range: float",
    outputs="output: float",
    attrs=f"T: {TYPES}, {_MODES}",
    shape=with_range(first_entries, [1, 2], outputs=0),
    kernel=kernels.dequantize,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([0, 255], 0.0, 510.0, dtype=("quint8", None, None), want=[0.0, 510.0]),
        sample([-128, 127], -1.0, 1.0, dtype=("qint8", None, None), want=[-1.0, 1.0]),
        sample(
            [-128, 2], -2.0, 254.0, mode="SCALED", dtype=("qint8", None, None), want=[-256.0, 4.0]
        ),
        sample([1], -1.0, 254.0, mode="MIN_FIRST", dtype=("quint8", None, None), want=[0.0]),
    ],
)
declare(
    "QuantizeDownAndShrinkRange",
    inputs="input: Tinput, input_min: float, input_max: float",
    outputs="output: out_type, output_min: float, output_max: float",
    attrs=f"Tinput: {TYPES}, out_type: {TYPES}",
    shape=with_range(first_entries, [1, 2]),
    kernel=kernels.quantize_down_and_shrink_range,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [0, 1 << 23],
            -256.0,
            256.0,
            out_type="quint8",
            dtype=("qint32", None, None),
            want=([0, 255], 0.0, 1.0),
        )
    ],
)
declare(
    "Requantize",
    inputs="input: Tinput, input_min: float, input_max: float, requested_output_min: float, "
    "requested_output_max: float",
    outputs="output: out_type, output_min: float, output_max: float",
    attrs=f"Tinput: {TYPES}, out_type: {TYPES}",
    shape=with_range(first_entries, [1, 2, 3, 4]),
    kernel=kernels.requantize,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [0, 1 << 23],
            -256.0,
            256.0,
            -1.0,
            1.0,
            out_type="quint8",
            dtype=("qint32", None, None, None, None),
            want=([128, 255], -1.0, 1.0),
        )
    ],
)
declare(
    "RequantizationRange",
    inputs="input: Tinput, input_min: float, input_max: float",
    outputs="output_min: float, output_max: float",
    attrs=f"Tinput: {TYPES}",
    shape=with_range(lambda op: (), [1, 2], outputs=1),
    kernel=kernels.requantization_range,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([1 << 22, 1 << 23], -256.0, 256.0, dtype=("qint32", None, None), want=(0.0, 1.0))
    ],
)


def _concat_entries(op: Any) -> Any:
    number = op.attrs["N"]
    return joined_entries(op.inputs[1 : number + 1], op.inputs[0])


declare(
    "QuantizedConcat",
    inputs="concat_dim: int32, values: N * T, input_mins: N * float, input_maxes: N * float",
    outputs="output: T, output_min: float, output_max: float",
    attrs="N: int >= 2, T: type",
    shape=with_range(_concat_entries, []),
    kernel=kernels.quantized_concat,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            0,
            ([0, 255], [255]),
            (0.0, 0.0),
            (255.0, 510.0),
            dtype=(None, "quint8", None, None),
            want=([0, 128, 255], 0.0, 510.0),
        )
    ],
)


class Quantized(NamedTuple):
    """A quantised tensor and the ends of the range it stands for."""

    output: Tensor
    output_min: Tensor
    output_max: Tensor


def quantize_v2(
    input: Any,
    min_range: Any,
    max_range: Any,
    T: Any,
    mode: str = "MIN_COMBINED",
    name: str | None = None,
    round_mode: str = "HALF_AWAY_FROM_ZERO",
) -> Quantized:
    """Floats as integers of the quantised type `T`, with the range that these stand for.

    Floats outside of `min_range` ... `max_range` become its ends. `mode` says how integers stand
    for floats: the whole range in equal steps ("MIN_COMBINED"), the same with an exact zero
    ("MIN_FIRST"), or multiples of one scale ("SCALED"). The range comes back as it was used: with
    zero in it, and not too narrow. `round_mode` may be "HALF_TO_EVEN" with "SCALED".

    >>> import workbench as tf
    >>> y, low, high = tf.quantize_v2([0.0, 0.5, 1.0], 0.0, 1.0, tf.quint8)
    >>> y.eval().tolist()
    [0, 128, 255]
    """
    op = create(
        "QuantizeV2",
        name,
        input=input,
        min_range=min_range,
        max_range=max_range,
        T=T,
        mode=mode,
        round_mode=round_mode,
    )
    return Quantized(*op.outputs)


def quantize(
    input: Any,
    min_range: Any,
    max_range: Any,
    T: Any,
    mode: str = "MIN_COMBINED",
    round_mode: str = "HALF_AWAY_FROM_ZERO",
    name: str | None = None,
) -> Quantized:
    """`quantize_v2`, with its last arguments in another order."""
    return quantize_v2(input, min_range, max_range, T, mode, name, round_mode)


def dequantize(
    input: Any, min_range: Any, max_range: Any, mode: str = "MIN_COMBINED", name: str | None = None
) -> Tensor:
    """The floats that a quantised tensor stands for; the reverse of `quantize_v2`.

    >>> import workbench as tf
    >>> tf.dequantize(tf.constant([0, 255], tf.quint8), 0.0, 2.0).eval().tolist()
    [0.0, 2.0]
    """
    return call(
        "Dequantize", name, input=input, min_range=min_range, max_range=max_range, mode=mode
    )


def quantized_concat(
    concat_dim: Any, values: Any, input_mins: Any, input_maxes: Any, name: str | None = None
) -> Quantized:
    """Quantised tensors one after the other along an axis, in the range that holds all of theirs.

    >>> import workbench as tf
    >>> x = tf.constant([0, 255], tf.quint8)
    >>> y, low, high = tf.quantized_concat(0, [x, x], [0.0, 0.0], [255.0, 510.0])
    >>> y.eval().tolist(), high.eval()
    ([0, 128, 0, 255], np.float32(510.0))
    """
    op = create(
        "QuantizedConcat",
        name,
        concat_dim=concat_dim,
        values=values,
        input_mins=input_mins,
        input_maxes=input_maxes,
    )
    return Quantized(*op.outputs)
