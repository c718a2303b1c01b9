"""What all sessions do: run parts of a graph, and hold the values of its variables."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.platform.processors import processors
from workbench.core.runtime import failures
from workbench.core.runtime.cache import ProgramCache, RunSignature
from workbench.core.runtime.default_session import DefaultSession
from workbench.core.runtime.feeds import flatten_feeds
from workbench.core.runtime.fetches import FetchPlan
from workbench.core.runtime.growth import Growth
from workbench.core.runtime.partial import PartialRun
from workbench.core.runtime.state import SessionState, VariableState
from workbench.core.runtime.targets import ProgramElsewhere, open_target
from workbench.core.runtime.tier import chosen_tier
from workbench.core.sync.registry import Waiting, waits
from workbench.core.sync.scope import deadline

#: The sessions of this process that are not closed, for `Session.reset`.
open_sessions: weakref.WeakSet[BaseSession] = weakref.WeakSet()

#: So many calls are known at a time, each with at most so many feeds.
_MOST_FRONTS = 8
_MOST_FRONT_FEEDS = 32


class BaseSession:
    """What `Session` and `InteractiveSession` share."""

    #: True where variables without a value initialise themselves when they are read.
    _initialises = False
    #: True where it may stop being the default one while another is.
    _leaves_freely = False

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
        self._config = config
        self._closed = False
        #: How long a run may wait, in seconds; None for as long as it likes.
        self._run_seconds = _seconds(getattr(config, "operation_timeout_in_ms", 0))
        self.check_numerics = check_numerics
        self.state = SessionState()
        self._programs = ProgramCache(
            self, chosen_tier(tier, deterministic, config), _thread_count(config)
        )
        self._signatures: dict[Any, RunSignature] = {}
        self._growth = Growth()
        #: A C function that knows the calls of `run` that it can do alone, and those behind it.
        self._front: Any = None
        self._fronts: list[Any] = []
        self._front_changes = -1
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

    def list_devices(self) -> list[Any]:
        """The devices operations can run on."""
        if self._elsewhere is not None:
            return self._elsewhere.list_devices()
        from workbench.core.runtime.devices import local_devices

        return local_devices()

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
        signature = self._signature(fetches, feed_dict)
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
            failure = self._failure(program, error)
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
        if self._front_changes != self._graph._changes:
            self._front = None
        self._known_news = news

    def _recognise(self, entry: Any, fetches: Any, keys: list[Any]) -> None:
        """Has a C function do the calls of `run` with these fetches and feeds from now on."""
        if len(keys) > _MOST_FRONT_FEEDS or self._closed:
            return
        front = entry.front(fetches, keys)
        if self._front_changes != self._graph._changes:
            self._fronts.clear()
        self._fronts = [front, *self._fronts[: _MOST_FRONTS - 1]]
        for first, second in itertools.zip_longest(self._fronts, self._fronts[1:]):
            first.follow(second)
        self._front_changes = self._graph._changes
        self._front = front.call

    @staticmethod
    def _failure(program: Any, error: Exception) -> Exception | None:
        """The error to raise for one from a program; None to pass it on as it is."""
        from workbench.core import errors

        found = program.failed_node(error.__traceback__)
        if isinstance(error, errors.OpError) and error.op is not None:
            if found is not None and not error.inputs:
                error.inputs = failures.input_values(*found)
            return error.with_traceback(None)
        if found is None:
            return None
        misfit = program.plan.misfit
        if misfit is not None and not isinstance(error, errors.OpError):
            # NumPy's own words say less than the shape rule's.
            misfit.inputs = failures.input_values(*found)
            return misfit.with_traceback(None)  # type: ignore[no-any-return]
        return failures.run_error(found[0], found[1], error)

    def _signature(self, fetches: Any, feed_dict: Any) -> RunSignature:
        graph = self._graph
        fed = tuple(map(id, feed_dict)) if feed_dict else ()
        plain = type(fetches)
        if plain is list or plain is tuple:
            key: Any = (plain, tuple(map(id, fetches)), fed, graph._changes)
        else:
            key = (id(fetches), fed, graph._changes)
        found = self._signatures.get(key)
        if found is not None:
            return found
        if not graph._operations:
            raise RuntimeError(
                "The Session graph is empty. Add operations to the graph before calling run()."
            )
        self._growth.note(graph)
        pairs = flatten_feeds(graph, feed_dict) if feed_dict else []
        plan = FetchPlan(graph, fetches)
        tensors = [t for t, _ in pairs]
        signature = self._new_signature(plan, tensors)
        if _has_lasting_identity(fetches) and all(isinstance(k, Tensor) for k in feed_dict or ()):
            # The ids in the key stay valid as long as the objects live: the signature holds them.
            signature.keep(fetches, feed_dict)
            self._signatures[key] = signature
        return signature

    def _new_signature(
        self, plan: FetchPlan, fed: list[Tensor], memory: Mapping[Tensor, Any] | None = None
    ) -> RunSignature:
        signature = RunSignature(self, plan, fed, self.check_numerics, memory)
        if self._elsewhere is not None:
            run = self._elsewhere.program(plan.tensors, plan.targets, fed)
            signature.serve_with(ProgramElsewhere(run))
        return signature

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

    def plan(self, fetches: Any, feed_dict: Any = None) -> Any:
        """The plan that `run` follows for these arguments; print it to see what was decided."""
        return self._signature(fetches, feed_dict).prepare(feed_dict)[0].plan

    def placement(self, fetches: Any, feed_dict: Any = None, costs: Any = None) -> Any:
        """Where each operation of a step runs, and why: a `Placement`, which prints as a table.

        `costs` is a `CostModel` to simulate the step with, in place of estimates.
        """
        plan = FetchPlan(self._graph, fetches)
        fed = [t for t, _ in flatten_feeds(self._graph, feed_dict)] if feed_dict else []
        if self._elsewhere is not None:
            return self._elsewhere.placement(plan.tensors, plan.targets, fed, costs)
        from workbench.core.plan.placement.graph_placer import step_placement

        devices = [device.name for device in self.list_devices()]
        return step_placement(
            self._graph, devices, plan.tensors, plan.targets, fed, "default", costs
        )

    @property
    def plan_misses(self) -> list[str]:
        """Why each plan of this session had to be made, oldest first.

        >>> import workbench as tf
        >>> x = tf.placeholder(tf.float32, [None])
        >>> with tf.Session() as session:
        ...     for given in ([1.0], [2.0], [1.0, 2.0]):
        ...         _ = session.run(x, {x: given})
        ...     session.plan_misses
        ['new fetches', 'shapes ((1,),) -> ((2,),)']
        """
        return list(self._programs.misses)

    def explain(
        self, fetches: Any = None, feed_dict: Any = None, measure: bool = False, repeat: int = 1
    ) -> Any:
        """What became of the steps of this session; print it.

        For each step: whether it is compiled, or why not; how long compiling took and how much
        memory it has; the kernels, with the operations that each of them fuses; the operations
        that are left to the interpreter, and why. Without `fetches` it tells of all that was run,
        else of the step that `run` would do.

        `measure=True` runs the step, as `run` does with all its effects, and adds how long each
        kernel took, beside what this machine can do at most; with `repeat` it runs so often, and
        the shortest times count. (The first time the machine is measured, for a second or two.)

        >>> import workbench as tf
        >>> x = tf.placeholder(tf.float32, [2])
        >>> with tf.Session(tier="interpreted") as session:
        ...     print(session.explain(tf.tanh(x, name="y"), {x: [1.0, 2.0]}))
        y:0 for Placeholder [2]
          interpreted: the session is pinned to the interpreter; arena 0 B, at most 8 B
        """
        from workbench.core.runtime.explain import explain

        return explain(self, fetches, feed_dict, measure, repeat)

    def _traced_run(
        self, signature: RunSignature, feed_dict: Any, options: Any, run_metadata: Any
    ) -> Any:
        from workbench.core.runtime.tracing import traced_run

        with deadline(_seconds(getattr(options, "timeout_in_ms", 0))):
            return traced_run(self, signature, feed_dict, options, run_metadata)

    def waiting(self) -> list[Waiting]:
        """What runs of this session wait for, in all threads: who, for what, where, since when.

        >>> import threading
        >>> import workbench as tf
        >>> queue = tf.FIFOQueue(1, tf.int32, name="numbers")
        >>> number = queue.dequeue(name="next")
        >>> with tf.Session() as session:
        ...     thread = threading.Thread(target=session.run, args=(number,))
        ...     thread.start()
        ...     while not session.waiting():
        ...         pass
        ...     waiting = session.waiting()[0]
        ...     session.run(queue.enqueue(1))
        ...     thread.join()
        >>> waiting.operation, waiting.wants, waiting.resource
        ('next', '1 more element', "FIFOQueue 'numbers' holds 0 of 1, open")
        """
        if self._elsewhere is not None:
            return self._elsewhere.waiting()
        return [wait.describe() for wait in waits(self)]

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


def _seconds(milliseconds: int) -> float | None:
    """A time-out of a protocol buffer, where 0 is none."""
    return milliseconds / 1000 if milliseconds > 0 else None


def _has_lasting_identity(fetches: Any) -> bool:
    if isinstance(fetches, (list, tuple)) and type(fetches) in (list, tuple):
        return all(isinstance(f, (Tensor, Operation)) or _is_variable(f) for f in fetches)
    return isinstance(fetches, (Tensor, Operation)) or _is_variable(fetches)


def _is_variable(value: Any) -> bool:
    return hasattr(value, "_as_graph_element")
