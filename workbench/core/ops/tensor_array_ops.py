"""TensorArrayV3 and its older spellings: arrays of tensors that live for one run.

Old GraphDefs are full of them. Each run of the operation makes an array of its own, and what its
handle holds is that array: when the run is over, nobody has it any more. The `flow` orders reads
after writes. New graphs have lists of tensors instead (`workbench.core.ops.lists`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.shapes import Entries
from workbench.core.kernels.array_of_tensors import ArrayOfTensors
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare

_FLOW = np.float32(0.0)


def _make(
    size: Any,
    *,
    dtype: Any,
    element_shape: Any = None,
    dynamic_size: bool,
    clear_after_read: bool,
    identical_element_shapes: bool = False,
) -> tuple[ArrayOfTensors, Any]:
    array = ArrayOfTensors(
        int(size),
        dtype,
        element_shape,
        is_dynamic=dynamic_size,
        clears=clear_after_read,
        have_one_shape=identical_element_shapes,
    )
    return array, _FLOW


def _make_old(
    size: Any, *, dtype: Any, element_shape: Any, dynamic_size: bool, clear_after_read: bool
) -> ArrayOfTensors:
    return _make(
        size,
        dtype=dtype,
        element_shape=element_shape,
        dynamic_size=dynamic_size,
        clear_after_read=clear_after_read,
    )[0]


def _gradient(handle: ArrayOfTensors, flow_in: Any, *, source: str) -> tuple[ArrayOfTensors, Any]:
    return handle.gradient(source), _FLOW


def _gradient_with_shape(
    handle: ArrayOfTensors, flow_in: Any, shape_to_prepend: Any, *, source: str
) -> tuple[ArrayOfTensors, Any]:
    return handle.gradient(source, np.asarray(shape_to_prepend).reshape(-1).tolist()), _FLOW


def _gradient_old(handle: ArrayOfTensors, flow_in: Any, *, source: str) -> ArrayOfTensors:
    return handle.gradient(source)


def _write(handle: ArrayOfTensors, index: Any, value: Any, flow_in: Any) -> Any:
    handle.write(int(index), value)
    return flow_in


def _read(handle: ArrayOfTensors, index: Any, flow_in: Any, *, dtype: Any) -> Any:
    return handle.read(int(index), dtype)


def _gather(
    handle: ArrayOfTensors, indices: Any, flow_in: Any, *, dtype: Any, element_shape: Any
) -> Any:
    return handle.gather(indices, element_shape)


def _scatter(handle: ArrayOfTensors, indices: Any, value: Any, flow_in: Any) -> Any:
    handle.scatter(indices, value)
    return flow_in


def _concat(
    handle: ArrayOfTensors, flow_in: Any, *, dtype: Any, element_shape_except0: Any
) -> tuple[Any, Any]:
    return handle.concat(element_shape_except0)


def _split(handle: ArrayOfTensors, value: Any, lengths: Any, flow_in: Any) -> Any:
    handle.split(value, lengths)
    return flow_in


def _size(handle: ArrayOfTensors, flow_in: Any) -> Any:
    handle.check_open()
    return np.int32(len(handle))


def _close(handle: ArrayOfTensors) -> None:
    handle.close()


def _pack(handle: ArrayOfTensors, flow_in: Any, *, dtype: Any, element_shape: Any) -> Any:
    return handle.gather(range(len(handle)), element_shape)


def _unpack(handle: ArrayOfTensors, value: Any, flow_in: Any) -> Any:
    handle.scatter(range(len(value)), value)
    return flow_in


# -- shapes ----------------------------------------------------------------------------------


def _handle_and_flow(op: Any) -> list[Entries]:
    # Where a handle looks like a string, it has the array's container and its name.
    handle: Entries = (2,) if op.outputs[0].dtype.base_dtype.name == "string" else ()
    return [handle, ()][: len(op.outputs)]


def _element_type(op: Any) -> list[Entries]:
    return [None] * len(op.outputs)


def _gathered(op: Any) -> list[Entries]:
    element = op.attrs["element_shape"].entries
    indices = op.inputs[1].entries
    count = None if indices is None else indices[0]
    return [None if element is None else (count, *element)]


def _packed(op: Any) -> list[Entries]:
    element = op.attrs["element_shape"].entries
    return [None if element is None else (None, *element)]


def _concatenated(op: Any) -> list[Entries]:
    element = op.attrs["element_shape_except0"].entries
    return [None if element is None else (None, *element), (None,)]


# -- gradients -------------------------------------------------------------------------------


def _gradient_array(op: Any, flow: Any, grad: Any) -> Any:
    """The array of gradients: one for each scope that `tf.gradients` works in."""
    name = grad.op.name.split("/")
    scopes = [i for i, part in enumerate(name) if part.startswith("gradients")]
    source = "/".join(name[: scopes[-1] + 1]) if scopes else "gradients"
    return create("TensorArrayGradV3", None, handle=op.inputs[0], flow_in=flow, source=source)


def _gradient_of_reading(writing: str, place: str) -> Any:
    """What was read from a place is written to that place of the gradients' array."""

    def gradient(op: Any, grad: Any) -> list[Any]:
        handle, flow = _gradient_array(op, op.inputs[2], grad).outputs
        where = {place: op.inputs[1]}
        written = create(writing, None, handle=handle, value=grad, flow_in=flow, **where)
        return [None, None, written.outputs[0]]

    return gradient


def _gradient_of_writing(reading: str, place: str) -> Any:
    """The gradient of what was written is read from that place of the gradients' array."""

    def gradient(op: Any, flow: Any) -> list[Any]:
        handle, flow_in = _gradient_array(op, flow, flow).outputs
        value, where = op.inputs[2], {place: op.inputs[1]}
        dtype = value.dtype.base_dtype
        read = create(reading, None, handle=handle, flow_in=flow_in, dtype=dtype, **where)
        read.outputs[0].set_shape(value.shape)
        return [None, None, read.outputs[0], flow]

    return gradient


def _concat_gradient(op: Any, grad: Any, lengths_grad: Any) -> list[Any]:
    handle, flow = _gradient_array(op, op.inputs[1], grad).outputs
    split = create(
        "TensorArraySplitV3", None, handle=handle, value=grad, lengths=op.outputs[1], flow_in=flow
    )
    return [None, split.outputs[0]]


def _split_gradient(op: Any, flow: Any) -> list[Any]:
    handle, flow_in = _gradient_array(op, flow, flow).outputs
    value = op.inputs[1]
    joined = create(
        "TensorArrayConcatV3", None, handle=handle, flow_in=flow_in, dtype=value.dtype.base_dtype
    )
    joined.outputs[0].set_shape(value.shape)
    return [None, joined.outputs[0], None, flow]


# -- declarations ----------------------------------------------------------------------------

_MADE = "dtype: type, element_shape: shape = None, dynamic_size: bool = false, "
_MADE += "clear_after_read: bool = true, "
declare(
    "TensorArrayV3",
    inputs="size: int32",
    outputs="handle: resource, flow: float",
    attrs=f"{_MADE}identical_element_shapes: bool = false, tensor_array_name: string = ''",
    shape=_handle_and_flow,
    kernel=_make,
    stateful=True,
)
declare(
    "TensorArrayGradV3",
    inputs="handle: resource, flow_in: float",
    outputs="grad_handle: resource, flow_out: float",
    attrs="source: string",
    shape=_handle_and_flow,
    kernel=_gradient,
    stateful=True,
)
declare(
    "TensorArrayGradWithShape",
    inputs="handle: resource, flow_in: float, shape_to_prepend: int32",
    outputs="grad_handle: resource, flow_out: float",
    attrs="source: string",
    shape=_handle_and_flow,
    kernel=_gradient_with_shape,
    stateful=True,
)
for _old, _type in (("V2", "string"), ("", "Ref(string)")):
    declare(
        f"TensorArray{_old}",
        inputs="size: int32",
        outputs=f"handle: {_type}",
        attrs=f"{_MADE}tensor_array_name: string = ''",
        shape=_handle_and_flow,
        kernel=_make_old,
        stateful=True,
    )
    declare(
        f"TensorArrayGrad{_old}",
        inputs="handle: string, flow_in: float",
        outputs=f"grad_handle: {_type}",
        attrs="source: string",
        shape=_handle_and_flow,
        kernel=_gradient_old,
        stateful=True,
    )
for _version, _type in (("V3", "resource"), ("V2", "string"), ("", "Ref(string)")):
    _handle = f"handle: {_type}"
    _is_new = _version == "V3"
    declare(
        f"TensorArrayWrite{_version}",
        inputs=f"{_handle}, index: int32, value: T, flow_in: float",
        outputs="flow_out: float",
        attrs="T: type",
        shape=shape_rules.scalar,
        kernel=_write,
        stateful=True,
        updates=0,
        gradient=_gradient_of_writing("TensorArrayReadV3", "index") if _is_new else None,
    )
    declare(
        f"TensorArrayRead{_version}",
        inputs=f"{_handle}, index: int32, flow_in: float",
        outputs="value: dtype",
        attrs="dtype: type",
        shape=_element_type,
        kernel=_read,
        stateful=True,
        updates=0,
        gradient=_gradient_of_reading("TensorArrayWriteV3", "index") if _is_new else None,
    )
    declare(
        f"TensorArrayGather{_version}",
        inputs=f"{_handle}, indices: int32, flow_in: float",
        outputs="value: dtype",
        attrs="dtype: type, element_shape: shape = None",
        shape=_gathered,
        kernel=_gather,
        stateful=True,
        updates=0,
        gradient=_gradient_of_reading("TensorArrayScatterV3", "indices") if _is_new else None,
    )
    declare(
        f"TensorArrayScatter{_version}",
        inputs=f"{_handle}, indices: int32, value: T, flow_in: float",
        outputs="flow_out: float",
        attrs="T: type",
        shape=shape_rules.scalar,
        kernel=_scatter,
        stateful=True,
        updates=0,
        gradient=_gradient_of_writing("TensorArrayGatherV3", "indices") if _is_new else None,
    )
    declare(
        f"TensorArrayConcat{_version}",
        inputs=f"{_handle}, flow_in: float",
        outputs="value: dtype, lengths: int64",
        attrs="dtype: type, element_shape_except0: shape = None",
        shape=_concatenated,
        kernel=_concat,
        stateful=True,
        updates=0,
        gradient=_concat_gradient if _is_new else None,
    )
    declare(
        f"TensorArraySplit{_version}",
        inputs=f"{_handle}, value: T, lengths: int64, flow_in: float",
        outputs="flow_out: float",
        attrs="T: type",
        shape=shape_rules.scalar,
        kernel=_split,
        stateful=True,
        updates=0,
        gradient=_split_gradient if _is_new else None,
    )
    declare(
        f"TensorArraySize{_version}",
        inputs=f"{_handle}, flow_in: float",
        outputs="size: int32",
        shape=shape_rules.scalar,
        kernel=_size,
        stateful=True,
        updates=0,
        gradient=NOT_DIFFERENTIABLE,
    )
    declare(
        f"TensorArrayClose{_version}",
        inputs=_handle,
        shape=shape_rules.no_outputs,
        kernel=_close,
        stateful=True,
        updates=0,
        gradient=NOT_DIFFERENTIABLE,
    )
declare(
    "TensorArrayPack",
    inputs="handle: Ref(string), flow_in: float",
    outputs="value: dtype",
    attrs="dtype: type, element_shape: shape = None",
    shape=_packed,
    kernel=_pack,
    stateful=True,
    updates=0,
    gradient=None,
)
declare(
    "TensorArrayUnpack",
    inputs="handle: Ref(string), value: T, flow_in: float",
    outputs="flow_out: float",
    attrs="T: type",
    shape=shape_rules.scalar,
    kernel=_unpack,
    stateful=True,
    updates=0,
    gradient=None,
)
