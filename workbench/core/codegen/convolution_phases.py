"""The gradient of a convolution by its images."""

from __future__ import annotations

from workbench.core.codegen.convolution_correlation import correlation_call
from workbench.core.codegen.convolution_epilogue import Epilogue
from workbench.core.codegen.convolution_geometry import (
    Correlation,
    Source,
    phases,
    window_axes,
)
from workbench.core.codegen.convolution_packing import Packing, Taps, packing_call
from workbench.core.codegen.convolution_tiling import block_width
from workbench.core.codegen.specs import Argument, Call, ConvolutionSpec
from workbench.core.codegen.target import Target

_ALIGNMENT = 64


def phase_calls(
    spec: ConvolutionSpec,
    source: Source,
    strides: tuple[int, int, int, int],
    sizes: tuple[int, int],
    epilogue: Epilogue,
    target: Target,
) -> tuple[list[Call], int]:
    """A correlation for each residue class of rows and columns, and its part of the filter.

    `strides` and `sizes` are those of the filter, operand 0, as the bank has it: what is summed
    over, then what the result has.
    """
    rows, columns = window_axes(spec)
    packings: list[Call] = []
    correlations: list[Call] = []
    workspace = 0
    for down in phases(rows):
        for across in phases(columns):
            correlation = Correlation(
                source,
                down.axis,
                across.axis,
                *sizes,
                spec.dtype,
                (down.first, across.first),
                spec.strides,
                spec.depthwise,
            )
            packing = Packing(
                Argument("operand", 0),
                strides,
                Taps(down.tap, -down.tap_step, down.axis.taps),
                Taps(across.tap, -across.tap_step, across.axis.taps),
                *sizes,
                block_width(correlation, target),
                spec.dtype,
            )
            if packing.size:
                packings.append(packing_call(packing, target, workspace))
            bank = packing.bank(workspace)
            correlations.append(correlation_call(correlation, bank, epilogue, target, spec.batch))
            workspace += -(-packing.size // _ALIGNMENT) * _ALIGNMENT
    return packings + correlations, workspace
