"""Which behaviour programs may expect: graphs that are built first and run in sessions.

Programs brought over to `tf.compat.v1` ask for it; there is no other, so nothing changes.
"""

from __future__ import annotations


def disable_v2_behavior() -> None:
    """Ask for graphs and sessions, which is all there is.

    >>> import workbench.compat.v1 as tf
    >>> tf.disable_v2_behavior()
    >>> tf.executing_eagerly()
    False
    """


def disable_eager_execution() -> None:
    """Ask for graphs and sessions, which is all there is."""


def executing_eagerly() -> bool:
    """Whether operations run when they are made: never."""
    return False
