"""Which TensorFlow the names and files are those of: `tf.VERSION` and its like."""

from __future__ import annotations

import platform
from typing import Any

from workbench.core.graph.graph_def import MIN_CONSUMER, PRODUCER

#: Scripts compare it with what they need; `__version__` is the version of this package.
VERSION = "1.4.0"
GIT_VERSION = "v1.4.0-workbench"
COMPILER_VERSION = platform.python_compiler()
GRAPH_DEF_VERSION = PRODUCER
GRAPH_DEF_VERSION_MIN_CONSUMER = MIN_CONSUMER
#: The oldest GraphDef that can be imported.
GRAPH_DEF_VERSION_MIN_PRODUCER = 0


def check_versions(versions: Any) -> None:
    """ValueError where a GraphDef is not for us: too new, too old, or known to go wrong here."""
    if versions.producer < GRAPH_DEF_VERSION_MIN_PRODUCER:
        raise ValueError(
            f"GraphDef producer version {versions.producer} below min producer "
            f"{GRAPH_DEF_VERSION_MIN_PRODUCER} supported by TensorFlow {VERSION}.  Please "
            "regenerate your graph."
        )
    if versions.min_consumer > GRAPH_DEF_VERSION:
        raise ValueError(
            f"GraphDef min consumer version {versions.min_consumer} above current version "
            f"{GRAPH_DEF_VERSION} for TensorFlow {VERSION}.  Please upgrade TensorFlow."
        )
    if GRAPH_DEF_VERSION in versions.bad_consumers:
        raise ValueError(
            f"GraphDef disallows consumer version {GRAPH_DEF_VERSION}.  Please upgrade "
            "TensorFlow: this version is likely buggy."
        )


def join_versions(own: Any, imported: Any) -> None:
    """Has the versions of a graph be those of what was imported into it, too."""
    own.producer = min(own.producer, imported.producer)
    own.min_consumer = max(own.min_consumer, imported.min_consumer)
    own.bad_consumers[:] = sorted({*own.bad_consumers, *imported.bad_consumers})
