"""The operations that raw control flow is made of: Switch, Merge and the frames of loops.

A Switch gives its value on one of its outputs; the other one is dead, and so is all that needs it.
A Merge gives the first of its inputs that is not dead. Enter brings a value into a frame,
NextIteration into the frame's next turn, Exit out of it. The dataflow executor
(`workbench.core.runtime.dataflow`) runs them; imported graphs are full of them.
"""

from __future__ import annotations

from typing import Any, NoReturn

from workbench.core import errors
from workbench.core.graph.loop_shapes import common_entries
from workbench.core.graph.shapes import Entries
from workbench.core.graph.source import user_line
from workbench.core.ops import api, shape_rules
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare

#: What decides over dead values and frames: no kernel runs these.
ROUTING = frozenset(
    "Switch RefSwitch Merge RefMerge Enter RefEnter Exit RefExit NextIteration RefNextIteration "
    "LoopCond".split()
)
ENTERING = frozenset({"Enter", "RefEnter"})
LEAVING = frozenset({"Exit", "RefExit"})
TURNING = frozenset({"NextIteration", "RefNextIteration"})
MERGING = frozenset({"Merge", "RefMerge"})
SWITCHING = frozenset({"Switch", "RefSwitch"})


def _switched(op: Any) -> list[Entries]:
    shape_rules.with_rank(op.inputs[1].entries, 0, "pred")
    return [op.inputs[0].entries] * 2


def _merged(op: Any) -> list[Entries]:
    return [common_entries([t.entries for t in op.inputs]), ()]


def _selected(op: Any) -> list[Entries]:
    shape_rules.with_rank(op.inputs[0].entries, 0, "index")
    first, *others = [t.entries for t in op.inputs[1:]]
    is_known = first is not None and all(isinstance(size, int) for size in first)
    return [first if is_known and all(other == first for other in others) else None]


def _condition(op: Any) -> list[Entries]:
    shape_rules.with_rank(op.inputs[0].entries, 0, "input")
    return [()]


def _switch_gradient(op: Any, *grads: Any) -> list[Any]:
    """The gradient of the output that was alive."""
    if all(grad is None for grad in grads):
        return [None, None]
    from workbench.core.ops.creation import create

    # Each side must be as dead or alive as the output: zeros that `zeros_like` makes of a known
    # shape are always alive, and so are the ones that differentiation begins with.
    sides = [
        create("ZerosLike", None, x=output).outputs[0]
        if grad is None
        else create("Switch", None, data=grad, pred=op.inputs[1]).outputs[side]
        for side, (output, grad) in enumerate(zip(op.outputs, grads, strict=True))
    ]
    return [create("Merge", None, inputs=sides).outputs[0], None]


def _merge_gradient(op: Any, grad: Any, index_grad: Any) -> list[Any]:
    """The gradient, alive for the input that was taken."""
    from workbench.core.ops.creation import create

    if any(t.op.type in TURNING or t.op.type in ENTERING for t in op.inputs):
        _refuse_loop_gradient(op)
    if grad is None:
        return [None] * len(op.inputs)
    return [
        create("Switch", None, data=grad, pred=api.equal(op.outputs[1], i)).outputs[1]
        for i in range(len(op.inputs))
    ]


def _refuse_loop_gradient(op: Any, *grads: Any) -> NoReturn:
    line = user_line(op.frames)
    where = f" (made at {line})" if line else ""
    raise LookupError(
        f"No gradient flows through {op.type} {op.name!r}{where}, a part of a loop in raw form. "
        "Build the loop with tf.while_loop, or import its GraphDef after "
        "tf.graph_util.raise_control_flow(graph_def) made a While of it."
    )


for _prefix, _type in (("", "T"), ("Ref", "Ref(T)")):
    declare(
        f"{_prefix}Switch",
        inputs=f"data: {_type}, pred: bool",
        outputs=f"output_false: {_type}, output_true: {_type}",
        attrs="T: type",
        shape=_switched,
        kernel=None,
        gradient=_switch_gradient,
        allows_uninitialized=True,
        updates=0,
        aliases_input=True,
    )
    declare(
        f"{_prefix}Merge",
        inputs=f"inputs: N * {_type}",
        outputs=f"output: {_type}, value_index: int32",
        attrs="T: type, N: int >= 1",
        shape=_merged,
        kernel=None,
        gradient=_merge_gradient,
        allows_uninitialized=True,
        updates=0,
        aliases_input=True,
    )
    declare(
        f"{_prefix}Enter",
        inputs=f"data: {_type}",
        outputs=f"output: {_type}",
        attrs="T: type, frame_name: string, is_constant: bool = false, "
        "parallel_iterations: int = 10",
        shape=shape_rules.first,
        kernel=None,
        gradient=_refuse_loop_gradient,
        allows_uninitialized=True,
        updates=0,
        aliases_input=True,
    )
    for _name in ("Exit", "NextIteration"):
        declare(
            f"{_prefix}{_name}",
            inputs=f"data: {_type}",
            outputs=f"output: {_type}",
            attrs="T: type",
            shape=shape_rules.first,
            kernel=None,
            gradient=_refuse_loop_gradient,
            allows_uninitialized=True,
            updates=0,
            aliases_input=True,
        )
declare(
    "LoopCond",
    inputs="input: bool",
    outputs="output: bool",
    shape=_condition,
    kernel=None,
    gradient=NOT_DIFFERENTIABLE,
    aliases_input=True,
)
declare(
    "RefSelect",
    inputs="index: int32, inputs: N * Ref(T)",
    outputs="output: Ref(T)",
    attrs="T: type, N: int >= 1",
    shape=_selected,
    kernel=None,
    gradient=NOT_DIFFERENTIABLE,
    allows_uninitialized=True,
    updates=0,
    aliases_input=True,
)


def _abort(*, error_msg: str, exit_without_error: bool) -> None:
    """Ends the run with the message. TensorFlow ends the process: a notebook would lose all."""
    if exit_without_error:
        raise errors.CancelledError(None, None, error_msg or "Abort ended the run")
    raise errors.AbortedError(None, None, error_msg or "Abort ended the run")


declare(
    "Abort",
    attrs="error_msg: string = '', exit_without_error: bool = false",
    shape=shape_rules.no_outputs,
    kernel=_abort,
    stateful=True,
)
