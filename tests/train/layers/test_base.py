"""Layers of one's own: building, sharing, what they keep, and what they refuse."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.train.layers.naming import snake_case

pytestmark = pytest.mark.usefixtures("graph")


class Scale(tf.layers.Layer):
    """A layer with one variable."""

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_variable(
            "factor", [input_shape[-1].value], initializer=tf.ones_initializer()
        )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return tf.multiply(inputs, self.factor, name="scaled")


def losses() -> list[Any]:
    found: list[Any] = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    return found


# Variables ----------------------------------------------------------------------------------------


def test_variables_are_made_once() -> None:
    layer = Scale()
    assert not layer.built
    assert layer.variables == layer.updates == layer.losses == []
    first, second = layer(tf.ones([2, 3])), layer.apply(tf.ones([5, 3]))
    assert layer.built
    assert [v.name for v in layer.variables] == ["scale/factor:0"]
    assert [first.op.name, second.op.name] == ["scale/scaled", "scale/scaled_1"]
    assert layer.dtype == "float32"
    assert layer.count_params() == 3


def test_add_variable_outside_of_build() -> None:
    layer = Scale(name="mine")
    kept = layer.add_variable("a", [2])
    other = layer.add_weight("b", [2], trainable=False, dtype=tf.int32)
    assert (kept.name, other.name) == ("mine/a:0", "mine/b:0")
    assert layer.trainable_variables == [kept] == tf.trainable_variables()
    assert layer.non_trainable_variables == [other]
    assert layer.weights == [kept, other]
    assert other.dtype.base_dtype == tf.int32


def test_trainable() -> None:
    layer = Scale(trainable=False)
    layer(tf.ones([2, 3]))
    assert layer.trainable_variables == tf.trainable_variables() == []
    assert layer.non_trainable_variables == layer.variables != []
    layer.trainable = True
    assert layer.trainable_variables == layer.variables


def test_dtype_of_the_first_input() -> None:
    layer = Scale()
    layer(tf.ones([2, 3], tf.float64))
    assert layer.factor.dtype.base_dtype == tf.float64
    assert Scale(dtype=tf.float16).dtype == "float16"


def test_variables_made_elsewhere_are_shared_but_not_owned() -> None:
    with tf.variable_scope("s/scale"):
        made = tf.get_variable("factor", [3])
    layer = Scale(_reuse=True)
    with tf.variable_scope("s"):
        layer(tf.ones([2, 3]))
    assert layer.factor is made
    assert layer.variables == []
    other = Scale(_reuse=True)
    with tf.variable_scope("s/scale") as scope:
        other.apply(tf.ones([2, 3]), scope=scope)
    assert other.factor is made
    assert other.scope_name == "s/scale"


def test_later_calls_make_no_variables() -> None:
    class Growing(tf.layers.Layer):
        def build(self, input_shape: Any) -> None:
            """Leaves the making of variables to the first call."""

        def call(self, inputs: Any) -> Any:
            self.add_variable("first", [1])
            if self.built:
                self.add_variable("second", [1])
            return inputs * 2.0

    layer = Growing(name="g")
    layer(tf.ones([1]))
    with pytest.raises(ValueError, match="Variable g/second does not exist"):
        layer(tf.ones([1]))


def test_partitioned_variables() -> None:
    with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(2)):
        layer = tf.layers.Dense(3, kernel_regularizer=tf.nn.l2_loss, use_bias=False)
        y = layer(tf.ones([2, 4]))
    assert [v.name for v in layer.variables] == [
        "s/dense/kernel/part_0:0",
        "s/dense/kernel/part_1:0",
    ]
    assert len(layer.losses) == 2
    assert layer.count_params() == 12
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        result, parts = session.run([y, layer.variables])
    np.testing.assert_allclose(result, np.ones([2, 4]) @ np.concatenate(parts), rtol=1e-5)


# Losses and updates -------------------------------------------------------------------------------


def test_losses() -> None:
    layer = Scale(activity_regularizer=tf.reduce_sum)
    a = tf.ones([2, 3])
    layer(a)
    weight_loss = tf.constant(1.0)
    layer.add_loss([weight_loss])
    assert layer.losses == losses()
    assert len(losses()) == 2
    assert layer.get_losses_for(a) == [layer.losses[0]]
    assert layer.get_losses_for(None) == [weight_loss]
    assert layer.activity_regularizer is tf.reduce_sum
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(layer.losses) == [6.0, 1.0]


def test_regularized_variables_count_once_however_often_shared() -> None:
    a = tf.ones([2, 3])
    tf.layers.dense(a, 2, name="d", kernel_regularizer=tf.nn.l2_loss)
    tf.layers.dense(a, 2, name="d", kernel_regularizer=tf.nn.l2_loss, reuse=True)
    assert [loss.op.name for loss in losses()] == ["d/kernel/Regularizer/L2Loss"]


def test_updates() -> None:
    class Counting(tf.layers.Layer):
        def build(self, input_shape: Any) -> None:
            zero = tf.zeros_initializer()
            self.count = self.add_variable("count", [], initializer=zero, trainable=False)
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            self.add_update(self.count.assign_add(1.0), inputs=inputs)
            return tf.identity(inputs)

    layer = Counting()
    a = tf.ones([1])
    layer(a)
    layer(tf.ones([1]))
    assert tf.get_collection(tf.GraphKeys.UPDATE_OPS) == layer.updates
    assert layer.get_updates_for(a) == layer.updates[:1]
    assert layer.get_updates_for(None) == []


# Inputs -------------------------------------------------------------------------------------------


def spec(**arguments: Any) -> Any:
    layer = Scale(name="mine")
    layer.input_spec = tf.layers.InputSpec(**arguments)
    return layer


@pytest.mark.parametrize(
    ("arguments", "shape", "message"),
    [
        ({"ndim": 2}, None, "its rank is undefined, but the layer requires a defined rank"),
        ({"axes": {-1: 3}}, None, "requires a defined rank"),
        ({"ndim": 2}, [3], r"expected ndim=2, found ndim=1. Full shape received: \[3\]"),
        ({"min_ndim": 2}, [3], "expected min_ndim=2, found ndim=1"),
        ({"max_ndim": 1}, [2, 3], "expected max_ndim=1, found ndim=2"),
        ({"dtype": "float64"}, [3], "expected dtype=float64, found dtype=float32"),
        ({"axes": {-1: 2}}, [3], "expected axis -1 of input shape to have value 2"),
        ({"shape": (None, 2)}, [1, 3], r"expected shape=\(None, 2\), found shape=\[1, 3\]"),
    ],
)
def test_inputs_that_do_not_fit(arguments: Any, shape: Any, message: str) -> None:
    layer = spec(**arguments)
    a = tf.placeholder(tf.float32, shape, name="a")  # the input
    with pytest.raises(ValueError, match=message) as error:
        layer(a)
    first, where = str(error.value).splitlines()
    assert first.startswith("Input 0 of layer mine is incompatible with the layer: ")
    assert where.startswith("    input 0: 'a:0', made at ")
    assert where.endswith("# the input")


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"min_ndim": 1, "max_ndim": 3, "dtype": tf.float32}, [2, 3]),
        ({"axes": {-1: 3, 0: None}}, [None, 3]),
        ({"shape": (None, 3)}, [7, 3]),
    ],
)
def test_inputs_that_fit(arguments: Any, shape: Any) -> None:
    assert spec(**arguments)(tf.placeholder(tf.float32, shape)).shape.as_list() == shape


def test_later_inputs_must_fit_what_was_built() -> None:
    layer = tf.layers.Dense(2)
    layer(tf.ones([1, 3]))
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 3"):
        layer(tf.ones([1, 4]))


def test_several_inputs() -> None:
    class Sum(tf.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.shapes = [shape.as_list() for shape in input_shape]
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return [inputs[0] + inputs[1], inputs[0]]

    layer = Sum()
    a, b = tf.ones([2]), tf.ones([2])
    total, first = layer([a, b])
    assert layer.shapes == [[2], [2]]
    assert layer.input == [a, b]
    assert layer.output == [total, first]
    layer.input_spec = [tf.layers.InputSpec(ndim=1)]
    with pytest.raises(ValueError, match="expects 1 inputs, but it received 2"):
        layer([a, b])


def test_arrays_are_inputs_too() -> None:
    y = tf.layers.dense(np.ones([2, 3]), 2, kernel_initializer=tf.ones_initializer())
    assert y.dtype == tf.float64
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(y).tolist() == [[3.0, 3.0]] * 2


def test_other_graphs() -> None:
    layer = Scale()
    layer(tf.ones([2, 3]))
    with tf.Graph().as_default():
        foreign = tf.ones([2, 3])
        with pytest.raises(ValueError, match="Input graph and Layer graph are not the same"):
            layer(foreign)


# Connections --------------------------------------------------------------------------------------


def test_connections() -> None:
    a = tf.layers.Input(shape=(3,), name="a")
    b = tf.layers.Input(shape=(3,), batch_size=2)
    assert (a.op.name, b.op.name) == ("a", "input_1")
    layer = tf.layers.Dense(4)
    with pytest.raises(AttributeError, match="never been called"):
        _ = layer.output
    with pytest.raises(RuntimeError, match="never been called"):
        layer.get_input_at(0)
    first = layer(a)
    assert layer.input is a
    assert layer.output is first
    assert (layer.input_shape, layer.output_shape) == ((None, 3), (None, 4))
    second = layer(b)
    assert [layer.get_input_at(i) for i in (0, 1)] == [a, b]
    assert [layer.get_output_at(i) for i in (0, 1)] == [first, second]
    assert layer.get_output_shape_at(1) == (2, 4)
    assert layer.get_input_shape_at(0) == (None, 3)
    with pytest.raises(AttributeError, match="multiple inbound nodes"):
        _ = layer.input
    with pytest.raises(AttributeError, match="get_input_shape_at"):
        _ = layer.input_shape
    with pytest.raises(ValueError, match="only 2 inbound nodes"):
        layer.get_output_at(2)
    node = tf.layers.Dense(1)
    node(first)
    assert node._inbound_nodes[0].inbound_layers == [layer]
    assert node._inbound_nodes[0].get_config() == {
        "outbound_layer": "dense_2",
        "inbound_layers": ["dense_1"],
        "node_indices": [0],
        "tensor_indices": [0],
    }


def test_input_of_a_tensor() -> None:
    a = tf.ones([2, 3])
    assert tf.layers.Input(tensor=a) is a


# Copies and errors --------------------------------------------------------------------------------


def test_deep_copies_share_what_belongs_to_the_graph() -> None:
    layer = Scale()
    layer.extra = [1, [2]]
    layer(tf.ones([2, 3]))
    other = copy.deepcopy(layer)
    assert other.factor is layer.factor
    assert other.variables == layer.variables
    assert other.graph is layer.graph
    assert other.scope_name == layer.scope_name
    other.extra[1].append(3)
    assert layer.extra == [1, [2]]
    other(tf.ones([1, 3]))
    assert len(layer._inbound_nodes) == 1


def test_a_layer_that_only_regularizes() -> None:
    layer = tf.layers.Layer(activity_regularizer=tf.reduce_sum)
    x = tf.constant([1.0, 2.0])
    y = layer.apply(x)
    (loss,) = layer.get_losses_for(x)
    with tf.Session() as session:
        assert session.run([y, loss])[0].tolist() == [1.0, 2.0]
        assert session.run(loss) == 3.0


def test_refusals() -> None:
    with pytest.raises(TypeError, match="not understood: 'units'"):
        tf.layers.Layer(units=3)
    with pytest.raises(NotImplementedError, match="output shape"):
        tf.layers.Layer().compute_output_shape([1])
    with pytest.raises(ValueError, match="isn't built"):
        Scale().count_params()

    class Silent(tf.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return None

    with pytest.raises(ValueError, match="should return a Tensor"):
        Silent()(tf.ones([1]))


def test_scope_is_handed_to_calls_that_ask() -> None:
    class Asking(tf.layers.Layer):
        def call(self, inputs: Any, scope: Any = None) -> Any:
            self.seen = scope.name
            return tf.identity(inputs)

    layer = Asking(name="ask")
    layer(tf.ones([1]))
    assert layer.seen == "ask"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dense", "dense"),
        ("Conv2D", "conv2d"),
        ("SeparableConv2D", "separable_conv2d"),
        ("BatchNormalization", "batch_normalization"),
        ("_Hidden", "private__hidden"),
    ],
)
def test_snake_case(name: str, expected: str) -> None:
    assert snake_case(name) == expected
