"""The beginning of a chain of layers."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import float32
from workbench.core.ops import api
from workbench.train.layers.base import Layer


class InputLayer(Layer):
    """A layer without computation whose output is a placeholder, or a given tensor."""

    def __init__(
        self,
        input_shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = float32,
        input_tensor: Any = None,
        sparse: bool = False,
        name: str | None = None,
    ) -> None:
        # "input_1", not "input_layer_1": the placeholder bears the name too.
        super().__init__(dtype=dtype, name=name, _base_name="input")
        self.built = True
        self.sparse = sparse
        self.is_placeholder = input_tensor is None
        self.batch_size = batch_size
        if input_tensor is None:
            sizes = None if input_shape is None else [batch_size, *input_shape]
            make = api.sparse_placeholder if sparse else api.placeholder
            input_tensor = make(dtype, shape=sizes, name=self.name)
        else:
            input_tensor = convert_to_tensor(input_tensor)
        self._connect([input_tensor], [input_tensor], {})


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    name: str | None = None,
    dtype: Any = float32,
    sparse: bool = False,
    tensor: Any = None,
) -> Any:
    """A placeholder [batch_size, *shape] that a chain of layers begins with.

    `tensor` wraps an existing tensor instead.

    >>> import workbench as tf
    >>> x = tf.layers.Input(shape=(32,))
    >>> dense = tf.layers.Dense(16)
    >>> y = dense(x)
    >>> dense.input is x, dense.output_shape
    (True, (None, 16))
    """
    return InputLayer(shape, batch_size, dtype, tensor, sparse, name).output
