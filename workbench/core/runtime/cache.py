"""Programs by what is run: found in a few hundred nanoseconds when the same step runs again.

A signature is (fetches, fed tensors). For each it keeps programs for the shapes that were fed; a
signature that sees many shapes gets one program that serves them all.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.plan.plan import make_plan
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime import failures
from workbench.core.runtime.dataflow.choice import needs_dataflow
from workbench.core.runtime.feeds import check_shape, feed_array
from workbench.core.runtime.fetches import FetchPlan
from workbench.core.runtime.program import Program
from workbench.core.runtime.program_writer import ProgramWriter
from workbench.core.runtime.tier import Tier
from workbench.core.runtime.tiers import Tiers

#: From this many shapes on, a signature runs one program for all shapes.
_SPECIALISED = 8
#: The same where programs are compiled: machine code serves all sizes of a batch, but only where
#: the other sizes are known.
_COMPILED_SHAPES = 64

Shapes = tuple[tuple[int, ...], ...]


class ProgramCache:
    """The programs of a session by fetches, feeds, shapes and options."""

    def __init__(self, session: Any, tier: Tier, threads: int) -> None:
        self._session = session
        self._programs: dict[Any, Program] = {}
        self.tiers = Tiers(session, tier, threads, self.replace)
        #: Those that run programs, and are told of better ones.
        self._signatures: weakref.WeakSet[RunSignature] = weakref.WeakSet()
        self._signatures_lock = threading.Lock()
        #: Why each program was made, newest last: what `explain` reports.
        self.misses: list[str] = []
        self._lock = threading.RLock()

    def clear(self) -> None:
        """Forgets all programs."""
        self._programs.clear()
        self.tiers.close()

    def enter(self, signature: RunSignature) -> None:
        """Has a signature told when there is a better program than one it runs."""
        with self._signatures_lock:
            self._signatures.add(signature)

    def replace(self, old: Program, new: Program) -> None:
        """Puts a program in the place of another one, from the next run on."""
        for key, program in list(self._programs.items()):
            if program is old:
                self._programs[key] = new
        with self._signatures_lock:
            signatures = list(self._signatures)
        for signature in signatures:
            signature.replace(old, new)

    def program(
        self,
        plan: FetchPlan,
        fed: Sequence[Tensor],
        shapes: Sequence[tuple[int, ...] | None],
        observer: Any = None,
        observer_key: str = "",
    ) -> Program:
        """The program for these fetches, feeds and shapes, made on first use."""
        graph = self._session.graph
        key = (
            tuple(plan.elements),
            tuple(fed),
            tuple(shapes),
            graph.changes,
            observer_key,
        )
        found = self._programs.get(key)
        if found is not None:
            return found
        with self._lock:
            return self._programs.get(key) or self._make(key, plan, fed, shapes, observer)

    def _make(
        self,
        key: Any,
        plan: FetchPlan,
        fed: Sequence[Tensor],
        shapes: Sequence[tuple[int, ...] | None],
        observer: Any,
    ) -> Program:
        """The program for a new key; one thread makes one at a time."""
        self.misses.append(self._reason(key))
        order = needed_operations(plan.tensors, plan.targets, fed)
        error = failures.missing_feeds_error(order, list(plan.elements), list(fed))
        if error is not None:
            raise error
        if needs_dataflow(order):
            from workbench.core.runtime.dataflow.building import program_of

            # It serves all shapes.
            found = self._sibling(key) or program_of(
                order, plan.tensors, plan.targets, fed, self._session, observer
            )
            self._programs[key] = found
            return found
        with self._session.graph.right_of_way.taken():
            made = make_plan(plan.tensors, plan.targets, fed, shapes)
            found = ProgramWriter(made, self._session, observer).write()
        if observer is None:
            found = self.tiers.admit(found, self._sibling(key))
        self._programs[key] = found
        return found

    def _sibling(self, key: Any) -> Program | None:
        """A program of the same step for other shapes, a compiled one if there is one."""
        found = None
        for known, program in list(self._programs.items()):
            if known[:2] == key[:2] and known[3:] == key[3:]:
                found = program
                if program.tier == "compiled":
                    break
        return found

    def _reason(self, key: Any) -> str:
        """What is new about a signature, against the nearest that was known."""
        fetches, fed, shapes, changes, observer = key
        best = ""
        for known in list(self._programs):
            if known[0] == fetches and known[1] == fed and known[4] == observer:
                if known[3] != changes:
                    return "the graph changed"
                best = f"shapes {known[2]} -> {shapes}"
            elif known[0] == fetches and not best:
                best = "other feeds"
        return best or "new fetches"


class RunSignature:
    """What to run for given fetches and fed tensors."""

    def __init__(
        self,
        session: Any,
        plan: FetchPlan,
        fed: list[Tensor],
        check_numerics: bool,
        memory: Mapping[Tensor, Any] | None = None,
    ) -> None:
        self._session = session
        self.plan = plan
        self.fed = fed
        #: Where a C function writes fetched values each time.
        self._memory = memory or {}
        self._check_numerics = check_numerics
        self._by_shapes: dict[Shapes, Program] = {}
        self._general: Program | None = None
        #: A C function that runs the step for values it knows the shapes of, once there is one.
        self.fast: Any = None
        self._call: tuple[Any, list[Any]] | None = None
        self._dtypes = [
            t.dtype.base_dtype.numpy_dtype
            if t.dtype.base_dtype.as_numpy_dtype is not object
            else None
            for t in fed
        ]
        build = plan.build
        # Lists of tensors and operations, the usual case, are put together without a builder.
        self._positions = plan.tensor_positions
        self._all_tensors = len(plan.tensors) == len(plan.elements)
        self._build: Any = build
        self.graph_changes = session.graph.changes
        session._programs.enter(self)

    @property
    def serves_all_shapes(self) -> bool:
        """True once one program runs whatever shapes are fed."""
        return self._general is not None

    def serve_with(self, program: Any) -> None:
        """Has one program run whatever is fed."""
        self._general = program

    def replace(self, old: Program, new: Program) -> None:
        """Takes a program in the place of another one."""
        places = [shapes for shapes, p in list(self._by_shapes.items()) if p is old]
        for shapes in places:
            self._by_shapes[shapes] = new
        if self._general is old:
            self._general = new
        elif not places:
            return
        self._quicken(new)

    def _quicken(self, program: Program) -> None:
        """Has a C function run the step where the program is nothing else."""
        entry = self.entry(program)
        if entry is None:
            return
        self.fast = entry.call
        if self._call is not None and self.graph_changes == self._session.graph.changes:
            self._session._recognise(entry, *self._call)

    def entry(self, program: Program) -> Any:
        """The step as a C function from what is fed to what is fetched; None where it is more."""
        form = self.plan.form() if program.whole is not None else None
        if form is None or program.whole is None:
            return None
        kind, positions = form
        outputs = program.whole.outputs
        output_of = dict(zip(self.plan.tensor_positions, outputs, strict=True))
        memory = {
            output: self._memory[tensor]
            for tensor, output in zip(self.plan.tensors, outputs, strict=True)
            if tensor in self._memory
        }
        return program.whole.enter(kind, tuple(output_of.get(p, -1) for p in positions), memory)

    def keep(self, fetches: Any, feed_dict: Any) -> None:
        """Keeps what was given to `Session.run` alive for as long as the signature lives."""
        copied = type(fetches)(fetches) if isinstance(fetches, (list, tuple)) else fetches
        self._call = (copied, list(feed_dict or ()))

    def results(self, values: tuple[Any, ...]) -> Any:
        """The fetched values in the structure of the fetches."""
        if self._all_tensors:
            return self._build(values)
        return self.plan.results(values)

    def prepare(self, feed_dict: Any) -> tuple[Program, list[Any]]:
        """The program for the values in `feed_dict`, and the values as it takes them."""
        values: list[Any] = []
        if feed_dict:
            given = feed_dict.values()
            if len(self.fed) != len(given):
                given = self._flat(feed_dict)
            for tensor, dtype, value in zip(self.fed, self._dtypes, given, strict=True):
                kind = type(value)
                if (kind is np.ndarray and value.dtype is dtype) or (
                    dtype is not None and kind is dtype.type
                ):
                    shape = value.shape
                    if shape != tensor.entries:
                        check_shape(tensor, shape)
                    values.append(value if shape else value[()])
                else:
                    values.append(feed_array(tensor, value))
        if self._general is not None:
            return self._general, values
        try:
            shapes = tuple([v.shape for v in values])
        except AttributeError:
            # Tables and iterators are fed as they are: they have no shape.
            shapes = tuple([getattr(v, "shape", ()) for v in values])
        program = self._by_shapes.get(shapes)
        if program is None:
            program = self._make(shapes)
        return program, values

    def _flat(self, feed_dict: Any) -> list[Any]:
        from workbench.core.runtime.feeds import flatten_feeds

        return [v for _, v in flatten_feeds(self._session.graph, feed_dict)]

    def _make(self, shapes: Shapes) -> Program:
        known: Sequence[tuple[int, ...] | None] = shapes
        compiles = self._session._programs.tiers.tier is not Tier.INTERPRETED
        is_general = len(self._by_shapes) >= (_COMPILED_SHAPES if compiles else _SPECIALISED)
        if is_general:
            known = [None] * len(shapes)
        program = self.of_shapes(known)
        if is_general:
            self._general = program
        else:
            self._by_shapes[shapes] = program
        if program.whole is not None:
            self._quicken(program)
        return program

    def of_shapes(self, shapes: Sequence[tuple[int, ...] | None]) -> Program:
        """The newest program for values of these shapes; with None, for values of any shape."""
        observer: Any = None
        if self._check_numerics:
            from workbench.core.runtime.numerics import check_finite

            observer = check_finite
        found: Program = self._session._programs.program(
            self.plan, self.fed, shapes, observer, "numerics" if observer else ""
        )
        return found
