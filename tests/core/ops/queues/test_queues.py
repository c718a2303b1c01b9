"""Queues of a session: what goes in and out, what is known before, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.ops.creation import call, create

Queue = tf.QueueBase


@pytest.fixture(autouse=True)
def _graph() -> Any:
    with tf.Graph().as_default():
        yield


@pytest.fixture
def session(_graph: Any) -> Any:
    with tf.Session() as session:
        yield session


def test_components_keep_types_and_shapes(session: Any) -> None:
    queue = tf.FIFOQueue(3, [tf.string, tf.float64, tf.bool], shapes=[[], [2], [1, 1]])
    values = (b"a\0b", np.array([1.5, 2.5]), np.array([[True]]))
    session.run(queue.enqueue([tf.constant(v) for v in values]))
    outputs = queue.dequeue()
    assert [t.shape.as_list() for t in outputs] == [[], [2], [1, 1]]
    found = session.run(outputs)
    assert found[0] == b"a\0b"
    for value, wanted in zip(found[1:], values[1:], strict=True):
        assert value.dtype == wanted.dtype
        np.testing.assert_array_equal(value, wanted)


def test_batches_are_cut_and_put_together(session: Any) -> None:
    queue = tf.FIFOQueue(10, [tf.int32, tf.string], shapes=[[2], []])
    session.run(queue.enqueue_many([np.arange(8).reshape(4, 2), list("abcd")]))
    numbers, letters = queue.dequeue_many(3)
    assert (numbers.shape.as_list(), letters.shape.as_list()) == ([3, 2], [3])
    found = session.run([numbers, letters, queue.size()])
    np.testing.assert_array_equal(found[0], [[0, 1], [2, 3], [4, 5]])
    assert found[1].tolist() == [b"a", b"b", b"c"]
    assert all(type(letter) is bytes for letter in found[1])
    assert session.run(queue.size()) == 1


def test_names_make_elements_dictionaries(session: Any) -> None:
    queue = tf.FIFOQueue(5, [tf.int32, tf.float32], shapes=[[], []], names=["i", "f"])
    session.run(queue.enqueue({"f": 2.0, "i": 1}))
    session.run(queue.enqueue_many({"f": [3.0, 4.0], "i": [2, 3]}))
    assert session.run(queue.dequeue()) == {"i": 1, "f": 2.0}
    assert session.run(queue.dequeue_many(2))["f"].tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    ("vals", "error", "message"),
    [
        ({"x": 1}, ValueError, "must have names"),
        ([1, 2, 3], ValueError, "2 components, but 3"),
        ([1.5, 2.0], TypeError, "int32"),
        ([1, [2.0]], ValueError, "incompatible"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_is_written(
    vals: Any, error: Any, message: str
) -> None:
    queue = tf.FIFOQueue(5, [tf.int32, tf.float32], shapes=[[], []])
    with pytest.raises(error, match=message):
        queue.enqueue(vals)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shapes": [[None]]}, ValueError, "fully defined"),
        ({"shapes": [[], []]}, ValueError, "same length as dtypes"),
        ({"names": ["a", "b"]}, ValueError, "names"),
        ({"shapes": 3}, TypeError, "shapes"),
    ],
)
def test_queues_that_cannot_be_are_refused(
    arguments: dict[str, Any], error: Any, message: str
) -> None:
    with pytest.raises(error, match=message):
        tf.FIFOQueue(5, tf.int32, **arguments)


@pytest.mark.parametrize(
    ("fed", "message"),
    [
        (np.zeros([3], np.float32), r"component 0. Expected \[2\], got \[3\]"),
        (np.float32(1), r"component 0. Expected \[2\], got \[\]"),
    ],
)
def test_shapes_are_checked_when_it_runs(session: Any, fed: Any, message: str) -> None:
    queue = tf.FIFOQueue(5, tf.float32, shapes=[[2]])
    x = tf.placeholder(tf.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(queue.enqueue([x]), {x: fed})
    assert session.run(queue.size()) == 0


def test_unknown_shapes_allow_no_batches(session: Any) -> None:
    queue = tf.FIFOQueue(5, tf.float32)
    session.run(queue.enqueue([1.0]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="specified shapes"):
        session.run(queue.dequeue_many(1))
    assert session.run(queue.dequeue()) == 1.0


def test_elements_do_not_change_with_what_they_were_made_of(session: Any) -> None:
    queue = tf.FIFOQueue(5, tf.float32, shapes=[[2]])
    x = tf.placeholder(tf.float32, [2])
    variable = tf.Variable([1.0, 2.0])
    session.run(variable.initializer)
    fed = np.array([5.0, 6.0], np.float32)
    session.run(queue.enqueue([x]), {x: fed})
    session.run(queue.enqueue([variable]))
    fed[:] = 0
    session.run(variable.assign([0.0, 0.0]))
    assert session.run(queue.dequeue_many(2)).tolist() == [[5.0, 6.0], [1.0, 2.0]]


def test_padding_fills_up_in_every_axis(session: Any) -> None:
    queue = tf.PaddingFIFOQueue(5, [tf.int32, tf.string], shapes=[[None, None], [None]])
    x = tf.placeholder(tf.int32, [None, None])
    for shape in ((1, 2), (2, 1)):
        session.run(queue.enqueue([x, ["s"] * shape[0]]), {x: np.ones(shape)})
    numbers, strings = session.run(queue.dequeue_many(2))
    assert numbers.tolist() == [[[1, 1], [0, 0]], [[1, 0], [1, 0]]]
    assert strings.tolist() == [[b"s", b""], [b"s", b"s"]]


def test_empty_batches_take_and_give_nothing(session: Any) -> None:
    queue = tf.FIFOQueue(5, tf.float32, shapes=[[2]])
    session.run(queue.enqueue_many([np.zeros([0, 2], np.float32)]))
    n = tf.placeholder(tf.int32, [])
    assert session.run(queue.dequeue_many(n), {n: 0}).shape == (0, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="0 or more"):
        session.run(queue.dequeue_many(n), {n: -1})


def test_closed_queue_gives_what_it_has(session: Any) -> None:
    queue = tf.FIFOQueue(5, tf.int32, shapes=[[]])
    closed, enqueue = queue.is_closed(), queue.enqueue_many([[1, 2, 3]])
    session.run(enqueue)
    assert not session.run(closed)
    session.run(queue.close())
    assert session.run(closed)
    with pytest.raises(tf.errors.CancelledError, match="is closed"):
        session.run(enqueue)
    with pytest.raises(tf.errors.OutOfRangeError, match="insufficient elements"):
        session.run(queue.dequeue_many(4))
    assert session.run(queue.dequeue_up_to(9)).tolist() == [1, 2, 3]
    with pytest.raises(tf.errors.OutOfRangeError) as caught:
        session.run(queue.dequeue_up_to(9))
    assert caught.value.op.type == "QueueDequeueUpToV2"
    with pytest.raises(tf.errors.CancelledError, match="already closed"):
        session.run(queue.close())
    session.run(queue.close(cancel_pending_enqueues=True))


def test_shared_names_share_within_a_session_only() -> None:
    queues = [tf.FIFOQueue(5, tf.int32, shared_name="shared") for _ in range(2)]
    other = tf.FIFOQueue(5, tf.int32)
    enqueue = queues[0].enqueue(7)
    with tf.Session() as first, tf.Session() as second:
        first.run(enqueue)
        assert first.run([q.size() for q in (*queues, other)]) == [1, 1, 0]
        assert second.run(queues[0].size()) == 0
        assert first.run(queues[1].dequeue()) == 7


def test_containers_keep_names_apart(session: Any) -> None:
    with tf.container("one"):
        one = tf.FIFOQueue(5, tf.int32, shared_name="q")
    two = tf.FIFOQueue(5, tf.int32, shared_name="q")
    session.run(one.enqueue(1))
    assert session.run([one.size(), two.size()]) == [1, 0]
    assert one.queue_ref.op.get_attr("container") == b"one"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tf.FIFOQueue(9, tf.int32, [[]], shared_name="q"), "capacity 5"),
        (lambda: tf.FIFOQueue(5, tf.int64, [[]], shared_name="q"), "component types"),
        (lambda: tf.FIFOQueue(5, tf.int32, [[1]], shared_name="q"), r"shapes \[\] .* \[1\]"),
        (lambda: tf.PaddingFIFOQueue(5, tf.int32, [[]], shared_name="q"), "type 'FIFOQueue'"),
    ],
)
def test_queues_of_one_name_must_be_alike(session: Any, make: Any, message: str) -> None:
    session.run(tf.FIFOQueue(5, tf.int32, [[]], shared_name="q").size())
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(make().size())


def test_random_order_depends_on_the_seed() -> None:
    def order(seed: int | None) -> list[int]:
        queue = tf.RandomShuffleQueue(50, 0, tf.int32, shapes=[[]], seed=seed)
        enqueue, all_of_them = queue.enqueue_many([list(range(50))]), queue.dequeue_many(50)
        with tf.Session() as session:
            session.run(enqueue)
            taken: list[int] = session.run(all_of_them).tolist()
        return taken

    assert order(3) == order(3)
    assert len({tuple(order(seed)) for seed in (1, 2, None, None)}) == 4
    assert sorted(order(1)) == list(range(50))


@pytest.mark.parametrize(
    ("capacity", "minimum", "message"), [(5, -1, ">= 0"), (5, 5, "must be < capacity")]
)
def test_minimum_must_leave_something_to_take(
    session: Any, capacity: int, minimum: int, message: str
) -> None:
    queue = tf.RandomShuffleQueue(capacity, minimum, tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(queue.size())


def test_priorities(session: Any) -> None:
    queue = tf.PriorityQueue(10, [tf.string], shapes=[[]], names=["when", "what"])
    assert queue.dtypes == [tf.int64, tf.string]
    session.run(queue.enqueue({"when": tf.constant(5, tf.int64), "what": "late"}))
    session.run(queue.enqueue({"when": tf.constant(-5, tf.int64), "what": "early"}))
    assert session.run(queue.dequeue())["what"] == b"early"
    with pytest.raises(tf.errors.InvalidArgumentError, match="never holds more than 10"):
        session.run(queue.dequeue_many(11)["what"])


def test_chosen_queue_may_be_another_at_each_step(session: Any) -> None:
    queues = [tf.FIFOQueue(5, tf.int32, shapes=[[]]), tf.FIFOQueue(5, tf.int32)]
    index = tf.placeholder(tf.int32, [])
    chosen = tf.QueueBase.from_list(index, queues)
    assert chosen.shapes[0].ndims is None
    enqueue = chosen.enqueue(tf.constant(4))
    for number in (1, 1, 0):
        session.run(enqueue, {index: number})
    assert session.run([q.size() for q in queues]) == [1, 2]
    for wrong in ([], queues[0], [queues[0], 3]):
        with pytest.raises(TypeError, match="A list of queues"):
            Queue.from_list(index, wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="component dtypes"):
        Queue.from_list(index, [queues[0], tf.FIFOQueue(5, tf.int64)])


def test_first_versions_of_the_operations_do_the_same(session: Any) -> None:
    handle = call("FIFOQueue", None, component_types=[tf.int32], shapes=[[]], capacity=4)
    queue = tf.QueueBase([tf.int32], [[]], None, handle)
    session.run(queue.enqueue_many([[1, 2, 3]]))
    assert queue.dequeue().op.type == "QueueDequeue"
    assert session.run([queue.dequeue_many(2), queue.size()])[0].tolist() == [1, 2]
    fake = call("FakeQueue", None, resource=tf.FIFOQueue(4, tf.int32, name="real").queue_ref)
    session.run(tf.QueueBase([tf.int32], None, None, fake).enqueue(5))
    real = create("QueueSizeV2", None, handle=session.graph.get_tensor_by_name("real:0"))
    assert session.run(real.outputs[0]) == 1


def test_two_queues_of_a_step_may_wait_for_each_other(session: Any) -> None:
    queue = tf.FIFOQueue(1, tf.int32, shapes=[[]])
    taken = queue.dequeue_many(6)
    given = queue.enqueue_many([list(range(6))])
    assert session.run([taken, given])[0].tolist() == list(range(6))


def test_state_goes_back_and_on() -> None:
    from workbench.core.runtime.snapshot import restore_snapshot, take_snapshot

    # Without a seed each session has an order of its own, which goes along.
    queue = tf.RandomShuffleQueue(20, 2, [tf.int32, tf.string], shapes=[[], []])
    enqueue = queue.enqueue_many([list(range(20)), [str(i) for i in range(20)]])
    taken = queue.dequeue_many(5)
    with tf.Session() as session, tf.Session() as other:
        session.run(enqueue)
        session.run(taken)
        snapshot = take_snapshot(session.state)
        following = [session.run(taken) for _ in range(2)]
        for each in (session, other):
            restore_snapshot(each.state, snapshot)
            for wanted in following:
                for a, b in zip(each.run(taken), wanted, strict=True):
                    np.testing.assert_array_equal(a, b)
