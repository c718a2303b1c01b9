"""The checks of a step that compiled code makes."""

from __future__ import annotations

from typing import NamedTuple

from workbench.core.plan.node import Node


class Flag(NamedTuple):
    """The int32 that a failed check of a node sets to 1, and what is wrong then."""

    node: Node
    message: str
