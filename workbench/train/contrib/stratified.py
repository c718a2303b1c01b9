"""Batches in which classes have given shares: `tf.contrib.training.stratified_sample`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import float32, float64, int64
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.checks import (
    StaticAssertionError,
    assert_equal,
    assert_less,
    assert_non_negative,
    assert_positive,
)
from workbench.core.ops.control import with_dependencies
from workbench.core.ops.control_flow.cond import cond
from workbench.core.ops.printing import Assert, Print
from workbench.core.ops.random import random_uniform
from workbench.core.ops.state.variables import Variable
from workbench.core.ops.static_checks import assert_integer
from workbench.train.input.batch import batch, maybe_batch
from workbench.train.input.filling import tensors_in

#: How far from one the sum of probabilities may be.
_TOLERANCE = 1e-6
#: As many examples of each class count as seen before there was one: no share is zero.
_UNSEEN = 10


def stratified_sample(
    tensors: Sequence[Any],
    labels: Any,
    target_probs: Any,
    batch_size: Any,
    init_probs: Any = None,
    enqueue_many: bool = False,
    queue_capacity: int = 16,
    threads_per_queue: int = 1,
    name: str | None = None,
) -> tuple[list[Tensor], Tensor]:
    """Batches in which each class has a given share, on the average: other examples are left out.

    Of the class that is rarest, by what is wanted, all examples are kept. Where more than half of
    all are left out, what is kept of each class is written to standard error.

    Args:
      tensors: a list of the components of an example, or with `enqueue_many` of several along the
        first axis.
      labels: its class, an integer from 0 on, or with `enqueue_many` a vector of them.
      target_probs: the shares that the classes are to have: a vector of them that sums to one.
      batch_size: how many examples a batch has.
      init_probs: the shares that they have in the input; where left out, those of the examples that
        have come until now, in the variable `class_count`, which must be initialised.
      enqueue_many: whether `tensors` are several examples.
      queue_capacity, threads_per_queue: of the queue that parts the examples; as many threads fill
        the batches.

    Returns a list of the batches of all components, and the batch of their classes.

    Raises:
      ValueError: `tensors` is no list, components have other numbers of examples than there are
        labels, or the shares are none: of some classes only, negative, not one together, or wanted
        of a class that the input does not have. Where they are no constants, it is an
        InvalidArgumentError that ends the input, as for a label that is no class.

    >>> import workbench as tf
    >>> number = tf.train.range_input_producer(9, num_epochs=1, shuffle=False).dequeue()
    >>> (kept,), classes = tf.contrib.training.stratified_sample(
    ...     [number], number % 3, [0.0, 1.0, 0.0], 3, init_probs=[0.4, 0.2, 0.4]
    ... )
    >>> with tf.train.MonitoredSession() as session:
    ...     [found.tolist() for found in session.run([kept, classes])]
    [[1, 4, 7], [1, 1, 1]]
    """
    if not isinstance(tensors, (list, tuple)):
        raise ValueError(f"tensors must be a list of tensors, but got {tensors!r:.80}")
    with name_scope(name, "stratified_sample", [*tensors, labels]):
        parts = [convert_to_tensor(each) for each in tensors]
        classes = convert_to_tensor(labels)
        if not enqueue_many:
            parts = [api.expand_dims(each, 0) for each in parts]
            classes = api.expand_dims(classes, 0)
        target = _checked_shares(target_probs, "target_probs")
        count = target.shape.as_list()[0]
        parts, classes = _checked_examples(parts, classes, count)
        if init_probs is None:
            # Each example is counted once, on its way in, and not when it is looked at.
            classes, own = _estimated(classes, count)
        else:
            own = _matching(_checked_shares(init_probs, "init_probs"), target)
        chances = _told(_chances(own, target), own)
        rows = batch([*parts, classes], 1, threads_per_queue, queue_capacity, enqueue_many=True)
        *parts, which = (api.squeeze(each, [0]) for each in tensors_in(rows))
        keep = random_uniform([]) < api.gather(chances, which)
        kept = maybe_batch([*parts, which], keep, batch_size, num_threads=threads_per_queue)
        *batches, found = tensors_in(kept)
        return batches, found


# -- what is given -------------------------------------------------------------------------------


def _checked_shares(given: Any, what: str) -> Tensor:
    """A vector of shares; ValueError where its length is not known, or it is none."""
    shares = convert_to_tensor(given, dtype=float32, name=what)
    if not shares.shape.is_fully_defined() or shares.shape.ndims != 1:
        raise ValueError(
            f"{what} must be a vector with the share of each class, of a length that is known, but "
            f"has shape {shares.shape}"
        )
    known = constant_value(shares)
    if known is not None:
        total = float(np.sum(known, dtype=np.float64))
        if not (known >= 0).all() or not abs(total - 1) < _TOLERANCE:
            raise StaticAssertionError(
                None,
                None,
                f"{what} must be shares that sum to one, but got {known.tolist()}: their sum is "
                f"{total:g}",
            )
        return shares
    # In higher precision: of many classes the sum is as exact as that of few.
    off = api.abs(api.reduce_sum(api.cast(shares, float64)) - 1.0)
    is_one = Assert(off < _TOLERANCE, [f"{what} must sum to one, but is", shares], summarize=-1)
    checked: Tensor = with_dependencies([assert_non_negative(shares, message=what), is_one], shares)
    return checked


def _matching(own: Tensor, target: Tensor) -> Tensor:
    """The shares in the input, beside those that are wanted of it."""
    lengths = own.shape.as_list()[0], target.shape.as_list()[0]
    if lengths[0] != lengths[1]:
        raise ValueError(
            f"init_probs and target_probs must have as many classes, but got {lengths[0]} and "
            f"{lengths[1]}"
        )
    text = "target_probs wants a class that the input has not, by init_probs:"
    can_be = api.reduce_all(api.logical_or(api.not_equal(own, 0.0), api.equal(target, 0.0)))
    known = constant_value(own), constant_value(target)
    if known[0] is None or known[1] is None:
        checked: Tensor = with_dependencies(
            [Assert(can_be, [text, own, target], summarize=-1)], own
        )
        return checked
    missing = np.flatnonzero((known[0] == 0) & (known[1] > 0))
    if len(missing):
        raise StaticAssertionError(None, None, f"{text} class {missing[0]}")
    return own


def _checked_examples(
    parts: list[Tensor], classes: Tensor, count: int
) -> tuple[list[Tensor], Tensor]:
    """Several examples; ValueError where the components and labels are not of as many."""
    assert_integer(classes)
    classes.shape.assert_has_rank(1)
    rows = classes.shape
    for each in parts:
        rows = rows.merge_with(each.shape.with_rank_at_least(1)[:1])
    size = api.shape(classes)[0]
    has_some = assert_positive(size, message="There must be examples.")
    checked = []
    for each in parts:
        fits = assert_equal(
            api.shape(each)[0], size, message="There must be a label for each example."
        )
        checked.append(with_dependencies([has_some, fits], each))
    last = api.constant(count, dtype=classes.dtype)
    are_classes = [
        assert_non_negative(classes, message="Labels are numbers of classes."),
        assert_less(classes, last, message="Labels are numbers of classes."),
    ]
    return checked, with_dependencies([has_some, *are_classes], classes)


# -- what is kept --------------------------------------------------------------------------------


def _estimated(classes: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Labels, which are counted when they are taken; and the shares of all that were counted."""
    seen = Variable([_UNSEEN] * count, trainable=False, name="class_count", dtype=int64)
    new = api.reduce_sum(api.one_hot(classes, count, dtype=int64), 0)
    counted = with_dependencies([seen.assign_add(new)], classes)
    now = api.cast(seen, float32)
    return counted, now / api.reduce_sum(now)


def _chances(own: Tensor, target: Tensor) -> Tensor:
    """How many examples of each class are kept, in shares of those that come."""
    is_there = own > 0.0
    ratios = api.where(is_there, target / api.where(is_there, own, api.ones_like(own)),
                       api.zeros_like(own))  # fmt: skip
    chances: Tensor = ratios / api.reduce_max(ratios)
    return chances


def _told(chances: Tensor, own: Tensor) -> Tensor:
    """The same; where most examples are left out, it is told now and then."""
    left_out = api.reduce_sum((1.0 - chances) * own)

    def tell() -> Tensor:
        text = "Most examples are left out by stratified_sample; of each class is kept: "
        return Print(chances, [chances], message=text, first_n=10, summarize=-1)

    found: Tensor = cond(left_out < 0.5, lambda: api.identity(chances), tell)
    return found
