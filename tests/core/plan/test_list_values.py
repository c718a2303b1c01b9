"""Lists whose elements are known one by one vanish from plans, and no result changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.ops.lists import creation, items, scattering, sizes, stacking
from workbench.core.plan.plan import make_plan

X = np.arange(12, dtype=np.float32).reshape(4, 3) - 5.0


def _list_steps(plan: Any) -> list[str]:
    return [s.node.type for s in plan.memory.steps if "TensorList" in s.node.type]


def _three(x: Any) -> Any:
    handle = creation.reserve([3], 3, tf.float32)
    handle = items.set_item(handle, 2, x[0])
    return items.set_item(handle, 0, x[1])


CASES: dict[str, Callable[[Any], Any]] = {
    "what was set": lambda x: items.get_item(_three(x), 2, tf.float32),
    "what was never set": lambda x: items.get_item(_three(x), 1, tf.float32),
    "stacked": lambda x: stacking.stack(_three(x), tf.float32),
    "stacked rows": lambda x: stacking.stack(creation.from_tensor(x), tf.float32),
    "gathered": lambda x: stacking.gather(creation.from_tensor(x), [3, 0, 3], tf.float32),
    "scattered": lambda x: stacking.stack(scattering.scatter(x, [2, 0, 5, 1], [3]), tf.float32),
    "length": lambda x: sizes.length(_three(x)),
    "pushed and popped": lambda x: items.pop_back(
        items.push_back(items.push_back(creation.empty([3], tf.float32), x[0]), x[1]), tf.float32
    )[1],
    "added": lambda x: stacking.stack(
        items.add_item(items.add_item(_three(x), 0, x[2]), 1, x[3]), tf.float32
    ),
    "sum of lists": lambda x: stacking.stack(
        tf.add_n([creation.from_tensor(x), creation.from_tensor(x * 2.0)]), tf.float32
    ),
    "zeros": lambda x: stacking.stack(tf.zeros_like(creation.from_tensor(x)), tf.float32, [3]),
    "scattered into": lambda x: stacking.stack(
        scattering.scatter_into(creation.reserve([3], 6, tf.float32), x, [5, 0, 2, 1]), tf.float32
    ),
    "rows added": lambda x: stacking.stack(
        scattering.add_rows(creation.from_tensor(x), x, [3, 0, 3, 1]), tf.float32
    ),
    "rows cleared": lambda x: stacking.stack(
        scattering.clear_rows(creation.from_tensor(x), [3, 1]), tf.float32
    ),
    "longer": lambda x: stacking.stack(sizes.resize(_three(x), 5), tf.float32),
    "shorter": lambda x: stacking.stack(sizes.resize(_three(x), 1), tf.float32),
    "computed places": lambda x: items.get_item(
        _three(x), tf.shape(x)[0] - tf.constant(2), tf.float32
    ),
    "gradient of reading": lambda x: tf.gradients(
        tf.square(items.get_item(creation.from_tensor(x), 1, tf.float32)), [x]
    )[0],
    "gradient of stacking": lambda x: tf.gradients(
        tf.square(stacking.stack(_three(x), tf.float32)), [x]
    )[0],
}


@pytest.mark.parametrize("name", CASES)
def test_the_list_vanishes(name: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [4, 3])
        y = CASES[name](x)
        plan = make_plan([y], [], [x], [(4, 3)])
        assert not _list_steps(plan), plan
        plain = make_plan([y], [], [x], [(4, 3)], optimise=False)
        assert _list_steps(plain)
        from workbench.core.runtime.program_writer import ProgramWriter

        found, wanted = (ProgramWriter(p, session).write().run(X)[0] for p in (plan, plain))
        np.testing.assert_array_equal(found, wanted)
        assert np.asarray(found).dtype == np.asarray(wanted).dtype


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "behind the end": (lambda x: items.get_item(_three(x), 3, tf.float32), "3"),
    "nothing to pop": (
        lambda x: items.pop_back(creation.empty([3], tf.float32), tf.float32)[1],
        "empty",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_mistakes_are_told_by_the_run(name: str) -> None:
    build, words = REFUSED[name]
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [4, 3])
        y = build(x)
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            session.run(y, {x: X})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_any_sequence_is_the_same_as_in_python(steps: list[tuple[int, int, int]]) -> None:
    """Against a list of arrays in Python."""
    wanted: list[np.ndarray[Any, Any] | None] = [None] * 4
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [4, 3])
        handle = creation.reserve([3], 4, tf.float32)
        for kind, place, row in steps:
            if kind <= 1 and place < len(wanted):
                handle = items.set_item(handle, place, x[row])
                wanted[place] = X[row]
            elif kind == 2 and place < len(wanted):
                handle = items.add_item(handle, place, x[row])
                before = wanted[place]
                wanted[place] = X[row] if before is None else before + X[row]
            elif kind == 3:
                handle = items.push_back(handle, x[row])
                wanted.append(X[row])
            elif kind == 4 and wanted:
                handle, _ = items.pop_back(handle, tf.float32)
                wanted.pop()
            elif kind == 5:
                handle = tf.add_n([handle, handle])
                wanted = [None if w is None else w + w for w in wanted]
        y = stacking.stack(handle, tf.float32, [3])
        plan = make_plan([y], [], [x], [(4, 3)])
        if wanted:
            assert not _list_steps(plan), plan
        expected = np.array([np.zeros(3) if w is None else w for w in wanted], np.float32)
        np.testing.assert_array_equal(session.run(y, {x: X}), expected.reshape(-1, 3))
