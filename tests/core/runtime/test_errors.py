"""The errors of building and running graphs: each test reads the message as a user would."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

import workbench as tf


@pytest.fixture
def session() -> tf.Session:
    with tf.Graph().as_default(), tf.Session() as opened:
        yield opened


def _lines(message: str) -> list[str]:
    return message.splitlines()


def test_shape_clash_names_both_lines(session: tf.Session) -> None:
    left = tf.placeholder(tf.float32, [2, 3], name="left")  # left is made
    right = tf.placeholder(tf.float32, [4, 5], name="right")  # right is made
    with pytest.raises(ValueError) as caught:
        tf.matmul(left, right)  # the clash
    lines = _lines(str(caught.value))
    assert lines[0].endswith("tf.matmul(left, right)  # the clash")
    assert re.match(r".*test_errors\.py:\d+: ", lines[0])
    assert "Dimensions must be equal, but are 3 and 4 for 'MatMul'" in lines[1]
    assert lines[2].endswith("# left is made") and "'left:0' float32 (2, 3)" in lines[2]
    assert lines[3].endswith("# right is made") and "'right:0' float32 (4, 5)" in lines[3]


def test_broadcast_clash(session: tf.Session) -> None:
    a, b = tf.zeros([2, 3]), tf.zeros([4])
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 4") as caught:
        a + b
    assert "a + b" in _lines(str(caught.value))[0]


def test_dtype_clash_names_both_lines(session: tf.Session) -> None:
    floats = tf.placeholder(tf.float32, name="floats")  # floats are made
    whole = tf.placeholder(tf.int32, name="whole")  # whole is made
    with pytest.raises(TypeError) as caught:
        tf.add(floats, whole)  # the clash
    message = str(caught.value)
    assert _lines(message)[0].endswith("# the clash")
    assert "Input 'y' of 'Add' Op has type int32 that does not match type float32" in message
    assert "# floats are made" in message and "# whole is made" in message


def test_dtype_not_allowed(session: tf.Session) -> None:
    with pytest.raises(TypeError, match="not in list of allowed values") as caught:
        tf.sqrt(tf.constant([1, 2]))
    assert "int32" in str(caught.value)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: tf.fill([2, -1], 7), ValueError, r"dims must not be negative, got \[2, -1\]"),
        (lambda: tf.negative(tf.no_op("idle")), TypeError, "Can't convert Operation 'idle' to Ten"),
        (lambda: tf.ones([1, 2, 3]) + tf.ones([4, 5, 6]), ValueError, "equal, but are 2 and 5"),
        (lambda: tf.ones([9, 2, 3]) + tf.ones([4, 3]), ValueError, "equal, but are 2 and 4"),
    ],
)
def test_what_cannot_be_made(
    make: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()


def test_all_missing_feeds_at_once_with_paths(session: tf.Session) -> None:
    x = tf.placeholder(tf.float32, [2, 3], name="images")  # images are made
    y = tf.placeholder(tf.int32, [2], name="labels")
    logits = tf.identity(x * 2.0, name="logits")
    loss = tf.add(tf.reduce_sum(logits), tf.cast(tf.reduce_sum(y), tf.float32), name="loss")
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(loss)
    message = caught.value.message
    assert "You must feed a value for 2 placeholder tensors" in message
    assert "'images:0' float32 (2, 3)" in message and "# images are made" in message
    assert "needed by loss <- Sum <- logits <- mul <- images" in message
    assert "'labels:0' int32 (2,)" in message
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(loss, {x: np.zeros((2, 3))})
    assert (
        "You must feed a value for placeholder tensor 'labels' with dtype int32 and shape [2]"
    ) in str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "shape", "text"),
    [
        (tf.float32, [None, 3], "dtype float and shape [?,3]\n"),
        (tf.float64, None, "dtype double\n"),
        (tf.bool, [], "dtype bool and shape []\n"),
    ],
)
def test_a_missing_feed_is_described(
    dtype: tf.DType, shape: object, text: str, session: tf.Session
) -> None:
    x = tf.placeholder(dtype, shape, name="x")
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(tf.identity(x))
    assert f"You must feed a value for placeholder tensor 'x' with {text}" in caught.value.message


def test_feed_of_the_wrong_shape(session: tf.Session) -> None:
    x = tf.placeholder(tf.float32, [None, 3], name="x")  # x is made
    with pytest.raises(ValueError) as caught:
        session.run(x, {x: np.zeros((2, 4))})
    message = str(caught.value)
    assert "Cannot feed value of shape (2, 4) for Tensor 'x:0', which has shape '(?, 3)'" in message
    assert "# x is made" in message


@pytest.mark.parametrize("value", ["text", [[1.0], [2.0, 3.0]], object()])
def test_feed_of_the_wrong_kind(session: tf.Session, value: object) -> None:
    x = tf.placeholder(tf.float32, name="x")
    with pytest.raises((ValueError, TypeError), match="'x:0'"):
        session.run(x, {x: value})


def test_feed_that_is_a_tensor(session: tf.Session) -> None:
    x = tf.placeholder(tf.float32)
    with pytest.raises(TypeError, match=r"value of a feed cannot be a tf\.Tensor"):
        session.run(x, {x: tf.constant(1.0)})


def test_feed_out_of_range(session: tf.Session) -> None:
    x = tf.placeholder(tf.int32)
    with pytest.raises(TypeError, match="out of range"):
        session.run(x, {x: 2**40})


def test_uninitialised_variable_says_the_fix(session: tf.Session) -> None:
    v = tf.Variable(1.0, name="weights")  # weights are made
    for fetch in (v, v + 1.0, v.assign_add(1.0)):
        with pytest.raises(tf.errors.FailedPreconditionError) as caught:
            session.run(fetch)
        message = caught.value.message
        assert _lines(message)[0].endswith("# weights are made")
        assert "Attempting to use uninitialized value weights" in message
        assert "tf.global_variables_initializer()" in message


def test_tensor_of_another_graph(session: tf.Session) -> None:
    with tf.Graph().as_default():
        foreign = tf.constant(1.0, name="foreign")  # foreign is made
    with pytest.raises(ValueError, match="must be from the same graph") as caught:
        tf.constant(2.0) + foreign
    with pytest.raises(ValueError, match="not an element of this graph") as caught:
        session.run(foreign)
    assert "# foreign is made" in str(caught.value)


def test_closed_session() -> None:
    with tf.Graph().as_default():
        session = tf.Session()
        session.close()
        with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
            session.run(tf.constant(1.0))


def test_unknown_name_says_the_nearest(session: tf.Session) -> None:
    tf.constant(1.0, name="dense/kernel")
    graph = tf.get_default_graph()
    with pytest.raises(KeyError, match="dense/kernel"):
        graph.get_operation_by_name("dense/kernal")
    with pytest.raises(KeyError, match="dense/kernel"):
        graph.get_tensor_by_name("kernel:0")
    with pytest.raises(KeyError, match="has only 1 outputs"):
        graph.get_tensor_by_name("dense/kernel:1")
    with pytest.raises(ValueError, match="dense/kernel"):
        session.run("dense/kernal:0")


def test_fetch_of_something_else(session: tf.Session) -> None:
    for wrong in (None, 3, [tf.constant(1.0), None]):
        with pytest.raises(TypeError, match="Fetch argument"):
            session.run(wrong)


def test_finalized_graph(session: tf.Session) -> None:
    session.graph.finalize()
    with pytest.raises(RuntimeError, match="Graph is finalized and cannot be modified"):
        tf.constant(1.0)


def test_failing_kernel_names_line_operation_and_inputs(session: tf.Session) -> None:
    table = tf.placeholder(tf.float32, [5, 2], name="table")
    rows = tf.placeholder(tf.int32, [None], name="rows")
    picked = tf.gather(table, rows, name="picked")  # the lookup
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(picked, {table: np.zeros((5, 2)), rows: [1, 7]})
    error = caught.value
    lines = _lines(error.message)
    assert lines[0].endswith("# the lookup")
    assert "'picked'" in lines[1] and "7" in lines[1] and "5" in lines[1]
    assert any("table" in line and "(5, 2)" in line for line in lines[2:])
    assert error.op is picked.op


def test_no_internal_frame_stands_before_the_users_line(session: tf.Session) -> None:
    x = tf.placeholder(tf.float32, [3], name="x")
    bad = tf.check_numerics(x, "my check")  # the check
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(bad, {x: [1.0, np.nan, 2.0]})
    first = _lines(caught.value.message)[0]
    assert "test_errors.py" in first and "# the check" in first
    assert "workbench/core" not in caught.value.message


def test_check_numerics_names_the_first_bad_operation() -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [3], name="x")
        logarithm = tf.log(x, name="logarithm")  # where it begins
        total = tf.reduce_sum(logarithm * 2.0 + 1.0)
        with tf.Session(check_numerics=True) as session:
            assert np.isfinite(session.run(total, {x: [1.0, 2.0, 3.0]}))
            with pytest.raises(tf.errors.InvalidArgumentError) as caught:
                session.run(total, {x: [1.0, -1.0, 0.0]})
        message = caught.value.message
        assert _lines(message)[0].endswith("# where it begins")
        assert "Log 'logarithm'" in message
        assert "NaN and infinity: 2 of 3 elements, first at (1,)" in message
        with tf.Session() as plain:
            assert np.isnan(plain.run(total, {x: [1.0, -1.0, 0.0]}))


@pytest.mark.parametrize(
    ("use", "instead"),
    [
        (bool, "tf.cond"),
        (list, "tf.unstack"),
        (len, "tf.shape"),
        (np.asarray, "t.eval"),
        (float, "t.eval"),
        (int, "t.eval"),
    ],
)
def test_symbolic_tensor_used_as_a_value(use: object, instead: str) -> None:
    with tf.Graph().as_default():
        t = tf.constant([1.0], name="t")  # t is made
        with pytest.raises(TypeError) as caught:
            use(t)  # type: ignore[operator]
        assert instead in str(caught.value)
        assert "'t:0'" in str(caught.value) and "# t is made" in str(caught.value)
        v = tf.Variable(1.0)
        if use is bool:
            # `if variable:` asks whether there is one, in programs that pass None else.
            assert bool(v) is True
            return
        with pytest.raises(TypeError):
            use(v)  # type: ignore[operator]


def test_unknown_public_name_says_the_nearest() -> None:
    with pytest.raises(AttributeError, match="matmul"):
        _ = tf.matmull
    with pytest.raises(AttributeError, match="softmax"):
        _ = tf.nn.sofmax
