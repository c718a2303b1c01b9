"""Runs of small graphs."""

from __future__ import annotations

from typing import Any

import workbench as tf


def run(fetches: Any, feed: Any = None, **options: Any) -> Any:
    """The values in a new session, whose variables are initialised."""
    with tf.Session(**options) as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feed)
