"""Variables and sessions for the tests of savers."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench as tf
from workbench.core.runtime.session import LocalSession


def variable(name: str, value: Any, **arguments: Any) -> Any:
    return tf.Variable(np.array(value, np.float32), name=name, **arguments)


def started(*variables: Any) -> Any:
    # Some tests pin variables to tasks of a cluster that is not there.
    session = LocalSession()
    session.run([each.initializer for each in variables])
    return session
