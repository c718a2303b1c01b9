"""While loops as machine code, beside loops in Python over the interpreted condition and body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import workbench as tf
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.graph.function_graph import trace
from workbench.core.plan.plan import make_plan
from workbench.core.runtime.loops.native import native_loop
from workbench.core.runtime.loops.register_loop import RegisterLoop
from workbench.core.runtime.loops.table_loop import TableLoop
from workbench.core.runtime.program_writer import ProgramWriter

COUNT = np.int32(0)


class Loop(NamedTuple):
    """A loop over states; what is captured comes after them, and never changes."""

    kind: Any
    condition: Callable[..., Any]
    body: Callable[..., Any]
    states: Sequence[Any]
    captured: Sequence[Any] = ()
    exact: bool = True


def _normal(*shape: int, dtype: str = "float32", seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def _lengths(size: int) -> Loop:
    return Loop(
        RegisterLoop,
        lambda i, v, n: i < n,
        lambda i, v, n: (i + 1, v * 0.75 + 1.5),
        [COUNT, _normal(size)],
        [np.int32(11)],
    )


def _dtypes(dtype: str) -> Loop:
    values = _normal(37, dtype="float64") * 20
    return Loop(
        RegisterLoop,
        lambda i, v: i < 9,
        lambda i, v: (i + 1, tf.maximum(v * v - v, tf.cast(i, v.dtype))),
        [COUNT, values.astype(tf.as_dtype(dtype).as_numpy_dtype)],
    )


LOOPS: dict[str, Loop] = {
    "scalars": Loop(
        RegisterLoop, lambda i, x: i < 1000, lambda i, x: (i + 1, x * 0.5 + 1.0), [COUNT, 3.0]
    ),
    "no pass": Loop(
        RegisterLoop, lambda i, x: i < 0, lambda i, x: (i + 1, x * 2.0), [COUNT, _normal(5)]
    ),
    "states change places": Loop(
        RegisterLoop,
        lambda i, a, b: i < 60,
        lambda i, a, b: (i + 1, b, a + b),
        [COUNT, np.int64(0), np.int64(1)],
    ),
    "elements change places": Loop(
        RegisterLoop,
        lambda i, a, b: i < 7,
        lambda i, a, b: (i + 1, b, a - b),
        [COUNT, _normal(33), _normal(33, seed=1)],
    ),
    "a state that stays": Loop(
        RegisterLoop,
        lambda i, a, b: i < 5,
        lambda i, a, b: (i + 1, a, b + a),
        [COUNT, _normal(3, 5), _normal(3, 5, seed=1)],
    ),
    "scalars for elements": Loop(
        RegisterLoop,
        lambda i, r, v, w: r > 0.01,
        lambda i, r, v, w: (i + 1, r * 0.9, v * r + tf.cast(i, tf.float32) * w),
        [COUNT, np.float32(1), _normal(4, 9)],
        [_normal(4, 9, seed=1)],
    ),
    "until a float is not a number": Loop(
        RegisterLoop,
        lambda x, v: tf.equal(x, x),
        lambda x, v: (x * x * 1e10 - x * x * 1e10 * x, v + 1.0),
        [np.float32(3), _normal(8)],
    ),
    "reshaped": Loop(
        RegisterLoop,
        lambda i, v: i < 4,
        lambda i, v: (i + 1, tf.reshape(tf.reshape(v, [-1]) + 1.0, [2, 3])),
        [COUNT, _normal(2, 3)],
    ),
    "functions": Loop(
        RegisterLoop,
        lambda i, v: i < 20,
        lambda i, v: (i + 1, tf.tanh(tf.sin(v) + tf.sigmoid(v) * 0.5)),
        [COUNT, _normal(129)],
        exact=False,
    ),
    "chosen elements": Loop(
        RegisterLoop,
        lambda i, v: tf.logical_and(i < 50, i * i < 900),
        lambda i, v: (i + 1, tf.where(v > 0.0, v - 0.5, v + 0.25)),
        [COUNT, _normal(21, dtype="float64")],
    ),
    "a product": Loop(
        TableLoop,
        lambda i, v, w: i < 13,
        lambda i, v, w: (i + 1, tf.tanh(tf.matmul(v, w))),
        [COUNT, _normal(3, 7)],
        [_normal(7, 7, seed=1)],
        exact=False,
    ),
    "matrices change places": Loop(
        TableLoop,
        lambda i, a, b: i < 8,
        lambda i, a, b: (i + 1, b, tf.tanh(tf.matmul(a, b))),
        [COUNT, _normal(5, 5), _normal(5, 5, seed=1)],
        exact=False,
    ),
    "a condition on all elements": Loop(
        TableLoop,
        lambda v: tf.reduce_max(v) < 100.0,
        lambda v: (v * 1.25 + 1.0,),
        [np.abs(_normal(1000))],
    ),
    "one result for two states": Loop(
        TableLoop,
        lambda i, a, b: i < 5,
        lambda i, a, b: (i + 1,) + (tf.reduce_sum(a * b) * 0.1 + tf.zeros_like(a),) * 2,
        [COUNT, _normal(6), _normal(6, seed=1)],
        exact=False,
    ),
    "a constant result": Loop(
        TableLoop,
        lambda i, a, b, w: i < 3,
        lambda i, a, b, w: (i + 1, tf.constant([[1.0, 2.0]]), tf.matmul(a + b, w)),
        [COUNT, _normal(1, 2), _normal(1, 2, seed=1)],
        [_normal(2, 2)],
        exact=False,
    ),
    "large": Loop(
        RegisterLoop,
        lambda i, v: i < 6,
        lambda i, v: (i + 1, v * 0.5 - 1.0),
        [COUNT, _normal(100_003)],
    ),
}
LOOPS |= {f"{size} elements": _lengths(size) for size in (1, 2, 15, 16, 17, 64, 65, 127, 300)}
LOOPS |= {f"of {dtype}": _dtypes(dtype) for dtype in ("float16", "float64", "int32", "int64")}

#: What no machine code is made of, and why.
REFUSED: dict[str, tuple[Loop, str]] = {
    "states of two shapes": (
        Loop(None, lambda i, v: i < 3, lambda i, v: (i + 1, tf.concat([v, v], 0)), [COUNT, [1.0]]),
        "change their shapes",
    ),
    "strings": (
        Loop(None, lambda i, s: i < 3, lambda i, s: (i + 1, s + "a"), [COUNT, np.array("a", "O")]),
        "not compiled as a whole",
    ),
}


def _plans(graph: Any, loop: Loop) -> list[Any]:
    values = [
        np.asarray(v, np.float32) if isinstance(v, (float, list)) else np.asarray(v)
        for v in (*loop.states, *loop.captured)
    ]
    types = [tf.as_dtype(v.dtype if v.dtype != object else tf.string) for v in values]
    shapes = [v.shape for v in values]
    plans = []
    for function in (loop.condition, loop.body):
        body, results = trace(graph, function, types, shapes, tuple)
        with body.as_default():
            listed = results if isinstance(results, (list, tuple)) else [results]
            tensors = [tf.convert_to_tensor(r) for r in listed]
        plans.append(make_plan(tensors, [], body.arguments, shapes))
    return [*plans, values]


def _check(loop: Loop) -> None:
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        condition, body, values = _plans(graph, loop)
        goes_on, step = (ProgramWriter(p, session).write().run for p in (condition, body))
        states, captured = values[: len(loop.states)], values[len(loop.states) :]
        native = native_loop(condition, body, len(states), session, threads=2)
        assert type(native) is loop.kind, native
        wanted, passes = list(states), 0
        with np.errstate(all="ignore"):
            while goes_on(*wanted, *captured)[0]:
                wanted = list(step(*wanted, *captured))
                passes += 1
        copies = [v.copy() for v in values]
        found = native.run(states, captured)
        assert (found.passes, found.is_over) == (passes, True)
        for f, w in zip(found.states, wanted, strict=True):
            assert np.shape(f) == np.shape(w) and np.asarray(f).dtype == np.asarray(w).dtype
            if loop.exact:
                np.testing.assert_array_equal(f, w)
            else:
                np.testing.assert_allclose(f, w, rtol=2e-5, atol=1e-6)
        for value, copy in zip(values, copies, strict=True):
            assert value.tobytes() == copy.tobytes(), "what is given is not changed"
        # In two parts it is the same loop.
        first = native.run(states, captured, limit=passes // 2)
        assert (first.passes, first.is_over) == (passes // 2, False) or not passes
        second = native.run(first.states, captured)
        assert first.passes + second.passes == passes and second.is_over
        for f, w in zip(second.states, found.states, strict=True):
            np.testing.assert_array_equal(f, w)


def _check_refused(loop: Loop, reason: str) -> None:
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        condition, body, _ = _plans(graph, loop)
        try:
            native_loop(condition, body, len(loop.states), session)
        except Unsupported as error:
            assert reason in str(error), error
        else:
            raise AssertionError("machine code was made of it")


def cases() -> dict[str, Callable[[], None]]:
    found: dict[str, Callable[[], None]] = {
        name: partial(_check, loop) for name, loop in LOOPS.items()
    }
    for name, (loop, reason) in REFUSED.items():
        found[f"not: {name}"] = partial(_check_refused, loop, reason)
    return found
