"""Frames become While operations, the innermost first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.raising.conditionals import raise_conditionals
from workbench.core.graph.raising.frames import (
    ENTERING,
    LEAVING,
    MERGING,
    SWITCHING,
    TURNING,
    Path,
    frames_of,
    source_of,
)
from workbench.core.graph.raising.section import (
    NotRaisableError,
    Section,
    controls_of,
    data_of,
    with_inputs,
    write_function,
)


def raise_loops(section: Section, library: dict[str, Any]) -> None:
    """Puts a While in the place of each frame; those that have no such form stay."""
    nodes, functions, taken = dict(section.nodes), dict(library), set(section.taken)
    _raise_all(section, library, checks_each=False)
    try:
        frames_of(section)
    except NotRaisableError:
        # Turns may overlap with what needs the results of others; a While is over first.
        section.nodes, section.taken = nodes, taken
        library.clear()
        library.update(functions)
        _raise_all(section, library, checks_each=True)


def _raise_all(section: Section, library: dict[str, Any], checks_each: bool) -> None:
    frames = frames_of(section)
    paths = {
        (*frames[n.name], n.attr["frame_name"].s.decode())
        for n in section.nodes.values()
        if n.op in ENTERING
    }
    lost: list[Path] = []
    for path in sorted(paths, key=lambda p: (-len(p), p)):
        if any(inner[: len(path)] == path for inner in lost):
            continue
        functions, nodes = dict(library), dict(section.nodes)
        try:
            _RawLoop(section, frames, path).raise_to(library)
            if checks_each:
                frames_of(section)
        except NotRaisableError:
            lost.append(path)
            section.nodes = nodes
            library.clear()
            library.update(functions)


class _RawLoop:
    """One frame: its parts, where they are those of a loop."""

    def __init__(self, section: Section, frames: dict[str, Path], path: Path) -> None:
        self._section = section
        self._frames = frames
        self._path = path
        inside = [n for n in section.nodes.values() if frames[n.name] == path]
        self._members = inside
        self._enters = {
            n.name: n
            for n in section.nodes.values()
            if n.op in ENTERING and (*frames[n.name], n.attr["frame_name"].s.decode()) == path
        }
        self._invariants = [n for n in self._enters.values() if n.attr["is_constant"].b]
        conditions = [n for n in inside if n.op == "LoopCond"]
        if len(conditions) != 1:
            raise NotRaisableError(f"{path} has {len(conditions)} conditions")
        self._condition = conditions[0]
        self._merges: list[Any] = []
        #: What enters each Merge, and what comes back to it.
        self._starts: list[Any] = []
        self._backs: list[Any] = []
        for node in inside:
            if node.op in MERGING and any(
                section.nodes[s].op in TURNING for s in section.sources(node)
            ):
                self._note_merge(node)
        self._place = {m.name: i for i, m in enumerate(self._merges)}
        self._switches: dict[str, int] = {}
        for node in inside:
            if node.op in SWITCHING and source_of(node.input[1]) == self._condition.name:
                place = self._place.get(node.input[0])
                if place is None:
                    raise NotRaisableError(f"{node.name!r} switches what does not go round")
                self._switches[node.name] = place
        #: What leaves the loop, with the place of the variable that it is the last value of.
        self._exits: list[tuple[Any, int]] = []
        for node in inside:
            if node.op in LEAVING:
                place = self._left(node.input[0])
                if place is not None:
                    self._exits.append((node, place))
                elif section.consumers()[node.name]:
                    raise NotRaisableError(f"{node.name!r} leaves where that is not decided")

    def _left(self, reference: str) -> int | None:
        """Which variable's last value leaves the loop, or None; copies of it are the value, too."""
        nodes = self._section.nodes
        node = nodes.get(source_of(reference))
        while node is not None and node.op == "Identity" and self._decides(node):
            reference = node.input[0]
            node = nodes.get(source_of(reference))
        return self._switches.get(reference)

    def _decides(self, node: Any) -> bool:
        """True where a node waits for nothing but that it is decided whether to go on."""
        waiting = controls_of(node)
        while waiting:
            name = waiting.pop()
            if name in self._switches:
                continue
            before = self._section.nodes[name]
            if before.op != "NoOp":
                return False
            waiting.extend(controls_of(before))
        return True

    def _note_merge(self, merge: Any) -> None:
        nodes = self._section.nodes
        sources = [nodes[source_of(r)] for r in data_of(merge)]
        starts = [n for n in sources if n.op == "Enter" and n.name in self._enters]
        backs = [n for n in sources if n.op == "NextIteration"]
        if len(starts) != 1 or len(backs) != 1 or len(sources) != 2 or merge.op != "Merge":
            raise NotRaisableError(f"{merge.name!r} is no beginning of a loop's turn")
        self._merges.append(merge)
        self._starts.append(starts[0])
        self._backs.append(backs[0])

    def raise_to(self, library: dict[str, Any]) -> None:
        """Puts a While in the place of the frame, with functions in a library."""
        if not self._merges:
            raise NotRaisableError(f"{self._path} has nothing that goes round")
        section = self._section
        scope = self._condition.name.rpartition("/")[0]
        prefix = f"{scope}/" if scope else ""
        name = section.free(f"{prefix}While")
        stem = name.replace("/", "_")
        given = [*self._starts, *self._invariants]
        types = [as_dtype(n.attr["T"].type) for n in given]
        arguments = [(f"argument_{i}", t) for i, t in enumerate(types)]
        fixed = {
            n.name: f"argument_{len(self._starts) + i}" for i, n in enumerate(self._invariants)
        }
        merges = {m.name: f"argument_{i}" for i, m in enumerate(self._merges)}
        turns = {f"{s}:1": f"argument_{i}" for s, i in self._switches.items()}
        names = [a for a, _ in arguments]
        condition = self._function(
            section.free(f"{stem}_cond"),
            arguments,
            [(self._condition.input[0], as_dtype("bool"))],
            {**fixed, **merges},
            library,
        )
        # What a turn waits for before it ends is a part of the body.
        results = [
            (b.name if controls_of(b) else b.input[0], t)
            for b, t in zip(self._backs, types, strict=False)
        ]
        ends = [(n, t) for n, t in zip(names, types, strict=True)][len(results) :]
        body = self._function(
            section.free(f"{stem}_body"),
            arguments,
            [*results, *ends],
            {**fixed, **merges, **turns},
            library,
        )
        inner = (library[condition.name], library[body.name])
        kind = "While" if any(f.signature.is_stateful for f in inner) else "StatelessWhile"
        waits = [c for n in self._enters.values() for c in controls_of(n)]
        parallel = max(n.attr["parallel_iterations"].i or 10 for n in self._enters.values())
        for node in (*self._members, *self._enters.values()):
            del section.nodes[node.name]
        section.add(
            kind,
            name,
            [n.input[0] for n in given],
            waits,
            self._merges[0].device,
            T=types,
            cond=condition,
            body=body,
            parallel_iterations=parallel,
        )
        self._frames[name] = self._path[:-1]
        for node, place in self._exits:
            section.add(
                "Identity",
                node.name,
                [f"{name}:{place}" if place else name],
                controls_of(node),
                node.device,
                T=types[place],
            )
            self._frames[node.name] = self._path[:-1]

    def _function(
        self,
        name: str,
        arguments: Sequence[tuple[str, DType]],
        results: Sequence[tuple[str, DType]],
        known: Mapping[str, str],
        library: dict[str, Any],
    ) -> Any:
        nodes = self._slice([r for r, _ in results if r not in {a for a, _ in arguments}], known)
        inner = Section(nodes, self._section.taken, arguments)
        raise_conditionals(inner, library, [source_of(known.get(r, r)) for r, _ in results])
        if any(n.op in SWITCHING | MERGING for n in inner.nodes.values()):
            raise NotRaisableError(f"{name} has branches that are not conditionals")
        given = [(known.get(r, r), t) for r, t in results]
        return write_function(name, arguments, inner.ordered(), given, library)

    def _slice(self, results: Sequence[str], known: Mapping[str, str]) -> list[Any]:
        """Copies of the nodes that results need, up to the tensors that arguments stand for."""
        section = self._section
        if any(controls_of(section.nodes[n]) for n in (*self._place, *self._switches)):
            raise NotRaisableError(f"{self._path} waits for something before it decides")
        own = {*self._enters, *self._place, *self._switches, self._condition.name}
        found: dict[str, Any] = {}
        waiting = [source_of(r) for r in results if r not in known]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            node = section.nodes.get(name)
            if node is None or name in own or node.op in LEAVING:
                raise NotRaisableError(f"{name!r} is needed where it has no value")
            if node.op == "NextIteration":
                node = _like(node, "Identity")
            inputs = [known.get(r, r) for r in data_of(node)]
            controls = [c for c in controls_of(node) if c not in own]
            found[name] = with_inputs(node, inputs, controls)
            waiting.extend(source_of(r) for r in data_of(node) if r not in known)
            waiting.extend(controls)
        return list(found.values())


def _like(node: Any, op: str) -> Any:
    copy = type(node)()
    copy.CopyFrom(node)
    copy.op = op
    return copy
