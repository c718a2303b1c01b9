"""Frames on disk: checkpoints that other tools read, with all that a run needs to go on exactly.

Variables are tensors under their own names, so a `Saver` restores them too. What resources hold
stands beside them under names that begin with "resource:", and the rest is text in the metadata.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from workbench.core.checkpoints.files import SUFFIX, write_tensors
from workbench.core.checkpoints.reading import read_metadata, read_tensors
from workbench.core.errors import DataLossError
from workbench.core.files import local_path
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.graph import Graph
from workbench.core.kernels.alignment import memory_order
from workbench.core.runtime.snapshot import SavedVariable, StateSnapshot
from workbench.live.frames import Frame

_KEY = "run"
_DOCUMENT_KEY = "document"
_PREFIX = "resource:"


class Place(NamedTuple):
    """Where a checkpoint stands in the life of a run."""

    step: int
    epoch: int
    #: True where it is kept however many come later.
    pinned: bool
    path: str


def checkpoint_name(step: int) -> str:
    """The file of a step.

    >>> checkpoint_name(500)
    'step-500.safetensors'
    """
    return f"step-{step}{SUFFIX}"


def write_frame(
    folder: str, frame: Frame, epoch: int, pinned: bool, document: Mapping[str, Any]
) -> str:
    """Writes a frame into a folder of checkpoints, whole or not at all; returns the path.

    The record of the run stands in it too, for the case that run.json is damaged.
    """
    tensors: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    for name, saved in frame.state.variables.items():
        described: dict[str, Any] = {"dtype": saved.dtype.name}
        if saved.value is not None:
            tensors[name] = saved.value
            if isinstance(saved.value, np.ndarray) and saved.value.ndim:
                order = memory_order(saved.value)
                if order != sorted(order):
                    described["order"] = order
        variables[name] = described
    resources = [
        [container, name, _encoded(held, tensors)]
        for (container, name), held in frame.state.resources.items()
    ]
    description = {
        "step": frame.step,
        "epoch": epoch,
        "pinned": pinned,
        "entropy": frame.state.entropy,
        "random_steps": frame.state.random_steps,
        "values": dict(frame.values),
        "variables": variables,
        "resources": resources,
    }
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, checkpoint_name(frame.step))
    metadata = {_KEY: json.dumps(description), _DOCUMENT_KEY: json.dumps(document)}
    return write_tensors(path, tensors, metadata)


def read_place(path: str) -> Place:
    """Where a checkpoint stands, without reading its tensors.

    Raises:
      NotFoundError, DataLossError: there is none, or it is damaged or no checkpoint of a run.
    """
    description = _description(path, read_metadata(path))
    return Place(
        int(description["step"]), int(description["epoch"]), bool(description["pinned"]), path
    )


def read_document(path: str) -> dict[str, Any]:
    """The record of the run as it was when a checkpoint was written.

    Raises:
      NotFoundError, DataLossError: there is none, or it is damaged or no checkpoint of a run.
    """
    metadata = read_metadata(path)
    _description(path, metadata)
    found: dict[str, Any] = json.loads(metadata[_DOCUMENT_KEY])
    return found


def read_frame(path: str, graph: Graph) -> Frame:
    """The frame in a checkpoint, for a session of `graph`.

    Raises:
      NotFoundError, DataLossError: there is none, or it is damaged or no checkpoint of a run.
    """
    description = _description(path, read_metadata(path))
    tensors = read_tensors(path)
    variables: dict[str, SavedVariable] = {}
    for name, described in description["variables"].items():
        value: Any = tensors.get(name)
        if value is not None:
            value = _ordered(value, described.get("order"))
        variables[name] = SavedVariable(as_dtype(described["dtype"]), _entries(graph, name), value)
    resources = {
        (container, name): _decoded(held, tensors)
        for container, name, held in description["resources"]
    }
    state = StateSnapshot(
        variables, dict(description["random_steps"]), int(description["entropy"]), resources
    )
    return Frame(int(description["step"]), state, description["values"])


def _description(path: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(metadata[_KEY])
    except (KeyError, ValueError):
        raise DataLossError(
            None, None, f"{local_path(path)}: this is no checkpoint of a run"
        ) from None
    return found


def _entries(graph: Graph, name: str) -> Any:
    try:
        op = graph.get_operation_by_name(name)
    except KeyError:
        return None
    if op.type == "VarHandleOp":
        return op.attrs["shape"].entries
    return op.outputs[0].entries


def _ordered(value: np.ndarray[Any, Any], order: list[int] | None) -> Any:
    if not value.ndim:
        return value[()]
    if order is None:
        return value
    return np.ascontiguousarray(value.transpose(order)).transpose(np.argsort(order))


def _encoded(held: Any, tensors: dict[str, Any]) -> Any:
    """Plain JSON for what a resource holds; arrays go among the tensors."""
    if isinstance(held, (np.ndarray, np.generic)):
        name = f"{_PREFIX}{sum(n.startswith(_PREFIX) for n in tensors)}"
        tensors[name] = held
        return {"tensor": name, "scalar": isinstance(held, np.generic)}
    if isinstance(held, bytes):
        return {"bytes": base64.b64encode(held).decode()}
    if isinstance(held, dict):
        return {"entries": [[key, _encoded(value, tensors)] for key, value in held.items()]}
    if isinstance(held, (list, tuple)):
        return {
            "items": [_encoded(value, tensors) for value in held],
            "tuple": isinstance(held, tuple),
        }
    if held is None or isinstance(held, (bool, int, float, str)):
        return {"value": held}
    raise TypeError(f"{held!r:.80} of type {type(held).__name__} cannot be stored")


def _decoded(held: Mapping[str, Any], tensors: Mapping[str, Any]) -> Any:
    if "tensor" in held:
        array = tensors[held["tensor"]]
        return array[()] if held["scalar"] else array
    if "bytes" in held:
        return base64.b64decode(held["bytes"])
    if "entries" in held:
        return {key: _decoded(value, tensors) for key, value in held["entries"]}
    if "items" in held:
        items = [_decoded(value, tensors) for value in held["items"]]
        return tuple(items) if held["tuple"] else items
    return held["value"]
