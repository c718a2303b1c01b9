"""Tensors that stay in a session between runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare
from workbench.core.ops.placeholders import placeholder
from workbench.core.runtime.session_tensors import SessionTensors


def _store(context: Any) -> SessionTensors:
    found: SessionTensors = context.resource(SessionTensors, "", "tensors of the session")
    return found


def _keep(value: Any, *, context: Any) -> bytes:
    return _store(context).add(context.name, value).encode()


for _type_name, _handle in (("GetSessionHandle", "string"), ("GetSessionHandleV2", "resource")):
    declare(
        _type_name,
        inputs="value: T",
        outputs=f"handle: {_handle}",
        attrs="T: type",
        shape=shape_rules.scalar,
        kernel=_keep,
        gradient=NOT_DIFFERENTIABLE,
        stateful=True,
    )


def _text(handle: Any) -> str:
    text = as_array(handle).item()
    return text.decode() if isinstance(text, bytes) else str(text)


def _get(handle: Any, *, dtype: np.dtype[Any], context: Any) -> Any:
    value = _store(context).get(_text(handle))
    if as_array(value).dtype != dtype:
        raise invalid(
            f"The tensor with handle {_text(handle)!r} is {as_dtype(as_array(value).dtype).name}, "
            f"not {as_dtype(dtype).name}"
        )
    return value.copy() if isinstance(value, np.ndarray) else value


def _handle_shape(op: Any) -> list[Any]:
    shape_rules.with_rank(op.inputs[0].entries, 0, "handle")
    return shape_rules.unknown(op)


declare(
    "GetSessionTensor",
    inputs="handle: string",
    outputs="value: dtype",
    attrs="dtype: type",
    shape=_handle_shape,
    kernel=_get,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
)


def _delete(handle: Any, *, context: Any) -> None:
    _store(context).delete(_text(handle))


declare(
    "DeleteSessionTensor",
    inputs="handle: string",
    shape=_handle_shape,
    kernel=_delete,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
)


def get_session_handle(data: Tensor, name: str | None = None) -> Tensor:
    """Keeps the value of `data` in the session; a run that fetches the result gives its handle.

    The value stays as long as the handle. The handle may be fed in place of a tensor, or to
    `get_session_tensor`.

    >>> import workbench as tf
    >>> with tf.Graph().as_default(), tf.Session() as session:
    ...     handle = session.run(tf.get_session_handle(tf.constant(6) * 7))
    ...     fed, value = tf.get_session_tensor(handle.handle, tf.int32)
    ...     session.run(value + 1, {fed: handle.handle})
    np.int32(43)
    """
    if not isinstance(data, Tensor):
        raise TypeError("`data` must be of type Tensor.")
    return call("GetSessionHandle", name, value=data)


def get_session_tensor(handle: Any, dtype: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """A placeholder for handles, and the tensor of type `dtype` of the one that is fed to it."""
    holder = placeholder("string", [])
    return holder, call("GetSessionTensor", name, handle=holder, dtype=dtype)


def delete_session_tensor(handle: Any, name: str | None = None) -> tuple[Tensor, Operation]:
    """A placeholder for handles, and the operation that forgets the tensor of one."""
    holder = placeholder("string", [])
    return holder, create("DeleteSessionTensor", name, handle=holder)
