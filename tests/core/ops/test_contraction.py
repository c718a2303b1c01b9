"""einsum and tensordot against NumPy, with sizes and ranks known and unknown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.numeric import derivative

rng = np.random.default_rng(8)
MODES = ["known", "sizes unknown", "unknown"]


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _placeholders(arrays: list[Any], mode: str) -> list[Any]:
    shapes = {
        "known": [a.shape for a in arrays],
        "sizes unknown": [[None] * a.ndim for a in arrays],
        "unknown": [None] * len(arrays),
    }
    return [tf.placeholder(tf.float64, s) for s in shapes[mode]]


def _check(session: Any, y: Any, inputs: list[Any], arrays: list[Any], want: Any) -> None:
    feed = dict(zip(inputs, arrays, strict=True))
    value = session.run(y, feed)
    np.testing.assert_allclose(value, want, rtol=1e-10)
    assert y.shape.is_compatible_with(np.shape(want))
    loss = tf.reduce_sum(tf.square(y))
    slopes = session.run(tf.gradients(loss, inputs), feed)
    for x, array, slope in zip(inputs, arrays, slopes, strict=True):

        def at(a: Any, x: Any = x) -> Any:
            return session.run(loss, {**feed, x: a})

        np.testing.assert_allclose(slope, derivative(at, array), rtol=1e-5, atol=1e-6)


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    ("ij->ji", (2, 3)),
    ("ijk->j", (2, 3, 2)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("ij,ij->i", (2, 3), (2, 3)),
    ("ij,ji->", (2, 3), (3, 2)),
    ("i,j->ij", (2,), (3,)),
    ("abc,bd,cd->ad", (2, 3, 2), (3, 2), (2, 2)),
    ("ijkl,jm->imkl", (2, 3, 2, 2), (3, 2)),
    ("bhij,bhjd->bihd", (2, 2, 3, 2), (2, 2, 2, 3)),
    ("b,bij->bi", (2,), (2, 3, 2)),
    ("ji,kj->ik", (3, 2), (4, 3)),
    ("dc, a -> cda", (2, 3), (2,)),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", EQUATIONS, ids=lambda case: case[0])
def test_einsum_is_numpys(case: Any, mode: str, session: Any) -> None:
    equation, *shapes = case
    arrays = [rng.normal(size=s) for s in shapes]
    inputs = _placeholders(arrays, mode)
    y = tf.einsum(equation, *inputs)
    _check(session, y, inputs, arrays, np.einsum(equation, *arrays))
    assert mode != "known" or y.shape.is_fully_defined()


def test_einsum_moves_no_more_than_it_must() -> None:
    x, y = tf.zeros([2, 3]), tf.zeros([3, 4])
    kinds = {op.type for op in _made(lambda: tf.einsum("ij,jk->ik", x, y))}
    assert kinds == {"MatMul", "Identity"}
    flipped = _made(lambda: tf.einsum("ji,kj->ik", tf.zeros([3, 2]), tf.zeros([4, 3])))
    assert [op.type for op in flipped] == ["MatMul", "Identity"]
    assert tf.einsum("ij->ij", x, name="same").op.name == "same"


def _made(build: Any) -> list[Any]:
    graph = tf.get_default_graph()
    before = len(graph.get_operations())
    build()
    return [op for op in graph.get_operations()[before:] if op.type != "Const"]


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("ij", "1 terms, 2 tensors"),
        ("ij,jk->im", "Unknown output axes: m"),
        ("ii,jk->ik", "more than once"),
        ("ij,jk->ii", "output axis is repeated"),
        ("ij,jkl->kl", "has 3 labels for a tensor of shape"),
        ("i.j,jk->ik", "incorrect format"),
        ("ij,ik->jk", "but are 2 and 3: both are labelled 'i'"),
    ],
)
def test_einsum_errors(equation: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tf.einsum(equation, tf.zeros([2, 3]), tf.zeros([3, 4]))


def test_einsum_keywords() -> None:
    with pytest.raises(TypeError, match="optimize"):
        tf.einsum("ij->ij", tf.zeros([2, 3]), optimize=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("a", "b", "axes"),
    [
        ((2, 3), (3, 4), 1),
        ((2, 3, 2), (3, 2, 2), 2),
        ((2, 3, 4), (4, 3, 2), [[1, 2], [1, 0]]),
        ((3, 2), (3, 4), [0, 0]),
        ((2, 3), (4, 3), [[1], [-1]]),
        ((2, 3), (2, 3), 2),
        ((2,), (3,), 0),
    ],
)
def test_tensordot_is_numpys(a: Any, b: Any, axes: Any, mode: str, session: Any) -> None:
    arrays = [rng.normal(size=a), rng.normal(size=b)]
    inputs = _placeholders(arrays, mode)
    y = tf.tensordot(inputs[0], inputs[1], axes)
    _check(session, y, inputs, arrays, np.tensordot(arrays[0], arrays[1], axes))
    assert mode != "known" or y.shape.is_fully_defined()


def test_tensordot_arguments(session: Any) -> None:
    x = tf.constant(rng.normal(size=(2, 3)))
    axes = tf.placeholder(tf.int32, [2, 1])
    value = session.run(tf.tensordot(x, x, axes), {axes: [[1], [1]]})
    np.testing.assert_allclose(value, np.tensordot(*[session.run(x)] * 2, [[1], [1]]))  # type: ignore[call-overload]
    assert tf.tensordot(x, x, tf.constant([[0], [0]])).shape.as_list() == [3, 3]
    for bad, message in (
        (3, "larger than the rank"),
        (-1, "negative"),
        ([0], "length 2"),
        ([[0, 1], [0]], "Different number of contraction axes"),
        ([[0], [1]], "not compatible"),
    ):
        with pytest.raises(ValueError, match=message):
            tf.tensordot(x, x, bad)
    with pytest.raises(IndexError, match="Axis 2 is out of range for a"):
        tf.tensordot(x, x, [[2], [0]])
