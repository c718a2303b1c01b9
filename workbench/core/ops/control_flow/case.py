"""The first of several functions whose predicate is true runs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import dtypes
from workbench.core.graph.context import control_dependencies, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.control_flow.cond import cond

Pair = tuple[Any, Callable[[], Any]]


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str | None = "case",
) -> Any:
    """What the function of the first true predicate gives, or `default()` where none is true.

    `pred_fn_pairs` is a list of pairs of a bool scalar and a function without arguments, or a dict
    (ordered by name unless it is an OrderedDict). With `exclusive` a run in which several are true
    is an error. Without `default` the last function is the default one, and a run in which no
    predicate is true is an error.

    Raises TypeError where the pairs are none, ValueError where what functions give does not fit.

    >>> import workbench as tf
    >>> x = tf.placeholder(tf.int32, [])
    >>> word = tf.case(
    ...     [(x < 0, lambda: tf.constant("negative")), (x > 0, lambda: tf.constant("positive"))],
    ...     default=lambda: tf.constant("zero"),
    ... )
    >>> word.eval({x: 3}), word.eval({x: 0})
    (b'positive', b'zero')
    """
    pairs = checked_pairs(pred_fn_pairs)
    if default is not None and not callable(default):
        raise TypeError("default must be callable.")
    with name_scope(name, "case", [p for p, _ in pairs]):
        predicates = [convert_to_tensor(p) for p, _ in pairs]
        functions = [f for _, f in pairs]
        checks: list[Any] = []
        if exclusive:
            checks.append(_at_most_one(predicates))
        if default is None:
            checks.append(_at_least_one(predicates))
            default = functions.pop()
            predicates.pop()
            if not functions:
                with control_dependencies(checks):
                    # The only function runs in any case.
                    return cond(
                        api.identity(convert_to_tensor(pairs[0][0])), default, default, strict
                    )
        with control_dependencies(checks):
            return _chain(predicates, functions, default, strict)


def _chain(
    predicates: Sequence[Tensor],
    functions: Sequence[Callable[[], Any]],
    default: Callable[[], Any],
    strict: bool,
) -> Any:
    rest = default
    if len(functions) > 1:

        def rest() -> Any:
            return _chain(predicates[1:], functions[1:], default, strict)

    return cond(predicates[0], functions[0], rest, strict, name="cond")


def checked_pairs(pred_fn_pairs: Any, allow_python_preds: bool = False) -> list[Pair]:
    """The pairs of a predicate and a function; TypeError where they are something else."""
    if isinstance(pred_fn_pairs, dict):
        items = list(pred_fn_pairs.items())
        if not isinstance(pred_fn_pairs, OrderedDict):
            items.sort(key=lambda item: getattr(item[0], "name", ""))
    elif isinstance(pred_fn_pairs, (list, tuple)):
        items = list(pred_fn_pairs)
    else:
        raise TypeError("pred_fn_pairs must be a list, tuple, or dict")
    if not items:
        raise ValueError("pred_fn_pairs must have at least one pair")
    for item in items:
        if not isinstance(item, tuple):
            raise TypeError("Each entry in pred_fn_pairs must be a tuple")
        if len(item) != 2:
            raise ValueError("Each tuple in pred_fn_pairs must be of length 2.")
        predicate, function = item
        if isinstance(predicate, (bool, np.bool_)):
            if not allow_python_preds:
                raise TypeError(f"pred must be a Tensor, got a Python bool: {predicate!r}")
        elif not hasattr(predicate, "dtype") or predicate.dtype.base_dtype is not dtypes.bool:
            raise TypeError(f"pred must be of type bool: {predicate!r}")
        if not callable(function):
            raise TypeError(f"fn for pred {predicate!r} must be callable.")
    return items


def _at_most_one(predicates: Sequence[Tensor]) -> Any:
    count = api.reduce_sum(api.cast(api.stack(predicates), dtypes.int32))
    names = ", ".join(p.name for p in predicates)
    return api.Assert(
        api.less_equal(count, 1),
        [
            f"Input error: exclusive=True: more than one condition ({names}) evaluated as True",
            *predicates,
        ],
    )


def _at_least_one(predicates: Sequence[Tensor]) -> Any:
    names = ", ".join(p.name for p in predicates)
    return api.Assert(
        api.reduce_any(api.stack(predicates)),
        [f"Input error: None of conditions evaluated as True: ({names})", *predicates],
    )
