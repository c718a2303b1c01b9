"""What starts, checks and saves a training, beside its own operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.context import add_to_collection, get_collection, get_default_graph
from workbench.core.graph.keys import GraphKeys
from workbench.core.ops.control import group
from workbench.core.ops.lookup import tables_initializer
from workbench.core.ops.state.variable_collections import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
)
from workbench.core.ops.summary import merge_all
from workbench.train.saver import Saver
from workbench.train.sessions.training_operations import TrainingOperations


class Scaffold(TrainingOperations):
    """The operations that start, check and save a training; what is not given is made.

    `finalize` makes them and takes each from the graph's collection of that name (`init_op`,
    `ready_op` and so on) where it has one; after it the graph can not be changed.

    Args:
      init_op: initialises the variables.
      init_feed_dict: what to feed to `init_op`.
      init_fn: called with the scaffold and the session after `init_op`.
      ready_op: gives the names of what is not initialised yet, an empty array where all is.
      ready_for_local_init_op: the same, of what `local_init_op` needs.
      local_init_op: initialises what each process has of its own, tables among it.
      summary_op: gives the summary.
      saver: saves and restores the variables.
      copy_from_scaffold: where to take what is not given.

    Raises:
      TypeError: `copy_from_scaffold` is no scaffold.

    >>> import workbench as tf
    >>> v = tf.Variable(1.0)
    >>> scaffold = tf.train.Scaffold(init_fn=lambda scaffold, session: v.load(2.0, session))
    >>> with tf.train.MonitoredTrainingSession(scaffold=scaffold) as session:
    ...     session.run(v)
    np.float32(2.0)
    """

    def __init__(
        self,
        init_op: Any = None,
        init_feed_dict: Any = None,
        init_fn: Callable[..., None] | None = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        local_init_op: Any = None,
        summary_op: Any = None,
        saver: Any = None,
        copy_from_scaffold: Scaffold | None = None,
    ) -> None:
        other = copy_from_scaffold
        if other is not None and not isinstance(other, Scaffold):
            raise TypeError("copy_from_scaffold is not a Scaffold instance.")

        def given(value: Any, name: str) -> Any:
            return getattr(other, name) if value is None and other is not None else value

        self._init_op = given(init_op, "_init_op")
        self._init_feed_dict = given(init_feed_dict, "_init_feed_dict")
        self._user_init_fn = given(init_fn, "_user_init_fn")
        self._ready_op = given(ready_op, "_ready_op")
        self._ready_for_local_init_op = given(ready_for_local_init_op, "_ready_for_local_init_op")
        self._local_init_op = given(local_init_op, "_local_init_op")
        self._summary_op = given(summary_op, "_summary_op")
        self._saver = given(saver, "_saver")

    def finalize(self) -> Scaffold:
        """Makes what was not given, and closes the default graph."""
        choose = self.get_or_default
        if self._init_op is None:
            self._init_op = choose("init_op", GraphKeys.INIT_OP, global_variables_initializer)
        if self._ready_op is None:
            self._ready_op = choose("ready_op", GraphKeys.READY_OP, report_uninitialized_variables)
        if self._ready_for_local_init_op is None:
            self._ready_for_local_init_op = choose(
                "ready_for_local_init_op",
                GraphKeys.READY_FOR_LOCAL_INIT_OP,
                lambda: report_uninitialized_variables(global_variables()),
            )
        if self._local_init_op is None:
            self._local_init_op = choose(
                "local_init_op", GraphKeys.LOCAL_INIT_OP, default_local_init_op
            )
        if self._summary_op is None:
            self._summary_op = choose("summary_op", GraphKeys.SUMMARY_OP, merge_all)
        if self._saver is None:
            self._saver = saver_or_default()
        self._saver.build()
        get_default_graph().finalize()
        return self

    @property
    def init_fn(self) -> Callable[[Any], None] | None:
        """The function that was given, of the session alone."""
        user = self._user_init_fn
        return None if user is None else lambda session: user(self, session)

    @property
    def local_init_op(self) -> Any:
        """What initialises what each process has of its own."""
        return self._local_init_op

    @staticmethod
    def get_or_default(
        arg_name: str, collection_key: str, default_constructor: Callable[[], Any]
    ) -> Any:
        """The one member of a collection of the default graph, made where it has none.

        Raises:
          RuntimeError: it has several.
        """
        found = get_collection(collection_key)
        if len(found) > 1:
            raise RuntimeError(
                f'More than one item in the collection "{collection_key}". Please indicate which '
                f"one to use by passing it to the tf.train.Scaffold constructor as: "
                f"tf.train.Scaffold({arg_name}=item to use)"
            )
        if found:
            return found[0]
        made = default_constructor()
        if made is not None:
            add_to_collection(collection_key, made)
        return made


def saver_or_default() -> Any:
    """The graph's saver, made where it has none."""
    return Scaffold.get_or_default(
        "saver", GraphKeys.SAVERS, lambda: Saver(sharded=True, allow_empty=True)
    )


def default_local_init_op() -> Any:
    """Initialises local variables and tables."""
    return group(local_variables_initializer(), tables_initializer())
