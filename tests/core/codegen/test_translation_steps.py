"""How steps are collected, what is refused and why, and what depends on the size of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.core.codegen.translating import compute, interpreted, make_node
from workbench.core.codegen.specs import Step
from workbench.core.codegen.translation import (
    Builder,
    Expression,
    Flag,
    Parameter,
    Reduction,
    describe,
    kind_of,
    live_steps,
    translate,
    unsupported,
)
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.errors import InvalidArgumentError
from workbench.core.plan.node import Node


def whole_numbers(*values: int) -> np.ndarray[Any, Any]:
    return np.array(values, np.int32)


def test_equal_steps_are_one_and_zeros_of_two_signs_are_two() -> None:
    builder = Builder(["left"])
    x = builder.load("x", "float32")
    assert builder.operands == ["left", "x"]
    assert builder.load("x", "float32") == x
    assert builder.constant(0.0, "float32") != builder.constant(-0.0, "float32")
    assert builder.constant(float("nan"), "float32") == builder.constant(float("nan"), "float32")
    assert builder.constant(1, "float32") == builder.constant(True, "float32")
    assert builder.constant(1, "float32") != builder.constant(1, "int32")
    assert builder.constant(0.1, "float32") == builder.constant(float(np.float32(0.1)), "float32")
    assert builder.apply("add", x, x) == builder.apply("add", x, x)
    assert builder.apply("less", x, x, dtype="bool") != builder.apply("less", x, x)
    assert builder.cast(x, "float32") == x


def test_a_constant_is_rounded_to_its_dtype() -> None:
    builder = Builder()
    for dtype, want in (("float32", float(np.float32(0.1))), ("float16", float(np.float16(0.1)))):
        assert builder.steps[builder.constant(0.1, dtype)].value == want
    assert builder.steps[builder.constant(1, "bool")].value is True


def test_only_live_steps_are_kept_but_all_checks() -> None:
    builder = Builder()
    x, y = builder.load("x", "int32"), builder.load("y", "int32")
    builder.apply("add", x, x)
    node = make_node("Div", [whole_numbers(4), whole_numbers(2)], {})
    builder.check(builder.apply("less", x, y, dtype="bool"), Flag(node, "not less"))
    product = builder.apply("multiply", x, x)
    steps, numbers = live_steps(builder.steps, [product])
    assert [s.function for s in steps] == ["load", "load", "less", "check", "multiply"]
    assert steps[numbers[product]] == Step("multiply", (0, 0), "int32")


def test_an_operation_fused_with_another_adds_to_its_steps() -> None:
    a = np.ones((2, 3), np.float32)
    add, relu = make_node("Add", [a, a], {}), make_node("Relu", [a], {})
    builder = Builder()
    x = builder.load("x", "float32")
    (total,) = translate(add, builder, [x, x])
    (result,) = translate(relu, builder, [total])
    assert [s.function for s in builder.steps] == ["load", "add", "constant", "maximum"]
    assert builder.steps[result].arguments == (total, 2)


@pytest.mark.parametrize(
    ("type_name", "arrays", "message"),
    [
        ("Div", [whole_numbers(1, 2), whole_numbers(1, 0)], "Integer division by zero"),
        ("FloorMod", [whole_numbers(1, 2), whole_numbers(1, 0)], "Integer division by zero"),
        ("Reciprocal", [whole_numbers(1, 0)], "Integer division by zero"),
        (
            "Pow",
            [whole_numbers(2, 2), whole_numbers(1, -1)],
            "Integers to negative integer powers are not allowed",
        ),
        (
            "SparseSoftmaxCrossEntropyWithLogits",
            [np.ones((2, 3), np.float32), whole_numbers(1, 3)],
            "outside the valid range of [0, 3)",
        ),
        (
            "SparseSoftmaxCrossEntropyWithLogits",
            [np.ones((2, 3), np.float32), whole_numbers(-1, 0)],
            "outside the valid range of [0, 3)",
        ),
        ("CheckNumerics", [np.float32([1, np.nan])], "here : Tensor had NaN values"),
        ("CheckNumerics", [np.float32([1, -np.inf])], "here : Tensor had Inf values"),
    ],
)
def test_checks_fail_where_the_kernel_does(type_name: str, arrays: list[Any], message: str) -> None:
    attrs = {"message": "here"} if type_name == "CheckNumerics" else {}
    sound = [np.ones_like(a) for a in arrays]
    node = make_node(type_name, sound, attrs)
    compute(node, sound)
    for run in (lambda: interpreted(type_name, arrays, node.attrs), lambda: compute(node, arrays)):
        with pytest.raises(InvalidArgumentError, match=r".*") as caught:
            run()
        assert message in str(caught.value)


def test_the_number_of_rows_is_a_parameter_and_that_of_columns_is_not() -> None:
    """So that code is the same for all sizes of a batch."""

    def steps(rows: int, axis: int) -> Builder:
        node = make_node("Mean", [np.ones((rows, 4), np.float32), whole_numbers(axis)], {})
        described = describe(node)
        assert isinstance(described, Reduction)
        builder = Builder()
        described.translate(builder, builder.load("x", "float32"), "row" if axis else "column")
        return builder

    small, large = steps(5, 0), steps(70, 0)
    assert small.steps == large.steps
    assert small.operands[1:] == [Parameter(5, "float32")]
    assert large.operands[1:] == [Parameter(70, "float32")]
    assert steps(5, 1).steps == steps(70, 1).steps
    assert steps(5, 1).operands == ["x"]


@pytest.mark.parametrize(
    ("axes", "consecutive", "reduced"),
    [
        ([0], (1, 2, 60), (1, 3, 4, 5)),
        ([-1, 2], (6, 20, 1), (2, 3, 1, 1)),
        ([1, 2], (2, 12, 5), (2, 1, 1, 5)),
        ([0, 2], None, (1, 3, 1, 5)),
        ([0, 1, 2, 3], (1, 120, 1), (1, 1, 1, 1)),
    ],
)
def test_a_reduction_says_how_it_lies(axes: list[int], consecutive: Any, reduced: Any) -> None:
    node = make_node("Sum", [np.ones((2, 3, 4, 5), np.float32), whole_numbers(*axes)], {})
    described = describe(node)
    assert isinstance(described, Reduction)
    assert described.consecutive == consecutive
    assert described.reduced == reduced
    assert described.count == 120 // np.prod(reduced)
    if axes != [3]:
        with pytest.raises(Unsupported):
            described.rows()


def test_a_reduction_of_the_last_axis_is_an_expression_over_rows() -> None:
    array = np.arange(6, dtype=np.float32)
    for shape, space in (((2, 3), (2, 3)), ((6,), (1, 6))):
        node = make_node("Mean", [array.reshape(shape), whole_numbers(-1)], {})
        described = describe(node)
        assert isinstance(described, Reduction)
        rows = described.rows()
        assert rows.kind == "row" and rows.space == space
        assert rows.results == ((space[0], 1),)
        builder = Builder()
        (number,) = translate(node, builder, [builder.load("x", "float32")])
        assert builder.steps[number].function == "divide"


@pytest.mark.parametrize(
    ("type_name", "arrays", "attrs", "reason"),
    [
        ("Add", [np.ones(2, np.complex64)] * 2, {}, "complex64 is not compiled"),
        ("Lgamma", [np.ones(2, np.float32)], {}, "series"),
        ("Range", [whole_numbers(1)[0]] * 3, {}, "there is no kernel for Range"),
        (
            "Sum",
            [np.ones((0, 2), np.float32), whole_numbers(0)],
            {},
            "it reduces an axis of size 0",
        ),
        (
            "ArgMax",
            [np.ones((3, 2), np.float32), whole_numbers(0)[0]],
            {},
            "it looks along another axis than the last",
        ),
        (
            "Softmax",
            [np.ones((3, 0), np.float32)],
            {},
            "there are no classes",
        ),
    ],
)
def test_what_is_not_compiled_says_why(
    type_name: str, arrays: list[Any], attrs: dict[str, Any], reason: str
) -> None:
    node = make_node(type_name, [np.asarray(a) for a in arrays], attrs)
    assert kind_of(node) is None
    found = unsupported(node)
    assert found is not None and reason in found


def changed(node: Node, **parts: Any) -> Node:
    """The node with other inputs or shapes."""
    values = {"inputs": node.inputs, "shapes": node.shapes, **parts}
    return Node(
        99, node.type, values["inputs"], (), node.attrs, node.dtypes, values["shapes"], None
    )


def test_axes_that_are_computed_are_not_known_to_a_kernel() -> None:
    node = make_node("Sum", [np.ones((3, 2), np.float32), whole_numbers(0)], {})
    axis = make_node("Add", [whole_numbers(0), whole_numbers(0)], {})
    computed = changed(node, inputs=(node.inputs[0], axis.output()))
    assert unsupported(computed) == "the axes it reduces are computed while it runs"


def test_shapes_that_are_not_known_are_not_compiled() -> None:
    node = make_node("Neg", [np.ones((3, 2), np.float32)], {})
    unknown = changed(node, shapes=((None, 2),))
    assert unsupported(unknown) == "its shapes are not known before it runs"


def test_inputs_that_do_not_fit_are_not_compiled() -> None:
    matrix, other, scalar = (np.ones(s, np.float32) for s in ((2, 3), (3, 2), ()))
    wrong = make_node("Neg", [other], {}).output()
    step = make_node("ApplyMomentum", [matrix, matrix, scalar, matrix, scalar], {})
    gradient = changed(step, inputs=(*step.inputs[:3], wrong, step.inputs[4]))
    assert unsupported(gradient) == "its inputs have different shapes: [2, 3], [3, 2]"
    rate = changed(step, inputs=(*step.inputs[:2], wrong, *step.inputs[3:]))
    assert unsupported(rate) == "lr is not a scalar"
    total = make_node("Add", [matrix, matrix], {})
    unequal = changed(total, inputs=(total.inputs[0], wrong))
    assert unsupported(unequal) == "the shape [3, 2] does not broadcast to [2, 3]"


def test_the_mean_of_integers_counts_in_their_own_type() -> None:
    node = make_node("Mean", [np.ones(3, np.int8), whole_numbers(0)], {})
    many = make_node("Neg", [np.ones(300, np.int8)], {}).output()
    longer = changed(node, inputs=(many, node.inputs[1]))
    assert unsupported(longer) == "it is the mean of more numbers than int8 can count"


def test_an_update_gives_new_values_of_its_variables() -> None:
    matrix, scalar = np.ones((2, 3), np.float32), np.ones((), np.float32)
    for type_name, outputs in (("ApplyMomentum", 1), ("ResourceApplyMomentum", 0)):
        node = make_node(type_name, [matrix, matrix, scalar, matrix, scalar], {})
        described = describe(node)
        assert isinstance(described, Expression) and described.kind == "update"
        assert described.variables == (0, 1)
        assert len(described.results) == 2 and len(node.dtypes) == outputs
        assert [a.shape for a in described.inputs] == [(2, 3), (2, 3), (), (2, 3), ()]
    assigned = describe(make_node("Assign", [matrix, matrix], {}))
    assert isinstance(assigned, Expression)
    # The old value is not read: there may be none.
    assert [a.input for a in assigned.inputs] == [1] and assigned.variables == (0,)
