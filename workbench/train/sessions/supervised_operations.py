"""The operations that a supervisor works with: given, found in collections, or made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.core.graph.graph import Graph
from workbench.core.graph.keys import GraphKeys
from workbench.core.ops.state.variable_collections import (
    global_variables,
    global_variables_initializer,
    report_uninitialized_variables,
)
from workbench.core.ops.summary import merge_all
from workbench.core.platform import logging
from workbench.train.meta_graph_export import create_meta_graph_def
from workbench.train.saver import Saver
from workbench.train.sessions.scaffold import default_local_init_op
from workbench.train.sessions.training_operations import TrainingOperations

#: Stands for an argument that was not given, where None has a meaning of its own.
USE_DEFAULT = 0


class SupervisedOperations(TrainingOperations):
    """What initialises, checks, saves, summarizes and counts the training of a graph.

    None means that there is to be none.
    """

    USE_DEFAULT = USE_DEFAULT

    def __init__(
        self,
        graph: Graph | None,
        ready_op: Any,
        ready_for_local_init_op: Any,
        init_op: Any,
        init_feed_dict: Any,
        local_init_op: Any,
        summary_op: Any,
        saver: Any,
        global_step: Any,
    ) -> None:
        self._graph = get_default_graph() if graph is None else graph
        self._init_feed_dict = init_feed_dict
        with self._graph.as_default():
            choose = self._choose
            self._ready_op = choose(ready_op, GraphKeys.READY_OP, report_uninitialized_variables)
            self._ready_for_local_init_op = choose(
                ready_for_local_init_op, GraphKeys.READY_FOR_LOCAL_INIT_OP, lambda: None
            )
            self._init_op = choose(init_op, GraphKeys.INIT_OP, global_variables_initializer)
            self._local_init_op = choose(
                local_init_op, GraphKeys.LOCAL_INIT_OP, default_local_init_op
            )
            self._saver = choose(saver, GraphKeys.SAVERS, _saver_of_variables)
            self._summary_op = choose(summary_op, GraphKeys.SUMMARY_OP, merge_all)
            self._global_step = choose(
                global_step, GraphKeys.GLOBAL_STEP, self._default_global_step_tensor
            )
            self._meta_graph_def = create_meta_graph_def(
                graph_def=self._graph.as_graph_def(add_shapes=True),
                saver_def=self._saver.saver_def if self._saver else None,
            )

    def _choose(self, given: Any, key: str, make: Callable[[], Any]) -> Any:
        """What was given, or the first of the graph's collection, or what is made now."""
        if given is not self.USE_DEFAULT:
            return given
        found = self._graph.get_collection(key)
        if len(found) > 1:
            logging.info("Found %d %s operations. Returning the first one.", len(found), key)
        if found:
            return found[0]
        made = make()
        if made is not None:
            self._graph.add_to_collection(key, made)
        return made

    def _default_global_step_tensor(self) -> Any:
        try:
            step = self._graph.get_tensor_by_name("global_step:0")
        except KeyError:
            return None
        if step.dtype.base_dtype.is_integer:
            return step
        logging.warning("Found 'global_step' is not an int type: %s", step.dtype)
        return None

    @property
    def global_step(self) -> Any:
        """The number of the step."""
        return self._global_step


def _saver_of_variables() -> Saver | None:
    return Saver() if global_variables() else None
