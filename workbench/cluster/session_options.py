"""The options of sessions, beside those that a server has for all; and how messages have them."""

from __future__ import annotations

from typing import Any


def with_defaults(config: Any, defaults: Any) -> Any:
    """The `ConfigProto` of a session on a server that has one for all sessions; both may be None.

    What the session says goes before; what it leaves as it is by default is as the server says.

    >>> import workbench as tf
    >>> defaults = tf.ConfigProto(log_device_placement=True, intra_op_parallelism_threads=2)
    >>> found = with_defaults(tf.ConfigProto(intra_op_parallelism_threads=4), defaults)
    >>> found.log_device_placement, found.intra_op_parallelism_threads
    (True, 4)
    """
    if config is None or defaults is None:
        return defaults if config is None else config
    found = type(defaults)()
    found.CopyFrom(defaults)
    found.MergeFrom(config)
    return found


def blob_of(config: Any) -> bytes:
    """A `ConfigProto` as a part of a message; empty for None."""
    blob: bytes = config.SerializeToString() if config is not None else b""
    return blob
