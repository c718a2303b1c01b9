"""What a session tells of its steps: their plans, their places, what became of them."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.graph import Graph
from workbench.core.runtime.cache import ProgramCache
from workbench.core.runtime.feeds import flatten_feeds
from workbench.core.runtime.fetches import FetchPlan
from workbench.core.runtime.signatures import Signatures
from workbench.core.runtime.targets import Elsewhere
from workbench.core.sync.registry import Waiting, waits


class SessionInspection:
    """The part of a session that tells of it, and changes nothing."""

    _graph: Graph
    _programs: ProgramCache
    _signatures: Signatures
    _elsewhere: Elsewhere | None
    _config: Any

    def list_devices(self) -> list[Any]:
        """The devices operations can run on."""
        if self._elsewhere is not None:
            return self._elsewhere.list_devices()
        from workbench.core.runtime.devices import local_devices

        return local_devices(self._config)

    def plan(self, fetches: Any, feed_dict: Any = None) -> Any:
        """The plan that `run` follows for these arguments; print it to see what was decided."""
        return self._signatures.find(fetches, feed_dict).prepare(feed_dict)[0].plan

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
