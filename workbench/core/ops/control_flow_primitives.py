"""Switch, Merge and the frames of loops by hand: what `tf.cond` and `tf.while_loop` do without.

They are for code that builds raw control flow itself, as TensorFlow's `control_flow_ops` has them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from workbench.core.graph.composite import IndexedSlices, SparseTensor
from workbench.core.graph.context import colocate_with, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import call, create


class MergeOutput(NamedTuple):
    """What `merge` gives: the value that came, and which of the inputs it was."""

    output: Any
    value_index: Tensor


def switch(data: Any, pred: Any, dtype: Any = None, name: str | None = None) -> tuple[Any, Any]:
    """`data` on one of two outputs: on the second where `pred` is true, else on the first.

    The other one is dead: what needs it does not run. `data` may be sparse or IndexedSlices.

    >>> import workbench as tf
    >>> from workbench.core.ops.control_flow_primitives import merge, switch
    >>> no, yes = switch(tf.constant(2.0), tf.constant(True))
    >>> merge([no * 10.0, yes * 100.0])[0].eval()
    np.float32(200.0)
    """
    with name_scope(name, "Switch", [data, pred]) as scope:
        pred = convert_to_tensor(pred, name="pred")
        data = _as_data(data, dtype)
        parts = _parts(data)
        if parts is None:
            return _switch_tensor(data, pred, scope)
        sides = [_switch_tensor(part, pred, None) for part in parts]
        return _rebuilt(data, [s[0] for s in sides]), _rebuilt(data, [s[1] for s in sides])


def _switch_tensor(data: Tensor, pred: Tensor, name: str | None) -> tuple[Tensor, Tensor]:
    with colocate_with(data, ignore_existing=True):
        kind = "RefSwitch" if data.dtype._is_ref_dtype else "Switch"
        op = create(kind, name, data=data, pred=pred)
    return op.outputs[0], op.outputs[1]


def merge(inputs: Any, name: str | None = None) -> MergeOutput:
    """The first of `inputs` that is not dead, and its place among them.

    ValueError where an input is missing.
    """
    if any(i is None for i in inputs):
        raise ValueError(f"At least one of the merge inputs is None: {inputs}")
    with name_scope(name, "Merge", inputs) as scope:
        values = [_as_data(i) for i in inputs]
        if all(isinstance(v, Tensor) for v in values):
            kind = "RefMerge" if all(v.dtype._is_ref_dtype for v in values) else "Merge"
            op = create(kind, scope, inputs=values)
            return MergeOutput(op.outputs[0], op.outputs[1])
        if all(isinstance(v, (SparseTensor, IndexedSlices)) for v in values):
            return _merge_composites(values)
        raise TypeError("The inputs of merge must be all tensors, all sparse, or all slices")


def _merge_composites(values: list[Any]) -> MergeOutput:
    parts = [_parts(v) or [] for v in values]
    if len({len(p) for p in parts}) != 1:
        raise ValueError("Slices with and without a dense shape cannot be merged")
    merged = [create("Merge", None, inputs=list(each)) for each in zip(*parts, strict=True)]
    rebuilt = _rebuilt(values[0], [op.outputs[0] for op in merged])
    return MergeOutput(rebuilt, merged[0].outputs[1])


def enter(
    data: Any,
    frame_name: str,
    is_constant: bool = False,
    parallel_iterations: int = 10,
    use_ref: bool = True,
    use_input_shape: bool = True,
    name: str | None = None,
) -> Any:
    """`data` inside the frame `frame_name`: in its first turn, or in all of them if constant.

    At most `parallel_iterations` turns of the frame are under way at the same time.
    """

    def make(tensor: Tensor) -> Tensor:
        kind = "RefEnter" if tensor.dtype._is_ref_dtype and use_ref else "Enter"
        return call(
            kind,
            name,
            data=tensor,
            frame_name=frame_name,
            is_constant=is_constant,
            parallel_iterations=parallel_iterations,
        )

    result = _each(data, make)
    if not use_input_shape and isinstance(result, Tensor):
        result.entries = None
    return result


def exit(data: Any, name: str | None = None) -> Any:
    """`data` of the frame's last turn, outside of the frame."""
    return _each(data, lambda t: call(_kind("Exit", t), name, data=t))


def next_iteration(data: Any, name: str | None = None) -> Any:
    """`data` in the frame's next turn."""
    return _each(data, lambda t: call(_kind("NextIteration", t), name, data=t))


def identity(data: Any, name: str | None = None) -> Any:
    """`data` as it is: a variable stays the variable."""
    return _each(
        data, lambda t: call("RefIdentity" if t.dtype._is_ref_dtype else "Identity", name, input=t)
    )


def loop_cond(input: Any, name: str | None = None) -> Tensor:
    """The condition that a loop's Switch operations go by."""
    return call("LoopCond", name, input=input)


def ref_select(index: Any, inputs: Any, name: str | None = None) -> Tensor:
    """The variable number `index` of `inputs`."""
    return call("RefSelect", name, index=index, inputs=inputs)


def control_trigger(name: str | None = None) -> Operation:
    """An operation that runs once its control inputs have, dead or alive."""
    return create("ControlTrigger", name)


def abort(
    error_msg: str = "", exit_without_error: bool = False, name: str | None = None
) -> Operation:
    """An operation that ends the run with AbortedError (CancelledError `exit_without_error`)."""
    return create("Abort", name, error_msg=error_msg, exit_without_error=exit_without_error)


def _kind(name: str, tensor: Tensor) -> str:
    return f"Ref{name}" if tensor.dtype._is_ref_dtype else name


def _each(data: Any, make: Callable[[Tensor], Tensor]) -> Any:
    value = _as_data(data)
    parts = _parts(value)
    return make(value) if parts is None else _rebuilt(value, [make(p) for p in parts])


def _as_data(value: Any, dtype: Any = None) -> Any:
    """A tensor, a reference where it is a variable's; composites as they are."""
    if isinstance(value, (SparseTensor, IndexedSlices)):
        return value
    reference = getattr(value, "_ref", None)
    if callable(reference) and not isinstance(value, Tensor):
        return reference()
    return convert_to_tensor(value, dtype=dtype, name="data")


def _parts(value: Any) -> list[Tensor] | None:
    """The tensors of a composite; None for a tensor."""
    if isinstance(value, SparseTensor):
        return [value.indices, value.values, value.dense_shape]
    if isinstance(value, IndexedSlices):
        found = [value.values, value.indices]
        return found if value.dense_shape is None else [*found, value.dense_shape]
    return None


def _rebuilt(like: Any, parts: list[Tensor]) -> Any:
    return type(like)(*parts)
