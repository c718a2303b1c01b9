"""Tensors as `TensorInfo` messages, and back."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.graph import Graph


def build_tensor_info(tensor: Any) -> Any:
    """The `TensorInfo` of a tensor or SparseTensor: its name or names, its type and shape.

    >>> import workbench as tf
    >>> x = tf.placeholder(tf.float32, [None, 2], name="x")
    >>> tf.saved_model.utils.build_tensor_info(x).name
    'x:0'
    """
    from workbench.core.protos import TensorInfo

    info = TensorInfo(
        dtype=as_dtype(tensor.dtype).as_datatype_enum, tensor_shape=tensor.get_shape().as_proto()
    )
    if isinstance(tensor, SparseTensor):
        info.coo_sparse.values_tensor_name = tensor.values.name
        info.coo_sparse.indices_tensor_name = tensor.indices.name
        info.coo_sparse.dense_shape_tensor_name = tensor.dense_shape.name
    else:
        info.name = tensor.name
    return info


def get_tensor_from_tensor_info(
    tensor_info: Any, graph: Graph | None = None, import_scope: str | None = None
) -> Any:
    """The tensor or SparseTensor that a `TensorInfo` names.

    Args:
      tensor_info: the message.
      graph: the graph to look in; the default one where it is None.
      import_scope: the scope that the names were imported into.

    Raises:
      KeyError: the graph has no such tensor.
      ValueError: the message names none.
    """
    graph = get_default_graph() if graph is None else graph

    def find(name: str) -> Any:
        return graph.get_tensor_by_name(f"{import_scope}/{name}" if import_scope else name)

    encoding = tensor_info.WhichOneof("encoding")
    if encoding == "name":
        return find(tensor_info.name)
    if encoding == "coo_sparse":
        names = tensor_info.coo_sparse
        return SparseTensor(
            find(names.indices_tensor_name),
            find(names.values_tensor_name),
            find(names.dense_shape_tensor_name),
        )
    raise ValueError(f"Invalid TensorInfo.encoding: {encoding}")
