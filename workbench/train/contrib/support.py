"""What the layers of `tf.contrib.layers` share; `slim.utils` to public code."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.core.graph import constants
from workbench.core.graph.context import add_to_collection, get_collection, get_default_graph
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.state.partitioned_variable import PartitionedVariable
from workbench.train.contrib.variables import model_variable

# -- outputs and their names ---------------------------------------------------------------------


def collect_named_outputs(collections: Any, alias: str, outputs: Any) -> Any:
    """Adds a layer's output to collections, under the name of its scope; gives the output."""
    if collections:
        append_tensor_alias(outputs, alias)
        for key in [collections] if isinstance(collections, str) else collections:
            add_to_collection(key, outputs)
    return outputs


def append_tensor_alias(tensor: Any, alias: str) -> Any:
    """Gives a tensor a further name; returns the tensor."""
    if not hasattr(tensor, "aliases"):
        tensor.aliases = []
    tensor.aliases.append(alias.removesuffix("/"))
    return tensor


def get_tensor_aliases(tensor: Any) -> list[str]:
    """The names that a tensor was given, or else its own."""
    if hasattr(tensor, "aliases"):
        return list(tensor.aliases)
    return [str(tensor.name).removesuffix(":0")]


def gather_tensors_aliases(tensors: Sequence[Any]) -> list[str]:
    """The names of all the tensors."""
    return [alias for tensor in tensors for alias in get_tensor_aliases(tensor)]


def convert_collection_to_dict(
    collection: Any, clear_collection: bool = False
) -> OrderedDict[str, Any]:
    """The tensors of a collection by their names, in order; slim's networks give their end points.

    >>> import workbench as tf
    >>> y = tf.contrib.layers.flatten(tf.ones([2, 3]), outputs_collections="ends", scope="flat")
    >>> list(convert_collection_to_dict("ends"))
    ['flat']
    """
    found = OrderedDict(
        (alias, tensor)
        for tensor in get_collection(collection)
        for alias in get_tensor_aliases(tensor)
    )
    if clear_collection:
        get_default_graph().clear_collection(collection)
    return found


# -- variables -----------------------------------------------------------------------------------


def get_variable_collections(variables_collections: Any, name: str) -> Any:
    """The collections of a variable: one list for all, or a dict by what a variable is for."""
    if isinstance(variables_collections, Mapping):
        return variables_collections.get(name)
    return variables_collections


def add_variable_to_collections(variable: Any, collections: Any, name: str) -> None:
    """Adds a variable, or the parts of one, to its collections."""
    parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
    for key in get_variable_collections(collections, name) or ():
        members = get_collection(key)
        for part in parts:
            if not any(part is member for member in members):
                add_to_collection(key, part)


def model_variable_getter(renamed: Mapping[str, str]) -> Callable[..., Any]:
    """Makes the variables of `tf.layers` those of a model, with contrib's names for them."""

    def getter(
        getter: Callable[..., Any],
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        use_resource: Any = None,
        **others: Any,
    ) -> Any:
        scope, slash, last = name.rpartition("/")
        return model_variable(
            f"{scope}{slash}{renamed.get(last, last)}",
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            regularizer=regularizer,
            collections=collections,
            trainable=trainable,
            caching_device=caching_device,
            partitioner=partitioner,
            custom_getter=getter,
            use_resource=use_resource,
        )

    return getter


def format_of_layers(data_format: str | None) -> str:
    """What `tf.layers` calls an order of axes."""
    return "channels_first" if data_format and data_format.startswith("NC") else "channels_last"


def check_data_format(data_format: Any, allowed: Sequence[str] = ("NCHW", "NHWC")) -> None:
    """Raises ValueError for an order of axes that is not one of these."""
    if data_format not in allowed:
        raise ValueError(f"data_format has to be either {' or '.join(allowed)}.")


# -- numbers and shapes --------------------------------------------------------------------------


def _dimension(shape: TensorShape, index: int, min_rank: int) -> int:
    if shape.ndims is None:
        raise ValueError("dims of shape must be known but is None")
    if shape.ndims < min_rank:
        raise ValueError(f"rank of shape must be at least {min_rank} not: {shape.ndims}")
    size = shape.as_list()[index]
    if size is None:
        raise ValueError(f"dimension {index} of shape must be known but is None: {shape}")
    return int(size)


def channel_dimension(shape: TensorShape, data_format: str, min_rank: int = 1) -> int:
    """The number of channels; ValueError where it is not known."""
    return _dimension(shape, 1 if data_format == "channels_first" else -1, min_rank)


def last_dimension(shape: TensorShape, min_rank: int = 1) -> int:
    """The size of the last axis; ValueError where it is not known."""
    return _dimension(shape, -1, min_rank)


def first_dimension(shape: TensorShape, min_rank: int = 1) -> int:
    """The size of the first axis; ValueError where it is not known."""
    return _dimension(shape, 0, min_rank)


def two_element_tuple(int_or_tuple: Any) -> tuple[int, int]:
    """Two numbers, given them or one that stands for both.

    >>> two_element_tuple(3), two_element_tuple([1, 2])
    ((3, 3), (1, 2))
    """
    if isinstance(int_or_tuple, int):
        return int_or_tuple, int_or_tuple
    if isinstance(int_or_tuple, (list, tuple, TensorShape)) and len(int_or_tuple) == 2:
        return int(int_or_tuple[0]), int(int_or_tuple[1])
    if isinstance(int_or_tuple, (list, tuple)):
        raise ValueError(f"Must be a list with 2 elements: {int_or_tuple}")
    raise ValueError("Must be an int, a list with 2 elements or a TensorShape of length 2")


def n_positive_integers(n: int, value: Any) -> tuple[int, ...]:
    """`n` numbers above 0, given them or one that stands for all.

    >>> n_positive_integers(3, 2)
    (2, 2, 2)
    """
    if int(n) != n or n < 1:
        raise ValueError("n must be a positive integer")
    try:
        values = tuple(int(each) for each in value) if hasattr(value, "__len__") else None
        values = (int(value),) * int(n) if values is None else values
    except (TypeError, ValueError):
        values = ()
    if len(values) != n:
        raise ValueError(f"Expected sequence of {n} positive integers, but received {value!r}")
    for each in values:
        if each < 1:
            raise ValueError(f"expected positive integer, but received {each}")
    return values


def constant_value(value_or_tensor_or_var: Any, dtype: Any = None) -> Any:
    """What a value is where that is known while the graph is built, else None."""
    value = value_or_tensor_or_var
    if value is None:
        raise ValueError("value_or_tensor_or_var cannot be None")
    if not hasattr(value, "get_shape"):
        return value
    if dtype is not None and value.dtype != dtype:
        raise ValueError(f"It has the wrong type {value.dtype} instead of {dtype}")
    is_variable = not isinstance(value, Tensor) or hasattr(value, "initializer")
    return None if is_variable else constants.constant_value(value)


def static_cond(pred: Any, fn1: Callable[[], Any], fn2: Callable[[], Any]) -> Any:
    """What one of two functions gives, chosen while the graph is built."""
    for name, function in (("fn1", fn1), ("fn2", fn2)):
        if not callable(function):
            raise TypeError(f"{name} must be callable.")
    return fn1() if pred else fn2()


def smart_cond(
    pred: Any, fn1: Callable[[], Any], fn2: Callable[[], Any], name: str | None = None
) -> Any:
    """What one of two functions gives, chosen while the graph is built where that is possible."""
    known = constant_value(pred)
    if known is not None:
        return static_cond(known, fn1, fn2)
    return api.cond(pred, fn1, fn2, name=name)
