"""Variables whose values operations of other devices take: they are read where they are.

One reading serves all: what comes after an update of the variable is beside it, see `colocated`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.partition.copied import is_copied
from workbench.core.plan.placement.colocation import stays_put


def far_reads(
    order: Sequence[Operation], devices: Mapping[Operation, str], given: set[Tensor]
) -> set[Operation]:
    """The variables of a step that are read for other devices."""
    return {
        tensor.op
        for op in order
        for tensor in op.inputs
        if stays_put(tensor)
        and tensor not in given
        and is_copied(tensor.op)
        and devices.get(tensor.op, devices[op]) != devices[op]
    }
