"""The base of recurrent cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.context import get_default_graph, name_scope
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.shapes import as_shape
from workbench.core.ops import api
from workbench.core.ops.nn.recurrent.states import zeros_of
from workbench.core.ops.state.partitioned_variable import PartitionedVariable
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.layers.base import Layer


class RNNCell(Layer):
    """One step of a recurrent network: `output, next_state = cell(inputs, state)`.

    `inputs` is [batch, size]. The state is [batch, state_size], or a structure of such tensors
    where `state_size` is a structure of sizes (ints or TensorShapes); the output is
    [batch, output_size]. Subclasses define `state_size`, `output_size` and `call(inputs, state)`,
    which may make its variables with `tf.get_variable`: they belong to the cell then.

    >>> import workbench as tf
    >>> class Sum(tf.nn.rnn_cell.RNNCell):
    ...     state_size = output_size = 2
    ...
    ...     def call(self, inputs, state):
    ...         return state + inputs, state + inputs
    >>> outputs, state = tf.nn.static_rnn(Sum(), [tf.ones([1, 2])] * 3, dtype=tf.float32)
    >>> state.eval().tolist()
    [[3.0, 3.0]]
    """

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """The output for `inputs` after `state`, and the next state.

        `scope` is the variable scope to use, a name or a VariableScope; the default is the name of
        the class.
        """
        within = get_variable_scope() if scope is None else scope
        with variable_scope(within, custom_getter=self._get_own_variable) as opened:
            chosen = {} if scope is None else {"scope": opened}
            result: tuple[Any, Any] = super().__call__(inputs, state, **chosen)
            return result

    def _get_own_variable(self, getter: Any, *arguments: Any, **keywords: Any) -> Any:
        variable = getter(*arguments, **keywords)
        parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
        trained = get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES)
        own = self._trainable_weights
        if not any(parts[0] is each for each in trained):
            own = self._non_trainable_weights
        if not any(variable is each for each in own):
            own.append(variable)
        return variable

    def _connect(self, inputs: Any, outputs: Any, arguments: dict[str, Any]) -> None:
        """Cells are called in loops, where there is no one input and output to remember."""

    @property
    def state_size(self) -> Any:
        """The size of the state, or a structure of sizes: ints or TensorShapes."""
        raise NotImplementedError(f"{type(self).__name__} does not say its state_size")

    @property
    def output_size(self) -> Any:
        """The size of the output: an int, a TensorShape, or a structure of them."""
        raise NotImplementedError(f"{type(self).__name__} does not say its output_size")

    def build(self, input_shape: Any) -> None:
        """Nothing is made beforehand: `call` makes the variables."""

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """A state of zeros.

        `batch_size` is an int or an integer tensor of one element.
        """
        with name_scope(None, type(self).__name__ + "ZeroState", [batch_size]):
            return zeros_of(self.state_size, batch_size, dtype)


#: A step whose products with the inputs are done: takes those and the state.
PreparedStep = Callable[[Any, Any], tuple[Any, Any]]


class BuiltCell(RNNCell):
    """A cell that makes its variables in `build`, as other layers do.

    One that defines `_prepare(inputs, depth)` lets loops do a part of its steps beforehand: the
    function takes inputs [rows, depth] of all steps, and returns what the steps need of them,
    [rows, size], and a function like `call` that takes that in place of the inputs.
    """

    def __call__(self, inputs: Any, state: Any, scope: Any = None, **keywords: Any) -> Any:
        """The output for `inputs` after `state`, and the next state."""
        if scope is not None:
            keywords["scope"] = scope
        return Layer.__call__(self, inputs, state, **keywords)

    def prepare_loop(self, inputs: Any) -> tuple[Any, PreparedStep] | None:
        """For inputs [time, batch, size] of a loop what of the steps can be done before it.

        Returns what each step takes in place of its inputs, [time, batch, ...], and the step; None
        where nothing can, because a subclass has its own idea of a step.
        """
        kind = type(self)
        same = _where(kind, "call") is _where(kind, "_prepare")
        if not same or kind.__call__ is not BuiltCell.__call__:
            return None
        steps, batch, size = inputs.shape.as_list()
        sizes = [api.shape(inputs)[i] if s is None else s for i, s in enumerate((steps, batch))]
        with self._in_scope(None, True if self.built else self._reuse):
            if not self.built:
                self._dtype = self._dtype or inputs.dtype.base_dtype.name
                self.build(as_shape([None, size]))
            prepare: Any = self._prepare  # type: ignore[attr-defined]
            ready, step = prepare(api.reshape(inputs, [-1, size]), size)
            width = ready.shape.as_list()[1]
            ready = api.reshape(ready, api.stack([*sizes, width]))
            ready.set_shape([steps, batch, width])

        def named_step(ready: Any, state: Any) -> tuple[Any, Any]:
            with name_scope(self._base_name):
                result: tuple[Any, Any] = step(ready, state)
                return result

        return ready, named_step

    def _input_depth(self, input_shape: Any) -> int:
        """The size of the inputs; ValueError where it is unknown."""
        shape = as_shape(input_shape)
        if shape.ndims is not None and shape.ndims != 2:
            raise ValueError(
                f"{type(self).__name__} takes inputs of shape [batch, size], got {shape}"
            )
        depth = None if shape.ndims is None else shape[1].value
        if depth is None:
            raise ValueError(
                f"Could not infer input size from inputs.get_shape()[-1]: {type(self).__name__} "
                f"needs it for its weights, the inputs have the shape {shape}"
            )
        return int(depth)

    def _add_bias(self, name: str, size: int, initializer: Any) -> Any:
        """A vector that no partitioner takes apart."""
        scope = self._scope
        assert scope is not None
        partitioner = scope.partitioner
        scope.set_partitioner(None)
        try:
            return self.add_variable(name, [size], initializer=initializer)
        finally:
            scope.set_partitioner(partitioner)


def _where(kind: type, name: str) -> type | None:
    """The class that defines a method."""
    return next((each for each in kind.__mro__ if name in vars(each)), None)
