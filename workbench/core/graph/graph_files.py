"""Graphs as files."""

from __future__ import annotations

import os
from typing import Any

from workbench.core.graph.graph import Graph


def write_graph(graph_or_graph_def: Any, logdir: str, name: str, as_text: bool = True) -> str:
    """Writes a graph as a GraphDef file, text or binary, whole or not at all; returns the path.

    >>> import tempfile, workbench as tf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = tf.train.write_graph(tf.Graph(), folder, "graph.pb", as_text=False)
    """
    from google.protobuf import text_format

    from workbench.core.files import atomic_write

    definition = graph_or_graph_def
    if isinstance(graph_or_graph_def, Graph):
        definition = graph_or_graph_def.as_graph_def()
    os.makedirs(logdir, exist_ok=True)
    path = os.path.join(logdir, name)
    if as_text:
        data = text_format.MessageToString(definition).encode()
    else:
        data = definition.SerializeToString(deterministic=True)
    atomic_write(path, data)
    return path
