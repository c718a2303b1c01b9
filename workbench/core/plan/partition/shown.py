"""The graph of a part as users see it: with its devices, and with what it sends and receives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.core.plan.partition.parts import Part


def shown_graph(part: Part, devices: Mapping[str, str]) -> Any:
    """A GraphDef of what a task does of a step.

    What comes from other tasks is the result of a `_Recv`, what goes to them the input of a
    `_Send`; what one stage of the task takes from another one is an `Identity`.

    Args:
      part: the part.
      devices: the device of each operation of the step, by its name in the user's graph.
    """
    from workbench.core.protos import GraphDef

    graph = GraphDef()
    graph.ParseFromString(part.graph)
    nodes = {node.name: node for node in graph.node}
    given = {name: own for stage in part.stages for name, own in stage.gives}
    for node in graph.node:
        node.device = devices.get(node.name, "")
    for stage in part.stages:
        for name, placeholder in stage.takes:
            node = nodes[_operation(placeholder)]
            node.device = stage.device
            if name in given:
                node.op = "Identity"
                kind = node.attr["dtype"].type
                node.attr.clear()
                node.attr["T"].type = kind
                node.input[:] = [given[name]]
            elif name not in part.feeds:
                source = devices.get(_operation(name), "")
                node.op = "_Recv"
                kind = node.attr["dtype"].type
                node.attr.clear()
                node.attr["tensor_type"].type = kind
                _describe(node, name, source, stage.device)
        for task, names, _ in stage.sends:
            for name in names:
                label = f"sent/{name}{task}".replace(":", "_")
                node = graph.node.add(name=label, op="_Send")
                node.device = stage.device
                node.input.append(given[name])
                _describe(node, name, stage.device, task)
    return graph


def _operation(tensor: str) -> str:
    return tensor.partition(":")[0]


def _describe(node: Any, tensor: str, source: str, destination: str) -> None:
    """What goes from where to where."""
    node.attr["tensor_name"].s = tensor.encode()
    node.attr["send_device"].s = source.encode()
    node.attr["recv_device"].s = destination.encode()
    node.attr["client_terminated"].b = False
