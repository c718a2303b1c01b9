"""Variables of one step, and resources that are no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import workbench as tf
from workbench.core.ops.creation import call, create


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def test_a_sum_in_a_temporary_variable(session: Any) -> None:
    x = tf.placeholder(tf.float32, [2])
    variable = call("TemporaryVariable", shape=[2], dtype=tf.float32, var_name="total")
    total = tf.assign(variable, [4.0, 5.0])
    total = tf.assign_add(total, x)
    final = call("DestroyTemporaryVariable", ref=total, var_name="total")
    for value in ([6.0, 7.0], [1.0, 1.0]):
        want = [4.0 + value[0], 5.0 + value[1]]
        assert session.run(final, {x: value}).tolist() == want


def test_a_name_that_is_no_temporary_variable(session: Any) -> None:
    variable = call("TemporaryVariable", shape=[], dtype=tf.float32)
    total = tf.assign(variable, 1.0)
    bad = call("DestroyTemporaryVariable", ref=total, var_name="bad")
    good = call("DestroyTemporaryVariable", ref=total, var_name=variable.op.name)
    with pytest.raises(tf.errors.NotFoundError, match="no temporary variable 'bad'"):
        session.run(bad)
    assert session.run(good) == 1.0


def test_a_variable_that_nobody_gave_a_value(session: Any) -> None:
    variable = call("TemporaryVariable", shape=[2], dtype=tf.float64, var_name="x")
    value = call("DestroyTemporaryVariable", ref=variable, var_name="x")
    assert session.run(value).shape == (2,)


def test_a_destroyed_variable_has_no_value(session: Any) -> None:
    handle = call("VarHandleOp", "v", dtype=tf.float32, shape=[])
    fill = create("AssignVariableOp", None, resource=handle, value=1.0)
    read = call("ReadVariableOp", resource=handle, dtype=tf.float32)
    destroy = create("DestroyResourceOp", None, resource=handle)
    strict = create("DestroyResourceOp", None, resource=handle, ignore_lookup_error=False)
    session.run(fill)
    session.run(destroy)
    assert not session.run(call("VarIsInitializedOp", resource=handle))
    session.run(destroy)
    with pytest.raises(tf.errors.NotFoundError, match="Resource v does not exist"):
        session.run(strict)
    session.run(fill)
    assert session.run(read) == 1.0


def test_a_destroyed_table_is_empty(session: Any) -> None:
    handle = call("MutableHashTableV2", key_dtype=tf.int64, value_dtype=tf.int64)
    one = tf.constant([1], tf.int64)
    insert = create("LookupTableInsertV2", None, table_handle=handle, keys=one, values=one)
    size = call("LookupTableSizeV2", table_handle=handle)
    session.run(insert)
    assert session.run(size) == 1
    session.run(create("DestroyResourceOp", None, resource=handle))
    assert session.run(size) == 0
