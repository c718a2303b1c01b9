"""Assertions: what holds, what fails and says so, at creation or in a run; Print."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf

InvalidArgumentError = tf.errors.InvalidArgumentError


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _outcome(session: Any, check: Any, feeds: Any) -> str:
    try:
        session.run(check, feeds)
    except InvalidArgumentError as error:
        return str(error)
    return ""


PAIRS = [
    ("assert_equal", "==", [1, 2], [1, 2], [1, 3]),
    ("assert_none_equal", "!=", [1, 2], [2, 1], [1, 3]),
    ("assert_less", "<", [1, 2], [2, 3], [2, 2]),
    ("assert_less_equal", "<=", [1, 2], [1, 3], [1, 1]),
    ("assert_greater", ">", [1, 2], [0, 1], [0, 2]),
    ("assert_greater_equal", ">=", [1, 2], [1, 0], [1, 3]),
]


@pytest.mark.parametrize(("name", "sign", "left", "good", "bad"), PAIRS)
def test_pairs(name: str, sign: str, left: Any, good: Any, bad: Any, session: Any) -> None:
    x = tf.placeholder(tf.int32, [2], name="left")
    y = tf.placeholder(tf.int32, [2], name="right")
    check = getattr(tf, name)(x, y, message="so it must be")
    assert isinstance(check, tf.Operation)
    assert _outcome(session, check, {x: left, y: good}) == ""
    message = _outcome(session, check, {x: left, y: bad})
    shown = f"[{left[0]} {left[1]}] [y (right:0) = ] [{bad[0]} {bad[1]}]"
    assert (
        f"assertion failed: [so it must be] [Condition x {sign} y did not hold element-wise:] "
        f"[x (left:0) = ] {shown}" in message
    )


SIGNS = [
    ("assert_positive", ">", [1, 2], [0, 1]),
    ("assert_negative", "<", [-1, -2], [0, -1]),
    ("assert_non_negative", ">=", [0, 1], [-1, 0]),
    ("assert_non_positive", "<=", [0, -1], [1, 0]),
]


@pytest.mark.parametrize(("name", "sign", "good", "bad"), SIGNS)
def test_signs(name: str, sign: str, good: Any, bad: Any, session: Any) -> None:
    x = tf.placeholder(tf.float32, [None], name="x")
    check = getattr(tf, name)(x)
    assert _outcome(session, check, {x: good}) == ""
    assert _outcome(session, check, {x: []}) == ""
    assert f"Condition x {sign} 0 did not hold" in _outcome(session, check, {x: bad})


def test_what_is_shown(session: Any) -> None:
    x = tf.placeholder(tf.int32, [None])
    check = tf.assert_less(x, 5, data=["the values", x], summarize=2)
    message = _outcome(session, check, {x: [7, 8, 9]})
    assert "assertion failed: [the values] [7 8...]" in message


def test_constants_are_checked_at_once() -> None:
    one, two = tf.constant([1, 2], name="one"), tf.constant([1, 3], name="two")
    # Later versions of TensorFlow raise the one error, earlier ones the other.
    for kind in (ValueError, InvalidArgumentError):
        with pytest.raises(kind, match=r"no match\nCondition x == y.*\nx \(one:0\) = \n1 2\ny"):
            tf.assert_equal(one, two, message="no match")
    assert tf.assert_equal(one, one).type == "NoOp"
    assert tf.assert_less(one, 9).type == "NoOp"
    assert tf.assert_less(one, 2).type == "Assert"


def test_control_dependencies(session: Any) -> None:
    x = tf.placeholder(tf.float32, [])
    with tf.control_dependencies([tf.assert_positive(x, message="no roots of debts")]):
        root = tf.sqrt(x)
    assert session.run(root, {x: 9.0}) == 3
    with pytest.raises(InvalidArgumentError, match="no roots of debts"):
        session.run(root, {x: -1.0})


def test_assert(session: Any) -> None:
    x = tf.placeholder(tf.bool, [])
    check = tf.Assert(x, ["the reason", 3.5], name="Gate")
    assert check.name == "Gate/Assert"
    assert session.run(check, {x: True}) is None
    assert "[the reason] [3.5]" in _outcome(session, check, {x: False})
    with pytest.raises(InvalidArgumentError, match="condition must be a scalar"):
        session.run(tf.Assert(tf.constant([True, True]), ["x"]))


@pytest.mark.parametrize("known", [True, False])
def test_ranks(known: bool, session: Any) -> None:
    x = tf.placeholder(tf.float32, [2, 3] if known else None, name="grid")
    value = np.zeros((2, 3))
    for good in (
        tf.assert_rank(x, 2),
        tf.assert_rank_at_least(x, 1),
        tf.assert_rank_in(x, [1, 2]),
        tf.assert_rank_in(x, (tf.constant(2), 5)),
    ):
        assert _outcome(session, good, {x: value}) == ""
    for make, wording in (
        (lambda: tf.assert_rank(x, 1, message="hm"), "rank 1"),
        (lambda: tf.assert_rank_at_least(x, 3, message="hm"), "rank at least 3"),
        (lambda: tf.assert_rank_in(x, [1, 3], message="hm"), r"rank in \(1, 3\)"),
    ):
        if known:
            with pytest.raises(
                ValueError, match=rf"hm\.  Tensor grid:0 must have {wording}\.  Rec"
            ):
                make()
        else:
            message = _outcome(session, make(), {x: value})
            assert "assertion failed: [hm] [Tensor grid:0 must have rank" in message
            assert "[Received shape: ] [2 3]" in message


def test_ranks_that_are_none(session: Any) -> None:
    x = tf.zeros([2])
    with pytest.raises(ValueError, match="Rank must be a scalar"):
        tf.assert_rank(x, np.array([], np.int32))
    with pytest.raises(TypeError, match="must be of type <dtype: 'int32'>"):
        tf.assert_rank(x, 0.5)
    rank = tf.placeholder(tf.int32, name="rank")
    message = _outcome(session, tf.assert_rank(x, rank), {rank: [1, 2]})
    assert "Rank must be a scalar" in message


def test_types() -> None:
    whole, real = tf.constant([1]), tf.constant(1.0)
    assert tf.assert_integer(whole).type == "NoOp"
    assert tf.assert_type(real, tf.float32).type == "NoOp"
    assert tf.assert_scalar(real) is real
    with pytest.raises(TypeError, match='hm  Expected "x" to be integer type.  Found: float32'):
        tf.assert_integer(real, message="hm")
    with pytest.raises(TypeError, match="must be of type <dtype: 'int64'>"):
        tf.assert_type(whole, tf.int64)
    with pytest.raises(ValueError, match=r"Expected scalar shape for .*, saw shape: \(1,\)"):
        tf.assert_scalar(whole)
    assert tf.is_numeric_tensor(whole) and not tf.is_numeric_tensor(tf.constant(True))
    assert not tf.is_numeric_tensor(3)


def test_iterables() -> None:
    tf.assert_proper_iterable([tf.constant(1)])
    for wrong in (tf.constant([1]), np.zeros(2), "text"):
        with pytest.raises(TypeError, match='to be a "proper" iterable'):
            tf.assert_proper_iterable(wrong)
    with pytest.raises(TypeError, match="to be iterable"):
        tf.assert_proper_iterable(3)


def test_float_types() -> None:
    half, single = tf.constant(1.0, tf.float16), tf.constant(1.0)
    assert tf.assert_same_float_dtype() is tf.float32
    assert tf.assert_same_float_dtype([None, half]) is tf.float16
    assert tf.assert_same_float_dtype([single], tf.float32) is tf.float32
    with pytest.raises(ValueError, match="type=float32, must be of the same type .float16."):
        tf.assert_same_float_dtype([half, single])
    with pytest.raises(ValueError, match="Expected floating point type, got int32"):
        tf.assert_same_float_dtype([tf.constant(1)])


@pytest.mark.parametrize(
    ("values", "steady", "rising"),
    [
        ([1, 1, 3], True, False), ([1, 2, 3], True, True), ([3, 1], False, False),
        ([], True, True), ([5], True, True), ([[1, 2], [2, 4]], True, False),
        ([1.0, np.nan], False, False),
    ],
)  # fmt: skip
def test_monotonic(values: Any, steady: bool, rising: bool, session: Any) -> None:
    found = session.run([tf.is_non_decreasing(values), tf.is_strictly_increasing(values)])
    assert [bool(f) for f in found] == [steady, rising]
    with pytest.raises(TypeError, match="Expected x to be numeric"):
        tf.is_non_decreasing(["a", "b"])


def test_print(session: Any, capsys: pytest.CaptureFixture[str]) -> None:
    x = tf.placeholder(tf.float32, [None], name="x")
    shown = tf.Print(x, [x, tf.constant("go")], message="values: ", first_n=2, summarize=2)
    doubled = shown * 2
    assert tf.gradients(doubled, x)[0] is not None
    for value in ([1, 2, 3], [4, 5], [6]):
        assert session.run(doubled, {x: value}).tolist() == [2 * v for v in value]
    output = capsys.readouterr()
    assert output.err == "values: [1 2...][go]\nvalues: [4 5][go]\n" and not output.out
    always = tf.Print(x, [tf.shape(x)])
    session.run([always, always], {x: [0]})
    session.run(always, {x: [0, 0]})
    assert capsys.readouterr().err == "[1]\n[2]\n"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64"])
def test_what_is_near(dtype: str, session: Any) -> None:
    kind = tf.as_dtype(dtype)
    x, y = tf.placeholder(kind), tf.placeholder(kind)
    step = 2.0 ** {"float16": -10, "bfloat16": -7, "float64": -52}.get(dtype, -23)
    check = tf.assert_near(x, y, message="too far")
    for steps, near in ((0, True), (8, True), (30, False)):
        feeds = {x: np.array([1.0 + steps * step]), y: np.array([1.0])}
        assert (_outcome(session, check, feeds) == "") is near
    assert "too far" in _outcome(session, check, feeds)
    wide = tf.assert_near(x, y, atol=0.5, rtol=0.0)
    assert _outcome(session, wide, {x: [10.25], y: [10.0]}) == ""
    assert "too far" not in _outcome(session, wide, {x: [10.75], y: [10.0]}) != ""
    relative = tf.assert_near(x, y, atol=0.0, rtol=0.25, data=["mine"])
    assert _outcome(session, relative, {x: [10.0], y: [8.0]}) == ""
    assert "mine" in _outcome(session, relative, {x: [8.0], y: [6.0]})


def test_whole_numbers_are_not_near() -> None:
    with pytest.raises(TypeError, match="must be floating or complex, got int32"):
        tf.assert_near(1, 2)
