"""Gradients through lists, to second order, against differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import assert_gradients
from workbench.core.graph.composite import ListSlices
from workbench.core.ops.creation import create
from workbench.core.ops.lists import creation, items, joining, scattering, sizes, slices, stacking

ROWS = np.random.default_rng(3).normal(size=(3, 2)) / 2


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with tf.Graph().as_default() as graph, tf.Session():
        yield graph


def _through_items(x: Any) -> Any:
    handle = creation.reserve([2], 4, tf.float64)
    for i in range(3):
        handle = items.set_item(handle, i, x[i] * x[(i + 1) % 3])
    handle = items.set_item(handle, 1, x[0] ** 2)
    twice = items.get_item(handle, 1, tf.float64) * items.get_item(handle, 1, tf.float64)
    return twice + items.get_item(handle, 2, tf.float64) + items.get_item(handle, 3, tf.float64)


def _through_pushes(x: Any) -> Any:
    handle = creation.empty([2], tf.float64)
    for i in range(3):
        handle = items.push_back(handle, x[i] ** 2)
    handle, last = items.pop_back(handle, tf.float64)
    shorter, before = items.pop_back(handle, tf.float64)
    return tf.concat([stacking.stack(shorter, tf.float64), [last * before]], 0)


def _through_rows(x: Any) -> Any:
    handle = creation.from_tensor(x * x)
    read = stacking.gather(handle, [2, 0, 2], tf.float64)
    handle = scattering.scatter_into(handle, x[:2] * 3.0, [1, 0])
    spread = stacking.stack(scattering.scatter(x, [3, 0, 1], num_elements=5), tf.float64)
    return tf.concat([read * read, stacking.stack(handle, tf.float64) * x, spread**2], 0)


def _through_parts(x: Any) -> Any:
    handle = joining.split(x * x, [2, 0, 1])
    joined, _ = joining.concat(items.set_item(handle, 1, x[:2] ** 3), tf.float64)
    held = joining.split_into(creation.reserve([None, 2], 2, tf.float64), x, [1, 2])
    return tf.concat([joined, items.get_item(held, 1, tf.float64) ** 2], 0)


def _through_sizes(x: Any) -> Any:
    handle = sizes.resize(creation.from_tensor(x * x), 2)
    handle = items.set_item(handle, 4, x[2] * x[1], grows=True)
    handle = items.add_item(handle, 0, x[1] ** 2)
    handle = scattering.add_rows(handle, x[:2] ** 3, [1, 1])
    return stacking.stack(handle, tf.float64)


def _through_sums_of_lists(x: Any) -> Any:
    squares, cubes = creation.from_tensor(x**2), creation.from_tensor(x**3)
    total = tf.add_n([squares, tf.identity(cubes), slices.zeros_like(squares), squares])
    cleared = create("TensorListClearItem", None, input_handle=total, index=1).outputs[0]
    cleared = scattering.clear_rows(cleared, [0])
    return stacking.stack(total, tf.float64) * stacking.stack(cleared, tf.float64)


@pytest.mark.parametrize(
    "function",
    [
        _through_items,
        _through_pushes,
        _through_rows,
        _through_parts,
        _through_sizes,
        _through_sums_of_lists,
    ],
)
def test_gradients_agree_with_differences(function: Callable[[Any], Any]) -> None:
    assert_gradients(function, ROWS)


def test_gradients_without_static_shapes() -> None:
    def unknown(x: Any) -> Any:
        return _through_rows(tf.placeholder_with_default(x, None)) + 0.0

    assert_gradients(unknown, ROWS)


def test_gradient_of_reading_is_slices_until_it_meets_the_list() -> None:
    handle = creation.from_tensor(tf.constant(ROWS))
    first = items.get_item(handle, 0, tf.float64)
    second = items.get_item(handle, 2, tf.float64)
    rows = stacking.gather(handle, [0, 1], tf.float64)
    (found,) = tf.gradients([first * 2.0, second * 3.0, rows], handle)
    assert isinstance(found, ListSlices)
    assert len(found.items) == 3
    assert found.dtype == tf.variant
    assert found.shape.as_list() == []
    dense = stacking.stack(tf.convert_to_tensor(found), tf.float64)
    assert dense.eval().tolist() == [[3.0, 3.0], [1.0, 1.0], [3.0, 3.0]]
    (summed,) = tf.gradients([first * 2.0, stacking.stack(handle, tf.float64)], handle)
    assert summed.op.type == "TensorListAddItem"
    assert stacking.stack(summed, tf.float64).eval().tolist() == [
        [3.0, 3.0],
        [1.0, 1.0],
        [1.0, 1.0],
    ]


@pytest.mark.parametrize("option", ["gate_gradients", "colocate_gradients_with_ops"])
def test_gradients_by_lists_with_options(option: str) -> None:
    x = tf.constant(ROWS)
    handle = creation.from_tensor(x)
    first, last = (items.get_item(handle, i, tf.float64) for i in (0, 2))
    by_list, by_rows = tf.gradients([first * 2.0, last], [handle, x], **{option: True})
    want = [[2.0, 2.0], [0.0, 0.0], [1.0, 1.0]]
    assert by_rows.eval().tolist() == want
    assert stacking.stack(tf.convert_to_tensor(by_list), tf.float64).eval().tolist() == want
    other = creation.reserve([2], 1, tf.float64)
    (zeros,) = tf.gradients(first, other, unconnected_gradients="zero")
    assert stacking.stack(zeros, tf.float64).eval().tolist() == [[0.0, 0.0]]


def test_integers_in_lists_have_no_gradients() -> None:
    x = tf.constant([1, 2])
    handle = items.set_item(creation.reserve([2], 1, tf.int32), 0, x)
    assert tf.gradients(items.get_item(handle, 0, tf.int32), x, [[5, 7]]) == [None]


def test_gradient_weights_of_a_list() -> None:
    x = tf.constant([1.0, 2.0])
    handle = creation.from_tensor(x * x)
    (found,) = tf.gradients(handle, x, [creation.from_tensor(tf.constant([10.0, 1.0]))])
    assert found.eval().tolist() == [20.0, 4.0]
    with pytest.raises(TypeError, match="Only numbers have gradients"):
        tf.gradients(handle, x)
