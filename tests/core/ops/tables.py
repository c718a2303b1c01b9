"""Tables and sessions for the tests of them."""

from __future__ import annotations

from typing import Any

import workbench as tf
from workbench.api import lookup

HashTable = lookup.HashTable
KeyValues = lookup.KeyValueTensorInitializer


def started() -> Any:
    session = tf.Session()
    session.run(tf.tables_initializer())
    return session


def longs(*values: int) -> Any:
    return tf.constant(values, tf.int64)
