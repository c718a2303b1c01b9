"""Sessions: fetch structures, feeds, callables, partial runs, traces, the implicit session."""

from __future__ import annotations

import collections
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.codegen import host

Pair = collections.namedtuple("Pair", ["first", "second"])


@pytest.fixture
def session() -> tf.Session:
    with tf.Graph().as_default(), tf.Session() as opened:
        yield opened


def test_fetch_structures(session: tf.Session) -> None:
    a, b = tf.constant(1.0, name="a"), tf.constant([2, 3], name="b")
    op = tf.no_op(name="nothing")
    assert session.run(a) == np.float32(1.0)
    assert isinstance(session.run(a), np.float32)
    assert session.run(op) is None
    assert session.run([]) == []
    result = session.run({"list": [a, (b, "a:0")], "pair": Pair(a, op), "name": "nothing"})
    assert result["list"][0] == 1.0
    assert result["list"][1][0].tolist() == [2, 3]
    assert result["list"][1][1] == 1.0
    assert result["pair"] == Pair(np.float32(1.0), None)
    assert result["name"] is None
    ordered = session.run(collections.OrderedDict([("z", a), ("y", b)]))
    assert list(ordered) == ["z", "y"]


def test_sparse_fetch_and_feed(session: tf.Session) -> None:
    sparse = tf.sparse_placeholder(tf.float32)
    value = tf.SparseTensorValue(
        np.array([[0, 1]], np.int64), np.array([3.0], np.float32), np.array([2, 2], np.int64)
    )
    fetched = session.run(sparse, {sparse: value})
    assert isinstance(fetched, tf.SparseTensorValue)
    assert fetched.values.tolist() == [3.0]


def test_any_tensor_can_be_fed(session: tf.Session) -> None:
    a = tf.constant(1.0)
    b = a + 1.0
    c = b * 10.0
    assert session.run(c, {b: 5.0}) == 50.0
    assert session.run([b, c], {b: 5.0}) == [5.0, 50.0]
    v = tf.Variable(1.0)
    assert session.run(v * 2.0, {v: 4.0}) == 8.0


def test_a_feed_that_is_not_needed_is_fine(session: tf.Session) -> None:
    x = tf.placeholder(tf.float32)
    assert session.run(tf.constant(1.0), {x: 3.0}) == 1.0


def test_fed_lists_scalars_and_other_dtypes_are_converted(session: tf.Session) -> None:
    x = tf.placeholder(tf.float32, [None])
    assert session.run(x, {x: [1, 2]}).dtype == np.float32
    assert session.run(x, {x: np.array([1.0, 2.0])}).dtype == np.float32
    n = tf.placeholder(tf.int32)
    assert session.run(n + 1, {n: 3}) == 4
    s = tf.placeholder(tf.string)
    assert session.run(s, {s: "text"}) == b"text"
    assert session.run(s, {s: ["a", b"b"]}).tolist() == [b"a", b"b"]


def test_many_shapes_of_one_feed(session: tf.Session) -> None:
    x = tf.placeholder(tf.float32, [None, 3])
    y = tf.reduce_sum(x * 2.0, 1)
    for rows in range(1, 15):
        array = np.full((rows, 3), float(rows), np.float32)
        assert session.run(y, {x: array}).tolist() == [6.0 * rows] * rows


def test_make_callable(session: tf.Session) -> None:
    x, y = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    call = session.make_callable([x + y, x * y], [x, y])
    assert call(2.0, 3.0) == [5.0, 6.0]
    with pytest.raises(TypeError, match="Expected 2 values, got 1"):
        call(2.0)
    assert session.make_callable(x + y, [x, y])(1.0, 1.0) == 2.0


@pytest.mark.parametrize("tier", ["compiled", "interpreted"])
def test_make_callable_with_memory_for_results(tier: str) -> None:
    """Compiled steps write there; whoever does not gives the same values in new arrays."""
    x = tf.placeholder(tf.float32, [2, 3])
    twice, total = x * 2.0, tf.reduce_sum(x)
    memory = {twice: np.zeros((2, 3), np.float32), total: np.zeros((), np.float32)}
    is_compiled = tier == "compiled" and host.obstacle() is None
    with tf.Session(tier=tier) as session:
        call = session.make_callable([twice, total], [x], memory=memory)
        unfit = session.make_callable(twice, [x], memory={twice: np.zeros(6, np.float32)})
        for number in range(1, 4):
            given = np.full((2, 3), number, np.float32)
            result, sum_ = call(given)
            np.testing.assert_array_equal(result, 2 * given)
            assert sum_ == 6 * number
            assert (result is memory[twice]) == (is_compiled and number > 1)
            np.testing.assert_array_equal(unfit(given), 2 * given)


def test_partial_run_computes_everything_once(session: tf.Session) -> None:
    a, b = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    noise = tf.random_uniform([])
    first = a + noise
    second = first * b
    handle = session.partial_run_setup([first, second, noise], [a, b])
    one = session.partial_run(handle, first, {a: 10.0})
    two, drawn = session.partial_run(handle, [second, noise], {b: 2.0})
    assert two == pytest.approx(2.0 * one)
    assert one == pytest.approx(10.0 + drawn)


def test_partial_run_takes_what_was_announced_once(session: tf.Session) -> None:
    a, b, c = (tf.placeholder(tf.float32) for _ in range(3))
    total, product, other = a + b, a * b, a * c
    handle = session.partial_run_setup([total, product], [a, b])
    assert session.partial_run(handle, total, {a: 1.0, b: 2.0}) == 3.0
    wrong: list[tuple[Any, Any, str]] = [
        (total, None, "has already been fetched.$"),
        (product, {a: 1.0}, "has already been fed.$"),
        (product, {c: 1.0}, "was not specified in partial_run_setup.$"),
        (other, None, "was not specified in partial_run_setup.$"),
    ]
    for fetch, feeds, message in wrong:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            session.partial_run(handle, fetch, feeds)
    assert session.partial_run(handle, product) == 2.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="partial_run_setup"):
        session.partial_run("no handle", total)
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least one target to fetch"):
        session.partial_run_setup([], [a])


def test_an_empty_graph_cannot_run() -> None:
    with (
        tf.Session(graph=tf.Graph()) as session,
        pytest.raises(RuntimeError, match="The Session graph is empty"),
    ):
        session.run([])


def test_no_session_elsewhere() -> None:
    with pytest.raises(tf.errors.NotFoundError, match="No session factory registered"):
        tf.Session("nowhere://localhost:2222")


def test_sessions_nest() -> None:
    outer, inner = tf.Session(), tf.Session()
    with pytest.raises(RuntimeError, match="not re-entrant"), outer, outer:
        raise AssertionError("entered twice")
    scopes = [outer.as_default(), inner.as_default()]
    for scope in scopes:
        scope.__enter__()
    with pytest.raises(AssertionError, match="Nesting violated"):
        scopes[0].__exit__(None, None, None)
    for scope in reversed(scopes):
        scope.__exit__(None, None, None)
    assert tf.get_default_session() is None


def test_the_graph_of_a_session_has_shapes_on_demand() -> None:
    tf.constant([1, 2], name="c")
    config = tf.ConfigProto(graph_options=tf.GraphOptions(infer_shapes=True))
    for session, has in ((tf.Session(), False), (tf.Session(config=config), True)):
        assert ("_output_shapes" in session.graph_def.node[0].attr) == has


def test_feeds_may_leave_out_a_constant_shape(session: tf.Session) -> None:
    sparse = tf.sparse_placeholder(tf.float32, shape=[3, 3])
    dense = tf.sparse_tensor_to_dense(sparse)
    assert session.run(dense, {sparse: ([[1, 1]], [2.0])})[1].tolist() == [0.0, 2.0, 0.0]
    slices = tf.IndexedSlices(tf.placeholder(tf.float32), tf.placeholder(tf.int32), None)
    values = session.run([slices.values * 2, slices.indices], {slices: ([1.0], [0])})
    assert [value.tolist() for value in values] == [[2.0], [0]]


def test_trace_has_time_and_bytes_of_every_operation(session: tf.Session) -> None:
    x = tf.placeholder(tf.float32, [100, 100], name="x")
    y = tf.reduce_sum(tf.matmul(x, x, name="product"), name="total")
    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    value = session.run(y, {x: np.ones((100, 100), "f")}, options, metadata)
    assert value == 1e6
    stats = {s.node_name: s for s in metadata.step_stats.dev_stats[0].node_stats}
    assert stats["product"].all_end_rel_micros >= 1
    description = stats["product"].output[0].tensor_description
    assert [d.size for d in description.shape.dim] == [100, 100]
    assert description.allocation_description.requested_bytes == 40000
    assert "total" in stats


def test_implicit_session_initialises_variables_on_first_use() -> None:
    with tf.Graph().as_default():
        v = tf.Variable(3.0)
        w = tf.Variable(v.initialized_value() * 2.0)
        total = v + w
        assert total.eval() == 9.0
        v.assign(10.0).op.run()
        assert total.eval() == 16.0
        tf.global_variables_initializer().run()
        assert total.eval() == 9.0


def test_interactive_session_is_the_default_until_closed() -> None:
    with tf.Graph().as_default():
        session = tf.InteractiveSession()
        v = tf.Variable(1.0)
        v.initializer.run()
        assert tf.get_default_session() is session
        assert v.eval() == 1.0
        session.close()
        assert tf.get_default_session() is None


def test_sessions_have_values_of_their_own() -> None:
    with tf.Graph().as_default():
        v = tf.Variable(1.0)
        with tf.Session() as one, tf.Session() as two:
            one.run(v.assign(5.0).op)
            two.run(v.initializer)
            assert one.run(v) == 5.0
            assert two.run(v) == 1.0


@pytest.mark.parametrize("tier", ["interpreted", "compiled"])
def test_threads_may_run_one_session(tier: str) -> None:
    session = tf.Session(tier=tier)
    x = tf.placeholder(tf.float32, [64, 64])
    y = tf.reduce_sum(tf.tanh(tf.matmul(x, x) * 0.01) * 2.0 + 1.0, 1)
    arrays = [np.random.RandomState(i).standard_normal((64, 64)).astype("f") for i in range(8)]
    expected = [session.run(y, {x: a}) for a in arrays]
    wrong: list[int] = []

    def work(index: int) -> None:
        for _ in range(30):
            if not np.array_equal(session.run(y, {x: arrays[index]}), expected[index]):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    session.close()
    assert not wrong


def test_growth_of_the_graph_in_a_loop_warns_once_with_the_line(session: tf.Session) -> None:
    x = tf.constant(1.0)
    with pytest.warns(UserWarning, match="grows while it is run") as caught:
        for _ in range(40):
            session.run(x + 1.0)  # the line that grows the graph
    assert len(caught) == 1
    assert "the line that grows the graph" in str(caught[0].message)


def test_cells_that_each_add_something_do_not_warn(session: tf.Session) -> None:
    names = {"tf": tf, "session": session}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for cell in range(40):
            exec(compile(f"session.run(tf.constant({cell}) + 1)", f"<cell {cell}>", "exec"), names)
    assert not caught


def test_a_fixed_graph_does_not_warn(session: tf.Session) -> None:
    y = tf.constant(1.0) + 1.0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(40):
            session.run(y)
    assert not caught


def test_equal_seeds_give_equal_runs() -> None:
    def run() -> list[bytes]:
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(42)
            noise = tf.random_normal([5])
            other = tf.random_uniform([5], seed=7)
            return [b"".join(a.tobytes() for a in session.run([noise, other])) for _ in range(3)]

    first = run()
    assert first == run()
    assert len(set(first)) == 3


def test_updates_with_locking_do_not_mix(session: tf.Session) -> None:
    total = tf.Variable(tf.zeros([512, 512]))
    ones = tf.ones([512, 512])
    updates = [tf.assign_add(total, ones, use_locking=True).op for _ in range(16)]
    session.run(total.initializer)
    threads = [threading.Thread(target=session.run, args=(update,)) for update in updates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (session.run(total) == 16.0).all()
