"""Convolutions and poolings of a plan as descriptions of kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from workbench.core.codegen.specs import ConvolutionSpec, PoolingSpec, Spec
from workbench.core.codegen.translation.description import attribute
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.places import Place, Use
from workbench.core.kernels.windows import window_axis
from workbench.core.plan.memory import static_shape
from workbench.core.plan.node import Node, Value

Shape = tuple[int, ...]
Pair = tuple[int, int]

#: For each type: the kind of the description, and which inputs are images, filters and gradients.
_CONVOLUTIONS: dict[str, tuple[Literal["forward", "input", "filter"], bool]] = {
    "Conv2D": ("forward", False),
    "Conv2DBackpropInput": ("input", False),
    "Conv2DBackpropFilter": ("filter", False),
    "DepthwiseConv2dNative": ("forward", True),
    "DepthwiseConv2dNativeBackpropInput": ("input", True),
    "DepthwiseConv2dNativeBackpropFilter": ("filter", True),
}
_POOLINGS: dict[str, Literal["max", "mean", "max_gradient", "mean_gradient"]] = {
    "MaxPool": "max",
    "AvgPool": "mean",
    "MaxPoolGrad": "max_gradient",
    "AvgPoolGrad": "mean_gradient",
}

CONVOLUTION_TYPES = frozenset(_CONVOLUTIONS)
POOLING_TYPES = frozenset(_POOLINGS)

#: Makes the description from operands, steps and stores.
Make = Callable[[Any, Any, Any], Spec]


def window_kernel(
    node: Node, place_of: Callable[[Value], Place]
) -> tuple[list[Use], Make, tuple[int, ...]]:
    """The operands of a node, what makes its description, and the order of the result's dimensions.

    Raises Unsupported with the reason where there is no such kernel.
    """
    if node.type in _CONVOLUTIONS:
        return _convolution(node, place_of)
    return _pooling(node, place_of)


def check_window(node: Node) -> None:
    """Raises Unsupported where a node's attributes or dtype have no kernel."""
    if node.dtypes[0].name not in ("float32", "float64"):
        raise Unsupported(f"it is not compiled for {node.dtypes[0].name}")
    if node.type in _CONVOLUTIONS:
        sizes = [_sizes(node, "strides")]
        if "dilations" in node.attrs:
            sizes.append(_sizes(node, "dilations"))
    else:
        sizes = [_sizes(node, "ksize"), _sizes(node, "strides")]
    if str(attribute(node, "padding")) not in ("SAME", "VALID"):
        raise Unsupported(f"padding {attribute(node, 'padding')!r}")
    batch, channel = _outer_axes(node)
    if any(s[batch] != 1 or s[channel] != 1 for s in sizes):
        raise Unsupported("its windows go over images or channels")


def _is_channels_first(node: Node) -> bool:
    return _text(attribute(node, "data_format")) == "NCHW"


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _outer_axes(node: Node) -> Pair:
    return (0, 1) if _is_channels_first(node) else (0, 3)


def _order(node: Node) -> tuple[int, ...]:
    """The dimensions of images in the order batch, row, column, channel."""
    return (0, 2, 3, 1) if _is_channels_first(node) else (0, 1, 2, 3)


def _sizes(node: Node, name: str) -> tuple[int, ...]:
    given = attribute(node, name)
    return tuple(int(s) for s in given) if given else (1, 1, 1, 1)


def _pair(node: Node, name: str) -> Pair:
    sizes, order = _sizes(node, name), _order(node)
    return sizes[order[1]], sizes[order[2]]


def _image_use(place: Place, order: tuple[int, ...]) -> Use:
    strides = tuple(place.strides[d] for d in order)
    return Use(place.storage, place.offset, strides, place.dtype)


def _plain_use(place: Place) -> Use:
    return Use(place.storage, place.offset, place.strides, place.dtype)


def _shape(value: Value) -> Shape:
    shape = static_shape(value)
    if shape is None:
        raise Unsupported("its shapes are not known before it runs")
    return shape


def _padding(
    node: Node, image: Pair, window: Pair, strides: Pair, dilations: Pair, result: Pair
) -> tuple[Pair, Pair]:
    """Zeros before and after in both directions."""
    pads = []
    for size, taps, stride, dilation, outputs in zip(
        image, window, strides, dilations, result, strict=True
    ):
        axis = window_axis(size, taps, stride, dilation, _text(attribute(node, "padding")))
        if axis.output != outputs:
            raise Unsupported(f"a result of size {outputs} where {axis.output} is expected")
        pads.append((axis.before, max(axis.span - axis.before - size, 0)))
    return pads[0], pads[1]


def _convolution(
    node: Node, place_of: Callable[[Value], Place]
) -> tuple[list[Use], Make, tuple[int, ...]]:
    kind, depthwise = _CONVOLUTIONS[node.type]
    order = _order(node)
    values = node.inputs
    if kind == "forward":
        images, filters, results = _shape(values[0]), _shape(values[1]), _shape(node.output())
        uses = [_image_use(place_of(values[0]), order), _plain_use(place_of(values[1]))]
    elif kind == "input":
        images, filters, results = _shape(node.output()), _shape(values[1]), _shape(values[2])
        uses = [_plain_use(place_of(values[1])), _image_use(place_of(values[2]), order)]
    else:
        images, filters, results = _shape(values[0]), _shape(node.output()), _shape(values[2])
        uses = [_image_use(place_of(values[0]), order), _image_use(place_of(values[2]), order)]
    batch, rows, columns, channels = (images[d] for d in order)
    result = (results[order[1]], results[order[2]])
    if not depthwise and filters[2] != channels:
        raise Unsupported("its filter is for groups of channels")
    window, strides = (filters[0], filters[1]), _pair(node, "strides")
    has_dilations = node.declaration is not None and (
        "dilations" in node.declaration.schema.attributes
    )
    dilations = _pair(node, "dilations") if has_dilations else (1, 1)
    padding = _padding(node, (rows, columns), window, strides, dilations, result)

    def make(operands: Any, steps: Any, stores: Any) -> Spec:
        return ConvolutionSpec(
            kind=kind,
            batch=batch,
            image=(rows, columns),
            channels=channels,
            window=window,
            filters=filters[3],
            strides=strides,
            dilations=dilations,
            padding=padding,
            result=result,
            dtype=node.dtypes[0].name,
            operands=operands,
            steps=steps,
            stores=stores,
            depthwise=depthwise,
        )

    return uses, make, (0, 1, 2, 3) if kind == "filter" else order


def _pooling(
    node: Node, place_of: Callable[[Value], Place]
) -> tuple[list[Use], Make, tuple[int, ...]]:
    kind = _POOLINGS[node.type]
    order = _order(node)
    values = node.inputs
    if kind in ("max", "mean"):
        images, results = _shape(values[0]), _shape(node.output())
        inputs = [values[0]]
    elif kind == "max_gradient":
        images, results = _shape(values[0]), _shape(values[1])
        inputs = list(values)
    else:
        images, results = _shape(node.output()), _shape(values[1])
        inputs = [values[1]]
    uses = [_image_use(place_of(v), order) for v in inputs]
    batch, rows, columns, channels = (images[d] for d in order)
    result = (results[order[1]], results[order[2]])
    window, strides = _pair(node, "ksize"), _pair(node, "strides")
    padding = _padding(node, (rows, columns), window, strides, (1, 1), result)

    def make(operands: Any, steps: Any, stores: Any) -> Spec:
        return PoolingSpec(
            kind=kind,
            batch=batch,
            image=(rows, columns),
            channels=channels,
            window=window,
            strides=strides,
            padding=padding,
            result=result,
            dtype=node.dtypes[0].name,
            operands=operands,
            steps=steps,
            stores=stores,
        )

    return uses, make, order
