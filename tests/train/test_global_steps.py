"""The global step."""

from __future__ import annotations

import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


def test_there_is_one(graph: tf.Graph) -> None:
    assert tf.train.get_global_step() is None
    with tf.name_scope("somewhere"):
        step = tf.train.create_global_step()
    assert step.name == "global_step:0"
    assert step.dtype.base_dtype == tf.int64
    assert step in tf.global_variables() and step not in tf.trainable_variables()
    assert tf.get_collection(tf.GraphKeys.GLOBAL_STEP) == [step]
    assert tf.train.get_global_step() is tf.train.get_or_create_global_step(graph) is step
    with pytest.raises(ValueError, match='"global_step" already exists'):
        tf.train.create_global_step()


def test_one_that_the_user_made_is_found_by_its_name() -> None:
    step = tf.Variable(7, name="global_step", trainable=False)
    found = tf.train.get_global_step()
    assert found.name == step.name
    with tf.Session() as session:
        session.run(step.initializer)
        assert tf.train.global_step(session, step) == 7


def test_another_graph(graph: tf.Graph) -> None:
    other = tf.Graph()
    step = tf.train.get_or_create_global_step(other)
    assert step.graph is other
    assert tf.train.get_global_step() is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tf.constant(1.0), "does not have integer type"),
        (lambda: tf.constant([1, 2]), "is not scalar"),
        (lambda: "step", "must be a Variable or Tensor"),
    ],
)
def test_what_is_no_global_step(make: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        tf.train.assert_global_step(make())  # type: ignore[operator]


def test_several() -> None:
    for _ in range(2):
        tf.add_to_collection(tf.GraphKeys.GLOBAL_STEP, tf.Variable(0))
    with pytest.raises(RuntimeError, match="Multiple items found"):
        tf.train.get_global_step()
