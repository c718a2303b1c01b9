"""Which TensorFlow the names and files are those of: `tf.VERSION` and its like."""

from __future__ import annotations

import platform

from workbench.core.graph.graph_def import MIN_CONSUMER, PRODUCER

#: Scripts compare it with what they need; `__version__` is the version of this package.
VERSION = "1.4.0"
GIT_VERSION = "v1.4.0-workbench"
COMPILER_VERSION = platform.python_compiler()
GRAPH_DEF_VERSION = PRODUCER
GRAPH_DEF_VERSION_MIN_CONSUMER = MIN_CONSUMER
#: The oldest GraphDef that can be imported.
GRAPH_DEF_VERSION_MIN_PRODUCER = 0
