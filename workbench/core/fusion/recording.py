"""The records of a region's kernels, and its memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.codegen.specs import Lowered
from workbench.core.codegen.target import ITEM_BYTES
from workbench.core.codegen.translation.builder import Flag, Parameter
from workbench.core.fusion.arena import Lifetime, assign_offsets
from workbench.core.fusion.kernels import Kernel, Source
from workbench.core.fusion.places import Kind, Storage, Use
from workbench.core.fusion.program import (
    Address,
    Argument,
    FlagAddress,
    KernelReport,
    RecordPlan,
)
from workbench.core.fusion.waiting import Access, Waits
from workbench.core.graph.dtypes import as_dtype


class Recording(NamedTuple):
    """What became of a region's kernels."""

    records: tuple[RecordPlan, ...]
    kernels: tuple[KernelReport, ...]
    #: The offset of each piece of memory in the arena, and the arena's size in bytes.
    offsets: dict[Storage, int]
    arena_bytes: int
    flags: tuple[Flag, ...]
    #: The numbers of the arguments that kernels write.
    written: frozenset[int]


class Recorder:
    """Takes kernels in the order they run; places their memory and writes their records."""

    def __init__(self) -> None:
        self._kernels: list[tuple[Kernel, Lowered, Storage | None]] = []
        self._parameters: dict[Parameter, Storage] = {}
        self._flags: dict[Flag, int] = {}
        self._written: set[int] = set()
        self._records: list[RecordPlan] = []
        self._reports: list[KernelReport] = []
        self._waits = Waits()
        #: For each piece of the arena the first and last kernel that use it.
        self._lives: dict[Storage, tuple[int, int]] = {}

    def add(self, kernel: Kernel, lowered: Lowered) -> None:
        """The next kernel, and its calls."""
        workspace = Storage(Kind.ARENA, lowered.workspace) if lowered.workspace else None
        self._note_use(len(self._kernels), kernel, workspace)
        self._kernels.append((kernel, lowered, workspace))

    def parameter(self, parameter: Parameter) -> Storage:
        """Where a number is that kernels read."""
        found = self._parameters.get(parameter)
        if found is None:
            array = np.array([parameter.value], as_dtype(parameter.dtype).as_numpy_dtype)
            found = self._parameters[parameter] = Storage(Kind.CONSTANT, array=array)
        return found

    def record(self, arguments: Sequence[Argument]) -> Recording:
        """The records of all kernels; `arguments` are the region's."""
        offsets, total = self._assign()
        for kernel, lowered, workspace in self._kernels:
            self._add_records(kernel, lowered, workspace, offsets, arguments)
        return Recording(
            tuple(self._records),
            tuple(self._reports),
            offsets,
            total,
            tuple(self._flags),
            frozenset(self._written),
        )

    def _note_use(self, number: int, kernel: Kernel, workspace: Storage | None) -> None:
        used = [s.storage for s in kernel.operands if isinstance(s, Use)]
        if workspace is not None:
            used.append(workspace)
        for storage in used:
            if storage.kind is Kind.ARENA:
                first, _ = self._lives.get(storage, (number, number))
                self._lives[storage] = (first, number)

    def _assign(self) -> tuple[dict[Storage, int], int]:
        storages = list(self._lives)
        lifetimes = [Lifetime(s.size, *self._lives[s]) for s in storages]
        offsets, total = assign_offsets(lifetimes)
        return dict(zip(storages, offsets, strict=True)), total

    def _add_records(
        self,
        kernel: Kernel,
        lowered: Lowered,
        workspace: Storage | None,
        offsets: dict[Storage, int],
        region_arguments: Sequence[Argument],
    ) -> None:
        first = len(self._records)
        accesses = [
            Access(s.storage, i in kernel.written)
            for i, s in enumerate(kernel.operands)
            if isinstance(s, Use)
        ]
        if workspace is not None:
            accesses.append(Access(workspace, True))
        waits = self._waits.before(accesses, offsets)
        is_effect = any(
            a.is_written
            and a.storage.kind is Kind.ARGUMENT
            and region_arguments[a.storage.argument].kind == "variable"
            for a in accesses
        )
        for call in lowered.calls:
            arguments = tuple(self._argument(a, kernel, workspace) for a in call.arguments)
            number = len(self._records)
            self._records.append(
                RecordPlan(
                    call.code,
                    arguments,
                    call.units,
                    max(call.chunk, 1),
                    waits if number == first else number,
                    is_effect,
                )
            )
        self._waits.note(accesses, first, len(self._records))
        self._written |= {
            a.storage.argument for a in accesses if a.is_written and a.storage.kind is Kind.ARGUMENT
        }
        self._reports.append(
            KernelReport(
                kernel.group,
                kernel.group.role.name.lower(),
                first,
                len(self._records),
                lowered.flops,
                lowered.bytes,
                dict(lowered.notes),
            )
        )

    def _argument(
        self, argument: Any, kernel: Kernel, workspace: Storage | None
    ) -> Address | FlagAddress | int:
        if argument.kind == "integer":
            number: int = argument.value
            return number
        if argument.kind == "workspace":
            assert workspace is not None
            return Address(workspace, argument.value)
        source: Source = kernel.operands[argument.value]
        if isinstance(source, Use):
            return Address(source.storage, source.offset * ITEM_BYTES[source.dtype])
        if isinstance(source, Parameter):
            return Address(self.parameter(source), 0)
        return FlagAddress(self._flags.setdefault(source, len(self._flags)))
