"""What tasks keep beside variables: tables, queues, iterators, accumulators, used from others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

import workbench as tf
from tests.cluster.processes import Processes
from workbench.core.ops.made_here import HOME

PS, ONE, TWO = "/job:ps/task:0", "/job:worker/task:0", "/job:worker/task:1"

pytestmark = pytest.mark.usefixtures("graph")


@pytest.fixture
def servers(cluster) -> Iterator[dict[str, tf.train.Server]]:
    """The servers, which keep nothing from one test to the next one."""
    yield cluster
    tf.Session.reset(cluster["ps:0"].target)


def test_tables_are_filled_by_one_task_and_read_by_another(servers):
    with tf.device(PS):
        filler = tf.contrib.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2])
        fixed = tf.contrib.lookup.HashTable(filler, -1)
        grown = tf.contrib.lookup.MutableHashTable(tf.string, tf.int64, -5)
    words = tf.placeholder(tf.string, [None])
    with tf.device(ONE):
        found = fixed.lookup(words) * 10
        insert = grown.insert(words, tf.cast(found, tf.int64))
    with tf.device(TWO):
        read = grown.lookup(words) + 1
    with tf.Session(servers["worker:0"].target) as session:
        session.run(tf.tables_initializer())
        assert session.run(found, {words: ["a", "x", "b"]}).tolist() == [10, -10, 20]
        session.run(insert, {words: ["a", "b"]})
    with tf.Session(servers["worker:1"].target) as session:
        assert session.run([read, grown.size()], {words: ["b", "z"]})[0].tolist() == [21, -4]


def test_queues_of_all_kinds_hand_on_from_task_to_task(servers):
    with tf.device(PS):
        rows = tf.FIFOQueue(10, [tf.float32, tf.string], [[2], []])
        ranked = tf.PriorityQueue(10, [tf.string], [[]])
        padded = tf.PaddingFIFOQueue(5, [tf.int32], [[None]])
    with tf.device(ONE):
        put = [
            rows.enqueue_many([np.arange(6, dtype=np.float32).reshape(3, 2), ["a", "b", "c"]]),
            ranked.enqueue_many([[3, 1, 2], ["last", "first", "second"]]),
            padded.enqueue([[1]]),
        ]
        more = padded.enqueue([[2, 3, 4]])
    with tf.device(TWO):
        two_rows, names = rows.dequeue_many(2)
        doubled = two_rows * 2.0
        order = ranked.dequeue_many(3)[1]
        both = padded.dequeue_many(2) + 0
    with tf.Session(servers["worker:0"].target) as session:
        session.run(put)
        session.run(more)
        found = session.run([doubled, names, order, both, rows.size()])
        session.run(rows.close())
        with pytest.raises(tf.errors.CancelledError, match="closed"):
            session.run(put[0])
    assert found[0].tolist() == [[0.0, 2.0], [4.0, 6.0]]
    assert found[1].tolist() == [b"a", b"b"]
    assert found[2].tolist() == [b"first", b"second", b"last"]
    assert found[3].tolist() == [[1, 0, 0], [2, 3, 4]]


def test_an_accumulator_averages_what_two_tasks_give(servers):
    with tf.device(PS):
        gradients = tf.ConditionalAccumulator(tf.float32, [])
    with tf.device(ONE):
        given = [gradients.apply_grad(tf.constant(3.0) * 2.0, local_step=0)]
    with tf.device(TWO):
        given.append(gradients.apply_grad(tf.constant(1.0) * 2.0, local_step=0))
        average = gradients.take_grad(2) * 1.0
    with tf.Session(servers["worker:0"].target) as session:
        session.run(given)
        assert session.run(average) == 4.0


def test_a_python_function_runs_where_it_is_pinned_in_its_process(servers):
    seen = []

    def note(value):
        seen.append(float(value))
        return value * 2.0

    with tf.device(TWO):
        made = tf.py_func(note, [tf.constant(3.0)], tf.float32)
    with tf.device(PS):
        total = made + 1.0
    with tf.Session(servers["worker:0"].target) as session:
        assert [session.run(total), session.run(total)] == [7.0, 7.0]
    assert seen == [3.0, 3.0]


def test_iterators_of_another_task_give_their_elements(servers):
    with tf.device(TWO):
        limit = tf.placeholder(tf.int64, [])
        dataset = tf.data.Dataset.range(limit).map(lambda n: n * n).batch(3)
        iterator = dataset.make_initializable_iterator()
        batch = iterator.get_next()
    with tf.device(ONE):
        shifted = batch + 1
    with tf.Session(servers["worker:0"].target) as session:
        for given, wanted in [(5, [[1, 2, 5], [10, 17]]), (2, [[1, 2]])]:
            session.run(iterator.initializer, {limit: given})
            assert [session.run(shifted).tolist() for _ in wanted] == wanted
            with pytest.raises(tf.errors.OutOfRangeError):
                session.run(shifted)


def test_one_shot_and_fed_iterators_of_another_task(servers):
    with tf.device(TWO):
        numbers = tf.data.Dataset.from_tensor_slices([1.0, 2.0])
        once = numbers.make_one_shot_iterator().get_next()
        source = numbers.repeat().make_initializable_iterator()
        name = source.string_handle()
        handle = tf.placeholder(tf.string, [])
        fed = tf.data.Iterator.from_string_handle(
            handle, numbers.output_types, numbers.output_shapes
        ).get_next()
    with tf.device(PS):
        results = [once * 10.0, fed * 100.0]
    with tf.Session(servers["worker:0"].target) as session:
        session.run(source.initializer)
        feeds = {handle: session.run(name)}
        assert [session.run(results, feeds) for _ in range(2)] == [[10.0, 100.0], [20.0, 200.0]]
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(results[0])
        assert session.run(results[1], feeds) == 100.0


def test_another_process_iterates_the_dataset_that_comes_with_the_graph():
    with tf.device("/job:worker/task:0"):
        numbers = tf.data.Dataset.range(5).map(lambda n: n * n).shuffle(5, seed=1).batch(2)
        batch = numbers.make_one_shot_iterator().get_next()
    with Processes(worker=1) as processes, tf.Session(processes.target("worker", 0)) as session:
        found = [session.run(batch) for _ in range(3)]
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(batch)
    assert sorted(np.concatenate(found)) == [0, 1, 4, 9, 16]


def test_the_generator_of_another_process_is_refused(graph, servers):
    with tf.device(TWO):
        numbers = tf.data.Dataset.from_generator(lambda: iter(range(3)), tf.int64)
        iterator = numbers.make_initializable_iterator()
    definition = graph.as_graph_def()
    for node in definition.node:
        if node.op == "MakeIterator":
            # As a process that has another dataset of the same name would see it.
            node.attr[HOME].s = b"1-other"
    with tf.Graph().as_default():
        tf.import_graph_def(definition, name="")
        with (
            tf.Session(servers["worker:0"].target) as session,
            pytest.raises(tf.errors.FailedPreconditionError, match="that which made it"),
        ):
            session.run(iterator.initializer.name)


def test_the_function_of_another_process_is_not_called(monkeypatch):
    # The server's process has one of this token.
    monkeypatch.setattr("workbench.core.ops.python_functions._numbers", itertools.count())
    made = tf.py_func(lambda: 1.0, [], tf.float64)
    assert made.op.get_attr("token") == b"pyfunc_0"
    true = tf.placeholder_with_default(True, [])
    monkeypatch.setattr("workbench.core.ops.python_functions._numbers", itertools.count())
    inside = tf.cond(true, lambda: tf.py_func(lambda: 2.0, [], tf.float64), lambda: made)
    with Processes(worker=1) as processes, tf.Session(processes.target("worker", 0)) as session:
        for fetch in (made, inside):
            with pytest.raises(tf.errors.FailedPreconditionError, match="the process that made it"):
                session.run(fetch)
        assert session.run(inside, {made: 3.0, true: False}) == 3.0


def test_containers_part_what_has_one_name(servers):
    target = servers["worker:0"].target
    with tf.device(PS):
        with tf.container("mine"):
            mine = tf.FIFOQueue(3, tf.int32, shared_name="numbers")
            value = tf.Variable(5, name="value")
            table = tf.contrib.lookup.MutableHashTable(tf.string, tf.int64, -1, shared_name="words")
            insert = table.insert(["k"], tf.constant([7], tf.int64))
        others = tf.FIFOQueue(3, tf.int32, shared_name="numbers")
    sizes = [mine.size(), others.size(), table.size()]
    with tf.Session(target) as session:
        session.run([value.initializer, mine.enqueue(1), others.enqueue(2), insert])
        session.run(others.enqueue(3))
        assert session.run(sizes) == [1, 2, 1]
    tf.Session.reset(servers["worker:1"].target, ["mine"])
    with tf.Session(target) as session:
        assert session.run(sizes) == [0, 2, 0]
        with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized"):
            session.run(value)


@pytest.mark.parametrize("place", [ONE, TWO])
def test_tensors_are_kept_by_a_task_between_runs(servers, place, monkeypatch):
    with tf.device(place):
        keep = tf.get_session_handle(tf.constant([1.0, 2.0]) * 3.0)
        holder, kept = tf.get_session_tensor("", tf.float32)
        forgotten, forget = tf.delete_session_tensor("")
    with tf.device(PS):
        total = tf.reduce_sum(kept)
    with tf.Session(servers["worker:0"].target) as session:
        handle = session.run(keep)
        assert handle.eval().tolist() == [3.0, 6.0]
        assert session.run(total, {holder: handle.handle}) == 9.0
        # As where the task is in another process.
        monkeypatch.setattr("workbench.core.runtime.session_tensors._stores", {})
        far = session.run([keep, total], {holder: handle.handle})[0]
        assert session.run(total, {holder: far.handle}) == 9.0
        with pytest.raises(tf.errors.FailedPreconditionError, match="in another process"):
            far.eval()
        session.run(forget, {forgotten: far.handle})
        with pytest.raises(tf.errors.InvalidArgumentError, match="not in the session store"):
            session.run(total, {holder: far.handle})


@pytest.mark.parametrize("place", [PS, ONE])
def test_what_has_no_shared_name_is_the_sessions_own(servers, place):
    with tf.device(place):
        own = tf.FIFOQueue(3, tf.int32, shapes=[[]], name="own")
        shared = tf.FIFOQueue(3, tf.int32, shapes=[[]], shared_name="shared")
        iterator = tf.data.Dataset.range(3).make_initializable_iterator()
        value = iterator.get_next()
    put, sizes = [own.enqueue(1), shared.enqueue(2)], [own.size(), shared.size()]
    target = servers["worker:0"].target
    with tf.Session(target) as first, tf.Session(target) as second:
        first.run([iterator.initializer, put])
        assert first.run(sizes) == [1, 1] and second.run(sizes) == [0, 1]
        with pytest.raises(tf.errors.FailedPreconditionError):
            second.run(value)
        second.run(iterator.initializer)
        assert [first.run(value), first.run(value), second.run(value)] == [0, 1, 0]
        second.run(own.close())
        first.run(put)
    # Nor does it outlive its session: the next one finds no queue that is closed.
    with tf.Session(target) as third:
        third.run(put)
        assert third.run(sizes) == [1, 3]


def test_queue_runners_start_anew_in_a_second_session(servers):
    with tf.device(ONE):
        number = tf.train.range_input_producer(5, shuffle=False).dequeue()
    batch = tf.train.batch([number], 2)
    for _ in range(2):
        with tf.Session(servers["worker:0"].target) as session:
            session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
            coordinator = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(session, coordinator)
            assert session.run(batch).tolist() == [0, 1]
            coordinator.request_stop()
            coordinator.join(threads, stop_grace_period_secs=10)


def test_a_variable_of_another_dtype_under_the_same_name_is_refused(servers):
    target = servers["worker:0"].target
    for kind in (tf.int32, tf.float32):
        with tf.Graph().as_default():
            with tf.device(PS):
                value = tf.Variable(tf.ones([], kind), name="count")
            with tf.Session(target) as session:
                if kind is tf.int32:
                    session.run(value.initializer)
                    continue
                with pytest.raises(tf.errors.InvalidArgumentError, match=r"float32.*int32"):
                    session.run(value)
