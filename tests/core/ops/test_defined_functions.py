"""Functions of tensors: what calls add to a graph, their gradients, their definitions."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


@tf.Defun(tf.float32, tf.float32, func_name="Both", out_names=["total", "product"])
def both(x, y):
    """The sum and the product."""
    return x + y, x * y


def test_calls_give_results_under_the_names_of_calls():
    first = both(3.0, tf.constant(4.0))
    second = both(first[0], 2.0)
    with tf.name_scope("inside"):
        third = both(1.0, 2.0, name="mine")
    assert [r[0].op.name for r in (first, second, third)] == ["Both", "Both_1", "inside/mine"]
    with tf.Session() as session:
        assert session.run([first, second, third]) == [(7.0, 12.0), (9.0, 14.0), (3.0, 2.0)]


def test_gradients_go_through_a_call_as_through_its_operations():
    x = tf.constant([1.0, 2.0])
    y = tf.constant([3.0, 5.0])
    total, product = both(x, y)
    found = tf.gradients(tf.reduce_sum(total * product), [x, y])
    with tf.Session() as session:
        values = session.run(found)
    # d (x + y) x y: by x it is 2 x y + y^2, by y it is x^2 + 2 x y.
    np.testing.assert_allclose(values, [[15.0, 45.0], [7.0, 24.0]])


@pytest.mark.parametrize("kind", ["grad_func", "python_grad_func"])
def test_a_function_may_have_a_gradient_of_its_own(kind):
    if kind == "grad_func":

        @tf.Defun(tf.float32, tf.float32)
        def gradient(x, dy):
            return x * dy * 100.0
    else:

        def gradient(op, dy):
            assert len(op.inputs) == len(op.outputs) == 1
            return op.inputs[0] * dy * 100.0

    @tf.Defun(tf.float32, **{kind: gradient})
    def square(x):
        return x * x

    x = tf.constant(3.0)
    y = square(x)
    with tf.Session() as session:
        assert session.run([y, tf.gradients(y * 2.0, x)[0]]) == [9.0, 600.0]


def test_variables_of_a_function_are_those_of_its_first_call():
    @tf.Defun(tf.float32)
    def layer(x):
        w = tf.get_variable("w", [], initializer=tf.constant_initializer(5.0))
        return w * x

    with tf.variable_scope("first"):
        one = layer(2.0)
    with tf.variable_scope("second"):
        two = layer(3.0)
    assert [v.op.name for v in tf.global_variables()] == ["first/w"]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run([one, two]) == [10.0, 15.0]


def test_what_a_function_does_is_done_though_nothing_uses_it():
    count = tf.Variable(0.0, name="count")

    @tf.Defun(tf.float32)
    def noting(x):
        count.assign_add(x)
        return x * 2.0

    @tf.Defun()
    def nothing():
        count.assign_add(100.0)

    doubled, done = noting(3.0), nothing()
    with tf.Session() as session:
        session.run(count.initializer)
        assert session.run(doubled) == 6.0
        assert session.run(count) == 3.0
        assert session.run(done) is None
        assert session.run(count) == 103.0


def test_functions_are_called_in_loops_conditionals_and_other_functions():
    @tf.Defun(tf.float32)
    def halved(x):
        return x / 2.0

    @tf.Defun(tf.float32)
    def quarter(x):
        return halved(halved(x))

    x = tf.placeholder(tf.float32, [])
    looped = tf.while_loop(lambda v: v > 1.0, quarter, [x])
    chosen = tf.cond(x > 10.0, lambda: quarter(x), lambda: halved(x))
    with tf.Session() as session:
        assert session.run([looped, chosen], {x: 16.0}) == [1.0, 4.0]
        assert session.run([looped, chosen], {x: 8.0}) == [0.5, 4.0]
        gradients = tf.gradients(chosen, x)
        assert session.run(gradients, {x: 16.0}) == [0.25]


def test_types_that_are_not_declared_are_those_of_the_call():
    @tf.Defun()
    def twice(x):
        return x + x

    with tf.Session() as session:
        assert session.run([twice(3), twice(0.5)]) == [6, 1.0]
    assert twice.instantiate([tf.int64]).definition.signature.input_arg[0].type == 9


def test_shapes_of_results_may_be_told():
    @tf.Defun(tf.float32, shape_func=lambda op: [op.inputs[0].shape])
    def unknown(x):
        return tf.py_func(lambda v: v, [x], tf.float32)

    assert unknown(tf.ones([2, 3])).shape.as_list() == [2, 3]


def test_a_definition_is_called_by_imported_graphs():
    definition = both.definition
    assert definition.signature.description == "The sum and the product."
    assert [a.name for a in definition.signature.output_arg] == ["total", "product"]
    library = tf.Graph()
    both.add_to_graph(library)
    with library.as_default():
        tf.placeholder(tf.float32, [], name="x")
        tf.placeholder(tf.float32, [], name="y")
    exported = library.as_graph_def()
    exported.node.add(name="call", op="Both", input=["x", "y"])
    results = tf.import_graph_def(exported, return_elements=["x:0", "y:0", "call:0", "call:1"])
    with tf.Session() as session:
        assert session.run(results[2:], {results[0]: 3.0, results[1]: 4.0}) == [7.0, 12.0]


def test_what_a_definition_captures_are_its_last_arguments():
    outside = tf.placeholder(tf.float32, [], name="outside")

    @tf.Defun(tf.float32)
    def shifted(x):
        return tf.cond(x > 0.0, lambda: x + outside, lambda: x)

    assert shifted.captured_inputs == [outside]
    assert len(shifted.definition.signature.input_arg) == 2
    assert shifted.name.startswith("shifted_")
    # Without a name of its own its name tells it from others.
    other = tf.Defun(tf.float32)(lambda x: x * 2.0)
    assert other.name != tf.Defun(tf.float32)(lambda x: x * 3.0).name
    graph = tf.Graph()
    shifted.add_to_graph(graph)
    names = [f.signature.name for f in graph.as_graph_def().library.function]
    assert len(names) == 3 and names[0] == shifted.name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tf.Defun(tf.float32)(lambda x, y: x), "more arguments than"),
        (lambda: tf.Defun(tf.float32, tf.float32)(lambda x: x), "fewer arguments than"),
        (lambda: tf.Defun()(lambda x=3: x), "are not supported"),
        (lambda: tf.Defun()(lambda **x: x), "are not supported"),
        (lambda: tf.Defun()(3), "must be callable"),
        (lambda: both(1.0), "Expected number of arguments: 2, received: 1"),
        (lambda: both(1.0, 2.0, colour="red"), "Unknown keyword arguments: colour"),
        (lambda: tf.Defun()(lambda: [1.0, None])(), "can not return None"),
        (lambda: tf.Defun(out_names=["a"])(lambda: (1.0, 2.0)).definition, "out_names"),
        (lambda: tf.Defun()(lambda x: x).definition, "types of what it is called with"),
        (lambda: tf.Defun(grad_func=both, python_grad_func=max), "defined twice"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_gradient_with_too_many_parts_is_refused():
    @tf.Defun(tf.float32, python_grad_func=lambda op, dy: [dy, dy])
    def same(x):
        return x * 1.0

    x = tf.constant(1.0)
    with pytest.raises(ValueError, match="gave 2 gradients for 1 arguments"):
        tf.gradients(same(x), x)
