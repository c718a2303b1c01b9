"""Layers of networks on quantised tensors."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.constants import constant_entries
from workbench.core.kernels.quantization import network as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.image.resizing import resized_entries
from workbench.core.ops.nn import convolution_rules, pooling_rules
from workbench.core.ops.quantization.support import TYPES, first_entries, with_range
from workbench.core.ops.static_shapes import reshaped_entries

_PADDING = "padding: {'SAME', 'VALID'}"
_RANGE = ("quint8", None, None)
_ROW = [[[[2], [4], [9], [0]]]]

declare(
    "QuantizedConv2D",
    inputs=(
        "input: Tinput, filter: Tfilter, min_input: float, max_input: float, min_filter: float, "
        "max_filter: float"
    ),
    outputs="output: out_type, min_output: float, max_output: float",
    attrs=(
        f"Tinput: {TYPES}, Tfilter: {TYPES}, out_type: {TYPES} = DT_QINT32, strides: list(int), "
        f"{_PADDING}, dilations: list(int) = [1, 1, 1, 1]"
    ),
    shape=with_range(lambda op: convolution_rules.convolved_entries(op, 4), [2, 3, 4, 5]),
    kernel=kernels.quantized_conv2d,
    gradient=NOT_DIFFERENTIABLE,
    expensive=True,
    samples=[
        # Zero is 1 in the filter: its values are -1 and 2.
        sample(
            _ROW,
            [[[[0]], [[3]]]],
            0.0,
            255.0,
            -1.0,
            254.0,
            strides=[1, 1, 1, 1],
            padding="SAME",
            dtype=("quint8", "quint8", None, None, None, None),
            want=([[[[6], [14], [-9], [0]]]], -2147483648.0, 2147483648.0),
        )
    ],
)

# -- activations ---------------------------------------------------------------------------------

_FEATURES = "min_features: float, max_features: float"
_ACTIVATIONS = "activations: out_type, min_activations: float, max_activations: float"
_FEATURE_TYPES = f"Tinput: {TYPES}, out_type: {TYPES} = DT_QUINT8"

declare(
    "QuantizedRelu",
    inputs=f"features: Tinput, {_FEATURES}",
    outputs=_ACTIVATIONS,
    attrs=_FEATURE_TYPES,
    shape=with_range(first_entries, [1, 2]),
    kernel=kernels.quantized_relu,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([0, 1, 2], -1.0, 254.0, dtype=_RANGE, want=([1, 1, 2], -1.0, 254.0))],
)
declare(
    "QuantizedRelu6",
    inputs=f"features: Tinput, {_FEATURES}",
    outputs=_ACTIVATIONS,
    attrs=_FEATURE_TYPES,
    shape=with_range(first_entries, [1, 2]),
    kernel=kernels.quantized_relu6,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([0, 2, 9], -1.0, 254.0, dtype=_RANGE, want=([1, 2, 7], -1.0, 254.0))],
)
declare(
    "QuantizedReluX",
    inputs=f"features: Tinput, max_value: float, {_FEATURES}",
    outputs=_ACTIVATIONS,
    attrs=_FEATURE_TYPES,
    shape=with_range(first_entries, [1, 2, 3]),
    kernel=kernels.quantized_relu_x,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([0, 2, 9], 3.0, -1.0, 254.0, dtype=(*_RANGE, None), want=([1, 2, 4], -1.0, 254.0))
    ],
)

# -- pooling -------------------------------------------------------------------------------------

_POOLED = "min_input: float, max_input: float"
_WINDOW: dict[str, Any] = {"ksize": [1, 1, 2, 1], "strides": [1, 1, 2, 1], "padding": "VALID"}
for _type_name, _kernel, _want in (
    ("QuantizedAvgPool", kernels.quantized_avg_pool, [[[[3], [4]]]]),
    ("QuantizedMaxPool", kernels.quantized_max_pool, [[[[4], [9]]]]),
):
    declare(
        _type_name,
        inputs=f"input: T, {_POOLED}",
        outputs="output: T, min_output: float, max_output: float",
        attrs=f"T: {TYPES}, ksize: list(int), strides: list(int), {_PADDING}",
        shape=with_range(lambda op: pooling_rules.pooled(4)(op)[0], [1, 2]),
        kernel=_kernel,
        gradient=NOT_DIFFERENTIABLE,
        samples=[sample(_ROW, 0.0, 255.0, **_WINDOW, dtype=_RANGE, want=(_want, 0.0, 255.0))],
    )

# -- normalisation -------------------------------------------------------------------------------


def _normalised(op: Any) -> Any:
    entries = shape_rules.with_rank(op.inputs[0].entries, 4, "t")
    size = entries[3]
    for number in (3, 6, 9, 12):
        (length,) = shape_rules.with_rank(op.inputs[number].entries, 1, "m, v, beta and gamma")
        size = shape_rules.equal_sizes(size, length, "channels")
    return (*entries[:3], size)


_PARTS = ("t", "m", "v", "beta", "gamma")
declare(
    "QuantizedBatchNormWithGlobalNormalization",
    inputs=", ".join(f"{p}: Tinput, {p}_min: float, {p}_max: float" for p in _PARTS),
    outputs="result: out_type, result_min: float, result_max: float",
    attrs=(
        f"Tinput: {TYPES}, out_type: {TYPES}, variance_epsilon: float, "
        "scale_after_normalization: bool"
    ),
    shape=with_range(_normalised, [n for n in range(15) if n % 3]),
    kernel=kernels.quantized_batch_norm_with_global_normalization,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        # (8 - 4) / sqrt(4) * 3 + 1 = 7, in steps of 2**21 / 2**32.
        sample(
            [[[[8]]]], 0.0, 255.0, [4], 0.0, 255.0, [4], 0.0, 255.0, [1], 0.0, 255.0, [3], 0.0,
            255.0,
            out_type="qint32",
            variance_epsilon=0.0,
            scale_after_normalization=True,
            dtype=("quint8", None, None) * 5,
            want=([[[[7 * 2048]]]], -1048576.0, 1048576.0),
        )
    ],
)  # fmt: skip
declare(
    "QuantizedInstanceNorm",
    inputs="x: T, x_min: float, x_max: float",
    outputs="y: T, y_min: float, y_max: float",
    attrs=(
        f"T: {TYPES}, output_range_given: bool = false, given_y_min: float = 0.0, "
        "given_y_max: float = 0.0, variance_epsilon: float = 1e-5, min_separation: float = 1e-3"
    ),
    shape=with_range(lambda op: shape_rules.with_rank(first_entries(op), 4, "x"), [1, 2]),
    kernel=kernels.quantized_instance_norm,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [[[[10], [30]]]], 0.0, 255.0, dtype=_RANGE, want=([[[[0], [255]]]], -1.0, 1.0)
        )
    ],
)  # fmt: skip

# -- shapes --------------------------------------------------------------------------------------

declare(
    "QuantizedResizeBilinear",
    inputs="images: T, size: int32, min: float, max: float",
    outputs="resized_images: T, out_min: float, out_max: float",
    attrs="T: {quint8, qint32, float}, align_corners: bool = false",
    shape=with_range(lambda op: resized_entries(first_entries(op), op.inputs[1])[0], [2, 3]),
    kernel=kernels.quantized_resize_bilinear,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [[[[0], [4]]]],
            [1, 4],
            0.0,
            255.0,
            dtype=("quint8", None, None, None),
            want=([[[[0], [2], [4], [4]]]], 0.0, 255.0),
        )
    ],
)


def _reshaped(op: Any) -> Any:
    shape_rules.with_rank(op.inputs[1].entries, 1, "shape")
    return reshaped_entries(first_entries(op), constant_entries(op.inputs[1]))


declare(
    "QuantizedReshape",
    inputs="tensor: T, shape: Tshape, input_min: float, input_max: float",
    outputs="output: T, output_min: float, output_max: float",
    attrs="T: type, Tshape: {int32, int64} = DT_INT32",
    shape=with_range(_reshaped, [2, 3]),
    kernel=kernels.quantized_reshape,
    gradient=NOT_DIFFERENTIABLE,
    aliases_input=True,
    samples=[
        sample(
            [1, 2, 3, 4],
            [2, -1],
            0.0,
            255.0,
            dtype=("quint8", None, None, None),
            want=([[1, 2], [3, 4]], 0.0, 255.0),
        )
    ],
)
