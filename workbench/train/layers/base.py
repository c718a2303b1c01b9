"""The base of all layers."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from workbench.core.graph.body_graph import init_scope
from workbench.core.graph.context import get_default_graph, graph_of, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.graph import Graph
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import TensorLike
from workbench.core.ops.state.partitioned_variable import PartitionedVariable
from workbench.core.ops.state.scopes import VariableScope
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.layers.belongings import Belongings, add_to_collection
from workbench.train.layers.connections import Connections
from workbench.train.layers.inputs import check_inputs, flatten
from workbench.train.layers.naming import snake_case, unique_layer_name

#: Keywords besides the named ones; those without an underscore describe an input beforehand.
_KEYWORDS = {"_scope", "_reuse", "_base_name", "input_shape", "batch_input_shape", "batch_size"}


class Layer(Belongings, Connections):
    """A part of a network that makes its variables when it is first called and then keeps them.

    Subclasses define `call(inputs)`, and `build(input_shape)`, which makes the variables with
    `add_variable`. Names are those of TensorFlow: the variables of the first layer of class `Dense`
    in a variable scope are called "dense/kernel" and "dense/bias", of the next one "dense_1/...".

    >>> import workbench as tf
    >>> class Scale(tf.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_variable("factor", [input_shape[-1]])
    ...         super().build(input_shape)
    ...
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> scale = Scale()
    >>> y = scale(tf.placeholder(tf.float32, [None, 3]))
    >>> [v.name for v in scale.variables]
    ['scale/factor:0']
    """

    def __init__(
        self,
        trainable: bool = True,
        name: Any = None,
        dtype: Any = None,
        activity_regularizer: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        for keyword in kwargs:
            if keyword not in _KEYWORDS:
                raise TypeError(f"Keyword argument not understood: {keyword!r}")
        Belongings.__init__(self, trainable)
        Connections.__init__(self)
        #: An `InputSpec` or a list of them: what the layer asks of its inputs.
        self.input_spec: Any = None
        self._dtype = None if dtype is None else as_dtype(dtype).base_dtype.name
        self._activity_regularizer = activity_regularizer
        self._reuse = kwargs.get("_reuse")
        self._graph: Graph = get_default_graph()
        if not name:
            self._base_name = kwargs.get("_base_name") or snake_case(type(self).__name__)
            self._name = unique_layer_name(self._base_name)
        else:
            self._base_name = name.name if isinstance(name, VariableScope) else name
            self._name = self._base_name
        self._scope: VariableScope | None = None
        if kwargs.get("_scope"):
            with variable_scope(kwargs["_scope"]) as scope:
                self._scope = scope

    # -- what it is --------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name of the layer; its variables are named after `scope_name`."""
        return self._name

    @property
    def dtype(self) -> str | None:
        """The name of its dtype, which it takes from its first input where none was given."""
        return self._dtype

    @property
    def graph(self) -> Graph:
        """The graph it belongs to."""
        return self._graph

    @property
    def scope_name(self) -> str:
        """The name of its variable scope; ValueError before the first call."""
        if self._scope is None:
            raise ValueError(
                f'No name available for layer scope because the layer "{self._name}" has not been '
                "used yet. The scope name is determined the first time the layer instance is "
                "called. You must therefore call the layer before querying `scope_name`."
            )
        return self._scope.name

    @property
    def activity_regularizer(self) -> Callable[[Any], Any] | None:
        """A function that gives a loss for the output."""
        return self._activity_regularizer

    # -- its variables -----------------------------------------------------------------------

    def add_variable(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Callable[[Any], Any] | None = None,
        trainable: bool = True,
        constraint: Callable[[Any], Any] | None = None,
        partitioner: Callable[..., Any] | None = None,
    ) -> Any:
        """Makes a variable of the layer, or gets the shared one where the scope reuses variables.

        It goes through `tf.get_variable`, so the defaults of the variable scope apply.
        """
        chosen = as_dtype(dtype if dtype is not None else self._dtype or "float32").base_dtype
        before = get_default_graph().version
        with self._in_scope(None, self.built or self._reuse):
            variable = get_variable(
                name,
                shape=shape,
                dtype=chosen,
                initializer=initializer,
                trainable=trainable and self.trainable,
                constraint=constraint,
                partitioner=partitioner,
            )
            parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
            if all(part.op._id <= before for part in parts):
                # Made elsewhere and only shared: it is not the layer's own.
                return variable
            if regularizer is not None:
                for part in parts:
                    self._regularize(name, part, regularizer)
        if self.trainable and not _is_trained(parts[0]):
            # A custom getter has decided so.
            trainable = False
        kept = self._trainable_weights if trainable else self._non_trainable_weights
        kept.extend(parts)
        return variable

    def add_weight(self, *args: Any, **kwargs: Any) -> Any:
        """The same as `add_variable`."""
        return self.add_variable(*args, **kwargs)

    def _regularize(self, name: str, variable: Any, regularizer: Callable[[Any], Any]) -> None:
        # A loss belongs to the graph, not to the body of a loop that the layer is called in.
        with (
            init_scope(get_default_graph()) as graph,
            graph.colocate_with(variable.op),
            name_scope(f"{name}/Regularizer"),
        ):
            loss = regularizer(variable)
        if loss is not None:
            self.add_loss(loss)

    # -- calling it --------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Makes the variables for inputs of this shape; called before the first `call`."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes; a layer that does not say it gives its inputs on."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the output for inputs of this shape."""
        raise NotImplementedError(f"{type(self).__name__} does not say its output shape")

    def _compute_output_shape(self, input_shape: Any) -> TensorShape:
        return self.compute_output_shape(input_shape)

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The same as calling the layer."""
        return self(inputs, *args, **kwargs)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Makes the variables where that is not done yet, and the layer's operations.

        The keyword `scope` names the variable scope to use, where it is not fixed already.
        """
        scope = kwargs.pop("scope", None)
        inputs = _as_tensors(inputs)
        tensors = flatten(inputs)
        try:
            graph = graph_of(tensors, self._graph)
        except ValueError as error:
            raise ValueError(f"Input graph and Layer graph are not the same: {error}") from None
        # In the body of a loop or a conditional it is that body which grows.
        with graph.as_default():
            outputs = self._call_in_scope(scope, inputs, tensors, args, kwargs)
            add_to_collection(self._updates, GraphKeys.UPDATE_OPS)
            self._connect(inputs, outputs, kwargs)
        self.built = True
        return outputs

    def _call_in_scope(
        self, given_scope: Any, inputs: Any, tensors: list[Any], args: Any, kwargs: Any
    ) -> Any:
        reuse = True if self.built else self._reuse
        with self._in_scope(given_scope, reuse) as scope:
            if not self.built:
                check_inputs(self.name, self.input_spec, inputs)
                if self._dtype is None and tensors:
                    self._dtype = tensors[0].dtype.base_dtype.name
                shapes = [tensor.get_shape() for tensor in tensors]
                self.build(shapes[0] if len(shapes) == 1 else shapes)
            kind: Any = type(self)
            if _takes_scope(kind):
                kwargs["scope"] = scope
            # What `build` has learnt, such as the number of channels, holds for this input too.
            check_inputs(self.name, self.input_spec, inputs)
            outputs = self.call(inputs, *args, **kwargs)
            if outputs is None:
                raise ValueError(
                    "A layer's `call` method should return a Tensor or a list of Tensors, not None."
                )
            if self._activity_regularizer is not None:
                for output in flatten(outputs):
                    with name_scope("ActivityRegularizer"):
                        loss = self._activity_regularizer(output)
                    self.add_loss(loss, inputs=inputs)
        return outputs

    @contextmanager
    def _in_scope(self, given: Any, reuse: Any) -> Iterator[VariableScope]:
        """The layer's variable scope, in the name scope that was opened with it first."""
        if self._scope is None:
            if self._reuse:
                chosen = variable_scope(self._base_name if given is None else given)
            else:
                chosen = variable_scope(given, default_name=self._base_name)
            with chosen as made:
                self._scope = made
        with (
            variable_scope(self._scope, reuse=reuse, auxiliary_name_scope=False) as scope,
            name_scope(scope.original_name_scope),
        ):
            yield scope

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A copy that shares the graph and what belongs to it: tensors and variables."""
        result = type(self).__new__(type(self))
        memo[id(self)] = result
        for key, value in self.__dict__.items():
            if key == "_scope":
                copied = copy.copy(value)
            elif key in ("_graph", "_inbound_nodes") or _belongs_to_graph(value):
                copied = copy.copy(value) if isinstance(value, (list, dict)) else value
            else:
                copied = copy.deepcopy(value, memo)
            setattr(result, key, copied)
        return result


@lru_cache(maxsize=256)
def _takes_scope(layer: Any) -> bool:
    return "scope" in inspect.signature(layer.call).parameters


def _is_trained(variable: Any) -> bool:
    trained = get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES)
    return any(variable is each for each in trained)


def _belongs_to_graph(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_belongs_to_graph(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(_belongs_to_graph(item) for item in value)
    return isinstance(value, (TensorLike, PartitionedVariable, Operation))


def _as_tensors(values: Any) -> Any:
    """Arrays and numbers among the inputs as tensors; the rest as it is."""
    if isinstance(values, dict):
        return {key: _as_tensors(value) for key, value in values.items()}
    if isinstance(values, (list, tuple)) and any(hasattr(v, "get_shape") for v in flatten(values)):
        items = [_as_tensors(value) for value in values]
        return type(values)(*items) if hasattr(values, "_fields") else type(values)(items)
    return values if hasattr(values, "get_shape") else convert_to_tensor(values)
