"""Values of a line that a later pass takes from a thread's own memory."""

from __future__ import annotations

from workbench.core.codegen.emitter import Register, memory_type
from workbench.core.codegen.loop_frame import Frame
from workbench.core.codegen.loop_passes import Passes
from workbench.core.codegen.loop_reductions import SLOTS
from workbench.core.codegen.loop_shape import register_bytes
from workbench.core.codegen.target import ITEM_BYTES


class KeptValues:
    """A row of memory for each step that is kept, with room for lanes that do not count."""

    def __init__(self, frame: Frame, passes: Passes, count: int, lanes: int) -> None:
        self._emitter = frame.emitter
        self._lanes = lanes
        self._dtypes: dict[int, str] = {}
        self._rows: dict[int, Register] = {}
        for work in passes.passes:
            for index in work.keeps:
                dtype = passes.spec.steps[index].dtype
                # Not rounded once more: the short floats stay as they are in registers.
                short = register_bytes(dtype) != ITEM_BYTES[dtype]
                dtype = "float32" if short else dtype
                self._dtypes[index] = dtype
                size = ITEM_BYTES[dtype] * (count + SLOTS + lanes)
                self._rows[index] = frame.scratch(size)

    def save(self, step: int, place: Register | int, value: Register) -> None:
        """Keeps a whole vector."""
        self._emitter.store_element(
            value, self._where(step, place), self._dtypes[step], self._lanes
        )

    def load(self, step: int, place: Register | int) -> Register:
        """What was kept."""
        return self._emitter.load_element(self._where(step, place), self._dtypes[step], self._lanes)

    def _where(self, step: int, place: Register | int) -> Register:
        kind = memory_type(self._dtypes[step])
        return self._emitter.offset(self._rows[step], kind, place)
