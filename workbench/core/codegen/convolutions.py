"""Two-dimensional convolutions and their gradients: which kernels, and their work space."""

from __future__ import annotations

from dataclasses import replace

from workbench.core.codegen.convolution_correlation import correlation_call
from workbench.core.codegen.convolution_epilogue import Epilogue
from workbench.core.codegen.convolution_filter import FilterGradient, filter_gradient_calls
from workbench.core.codegen.convolution_geometry import (
    Bank,
    Correlation,
    dense_source,
    window_axes,
)
from workbench.core.codegen.convolution_layout import Place, is_together, with_copies
from workbench.core.codegen.convolution_packing import Packing, Taps, packing_call
from workbench.core.codegen.convolution_phases import phase_calls
from workbench.core.codegen.convolution_tiling import BANK_BYTES, bank_bytes, block_width
from workbench.core.codegen.depthwise import depthwise_calls, is_mergeable, merged
from workbench.core.codegen.specs import Argument, Call, ConvolutionSpec, Lowered, Operand
from workbench.core.codegen.target import ITEM_BYTES, Target
from workbench.core.codegen.unsupported import Unsupported

#: The operand that is stored to if there are no steps.
_RESULT = 2


def lower_convolution(spec: ConvolutionSpec, target: Target) -> Lowered:
    """The calls of a convolution; the count of images is not part of their code.

    Raises:
      Unsupported: the dtype is neither float32 nor float64, an operand has another one than the
        convolution, or there is nothing to compute.

    >>> from workbench.core.codegen.target import AVX512
    >>> images, bank = Operand("float32", (256, 32, 8, 1)), Operand("float32", (384, 128, 16, 1))
    >>> result = Operand("float32", (1024, 128, 16, 1))
    >>> spec = ConvolutionSpec(
    ...     "forward",
    ...     5,
    ...     (8, 8),
    ...     8,
    ...     (3, 3),
    ...     16,
    ...     (1, 1),
    ...     (1, 1),
    ...     ((1, 1), (1, 1)),
    ...     (8, 8),
    ...     "float32",
    ...     (images, bank, result),
    ...     (),
    ...     (),
    ... )
    >>> len(lower_convolution(spec, AVX512).calls)
    1
    """
    _check(spec)
    places = _places(spec)
    apart = [
        number
        for number, (operand, place) in enumerate(zip(spec.operands, places, strict=True))
        if (place.read or place.written) and not _usable(spec, number, operand, place)
    ]

    def lower(operands: tuple[Operand, ...]) -> Lowered:
        return _lowered(replace(spec, operands=operands), target)

    return with_copies(spec.operands, places, apart, lower, target)


def _check(spec: ConvolutionSpec) -> None:
    if spec.dtype not in ("float32", "float64"):
        raise Unsupported(f"a convolution of {spec.dtype} stays with NumPy")
    if any(operand.dtype != spec.dtype for operand in spec.operands[:_RESULT]):
        raise Unsupported("the operands of a convolution have different dtypes")
    sizes = (spec.batch, *spec.image, spec.channels, *spec.window, spec.filters, *spec.result)
    if min(sizes) < 1:
        raise Unsupported("a convolution of nothing stays with NumPy")


def _lowered(spec: ConvolutionSpec, target: Target) -> Lowered:
    if spec.depthwise:
        operands = tuple(
            merged(operand, spec.filters) if _is_filter(spec, number) else operand
            for number, operand in enumerate(spec.operands)
        )
        calls, workspace = depthwise_calls(
            replace(spec, operands=operands), _epilogue(spec, operands), target
        )
    elif spec.kind == "forward":
        calls, workspace = _forward(spec, target)
    elif spec.kind == "input":
        calls, workspace = _by_images(spec, target)
    else:
        calls, workspace = _by_filter(spec, target)
    notes = {"kernels": [call.code.name.rpartition("_")[0] for call in calls]}
    return Lowered(tuple(calls), workspace, _operations(spec), _bytes(spec), notes)


def _forward(spec: ConvolutionSpec, target: Target) -> tuple[list[Call], int]:
    rows, columns = window_axes(spec)
    images, bank = spec.operands[:2]
    by_row, by_column, by_channel, by_filter = bank.strides
    correlation = Correlation(
        dense_source(0, images, spec.channels),
        rows,
        columns,
        spec.channels,
        spec.filters,
        spec.dtype,
    )
    width = block_width(correlation, target)
    epilogue = _epilogue(spec, spec.operands)
    # A block of a large filter whose rows are far apart would have few places in the cache.
    large = bank_bytes(correlation) > BANK_BYTES and spec.filters > width
    if by_filter == 1 and not large:
        held = Bank(Argument("operand", 1), (by_row, by_column, by_channel), width, False)
        return [correlation_call(correlation, held, epilogue, target, spec.batch)], 0
    packing = Packing(
        Argument("operand", 1),
        (by_row, by_column, by_channel, by_filter),
        Taps(0, 1, spec.window[0]),
        Taps(0, 1, spec.window[1]),
        spec.channels,
        spec.filters,
        width,
        spec.dtype,
    )
    call = correlation_call(correlation, packing.bank(0), epilogue, target, spec.batch)
    return [packing_call(packing, target, 0), call], packing.size


def _by_images(spec: ConvolutionSpec, target: Target) -> tuple[list[Call], int]:
    by_row, by_column, by_channel, by_filter = spec.operands[0].strides
    source = dense_source(1, spec.operands[1], spec.filters)
    strides = (by_row, by_column, by_filter, by_channel)
    sizes = (spec.filters, spec.channels)
    return phase_calls(spec, source, strides, sizes, _epilogue(spec, spec.operands), target)


def _by_filter(spec: ConvolutionSpec, target: Target) -> tuple[list[Call], int]:
    rows, columns = window_axes(spec)
    images, gradient = spec.operands[:2]
    whole = FilterGradient(
        dense_source(0, images, spec.channels),
        Argument("operand", 1),
        gradient.strides[:3],  # type: ignore[arg-type]
        rows,
        columns,
        spec.channels,
        spec.filters,
        spec.dtype,
    )
    return filter_gradient_calls(whole, _epilogue(spec, spec.operands), target, spec.batch)


def _epilogue(spec: ConvolutionSpec, operands: tuple[Operand, ...]) -> Epilogue:
    return Epilogue(spec.steps, spec.stores, operands, spec.dtype, _RESULT)


# -- what the operands are ---------------------------------------------------------------------


def _is_filter(spec: ConvolutionSpec, number: int) -> bool:
    """Whether an operand has the dimensions of the filter."""
    if number < _RESULT:
        return number == {"forward": 1, "input": 0, "filter": -1}[spec.kind]
    return spec.kind == "filter"


def _places(spec: ConvolutionSpec) -> list[Place]:
    epilogue = _epilogue(spec, spec.operands)
    channels, filters = spec.channels, spec.filters
    images = (spec.batch, *spec.image, channels)
    results = (spec.batch, *spec.result, filters * (channels if spec.depthwise else 1))
    bank = (*spec.window, channels, filters)
    shapes = {
        "forward": (images, bank, results),
        "input": (bank, results, images),
        "filter": (images, results, bank),
    }[spec.kind]
    return [
        Place(
            shapes[min(number, _RESULT)],
            number < _RESULT or number in epilogue.read,
            number in epilogue.stored,
        )
        for number in range(len(spec.operands))
    ]


def _usable(spec: ConvolutionSpec, number: int, operand: Operand, place: Place) -> bool:
    """Whether the kernels can do with the strides of an operand."""
    if spec.depthwise and _is_filter(spec, number):
        if not is_mergeable(operand, spec.channels, spec.filters):
            return False
        if number < _RESULT and spec.kind == "input":
            return True
        shape = (*place.shape[:2], 1, spec.channels * spec.filters)
        return is_together(merged(operand, spec.filters), shape)
    # Elements of images are read one by one, and the filter is packed if it has to be.
    by_element = {"forward": (0, 1), "input": (0, 1), "filter": (0,)}[spec.kind]
    if number in by_element:
        return True
    return is_together(operand, place.shape)


# -- what they cost ----------------------------------------------------------------------------


def _operations(spec: ConvolutionSpec) -> float:
    """Multiplications and additions, those with the padding too."""
    sums = spec.batch * spec.result[0] * spec.result[1] * spec.filters * spec.channels
    return 2.0 * sums * spec.window[0] * spec.window[1]


def _bytes(spec: ConvolutionSpec) -> float:
    """What is read and written once at least."""
    filters = spec.filters * (spec.channels if spec.depthwise else 1)
    images = spec.batch * spec.image[0] * spec.image[1] * spec.channels
    results = spec.batch * spec.result[0] * spec.result[1] * filters
    bank = spec.window[0] * spec.window[1] * spec.channels * spec.filters
    return float((images + results + bank) * ITEM_BYTES[spec.dtype])
