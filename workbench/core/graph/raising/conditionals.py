"""Switch and Merge become If operations, the innermost first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.graph_def_nodes import split_reference
from workbench.core.graph.raising.effects import TRIGGER, State, join_effects
from workbench.core.graph.raising.frames import (
    ENTERING,
    LEAVING,
    MERGING,
    SWITCHING,
    TURNING,
    source_of,
)
from workbench.core.graph.raising.section import (
    NotRaisableError,
    Section,
    controls_of,
    data_of,
    is_stateful,
    with_inputs,
    write_function,
)

_FRAMES = ENTERING | LEAVING | TURNING | {"LoopCond"}


def raise_conditionals(
    section: Section, library: dict[str, Any], results: Sequence[str] = ()
) -> None:
    """Puts Ifs in the place of all Switch and Merge; where some have no such form, of none.

    `results` are names of nodes that stay though no other node needs them.
    """
    types = {n.op for n in section.nodes.values()}
    if not types & (SWITCHING | MERGING) or types & _FRAMES:
        return
    before, functions = dict(section.nodes), dict(library)
    try:
        _Conditionals(section, library).raise_all(results)
    except NotRaisableError:
        section.nodes = before
        library.clear()
        library.update(functions)


class _Join(NamedTuple):
    """A Merge: the predicate it joins the branches of, and its inputs where that is false, true."""

    merge: Any
    predicate: str
    around: State
    inputs: tuple[str, str]


class _Conditionals:
    """All conditionals of one section."""

    def __init__(self, section: Section, library: dict[str, Any]) -> None:
        self._section = section
        self._library = library
        self._states: dict[str, State] = {}
        self._joins: dict[str, _Join] = {}
        self._note_all()
        if join_effects(section, self._states):
            self._note_all()
        self._effects: set[str] = set()
        #: All inputs of nodes.
        self._references = {r for n in self._order for r in n.input}

    # -- where what is alive -----------------------------------------------------------------

    def _note_all(self) -> None:
        self._states.clear()
        self._joins.clear()
        self._order = self._section.ordered()
        for node in self._order:
            self._note(node)

    def _note(self, node: Any) -> None:
        if node.op == TRIGGER:
            self._states[node.name] = frozenset()
            return
        states = [self._state(r) for r in data_of(node)]
        if node.op in MERGING:
            join = self._join(node, states)
            self._joins[node.name] = join
            self._states[node.name] = join.around
            return
        waits = [self._states.get(c, frozenset()) for c in controls_of(node)]
        self._states[node.name] = frozenset().union(*states, *waits)

    def _state(self, reference: str) -> State:
        name, index = split_reference(reference)
        state = self._states.get(name, frozenset())
        node = self._section.nodes.get(name)
        if node is not None and node.op in SWITCHING:
            return state | {(self._predicate(node), index)}
        return state

    def _predicate(self, switch: Any) -> str:
        """What a Switch goes by; copies of a predicate are the predicate."""
        reference: str = switch.input[1]
        while True:
            node = self._section.nodes.get(source_of(reference))
            if node is None or node.op != "Identity" or controls_of(node):
                return reference
            reference = node.input[0]

    def _join(self, merge: Any, states: Sequence[State]) -> _Join:
        if len(states) != 2 or merge.op != "Merge":
            raise NotRaisableError(f"{merge.name!r} does not join two branches")
        first, second = states
        sides = [(p, side) for p, side in first if (p, 1 - side) in second]
        if len(sides) != 1:
            raise NotRaisableError(f"{merge.name!r} joins branches of several predicates")
        ((predicate, side),) = sides
        around = first - {(predicate, side)}
        if around != second - {(predicate, 1 - side)}:
            raise NotRaisableError(f"{merge.name!r} joins branches of other branches")
        inputs = data_of(merge)
        ordered = (inputs[side], inputs[1 - side])
        return _Join(merge, predicate, around, ordered)

    # -- one after the other -----------------------------------------------------------------

    def raise_all(self, results: Sequence[str]) -> None:
        """Puts an If in the place of each group of joins."""
        groups = self._groups()
        for key in sorted(groups, key=lambda k: (-len(k[1]), k[2], k[0])):
            self._raise(groups[key])
        self._drop_unused(results)

    def _groups(self) -> dict[tuple[str, State, int], list[_Join]]:
        """Joins of one predicate in one place; what comes after a join is another conditional."""
        # One bit for each join: which of them a node comes after.
        bits = {name: 1 << i for i, name in enumerate(self._joins)}
        after: dict[str, int] = {}
        levels: dict[tuple[str, State], dict[int, int]] = {}
        groups: dict[tuple[str, State, int], list[_Join]] = {}
        for node in self._order:
            before = 0
            for source in self._section.sources(node):
                before |= after[source]
            join = self._joins.get(node.name)
            if join is not None:
                known = levels.setdefault((join.predicate, join.around), {})
                level = max((n + 1 for bit, n in known.items() if before & bit), default=0)
                groups.setdefault((join.predicate, join.around, level), []).append(join)
                known[bits[node.name]] = level
                before |= bits[node.name]
            after[node.name] = before
        return groups

    def _raise(self, joins: Sequence[_Join]) -> None:
        section = self._section
        predicate = joins[0].predicate
        scope = joins[0].merge.name.rpartition("/")[0]
        name = section.free(f"{scope}/If" if scope else "If")
        stem = name.replace("/", "_")
        types = [as_dtype(j.merge.attr["T"].type) for j in joins]
        branches = [
            _Branch(self, predicate, side, [j.inputs[side] for j in joins]) for side in (0, 1)
        ]
        captured = list(dict.fromkeys(c for b in branches for c in b.captured))
        given = {reference: f"argument_{i}" for i, reference in enumerate(captured)}
        dtypes = [branches[0].types.get(c) or branches[1].types[c] for c in captured]
        arguments = [(given[c], t) for c, t in zip(captured, dtypes, strict=True)]
        functions = [
            branch.write(section.free(f"{stem}_{which}"), arguments, given, types, self._library)
            for branch, which in zip(branches, ("else", "then"), strict=True)
        ]
        for branch in branches:
            if branch.effects & self._effects:
                raise NotRaisableError(f"{name} would run effects twice")
            self._effects |= branch.effects
        inner = [self._library[f.name] for f in functions]
        kind = "If" if any(f.signature.is_stateful for f in inner) else "StatelessIf"
        waits = [c for b in branches for c in b.waits]
        waits += [c for j in joins for c in controls_of(j.merge)]
        section.add(
            kind,
            name,
            [predicate, *captured],
            waits,
            joins[0].merge.device,
            Tcond=as_dtype("bool"),
            Tin=dtypes,
            Tout=types,
            then_branch=functions[1],
            else_branch=functions[0],
        )
        self._states[name] = joins[0].around
        for index, (join, dtype) in enumerate(zip(joins, types, strict=True)):
            self._replace(join.merge, f"{name}:{index}" if index else name, dtype)

    def _replace(self, merge: Any, result: str, dtype: DType) -> None:
        if f"{merge.name}:1" in self._references:
            raise NotRaisableError(f"it is asked which input {merge.name!r} took")
        self._section.add("Identity", merge.name, [result], (), merge.device, T=dtype)

    def _wait_for_data(self) -> None:
        """Who waits for a Switch, which is alive whatever its outputs are, waits for its data."""
        nodes = self._section.nodes
        for node in list(nodes.values()):
            controls = controls_of(node)
            if any(nodes[c].op in SWITCHING for c in controls):
                waits = [
                    source_of(nodes[c].input[0]) if nodes[c].op in SWITCHING else c
                    for c in controls
                ]
                inputs = data_of(node)
                del node.input[:]
                node.input.extend([*inputs, *(f"^{w}" for w in waits if w in nodes)])

    def _drop_unused(self, results: Sequence[str]) -> None:
        """Drops what is left of branches: pure nodes in them that nobody needs any more."""
        section = self._section
        self._wait_for_data()
        counts = {name: len(users) for name, users in section.consumers().items()}
        joined = {join.predicate for join in self._joins.values()}
        waiting = [name for name in self._states if name in section.nodes]
        kept = set(results)
        while waiting:
            name = waiting.pop()
            node = section.nodes.get(name)
            if node is None or counts[name] or name in kept or not self._was_inside(node, joined):
                continue
            if is_stateful(node, self._library) and name not in self._effects:
                continue
            del section.nodes[name]
            for source in section.sources(node):
                counts[source] -= 1
                waiting.append(source)
        left = [n.name for n in section.nodes.values() if n.op in SWITCHING | MERGING]
        if left:
            raise NotRaisableError(f"values leave branches without a Merge: {', '.join(left)}")

    def _was_inside(self, node: Any, predicates: set[str]) -> bool:
        """True for what was in a branch of a conditional that there is now, or led into one."""
        if node.op in SWITCHING:
            return self._predicate(node) in predicates
        return any(predicate in predicates for predicate, _ in self._states[node.name])


class _Branch:
    """One side of a conditional: its nodes, and what it uses from outside."""

    def __init__(
        self, whole: _Conditionals, predicate: str, side: int, results: Sequence[str]
    ) -> None:
        self._whole = whole
        self._predicate = predicate
        self._side = (predicate, side)
        self._results = results
        self.captured: list[str] = []
        self.types: dict[str, DType] = {}
        self.waits: list[str] = []
        self.effects: set[str] = set()
        #: What stands for the outputs of Switch nodes and for tensors outside.
        self._outside: dict[str, str] = {}
        self._nodes: dict[str, Any] = {}
        self._collect()

    def _collect(self) -> None:
        section = self._whole._section
        waiting = list(self._results)
        while waiting:
            reference = waiting.pop()
            name = source_of(reference)
            if reference in self._outside or name in self._nodes:
                continue
            node = section.nodes.get(name)
            if node is None or self._is_outside(reference, node):
                self._capture(reference, node)
                continue
            if node.op in SWITCHING | MERGING:
                raise NotRaisableError(f"{name!r} is in a branch and is no part of a conditional")
            self._nodes[name] = node
            if is_stateful(node, self._whole._library):
                self.effects.add(name)
            waiting.extend(data_of(node))
            for control in controls_of(node):
                self._wait_for(control, waiting)

    def _is_outside(self, reference: str, node: Any) -> bool:
        if node.op == "Const" and not controls_of(node):
            # Constants are in each function that uses them.
            return False
        if node.op in SWITCHING and self._whole._predicate(node) == self._predicate:
            return True
        return self._side not in self._whole._state(reference)

    def _capture(self, reference: str, node: Any) -> None:
        outside = reference
        if node is not None and node.op in SWITCHING:
            if self._whole._predicate(node) != self._predicate:
                raise NotRaisableError(f"{reference!r} is of another conditional")
            outside = node.input[0]
            self.waits.extend(controls_of(node))
        self._outside[reference] = outside
        if outside not in self.types:
            self.captured.append(outside)
            self.types[outside] = self._whole._section.dtype(outside)

    def _wait_for(self, control: str, waiting: list[str]) -> None:
        node = self._whole._section.nodes.get(control)
        if node is None or node.op in SWITCHING:
            return
        if self._side in self._whole._states[control]:
            waiting.append(control)
        else:
            self.waits.append(control)

    def write(
        self,
        name: str,
        arguments: Sequence[tuple[str, DType]],
        given: Mapping[str, str],
        types: Sequence[DType],
        library: dict[str, Any],
    ) -> Any:
        """Adds the function of the branch to a library."""

        def inside(reference: str) -> str:
            outside = self._outside.get(reference)
            return reference if outside is None else given[outside]

        nodes = [
            with_inputs(
                node,
                [inside(r) for r in data_of(node)],
                [c for c in controls_of(node) if c in self._nodes],
            )
            for node in self._nodes.values()
        ]
        ordered = Section(nodes, set(), arguments).ordered()
        results = [(inside(r), t) for r, t in zip(self._results, types, strict=True)]
        return write_function(name, arguments, ordered, results, library)
