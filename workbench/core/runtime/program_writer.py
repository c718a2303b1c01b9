"""Tier 0: a plan as one straight-line Python function over the NumPy kernels.

The function is written once for a plan and a session, one line for each step, with kernels,
constants and variables as its globals: interpreting a step then costs one call. The text is made of
generated names only; nothing of the user's goes into it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.ops.kernel_binding import bind_kernel
from workbench.core.plan.groups import find_groups
from workbench.core.plan.memory import Step, static_shape
from workbench.core.plan.node import CONSTANT, FEED, HANDLE, READ, Node, Value
from workbench.core.plan.plan import Plan
from workbench.core.plan.schedule import updated_handles
from workbench.core.runtime.arena import Arena
from workbench.core.runtime.blocks import run_blocks
from workbench.core.runtime.numerics import check_finite
from workbench.core.runtime.probe import Probe
from workbench.core.runtime.program import FILENAME, Observer, Program
from workbench.core.runtime.scalar_code import scalar_operator
from workbench.core.runtime.state import VariableState, container_of, locks_variable
from workbench.core.runtime.step import KernelContext
from workbench.core.sync.scope import scoped


class ProgramWriter:
    """Writes the function of a plan for one session.

    An `observer` is called with the results of each step, and keeps all of them alive until the
    end; a `probe` measures a program that is the plain one in everything else. `arena` is that of
    another program of the plan: the two then share its memory.
    """

    def __init__(
        self,
        plan: Plan,
        session: Any,
        observer: Observer | None = None,
        probe: Probe | None = None,
        arena: Arena | None = None,
    ) -> None:
        self._plan = plan
        self._session = session
        self._copied = plan.memory.copied
        self._observer = observer
        self._probe = probe
        self._arena = arena
        self._names: dict[Value, str] = {}
        self._globals: dict[str, Any] = {
            "_copy": _copied,
            "_plain": _plain,
            "_empty": np.empty,
            "_run_blocks": run_blocks,
            "_observe": observer,
        }
        self._lines: list[str] = []
        self._nodes: list[Node | None] = []
        self._globals["_nodes"] = self._nodes
        #: How many values that are still needed each name stands for.
        self._meanings: Counter[str] = Counter()
        self._group_lines: list[tuple[str, Node | None]] = []

    def write(self) -> Program:
        """The program."""
        plan = self._plan
        feeds = ", ".join(f"f{i}" for i in range(len(plan.feeds)))
        self._line(f"def program({feeds}):")
        arena = None
        if plan.memory.buffers:
            arena = self._arena or Arena(plan)
            self._globals.update(_take=arena.take, _give_back=arena.give_back)
            self._line(" b = _take()")
        if self._probe is not None:
            self._line(f" {self._probe.start}")
        steps = plan.memory.steps
        groups = {} if self._observer is not None else find_groups(steps)
        done = -1
        for i, step in enumerate(steps):
            if i <= done:
                continue
            if i in groups:
                self._group([steps[j] for j in groups[i]])
                done = groups[i][-1]
            else:
                self._step(step)
        if plan.memory.buffers:
            self._line(" _give_back(b)")
        if plan.misfit is not None and "_misfit" not in self._globals:
            self._raise(plan.misfit, None)
        fetched = [self._fetched(v) for v in plan.fetches]
        self._line(f" return ({', '.join(fetched)}{',' if len(fetched) == 1 else ''})")
        # The functions of groups come after the program, which has their names as globals.
        for text, node in self._group_lines:
            self._line(text, node)
        source = "\n".join(self._lines)
        if self._probe is not None:
            self._globals.update(self._probe.ready())
        exec(compile(source, FILENAME, "exec"), self._globals)
        return Program(plan, self._runner(), source, self._nodes, arena)

    def _runner(self) -> Callable[..., tuple[Any, ...]]:
        """The function that was written; one that may wait gives back at its end what it locked."""
        function: Callable[..., tuple[Any, ...]] = self._globals["program"]
        return scoped(function) if self._plan.may_wait else function

    def _raise(self, error: Exception, node: Node | None) -> None:
        self._globals["_misfit"] = error
        self._line(" raise _misfit", node)

    def _fetched(self, value: Value) -> str:
        name = self._names[value]
        if value in self._copied and self._may_be_array(value):
            return f"_copy({name})"
        # Kernels may give a scalar as an array without axes; users get NumPy's scalars.
        return f"_plain({name})" if static_shape(value) in ((), None) else name

    @staticmethod
    def _may_be_array(value: Value) -> bool:
        return static_shape(value) != () or value.dtype.as_numpy_dtype is object

    def _line(self, text: str, node: Node | None = None) -> None:
        self._lines.append(text)
        self._nodes.append(node)

    def _step(self, step: Step) -> None:
        node = step.node
        if node.type == FEED:
            self._name(node.output(), f"f{node.attrs['index']}")
            return
        if node.type == CONSTANT:
            name = f"c{node.number}"
            array = node.constant
            self._globals[name] = array[()] if array.ndim == 0 else array
            self._names[node.output()] = name
            return
        if node.type == HANDLE:
            self._handle(node)
            return
        if node.type == READ:
            self._read(node)
        else:
            self._compute(step)
            misfit = self._plan.misfit
            if misfit is not None and misfit.op is node.origin:
                self._raise(misfit, node)
        if self._observer is not None and node.type != READ:
            self._globals[f"n{node.number}"] = node
            values = ", ".join(self._names[node.output(i)] for i in range(len(node.dtypes)))
            comma = "," if len(node.dtypes) == 1 else ""
            self._line(f" _observe(n{node.number}, ({values}{comma}))", node)
        if self._probe is not None:
            names = [self._names[node.output(i)] for i in range(len(node.dtypes))]
            for text in self._probe.after(node, names, timed=node.type != READ):
                self._line(f" {text}", node)
        if step.ends and self._observer is None:
            self._end_values(step.ends)

    def _group(self, steps: list[Step]) -> None:
        """Element-wise steps that go through the cache together, see `workbench.core.plan.groups`.

        Every result is known by the name of the array that takes it.
        """
        computing = [s for s in steps if s.node.type not in (FEED, CONSTANT, HANDLE, READ)]
        for step in steps:
            if step not in computing:
                self._step(Step(step.node, None, None, False, ()))
        arrays: dict[str, None] = {}
        scalars: dict[str, None] = {}
        body: list[tuple[str, Node | None]] = []
        for step in computing:
            node = step.node
            for value in node.inputs:
                name = self._names[value]
                if static_shape(value) != ():
                    arrays[name] = None
                elif not name.startswith("c"):
                    scalars[name] = None
            arguments = [self._names[v] for v in node.inputs]
            if step.overwrites is not None:
                target = arguments[step.overwrites]
            else:
                target = f"d{node.number}"
                self._line(f" {target} = {self._destination(step)}")
            arrays[target] = None
            self._name(node.output(), target)
            call = f"{self._kernel(node)}({', '.join([*arguments, f'out={target}'])})"
            body.append((f" {call}", node))
        name = f"g{computing[0].node.number}"
        self._group_lines.append((f"def {name}({', '.join([*arrays, *scalars])}):", None))
        self._group_lines.extend(body)
        listed = ", ".join(arrays)
        others = "".join(f"{s}, " for s in scalars)
        call = f"_run_blocks({name}, ({listed},), ({others}))"
        if self._probe is None:
            self._line(f" {call}", computing[0].node)
        else:
            alone = [(t[1:], n, self._names[n.output()]) for t, n in body if n is not None]
            for text, inner in self._probe.group(call, alone):
                self._line(f" {text}", inner)
        self._end_values([v for s in steps for v in s.ends])

    def _destination(self, step: Step) -> str:
        if step.buffer is not None:
            return f"b[{step.buffer}]"
        value = step.node.output()
        self._globals[f"s{step.node.number}"] = (static_shape(value), value.dtype.numpy_dtype)
        return f"_empty(*s{step.node.number})"

    def _end_values(self, values: Sequence[Value]) -> None:
        """Forgets values that are not used any more, where their name means nothing else."""
        ended = []
        for value in values:
            name = self._names.get(value)
            if name is None or not name.startswith(("v", "f", "d")):
                continue
            self._meanings[name] -= 1
            if not self._meanings[name]:
                ended.append(name)
        if ended:
            self._line(f" {' = '.join(ended)} = None")

    def _name(self, value: Value, name: str) -> str:
        """Gives a value a name; several values may share the array of one name."""
        self._names[value] = name
        self._meanings[name] += 1
        return name

    def _handle(self, node: Node) -> None:
        operation = node.origin
        assert operation is not None
        state = self._session.state.variable(
            operation.name, node.dtypes[0], node.shapes[0], container_of(operation)
        )
        self._globals[f"r{node.number}"] = state
        self._globals[f"u{node.number}"] = _Uninitialised(self._session, operation, state)

    def _read(self, node: Node) -> None:
        number = node.inputs[0].node.number
        name = self._name(node.output(), f"v{node.number}")
        self._line(f" {name} = r{number}.value", node)
        self._line(f" if {name} is None: {name} = u{number}()", node)

    def _compute(self, step: Step) -> None:
        node = step.node
        results = []
        for index in range(len(node.dtypes)):
            name = f"v{node.number}" if len(node.dtypes) == 1 else f"v{node.number}_{index}"
            results.append(self._name(node.output(index), name))
        if node.type in CONTROL_FLOW:
            self._control_flow(step, results)
            return
        template = scalar_operator(node)
        if template:
            text = template.format(*(self._names[v] for v in node.inputs))
            self._line(f" {results[0]} = {text}", node)
            return
        kernel = self._kernel(node)
        declaration = node.declaration
        assert declaration is not None
        updated = updated_handles(node)
        if any(v.node.type == HANDLE for v in node.inputs):
            self._update(step, kernel, updated, results)
            return
        arguments = [self._names[v] for v in node.inputs]
        if step.overwrites is not None:
            arguments.append(f"out={arguments[step.overwrites]}")
        elif step.buffer is not None:
            arguments.append(f"out=b[{step.buffer}]")
        call = f"{kernel}({', '.join(arguments)})"
        if not results:
            self._line(f" {call}", node)
        else:
            target = results[0] if len(results) == 1 else ", ".join(results)
            self._line(f" {target} = {call}", node)

    def _control_flow(self, step: Step, results: list[str]) -> None:
        """A conditional or loop: its bodies are programs of their own."""
        from workbench.core.runtime.control_flow import handed_inputs, make_step

        node = step.node
        name = f"k{node.number}"
        self._globals[name] = make_step(node, self._body_maker(step))
        arguments = [self._names[node.inputs[i]] for i in handed_inputs(node)]
        used = [results[i] for i in node.attrs["used"]]
        for unused in [r for r in results if r not in used]:
            self._line(f" {unused} = None", node)
        target = f"{', '.join(used)}, = " if used else ""
        self._line(f" {target}{name}({', '.join(arguments)})", node)

    def _body_maker(self, step: Step) -> Any:
        """What makes the programs of a step's bodies."""
        from workbench.core.runtime.body_program import BodyMaker

        observer = self._observer if self._observer is check_finite else None
        return BodyMaker(self._session, step.updates_in_place, observer)

    def _update(self, step: Step, kernel: str, updated: list[Node], results: list[str]) -> None:
        """A kernel on variables: it takes their arrays and gives their new values."""
        node = step.node
        declaration = node.declaration
        assert declaration is not None
        arguments = []
        for value in node.inputs:
            if value.node.type != HANDLE:
                arguments.append(self._names[value])
                continue
            number = value.node.number
            arguments.append(f"r{number}.value")
            if not declaration.allows_uninitialized:
                self._line(f" if r{number}.value is None: u{number}()", node)
        if declaration._takes("inplace"):
            arguments.append(f"inplace={step.updates_in_place}")
        call = f"{kernel}({', '.join(arguments)})"
        if not updated:
            self._line(f" {', '.join(results)} = {call}" if results else f" {call}", node)
            return
        new = [f"w{node.number}_{h.number}" for h in updated]
        reference_outputs = [a.is_reference for a in declaration.schema.outputs]
        plain = [r for r, is_ref in zip(results, reference_outputs, strict=False) if not is_ref]
        indent = ""
        if locks_variable(node.type, node.attrs):
            self._line(f" with r{updated[0].number}.lock:", node)
            indent = " "
        self._line(f"{indent} {', '.join([*new, *plain])} = {call}", node)
        for handle, name in zip(updated, new, strict=True):
            self._line(f"{indent} r{handle.number}.value = {name}", node)
        for result, is_ref in zip(results, reference_outputs, strict=False):
            if is_ref:
                self._line(f" {result} = {new[0]}", node)

    def _kernel(self, node: Node) -> str:
        bound = bind_kernel(node.type, node.attrs, len(node.inputs))
        if bound is None:
            raise NotImplementedError(f"Operation type {node.type!r} has no kernel")
        declaration = node.declaration
        if declaration is not None and declaration.takes_context:
            bound = _with_context(bound, KernelContext(node.origin, self._session))  # type: ignore[arg-type]
        name = f"k{node.number}"
        self._globals[name] = bound
        return name


def _with_context(kernel: Callable[..., Any], context: KernelContext) -> Callable[..., Any]:
    from functools import partial

    return partial(kernel, context=context)


def _copied(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    # A single string is fed as an array without axes, and fetched as the string.
    return value.copy() if value.ndim else value[()]


def _plain(value: Any) -> Any:
    return value[()] if isinstance(value, np.ndarray) and not value.ndim else value


class _Uninitialised:
    """What a program does when a variable has no value: initialise it, or raise."""

    def __init__(self, session: Any, operation: Any, state: VariableState) -> None:
        self._session = session
        self._operation = operation
        self._state = state

    def __call__(self) -> Any:
        self._session.initialise_on_first_use(self._operation, self._state)
        return self._state.value
