"""A compiled region bound to memory: what a program calls in place of its steps."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from workbench.core.codegen.compiler import KernelLibrary
from workbench.core.codegen.entry import Entry, FeedSpec, Patch, ResultSpec, Structure
from workbench.core.codegen.table import Record, Table, aligned_bytes
from workbench.core.fusion.places import Kind, Storage
from workbench.core.fusion.program import Address, Argument, FlagAddress, RegionProgram
from workbench.core.plan.node import Node, Value
from workbench.core.plan.schedule import updated_handles
from workbench.core.runtime.state import VariableState, locks_variable

#: Interprets a region: takes the values, gives the outputs.
Fallback = Callable[..., tuple[Any, ...]]

#: Shorter steps stay on one thread, and shorter ones keep the interpreter's lock: seconds.
_WORTH_THREADS = 50e-6
_WORTH_RELEASE = 10e-6
#: What a processor does at least in a second, for a guess of how long a step takes.
_FLOPS, _BYTES = 20e9, 10e9


def expected_seconds(program: RegionProgram) -> float:
    """About how long a region takes on one thread."""
    return sum(max(k.flops / _FLOPS, k.bytes / _BYTES) for k in program.kernels)


class Instance:
    """A region with its own arena and table, for one run at a time."""

    def __init__(
        self,
        program: RegionProgram,
        addresses: Mapping[str, int],
        states: Mapping[Node, VariableState],
        threads: int,
        locks: Sequence[threading.Lock] = (),
    ) -> None:
        self._program = program
        self._states = states
        self._locks = locks
        self.threads = threads if expected_seconds(program) > _WORTH_THREADS else 1
        self.arena = aligned_bytes(max(program.arena_bytes, 1))
        # Scalars that the region gives, each on a cache line of its own.
        self._scalars = aligned_bytes(64 * (1 + len(program.arguments)))
        self._constants: list[Any] = []
        #: For each argument the words that hold its address.
        self.patches: list[list[Patch]] = [[] for _ in program.arguments]
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
                    words.append(self._address(argument, place))
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
        self.table = Table(records, self.threads, max(1, len(program.flags)))
        for position, check in flags:
            self.table.arguments[position] = self.table.flag_address(check)
        values = [a.value for a in program.arguments if a.kind == "value"]
        count = sum(a.kind == "output" for a in program.arguments)
        #: Takes the values among the arguments in order, gives a tuple of the outputs.
        self.entry = self.enter(values, Structure("tuple", tuple(range(count))))

    def enter(
        self,
        values: Sequence[Value],
        structure: Structure,
        memory: Mapping[int, np.ndarray[Any, Any]] = MappingProxyType({}),
    ) -> Entry:
        """A function of these values; those the region does not use are only looked at.

        The results that `structure` counts are the region's outputs. Those with a number in
        `memory` are written there each time, if it has room for them as they are.
        """
        feeds: list[FeedSpec] = []
        outputs: list[ResultSpec] = []
        replacements: list[ResultSpec] = []
        numbers = {a.value: i for i, a in enumerate(self._program.arguments) if a.kind == "value"}
        for value in values:
            number = numbers.get(value)
            patches = self.patches[number] if number is not None else []
            entries = value.entries
            assert entries is not None
            shape = tuple(int(e) for e in entries if isinstance(e, int))
            feeds.append(FeedSpec(value.dtype.base_dtype.name, shape, tuple(patches)))
        for number, argument in enumerate(self._program.arguments):
            patches = self.patches[number]
            if argument.kind == "variable":
                holder = (self._states[argument.value.node], "value")
                written = number in self._program.written
                feeds.append(
                    FeedSpec(argument.dtype, argument.shape, tuple(patches), written, holder)
                )
            elif argument.kind == "output":
                result = self._result(number, argument, None)
                outputs.append(_standing(result, memory.get(len(outputs))))
            elif argument.kind == "replacement":
                holder = (self._states[argument.value.node], "value")
                replacements.append(self._result(number, argument, holder))
        release = expected_seconds(self._program) > _WORTH_RELEASE
        results = [*outputs, *replacements]
        return Entry(self.table, feeds, results, structure, self.threads, release, self._locks)

    def _result(
        self, number: int, argument: Argument, holder: tuple[Any, str] | None
    ) -> ResultSpec:
        patches = self.patches[number]
        if argument.shape:
            return ResultSpec(argument.dtype, argument.shape, tuple(patches), None, holder)
        address = int(self._scalars.ctypes.data) + 64 * number
        for patch in patches:
            self.table.arguments[patch.position] = address + patch.offset
        return ResultSpec(argument.dtype, (), (), address, holder)

    def _address(self, argument: Address, place: int) -> int:
        storage: Storage = argument.storage
        if storage.kind is Kind.ARENA:
            at = int(self.arena.ctypes.data) + self._program.offsets[storage]
            return at + argument.offset
        if storage.kind is Kind.CONSTANT:
            array = storage.array
            assert array is not None
            self._constants.append(array)
            return int(array.ctypes.data) + argument.offset
        self.patches[storage.argument].append(Patch(place, argument.offset))
        return 0


def _standing(result: ResultSpec, memory: np.ndarray[Any, Any] | None) -> ResultSpec:
    """A result that goes to the same memory each time, where that is like it."""
    if memory is None or result.address is not None or type(memory) is not np.ndarray:
        return result
    fits = memory.dtype == result.dtype and memory.shape == result.shape and memory.flags.carray
    return result._replace(memory=memory) if fits else result


class CompiledRegion:
    """Runs a region's program.

    Args:
      states: the variables by the nodes that stand for them.
      fallback: interprets the region.
    """

    def __init__(
        self,
        program: RegionProgram,
        states: Mapping[Node, VariableState],
        threads: int,
        fallback: Fallback,
    ) -> None:
        self.program = program
        self._states = states
        self._threads = threads
        #: Interprets the region, from the same values to the same outputs.
        self.fallback = fallback
        self._addresses = KernelLibrary.shared().compile(r.code for r in program.records)
        self.values = tuple(a for a in program.arguments if a.kind == "value")
        self._variables = tuple(a for a in program.arguments if a.kind == "variable")
        locked = {
            states[handle]
            for node in program.nodes
            if locks_variable(node.type, node.attrs)
            for handle in updated_handles(node)[:1]
        }
        #: What must not mix with other threads' updates, in the order in which all regions wait.
        self._locks = [state.lock for state in sorted(locked, key=lambda state: state.name)]
        #: The memory that runs use, as long as no two run at a time.
        self.instance = self._make(self._locks)
        self._spare: list[Instance] = []
        self._bound: list[Instance] = []
        #: Takes the values, gives the outputs; NotImplemented or Ellipsis where `slowly` must.
        self.call: Callable[..., Any] = self.instance.entry.call

    def slowly(self, *values: Any) -> tuple[Any, ...]:
        """A run where `call` gave up: the memory is in use, or a variable, an array lies in another
        way, a variable has no value, or a check failed, which the interpreter tells in its own
        words."""
        fitting = [self._fitting(v, a) for v, a in zip(values, self.values, strict=True)]
        try:
            instance = self._spare.pop()
        except IndexError:
            instance = self._make()
        try:
            with self.held():
                is_ready = all(self._prepared(a) for a in self._variables)
                results = instance.entry.call(*fitting) if is_ready else NotImplemented
        finally:
            self._spare.append(instance)
        if results is NotImplemented or results is Ellipsis:
            return self.fallback(*values)
        given: tuple[Any, ...] = results
        return given

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the variables whose updates must not mix with those of other threads."""
        with contextlib.ExitStack() as stack:
            for lock in self._locks:
                stack.enter_context(lock)
            yield

    # -- by hand, for those who look on ------------------------------------------------------

    def take(self) -> Instance:
        """An instance for `bind`, of which nobody uses the entry, until it is given back."""
        return self._bound.pop() if self._bound else self._make()

    def give_back(self, instance: Instance) -> None:
        """Has an instance used by the next one that takes one."""
        self._bound.append(instance)

    def state_of(self, handle: Node) -> VariableState:
        """The variable that a node stands for."""
        return self._states[handle]

    def bind(self, instance: Instance, values: Sequence[Any]) -> list[Any] | None:
        """Enters the addresses of all arguments, and gives their arrays, which must live until the
        run is over; None where the kernels cannot run on them."""
        given = iter(values)
        arrays = [
            self._array(instance, number, argument, given)
            for number, argument in enumerate(self.program.arguments)
        ]
        if any(a is None for a in arrays):
            return None
        words = instance.table.arguments
        for array, patches in zip(arrays, instance.patches, strict=True):
            address = array.ctypes.data
            for patch in patches:
                words[patch.position] = address + patch.offset
        return arrays

    def finish(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """The outputs of a run on bound arrays; variables get their new values."""
        outputs = []
        for argument, array in zip(self.program.arguments, arrays, strict=True):
            if argument.kind == "output":
                outputs.append(array if argument.shape else array[()])
            elif argument.kind == "replacement":
                state = self._states[argument.value.node]
                state.value = array if argument.shape else array[()]
        return tuple(outputs)

    def _array(self, instance: Instance, number: int, argument: Argument, given: Any) -> Any:
        """The array that an argument is bound to, or None."""
        dtype = argument.value.dtype.base_dtype.numpy_dtype
        if argument.kind in ("output", "replacement"):
            return np.empty(argument.shape, dtype)
        if argument.kind == "variable":
            if not self._prepared(argument):
                return None
            return np.asarray(self._states[argument.value.node].value)
        array = np.asarray(self._fitting(next(given), argument))
        fits = array.dtype == dtype and array.shape == argument.shape
        return array if fits else None

    # -- parts -------------------------------------------------------------------------------

    def _make(self, locks: Sequence[threading.Lock] = ()) -> Instance:
        return Instance(self.program, self._addresses, self._states, self._threads, locks)

    @staticmethod
    def _fitting(value: Any, argument: Argument) -> Any:
        """The value as the kernels need it, if it is the right one at all."""
        wanted = argument.value.dtype.base_dtype.numpy_dtype
        if not argument.shape and getattr(value, "dtype", None) is wanted:
            return value
        if type(value) is np.ndarray and value.dtype is wanted and value.flags.carray:
            return value
        array = np.asarray(value)
        if array.shape != argument.shape or array.dtype.newbyteorder("=") != wanted:
            return value
        dense = np.asarray(array, wanted, order="C")
        return dense if dense.flags.aligned else dense.copy()

    def _prepared(self, argument: Argument) -> bool:
        """Puts a variable's array in order; False where the interpreter must have it."""
        state = self._states[argument.value.node]
        value = state.value
        wanted = argument.value.dtype.base_dtype.numpy_dtype
        if value is None or getattr(value, "shape", None) != argument.shape:
            return False
        if value.dtype != wanted:
            return False
        if argument.shape:
            state.value = np.require(value, wanted, ["C", "A", "W"])
        return True
