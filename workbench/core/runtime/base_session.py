"""What all sessions do: run parts of a graph, and hold the values of its variables."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.reach import needed_operations
from workbench.core.platform.processors import processors
from workbench.core.runtime import failures
from workbench.core.runtime.cache import ProgramCache, RunSignature
from workbench.core.runtime.default_session import DefaultSession
from workbench.core.runtime.fetches import FetchPlan
from workbench.core.runtime.fronts import Fronts
from workbench.core.runtime.inspection import SessionInspection
from workbench.core.runtime.partial import PartialRun
from workbench.core.runtime.placement_log import PlacementLog
from workbench.core.runtime.signatures import Signatures
from workbench.core.runtime.state import SessionState, VariableState
from workbench.core.runtime.targets import ProgramElsewhere, open_target, seconds_of
from workbench.core.runtime.tier import chosen_tier
from workbench.core.sync.scope import deadline

#: The sessions of this process that are not closed, for `Session.reset`.
open_sessions: weakref.WeakSet[BaseSession] = weakref.WeakSet()


class BaseSession(SessionInspection):
    """What `Session` and `InteractiveSession` share."""

    #: True where variables without a value initialise themselves when they are read.
    _initialises = False
    #: True where it may stop being the default one while another is.
    _leaves_freely = False
    #: Whether what is pinned to a device that this process has not is refused, as in TensorFlow.
    _heeds_devices = False

    def __init__(
        self,
        target: str = "",
        graph: Graph | None = None,
        config: Any = None,
        *,
        check_numerics: bool = False,
        tier: str | None = None,
        deterministic: bool = False,
        placer: str | None = None,
    ) -> None:
        if not isinstance(target, (str, bytes)):
            raise TypeError(f"target must be a string, but got {target!r}")
        if graph is not None and not isinstance(graph, Graph):
            raise TypeError(f"graph must be a tf.Graph, but got {graph!r}")
        if config is not None and not hasattr(config, "graph_options"):
            raise TypeError(f"config must be a tf.ConfigProto, but got {config!r}")
        if placer is not None:
            from workbench.core.plan.placement.graph_placer import with_placer

            config = with_placer(config, placer)
        self._graph = graph if graph is not None else get_default_graph()
        self._target = target.decode() if isinstance(target, bytes) else target
        #: Where the steps run; None for here.
        self._elsewhere = open_target(self._target, self._graph, config) if target else None
        if self._elsewhere is not None:
            config = self._elsewhere.config
        self._config = config
        logs = config is not None and config.log_device_placement
        self._placement_log = PlacementLog() if logs else None
        self._closed = False
        #: How long a run may wait, in seconds; None for as long as it likes.
        self._run_seconds = seconds_of(config)
        self.check_numerics = check_numerics
        self.state = SessionState()
        self._programs = ProgramCache(
            self, chosen_tier(tier, deterministic, config), _thread_count(config)
        )
        self._signatures = Signatures(self._graph, self._new_signature)
        self._fronts = Fronts()
        #: The C function that is asked first.
        self._front: Any = None
        #: How much the graph had grown and changed when nobody built it any more.
        self._known_news = -1
        open_sessions.add(self)

    @property
    def graph(self) -> Graph:
        """The graph the session runs."""
        return self._graph

    @property
    def graph_def(self) -> Any:
        """The graph as a GraphDef protocol buffer."""
        shapes = self._config is not None and self._config.graph_options.infer_shapes
        return self._graph.as_graph_def(add_shapes=shapes)

    @property
    def sess_str(self) -> str:
        """The target it was opened with."""
        return self._target

    def close(self) -> None:
        """Frees the values of the variables and everything else the session holds.

        Runs of other threads that wait, for a queue say, end with CancelledError.
        """
        self._closed = True
        open_sessions.discard(self)
        self._front = None
        self._fronts.clear()
        self._signatures.clear()
        self._programs.clear()
        if self._elsewhere is not None:
            self._elsewhere.close()
        self.state.close()

    def as_default(self) -> Any:
        """A scope in which this is the default session; it stays open afterwards."""
        return DefaultSession(self)

    # -- running -----------------------------------------------------------------------------

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """Runs what `fetches` need and returns their values in the structure of `fetches`.

        `fetches` is a tensor, operation, variable or name, or a nested list, tuple or dict of
        them; operations give None. `feed_dict` maps tensors to the values to use instead of
        computing them. `options` and `run_metadata` ask for a trace, as in TensorFlow;
        `options.timeout_in_ms` has a run that waits for a queue for so long end with
        DeadlineExceededError.

        >>> import workbench as tf
        >>> x = tf.placeholder(tf.float32, [2])
        >>> with tf.Session() as session:
        ...     session.run({"double": x * 2}, {x: [1, 2]})["double"].tolist()
        [2.0, 4.0]
        """
        if (
            self._front is not None
            and options is None
            and run_metadata is None
            and self._known_news == self._graph._news
        ):
            results = self._front(fetches, feed_dict)
            if results is not NotImplemented and results is not Ellipsis:
                return results
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        if self._known_news != self._graph._news:
            self._take_note()
        signature = self._signatures.find(fetches, feed_dict)
        if options is not None or run_metadata is not None:
            return self._traced_run(signature, feed_dict, options, run_metadata)
        return self._run(signature, feed_dict)

    def _run(self, signature: RunSignature, feed_dict: Any) -> Any:
        if self._run_seconds is not None:
            with deadline(self._run_seconds):
                return self._execute(signature, feed_dict)
        return self._execute(signature, feed_dict)

    def _execute(self, signature: RunSignature, feed_dict: Any) -> Any:
        program, values = signature.prepare(feed_dict)
        try:
            with np.errstate(all="ignore"):
                results = program.run(*values)
        except Exception as error:
            failure = failures.program_error(program, error)
            if failure is None:
                raise
        else:
            return signature.results(results)
        # Raised here, and alone: whoever keeps it keeps none of what the step held.
        failure.__context__ = None
        raise failure from None

    def _take_note(self) -> None:
        """Lets other threads build the graph first; then C functions may run what they know."""
        news = self._graph._news
        if not self._graph.right_of_way.give_way():
            return
        self._fronts.check(self._graph._changes)
        self._front = self._fronts.call
        self._known_news = news

    def _recognise(self, entry: Any, fetches: Any, keys: list[Any]) -> None:
        """Has a C function do the calls of `run` with these fetches and feeds from now on."""
        if not self._closed:
            self._fronts.add(entry, fetches, keys, self._graph._changes)
            self._front = self._fronts.call

    def _new_signature(
        self, plan: FetchPlan, fed: list[Tensor], memory: Mapping[Tensor, Any] | None = None
    ) -> RunSignature:
        signature = RunSignature(self, plan, fed, self.check_numerics, memory)
        if self._elsewhere is not None:
            run = self._elsewhere.program(plan.tensors, plan.targets, fed)
            signature.serve_with(ProgramElsewhere(run))
        elif self._heeds_devices:
            self._check_devices(plan, fed)
        if self._placement_log is not None:
            self._placement_log.note(self._devices(plan, fed))
        return signature

    def _check_devices(self, plan: FetchPlan, fed: list[Tensor]) -> None:
        from workbench.core.plan.placement.here import check_devices, may_pin

        if not may_pin(self._graph):
            return
        order = needed_operations(plan.tensors, plan.targets, fed)
        soft = self._config is not None and self._config.allow_soft_placement
        check_devices(order, [device.name for device in self.list_devices()], soft)

    def _devices(self, plan: FetchPlan, fed: list[Tensor]) -> Mapping[Operation, str]:
        order = needed_operations(plan.tensors, plan.targets, fed)
        if self._elsewhere is not None:
            return self._elsewhere.devices(order, plan.tensors, fed)
        from workbench.core.plan.placement.here import devices_here

        return devices_here(order, [device.name for device in self.list_devices()])

    def make_callable(
        self,
        fetches: Any,
        feed_list: Sequence[Any] | None = None,
        accept_options: bool = False,
        *,
        memory: Mapping[Tensor, Any] | None = None,
    ) -> Callable[..., Any]:
        """A function that runs `fetches` with the values of `feed_list` as its arguments.

        It is the fastest way to run the same step again and again. `memory` has arrays for values
        of fetched tensors: where the whole step is compiled it writes them there, and these arrays
        are its results each time. Other steps give new arrays all the same.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        elements = [self._graph.as_graph_element(t, allow_operation=False) for t in feed_list or ()]
        signature = self._new_signature(FetchPlan(self._graph, fetches), elements, memory)

        def call(*values: Any, options: Any = None, run_metadata: Any = None) -> Any:
            if self._closed:
                raise RuntimeError("Attempted to use a closed Session.")
            if self._known_news != self._graph._news:
                self._take_note()
            if signature.fast is not None and options is None and run_metadata is None:
                results = signature.fast(*values)
                if results is not NotImplemented and results is not Ellipsis:
                    return results
            if len(values) != len(elements):
                raise TypeError(f"Expected {len(elements)} values, got {len(values)}")
            feed_dict = dict(zip(elements, values, strict=True))
            if options is not None or run_metadata is not None:
                return self._traced_run(signature, feed_dict, options, run_metadata)
            return self._run(signature, feed_dict)

        return call

    def use_costs(self, *costs: Any) -> None:
        """Has the steps of a session with `placer="cost"` placed anew, with other costs.

        `costs` is a `CostModel`, or the `RunMetadata` of traced runs, whose measured times are
        taken in place of estimates. Variables and queues stay where they are, and so do the steps
        of callables that are made already. ValueError where the session does not place by cost.

            options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
            session.run(train_op, feeds, options, metadata)
            session.use_costs(metadata)
        """
        if self._elsewhere is None:
            raise ValueError("Only sessions on a cluster place operations: this one has no target")
        self._elsewhere.use_costs(costs)
        self._signatures.clear()
        self._fronts.clear()
        self._front = None

    def partial_run_setup(self, fetches: Any, feeds: Any = None) -> Any:
        """A handle for a run in parts, in which every operation runs at most once."""
        return PartialRun(self, fetches, feeds or [])

    def partial_run(self, handle: Any, fetches: Any, feed_dict: Any = None) -> Any:
        """Goes on with a run in parts: feeds more, fetches more."""
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        if not isinstance(handle, PartialRun):
            raise InvalidArgumentError(
                None, None, f"Must run 'partial_run_setup' before 'partial_run': got {handle!r}."
            )
        return handle.run(fetches, feed_dict)

    def _traced_run(
        self, signature: RunSignature, feed_dict: Any, options: Any, run_metadata: Any
    ) -> Any:
        from workbench.core.runtime.tracing import traced_run

        milliseconds = getattr(options, "timeout_in_ms", 0)
        with deadline(milliseconds / 1000 if milliseconds > 0 else None):
            return traced_run(self, signature, feed_dict, options, run_metadata)

    # -- variables ---------------------------------------------------------------------------

    def initialise_on_first_use(self, operation: Operation, state: VariableState) -> None:
        """Called when a variable without a value is read: raises, or gives it one."""
        if not self._initialises:
            raise failures.uninitialised_error(operation)
        initializer = self._graph.variable_initializers.get(operation)
        if initializer is None:
            raise failures.uninitialised_error(operation)
        self.run(initializer)

    # -- context -----------------------------------------------------------------------------

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, *error: Any) -> None:
        raise NotImplementedError


def _thread_count(config: Any) -> int:
    """How many threads a step may use: as many as there are processors, or as a config says."""
    wanted = config.intra_op_parallelism_threads if config is not None else 0
    return wanted if wanted > 0 else processors()
