"""Cells around another cell: embeddings and linear maps before it, a linear map after it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from workbench.core.graph import nest
from workbench.core.ops import api
from workbench.core.ops.initializers import random_uniform_initializer
from workbench.core.ops.nn.recurrent.states import check_cell
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.platform import logging
from workbench.train.recurrent.linear import linear
from workbench.train.recurrent.wrappers import OuterCell

Function = Callable[[Any], Any] | None


class MappedCell(OuterCell):
    """A cell with variables of its own around another cell, whose state it has."""

    def __init__(self, cell: Any, reuse: Any = None) -> None:
        super().__init__(_reuse=reuse)
        check_cell(cell, "The parameter cell is not RNNCell")
        self._cell = cell


class EmbeddingWrapper(MappedCell):
    """A cell whose inputs are class numbers: it looks them up in a variable "embedding".

    `initializer` is that of the embeddings, by default the scope's, or uniform with variance 1.

    >>> import workbench as tf
    >>> cell = tf.contrib.rnn.EmbeddingWrapper(tf.contrib.rnn.GRUCell(3), 10, 4)
    >>> output, state = cell(tf.constant([[1], [7]]), cell.zero_state(2, tf.float32))
    >>> output.shape.as_list(), cell.variables[0].name
    ([2, 3], 'embedding_wrapper/embedding:0')
    """

    def __init__(
        self,
        cell: Any,
        embedding_classes: int,
        embedding_size: int,
        initializer: Any = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(cell, reuse)
        if embedding_classes <= 0 or embedding_size <= 0:
            raise ValueError(
                "Both embedding_classes and embedding_size must be > 0: "
                f"{embedding_classes}, {embedding_size}."
            )
        self._table_shape = [embedding_classes, embedding_size]
        self._initializer = initializer

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output and the state of the cell inside."""
        limit = math.sqrt(3)
        initializer = (
            self._initializer
            or get_variable_scope().initializer
            or random_uniform_initializer(-limit, limit)
        )
        dtype = nest.flatten(state)[0].dtype.base_dtype
        table = get_variable("embedding", self._table_shape, dtype, initializer)
        rows = api.embedding_lookup(table, api.reshape(inputs, [-1]))
        result: tuple[Any, Any] = self._cell(rows, state)
        return result


class InputProjectionWrapper(MappedCell):
    """A cell with a linear map of its inputs to the size `num_proj` before it."""

    def __init__(
        self,
        cell: Any,
        num_proj: int,
        activation: Function = None,
        input_size: Any = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(cell, reuse)
        if input_size is not None:
            logging.warn("%s: The input_size parameter is deprecated.", self)
        self._num_proj = num_proj
        self._activation = activation

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output and the state of the cell inside."""
        mapped: Any = linear(inputs, self._num_proj, True)
        if self._activation is not None:
            mapped = self._activation(mapped)
        result: tuple[Any, Any] = self._cell(mapped, state)
        return result


class OutputProjectionWrapper(MappedCell):
    """A cell with a linear map of its output to `output_size` after it.

    Where only the outputs of a whole sequence count, one map of all of them is faster.
    """

    def __init__(
        self, cell: Any, output_size: int, activation: Function = None, reuse: Any = None
    ) -> None:
        super().__init__(cell, reuse)
        if output_size < 1:
            raise ValueError(f"Parameter output_size must be > 0: {output_size}.")
        self._output_size = output_size
        self._activation = activation

    @property
    def output_size(self) -> Any:
        """The size of the mapped output."""
        return self._output_size

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The mapped output, and the state of the cell inside."""
        output, new_state = self._cell(inputs, state)
        mapped: Any = linear(output, self._output_size, True)
        return mapped if self._activation is None else self._activation(mapped), new_state
