"""Names of layers."""

from __future__ import annotations

import re

from workbench.core.graph.context import get_default_graph

#: The collection that counts the layers of a graph by base name.
_COUNTS = ("__layer_names",)


def snake_case(class_name: str) -> str:
    """The base name of a layer of this class.

    >>> snake_case("Dense"), snake_case("MaxPooling2D"), snake_case("Conv2DTranspose")
    ('dense', 'max_pooling2d', 'conv2d_transpose')
    """
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", class_name)
    name = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
    # An operation's name cannot start with an underscore.
    return "private" + name if name.startswith("_") else name


def unique_layer_name(base_name: str) -> str:
    """`base_name` with the next number in this graph: "dense_1" for the first dense layer."""
    counts = get_default_graph().get_collection_ref(_COUNTS)
    if not counts:
        counts.append({})
    number = counts[0].get(base_name, 0) + 1
    counts[0][base_name] = number
    return f"{base_name}_{number}"
