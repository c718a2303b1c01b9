"""What a run needs on a worker, as plain fields, bytes and arrays: nothing is pickled."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.graph import Graph
from workbench.core.runtime.snapshot import take_snapshot
from workbench.live.batches import Batches
from workbench.live.feeds import BatchFeed, ConstantFeed
from workbench.live.frame_files import checkpoint_name, read_frame, write_frame
from workbench.live.frames import Frame
from workbench.live.graph_file import missing_parts
from workbench.live.record import initializers
from workbench.live.reports import line_of
from workbench.live.spec import Options, RunSpec, make_spec
from workbench.pool.runs.data import plain_array


class Package(NamedTuple):
    """What is sent to begin a run; `data` are the arrays behind `wb.batches`, sent apart."""

    fields: dict[str, Any]
    blobs: tuple[bytes, ...]
    arrays: tuple[tuple[str, Any], ...]
    data: list[np.ndarray[Any, Any]]


class Unpacked(NamedTuple):
    """What a package says, in the process that is to run it."""

    spec: RunSpec
    #: The state to begin with; None where the variables are to be initialised.
    frame: Frame | None
    initializers: list[str]


def pack(spec: RunSpec, session: Any, seed: int | None) -> Package:
    """What a worker needs to run `spec`, from the state of `session` where there is one.

    Raises:
      ValueError: the graph or the feed holds what only this process has.
    """
    from workbench.train.meta_graph_export import export_meta_graph

    missing = missing_parts(spec.graph)
    if missing is not None:
        raise ValueError(
            f"The graph has {missing}, which only this process has: it cannot be sent to a worker. "
            "Feed what it gives with wb.batches({placeholder: array}, size)"
        )
    feed, arrays, data = _packed_feed(spec)
    blobs = [export_meta_graph(graph=spec.graph).SerializeToString()]
    if session is not None:
        blobs.append(_packed_state(spec, session))
    fields = {
        "targets": [op.name for op in spec.targets],
        "track": {name: t.name for name, t in spec.tracked.items()},
        "steps": spec.limit,
        "options": asdict(spec.options),
        "values": {name: each.value for name, each in spec.known.items()},
        "initializers": [op.name for op in initializers(spec.graph)],
        "feed": feed,
        "seed": seed,
        "lines": lines_of(spec.graph),
    }
    return Package(fields, tuple(blobs), tuple(arrays), data)


def _packed_feed(
    spec: RunSpec,
) -> tuple[dict[str, Any], list[tuple[str, Any]], list[np.ndarray[Any, Any]]]:
    source = spec.source
    if isinstance(source, BatchFeed):
        batches = source.batches
        described = {
            "kind": "batches",
            "tensors": [t.name for t in source.tensors],
            "size": batches.size,
            "shuffle": batches.shuffle,
            "seed": batches.seed,
            "drop_partial": batches.drop_partial,
        }
        return described, [], [plain_array(a) for a in batches.arrays]
    if isinstance(source, ConstantFeed):
        tensors, values = source.feed(0)
        arrays = [(f"feed/{i}", value) for i, value in enumerate(values)]
        return {"kind": "constant", "tensors": [t.name for t in tensors]}, arrays, []
    what = "a function" if callable(spec.feed) else f"a {type(spec.feed).__name__}"
    raise ValueError(
        f"feed is {what}, which only this process can call: code is not sent to workers. Use "
        "wb.batches({x: xs, y: ys}, size, shuffle=True, seed=0), or a dictionary of arrays that "
        "every step is fed"
    )


def _packed_state(spec: RunSpec, session: Any) -> bytes:
    frame = Frame(0, take_snapshot(session.state), {n: h.value for n, h in spec.known.items()})
    with tempfile.TemporaryDirectory() as folder:
        return Path(write_frame(folder, frame, 0, True, {})).read_bytes()


def lines_of(graph: Graph) -> dict[str, Any]:
    """The users' lines that made the operations: the lines, each once, and who is made by which."""
    lines: dict[Any, int] = {}
    places: dict[str, int] = {}
    for op in graph.get_operations():
        line = line_of(op)
        if line is not None:
            places[op.name] = lines.setdefault(line, len(lines))
    return {"lines": [asdict(line) for line in lines], "places": places}


def names_digest(names: Iterable[str]) -> str:
    """Tells whether two processes number the operations of a graph alike."""
    return hashlib.blake2b("\n".join(names).encode(), digest_size=16).hexdigest()


def unpack(
    fields: Mapping[str, Any],
    blobs: Any,
    arrays: Mapping[str, Any],
    data: list[np.ndarray[Any, Any]],
) -> Unpacked:
    """What `pack` packed.

    Raises:
      InvalidArgumentError: it is no such thing.
      OpError, ValueError, KeyError, TypeError: its parts do not fit.
    """
    if not blobs:
        raise InvalidArgumentError(None, None, "A run needs a graph")
    graph = graph_from(blobs[0])
    options = Options(**dict(fields["options"]))
    targets = [graph.get_operation_by_name(n) for n in fields["targets"]]
    track = {n: graph.get_tensor_by_name(t) for n, t in fields["track"].items()}
    feed = _unpacked_feed(graph, fields["feed"], arrays, data)
    spec = make_spec(targets, fields["steps"], feed, track, options)
    frame = frame_of(blobs[1], graph) if len(blobs) > 1 else None
    names = [graph.get_operation_by_name(str(n)).name for n in fields["initializers"]]
    return Unpacked(spec, frame, names)


def graph_from(content: bytes) -> Graph:
    """The graph of a serialised meta graph.

    Raises:
      InvalidArgumentError: it is none.
    """
    from google.protobuf.message import DecodeError

    from workbench.core.protos import MetaGraphDef
    from workbench.train.meta_graph_import import import_scoped_meta_graph

    try:
        meta_graph = MetaGraphDef.FromString(content)
    except DecodeError:
        raise InvalidArgumentError(None, None, "These bytes are no graph") from None
    graph = Graph()
    import_scoped_meta_graph(meta_graph, graph=graph)
    return graph


def _unpacked_feed(
    graph: Graph, described: Mapping[str, Any], arrays: Mapping[str, Any], data: list[Any]
) -> Any:
    tensors = [graph.get_tensor_by_name(n) for n in described["tensors"]]
    if described["kind"] == "constant":
        return {t: arrays[f"feed/{i}"] for i, t in enumerate(tensors)} or None
    if described["kind"] != "batches" or len(data) != len(tensors) or not tensors:
        raise InvalidArgumentError(None, None, "The feed of a run is batches or constants")
    names = ("size", "shuffle", "seed", "drop_partial")
    return Batches(tensors, data, *(described[n] for n in names))


def frame_of(content: bytes, graph: Graph) -> Frame:
    """The frame in the bytes of a checkpoint. OpError where they are none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, checkpoint_name(0))
        path.write_bytes(content)
        return read_frame(str(path), graph)
