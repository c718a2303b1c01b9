"""Variable scopes: names as TensorFlow has them, sharing, defaults, and errors in user's terms."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.errors import FailedPreconditionError

AUTO = tf.AUTO_REUSE


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    graph = tf.Graph()
    with graph.as_default():
        yield graph


def names() -> list[str]:
    """The operations of the graph, without what belongs to variables."""
    tails = ("/Assign", "/read")
    return [
        op.name
        for op in tf.get_default_graph().get_operations()
        if "Initializer" not in op.name and not op.name.endswith(tails)
    ]


def variable(name: str = "v", **arguments: Any) -> Any:
    return tf.get_variable(name, [], **arguments)


def both() -> None:
    """A variable and an operation, whose names follow different scopes."""
    variable()
    tf.constant(1.0, name="c")


def evaluated(value: Any) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(value)


# Names, taken from TensorFlow ---------------------------------------------------------------------


def nested() -> None:
    with tf.variable_scope("a"):
        both()
        with tf.variable_scope("b"):
            both()
    with tf.variable_scope("a", reuse=True):
        both()
        with tf.variable_scope("b"):
            both()


def entered_by_object() -> None:
    with tf.variable_scope("a") as scope:
        both()
    with tf.variable_scope("x"), tf.variable_scope(scope, reuse=True):
        both()
    with tf.variable_scope(scope, reuse=True):
        both()
        with tf.variable_scope("d", reuse=AUTO):
            both()


def original_name_scope() -> None:
    with tf.variable_scope("a") as scope:
        variable()
    with tf.variable_scope(scope, reuse=True), tf.name_scope(scope.original_name_scope):
        tf.constant(1.0, name="c")
    with tf.name_scope("n"), tf.variable_scope("a", reuse=True):
        both()


def default_names() -> None:
    for _ in range(3):
        with tf.variable_scope(None, "layer"):
            both()
    with tf.variable_scope("q"):
        for _ in range(2):
            with tf.variable_scope(None, "layer"):
                both()


def numbering_after_a_jump() -> None:
    with tf.variable_scope("default") as scope:
        for _ in range(2):
            with tf.variable_scope(None, "layer"):
                both()
        with tf.variable_scope(scope):
            pass
        with tf.variable_scope(None, "layer"):
            both()


def without_name_scope() -> None:
    with tf.variable_scope("a") as scope:
        both()
    with tf.variable_scope(scope, reuse=True, auxiliary_name_scope=False):
        both()
    with tf.name_scope("n"):
        with tf.variable_scope("z", auxiliary_name_scope=False):
            both()
        with tf.variable_scope(None, "d", auxiliary_name_scope=False):
            both()


def root_scope() -> None:
    root = tf.get_variable_scope()
    with tf.name_scope("n"), tf.variable_scope(root):
        both()
    with tf.variable_scope("a"), tf.variable_scope(root):
        variable("w")
        tf.constant(1.0, name="c")


def path_as_name() -> None:
    with tf.variable_scope("a/b"):
        both()


def name_taken_by_an_operation() -> None:
    tf.placeholder(tf.float32, name="v")
    variable()


def old_spelling() -> None:
    with tf.variable_op_scope([], None, "layer"):
        both()


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (nested, "a/v a/c a/b/v a/b/c a_1/c a_1/b/c"),
        (entered_by_object, "a/v a/c x/a/c a_1/c a/d/v a_1/d/c"),
        (original_name_scope, "a/v a/c n/a/c"),
        (
            default_names,
            "layer/v layer/c layer_1/v layer_1/c layer_2/v layer_2/c "
            "q/layer/v q/layer/c q/layer_1/v q/layer_1/c",
        ),
        (
            numbering_after_a_jump,
            "default/layer/v default/layer/c default/layer_1/v default/layer_1/c "
            "default/layer_2/v default/layer_2/c",
        ),
        (without_name_scope, "a/v a/c c z/v n/c d/v n/c_1"),
        (root_scope, "v n/c w a/c"),
        (path_as_name, "a/b/v a/b/c"),
        (name_taken_by_an_operation, "v v_1"),
        (old_spelling, "layer/v layer/c"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_names(build: Callable[[], None], expected: str) -> None:
    build()
    assert names() == expected.split()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            {"shape": [2, 3]},
            "random_uniform/shape random_uniform/min random_uniform/max "
            "random_uniform/RandomUniform random_uniform/sub random_uniform/mul random_uniform",
        ),
        ({"shape": [2], "dtype": tf.int32}, "zeros"),
        ({"shape": [2], "initializer": tf.ones_initializer}, "ones"),
        ({"shape": [2], "initializer": tf.constant_initializer(3.0)}, "Const"),
        (
            {"shape": [2], "initializer": tf.random_normal_initializer()},
            "random_normal/shape random_normal/mean random_normal/stddev "
            "random_normal/RandomStandardNormal random_normal/mul random_normal",
        ),
        (
            {"shape": [2], "initializer": tf.variance_scaling_initializer()},
            "truncated_normal/shape truncated_normal/mean truncated_normal/stddev "
            "truncated_normal/TruncatedNormal truncated_normal/mul truncated_normal",
        ),
    ],
)
def test_names_of_what_a_variable_brings(arguments: dict[str, Any], expected: str) -> None:
    with tf.variable_scope("s"):
        tf.get_variable("w", **arguments)
    made = [op.name for op in tf.get_default_graph().get_operations()]
    initial = [f"s/w/Initializer/{name}" for name in expected.split()]
    assert made == [*initial, "s/w", "s/w/Assign", "s/w/read"]


def test_value_as_initializer_is_a_constant_beside_the_variable() -> None:
    tf.get_variable("w", initializer=[1.0, 2.0])
    made = [op.name for op in tf.get_default_graph().get_operations()]
    assert made == ["w/initial_value", "w", "w/Assign", "w/read"]


# Sharing ------------------------------------------------------------------------------------------


def test_reuse_gives_the_same_variable() -> None:
    with tf.variable_scope("s"):
        v = tf.get_variable("v", [2])
    with tf.variable_scope("s", reuse=True):
        assert tf.get_variable("v", [2]) is v
        assert tf.get_variable("v") is v
    with tf.variable_scope("s") as scope:
        scope.reuse_variables()
        assert tf.get_variable("v") is v
    with tf.variable_scope("s", reuse=AUTO):
        assert tf.get_variable("v", [2]) is v
        made = tf.get_variable("u", [2])
    with tf.variable_scope("s", reuse=AUTO):
        assert tf.get_variable("u", [2]) is made


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        (False, None, False),
        (False, True, True),
        (True, None, True),
        (True, False, True),
        (True, AUTO, AUTO),
        (AUTO, None, AUTO),
        (AUTO, False, AUTO),
        (AUTO, True, True),
    ],
)
def test_reuse_is_inherited(outer: Any, inner: Any, expected: Any) -> None:
    with tf.variable_scope("a", reuse=outer), tf.variable_scope("b", reuse=inner) as scope:
        assert scope.reuse is expected


def test_reuse_of_a_scope_object_cannot_be_undone() -> None:
    with tf.variable_scope("a", reuse=True) as scope:
        pass
    with tf.variable_scope(scope, reuse=False) as again:
        assert again.reuse is True


def test_each_graph_has_variables_of_its_own() -> None:
    first = tf.get_variable("v", [2])
    with tf.Graph().as_default():
        second = tf.get_variable("v", [3])
    assert first.name == second.name
    assert first.graph is not second.graph


def test_each_thread_has_a_scope_of_its_own(graph: Any) -> None:
    seen: list[str] = []

    def work() -> None:
        with graph.as_default():
            seen.append(tf.get_variable_scope().name)
            seen.append(tf.get_variable("v", []).name)

    with tf.variable_scope("outer"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == ["", "v:0"]


def test_scopes_may_be_entered_again_and_leave_on_errors() -> None:
    scope = tf.variable_scope("a")
    with scope:
        pass
    with scope as second:
        assert second.name == "a"
    with pytest.raises(ZeroDivisionError), tf.variable_scope("b"):
        raise ZeroDivisionError
    assert tf.get_variable_scope().name == ""
    assert tf.constant(1.0, name="c").op.name == "c"


def test_values_choose_the_graph() -> None:
    other = tf.Graph()
    with other.as_default():
        x = tf.constant(1.0)
    with tf.variable_scope("s", values=[x]):
        assert tf.get_variable("v", []).graph is other


# Defaults -----------------------------------------------------------------------------------------


def test_scope_gives_defaults() -> None:
    def half(value: Any) -> Any:
        return value / 2.0

    with tf.variable_scope(
        "s",
        initializer=tf.constant_initializer(3.0),
        dtype=tf.float64,
        constraint=half,
        caching_device="/cpu:0",
    ) as scope:
        v = tf.get_variable("v", [2])
        own = tf.get_variable("own", [2], dtype=tf.float32, initializer=tf.zeros_initializer())
    assert v.dtype.base_dtype == tf.float64
    assert v.constraint is half
    assert v.value().device == "/device:CPU:0"
    assert own.dtype.base_dtype == tf.float32
    assert [x.tolist() for x in evaluated([v, own])] == [[3.0, 3.0], [0.0, 0.0]]
    with tf.variable_scope(scope), tf.variable_scope("inner"):
        assert tf.get_variable("v", [2]).dtype.base_dtype == tf.float64


def test_settings_can_be_changed_and_do_not_leak() -> None:
    with tf.variable_scope("s") as scope:
        scope.set_initializer(tf.ones_initializer())
        scope.set_dtype(tf.float64)
        scope.set_caching_device("/cpu:0")
        scope.set_regularizer(tf.reduce_sum)
        scope.set_partitioner(tf.fixed_size_partitioner(2))
        scope.set_use_resource(False)
        scope.set_custom_getter(lambda getter, name, **rest: getter(f"{name}_x", **rest))
        v = tf.get_variable("v", [4])
    assert [part.name for part in v] == ["s/v_x/part_0:0", "s/v_x/part_1:0"]
    assert v.dtype == tf.float64
    assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 2
    assert tf.get_variable_scope().initializer is None


def test_regularizers() -> None:
    def regularizer(value: Any) -> Any:
        return tf.reduce_sum(value)

    ones = tf.ones_initializer()
    with tf.variable_scope("s", regularizer=regularizer, initializer=ones):
        tf.get_variable("v", [3])
        tf.get_variable("free", [3], regularizer=tf.no_regularizer)
        tf.get_variable("nothing", [3], regularizer=lambda value: None)
    with tf.variable_scope("s", reuse=True, regularizer=regularizer):
        tf.get_variable("v", [3])
    losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    assert [loss.op.name for loss in losses] == ["s/v/Regularizer/Sum"]
    assert evaluated(losses) == [3.0]


def test_custom_getters_nest() -> None:
    def doubled(getter: Any, name: str, *rest: Any, **arguments: Any) -> Any:
        return 2.0 * getter(name, *rest, **arguments)

    def summed(getter: Any, name: str, *rest: Any, **arguments: Any) -> Any:
        return getter(f"{name}_0", *rest, **arguments) + getter(f"{name}_1", *rest, **arguments)

    with (
        tf.variable_scope("a", custom_getter=doubled, initializer=tf.ones_initializer()),
        tf.variable_scope("b", custom_getter=summed),
    ):
        v = tf.get_variable("v", [2])
    assert [x.name for x in tf.trainable_variables()] == ["a/b/v_0:0", "a/b/v_1:0"]
    assert evaluated(v).tolist() == [4.0, 4.0]


def test_custom_getters_written_before_constraints() -> None:
    seen: dict[str, Any] = {}

    def getter_of_1_3(
        getter: Any,
        name: str,
        shape: Any,
        dtype: Any,
        initializer: Any,
        regularizer: Any,
        reuse: Any,
        trainable: Any,
        collections: Any,
        caching_device: Any,
        partitioner: Any,
        validate_shape: Any,
        use_resource: Any,
    ) -> Any:
        seen.update(reuse=reuse, trainable=trainable, dtype=dtype)
        return getter(name, shape, dtype, initializer)

    v = tf.get_variable("v", [2], trainable=False, custom_getter=getter_of_1_3)
    assert v.name == "v:0"
    assert seen == {"reuse": False, "trainable": False, "dtype": tf.float32}


def test_variables_ignore_control_dependencies() -> None:
    first = tf.get_variable("first", [], initializer=tf.zeros_initializer())
    with tf.control_dependencies([first.read_value()]):
        second = tf.get_variable("second", [], initializer=tf.ones_initializer())
    with tf.Session() as session:
        session.run(second.initializer)
        assert session.run(second) == 1.0
        with pytest.raises(FailedPreconditionError, match="first"):
            session.run(first)


# Initial values -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("initializer", "expected"),
    [
        (2, np.int32(2)),
        (2.5, np.float32(2.5)),
        ([1, 2], np.array([1, 2], np.int32)),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0])),
        (lambda: tf.constant([3.0]), np.array([3.0], np.float32)),
        (lambda: [3], np.array([3.0], np.float32)),
        (lambda length=2: tf.ones([length]), np.array([1.0, 1.0], np.float32)),
    ],
)
def test_values_and_functions_without_arguments(initializer: Any, expected: Any) -> None:
    value = evaluated(tf.get_variable("v", initializer=initializer))
    np.testing.assert_array_equal(value, expected)
    assert np.asarray(value).dtype == expected.dtype


def test_python_values_take_the_dtype_asked_for() -> None:
    v = tf.get_variable("v", initializer=[1, 2], dtype=tf.float64)
    assert v.dtype.base_dtype == tf.float64


@pytest.mark.parametrize(
    "initializer",
    [
        lambda shape, dtype, partition_info: tf.ones(shape, dtype),
        lambda shape, dtype: tf.ones(shape, dtype),
        lambda shape, kind: tf.ones(shape, kind),
        lambda shape, dtype=tf.float32: np.ones(shape),
        lambda shape: np.ones(shape),
        lambda *arguments, **keywords: tf.ones(*arguments, keywords["dtype"]),
    ],
)
def test_functions_of_many_kinds_initialise(initializer: Any) -> None:
    v = tf.get_variable("v", [2], dtype=tf.float64, initializer=initializer)
    assert v.dtype.base_dtype == tf.float64
    assert evaluated(v).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("dtype", "expected"), [(tf.int64, 0), (tf.bool, False), (tf.uint8, 0), (tf.string, b"")]
)
def test_default_of_other_dtypes_is_zero(dtype: Any, expected: Any) -> None:
    assert evaluated(tf.get_variable("v", [1], dtype=dtype)).tolist() == [expected]


def test_dtype_may_carry_the_reference_mark() -> None:
    v = tf.get_variable("v", [2], dtype=tf.float64)
    assert tf.get_variable("w", [2], dtype=v.dtype).dtype == v.dtype


# Collections --------------------------------------------------------------------------------------


def test_collections_of_a_scope() -> None:
    variable("a")
    with tf.variable_scope("s_") as first:
        variable("a")
        variable("b", trainable=False)
    with tf.variable_scope("s") as second:
        variable("a")
        tf.get_local_variable("l", [])
    assert [v.name for v in first.trainable_variables()] == ["s_/a:0"]
    assert [v.name for v in first.global_variables()] == ["s_/a:0", "s_/b:0"]
    assert [v.name for v in second.global_variables()] == ["s/a:0"]
    assert [v.name for v in second.local_variables()] == ["s/l:0"]
    root = tf.get_variable_scope()
    assert [v.name for v in root.trainable_variables()] == ["a:0", "s_/a:0", "s/a:0"]


def test_local_variables() -> None:
    v = tf.get_local_variable("l", [2], collections=["mine"])
    assert tf.local_variables() == [v] == tf.get_collection("mine")
    assert tf.global_variables() == tf.trainable_variables() == []
    with tf.variable_scope("", reuse=True):
        assert tf.get_local_variable("l") is v


# Errors -------------------------------------------------------------------------------------------


def test_existing_variable_names_the_line_that_made_it() -> None:
    with tf.variable_scope("s"):
        tf.get_variable("w", [2])  # the first one
    with pytest.raises(ValueError) as error, tf.variable_scope("s"):
        tf.get_variable("w", [2])
    message = str(error.value)
    assert message.startswith(
        "Variable s/w already exists, disallowed. Did you mean to set reuse=True or "
        "reuse=tf.AUTO_REUSE in VarScope? Originally defined at:"
    )
    assert "test_variable_scope.py:" in message
    assert message.endswith('tf.get_variable("w", [2])  # the first one')


def test_other_shape_names_both_lines() -> None:
    tf.get_variable("w", [2])  # made here
    with pytest.raises(ValueError) as error, tf.variable_scope("", reuse=True):
        tf.get_variable("w", [3])  # asked for here
    first, specified, created = str(error.value).splitlines()
    assert first == ("Trying to share variable w, but specified shape (3,) and found shape (2,).")
    assert specified.endswith("# asked for here")
    assert created.endswith("# made here")


def _share(*made: Any, **asked: Any) -> None:
    tf.get_variable("w", *made)
    with tf.variable_scope("", reuse=True):
        tf.get_variable("w", **asked)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: _share([2], dtype=tf.int32),
            "Trying to share variable w, but specified dtype int32 and found dtype float32",
        ),
        (
            lambda: tf.get_variable("w", [None, 2]),
            r"Shape of a new variable \(w\) must be fully defined, but instead was \(\?, 2\)",
        ),
        (lambda: tf.get_variable("w"), r"Shape of a new variable \(w\) must be fully defined"),
        (
            lambda: tf.get_variable("w", [1], initializer=tf.constant([1.0])),
            "If initializer is a constant, do not specify shape",
        ),
        (
            lambda: tf.get_variable("w", initializer=tf.constant([1.0]), dtype=tf.float64),
            "Initializer type .*float32.* and explicit dtype .*float64.* don't match",
        ),
        (
            lambda: tf.get_variable("w", [1], dtype=tf.complex64),
            "An initializer for variable w of .*complex64.* is required",
        ),
        (
            lambda: tf.get_variable("w", [1], custom_getter=3),
            "custom_getter which is not callable: 3",
        ),
        (lambda: tf.variable_scope("s", reuse=1), "reuse parameter must be True, False"),
        (lambda: tf.variable_scope(None, "d", reuse=True), "reuse=True cannot be used without"),
    ],
)
def test_wrong_values(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()


def test_missing_variable() -> None:
    with tf.variable_scope("a") as scope:
        scope.reuse_variables()
        with pytest.raises(ValueError) as error:
            variable()
    assert str(error.value) == (
        "Variable a/v does not exist, or was not created with tf.get_variable(). Did you mean to "
        "set reuse=tf.AUTO_REUSE in VarScope?"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None,), "If default_name is None then name_or_scope is required"),
        ((3,), "name_or_scope must be a string or VariableScope"),
        (("s", *[None] * 11, 3), "auxiliary_name_scope must be `True` or `False`"),
    ],
)
def test_wrong_names(arguments: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        tf.variable_scope(*arguments)


def test_improper_nesting() -> None:
    outer, inner = tf.variable_scope("outer"), tf.variable_scope("inner")
    outer.__enter__()
    inner.__enter__()
    with pytest.raises(RuntimeError, match="Improper nesting of variable_scope: 'outer' is left"):
        outer.__exit__(None, None, None)


def test_local_variables_take_the_same_arguments() -> None:
    signatures = [inspect.signature(f) for f in (tf.get_variable, tf.get_local_variable)]
    assert list(signatures[0].parameters) == list(signatures[1].parameters)


def test_failed_creation_leaves_no_variable_behind() -> None:
    def broken(shape: Any, dtype: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tf.get_variable("w", [2], initializer=broken)
    assert tf.get_variable("w", [2]).get_shape().as_list() == [2]
