"""A compiled region bound to memory: what a program calls in place of its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.codegen.compiler import KernelLibrary
from workbench.core.codegen.driver import run
from workbench.core.codegen.table import Record, Table, aligned_bytes
from workbench.core.fusion.places import Kind, Storage
from workbench.core.fusion.program import Address, FlagAddress, RegionProgram

#: Takes the arguments of a region whose kernels cannot run on them, or failed a check.
Fallback = Callable[..., None]


class Instance:
    """A region with its own arena and table, for one run at a time."""

    def __init__(self, program: RegionProgram, addresses: dict[str, int], threads: int) -> None:
        self.arena = aligned_bytes(max(program.arena_bytes, 1))
        self._constants: list[Any] = []
        self.patches: list[list[tuple[int, int]]] = [[] for _ in program.arguments]
        flags: list[tuple[int, int]] = []
        records = []
        place = 0
        for plan in program.records:
            words = []
            for argument in plan.arguments:
                if isinstance(argument, int):
                    words.append(argument)
                elif isinstance(argument, FlagAddress):
                    flags.append((place, argument.check))
                    words.append(0)
                else:
                    words.append(self._address(program, argument, place))
                place += 1
            records.append(
                Record(
                    addresses[plan.code.name],
                    tuple(words),
                    plan.units,
                    plan.chunk,
                    plan.waits,
                    plan.effect,
                    plan.code.scratch,
                )
            )
        self.table = Table(records, threads, max(1, len(program.flags)))
        for position, check in flags:
            self.table.arguments[position] = self.table.flag_address(check)

    def _address(self, program: RegionProgram, argument: Address, place: int) -> int:
        storage: Storage = argument.storage
        if storage.kind is Kind.ARENA:
            at = int(self.arena.ctypes.data) + program.offsets[storage]
            return at + argument.offset
        if storage.kind is Kind.CONSTANT:
            array = storage.array
            assert array is not None
            self._constants.append(array)
            return int(array.ctypes.data) + argument.offset
        self.patches[storage.argument].append((place, argument.offset))
        return 0


class CompiledRegion:
    """Runs a region's program.

    `fallback` is called with the arguments where the kernels cannot run on them.
    """

    def __init__(self, program: RegionProgram, threads: int, fallback: Fallback) -> None:
        self.program = program
        self._threads = threads
        #: Called with the arguments where the kernels cannot run on them.
        self.fallback = fallback
        self._addresses = KernelLibrary.shared().compile(r.code for r in program.records)
        self._dtypes = [
            np.dtype(a.value.dtype.base_dtype.as_numpy_dtype) for a in program.arguments
        ]
        self._free: list[Instance] = [Instance(program, self._addresses, threads)]

    def __call__(self, *arguments: Any) -> None:
        """One run; arrays among the arguments are read or written as the program says."""
        instance = self.take()
        try:
            # What is bound stays alive until the run is over.
            bound = self.bind(instance, arguments)
            if bound is None or not run(instance.table):
                self.fallback(*arguments)
        finally:
            self.give_back(instance)

    def take(self) -> Instance:
        """An instance that nobody else uses until it is given back."""
        try:
            return self._free.pop()
        except IndexError:
            return Instance(self.program, self._addresses, self._threads)

    def give_back(self, instance: Instance) -> None:
        """Has an instance used by the next run."""
        self._free.append(instance)

    def bind(
        self, instance: Instance, arguments: tuple[Any, ...]
    ) -> list[np.ndarray[Any, Any]] | None:
        """Enters the addresses of arguments; None where the kernels cannot run on them."""
        words = instance.table.arguments
        bound = []
        for argument, plan, dtype, patches in zip(
            arguments, self.program.arguments, self._dtypes, instance.patches, strict=True
        ):
            array = argument
            if not isinstance(array, np.ndarray):
                if plan.kind != "value" and plan.shape:
                    return None
                array = np.asarray(argument)
            if array.dtype != dtype or array.shape != plan.shape:
                return None
            if not array.flags.c_contiguous or not array.flags.aligned:
                if plan.kind != "value":
                    return None
                array = np.ascontiguousarray(array)
            bound.append(array)
            address = array.ctypes.data
            for place, offset in patches:
                words[place] = address + offset
        return bound
