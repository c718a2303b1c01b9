"""One replica of an asynchronous training: it applies its own gradients, and mixes variables."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np

from workbench.cluster.collectives.forming import Group
from workbench.cluster.replication.encoding import check_kind
from workbench.cluster.replication.member import Member, Surroundings
from workbench.cluster.replication.membership import View
from workbench.cluster.replication.mixing import Mixing
from workbench.cluster.replication.strategy import Feed, TrainingState
from workbench.cluster.wire.encodings import Encoding
from workbench.cluster.wire.message import MISREAD, Message
from workbench.core.errors import InvalidArgumentError, OpError
from workbench.core.graph.operation import Operation
from workbench.core.runtime.activity import WAIT, span
from workbench.core.runtime.fetches import FetchPlan

_KIND, _COUNT = "variables", "steps of a replica"


class WanderingReplica(Member):
    """Takes steps of its own, as fast as it can, and now and then averages variables with others.

    After every `period` steps it sends its variables to the other replicas, and averages its own
    with the newest that it has of each. It waits for nobody, unless `staleness` bounds how far it
    may be ahead of the slowest. Only variables of floating type are averaged: counters count this
    replica's own steps.

    Args:
      session: a session of the graph, with its variables initialised.
      train_op: the operation that is a step.
      roster: the address of the `Roster`.
      encoding: how variables of float32 go to the others: "bfloat16", "float16" or "int8".
      period: how many steps it takes between two times at which it averages.
      staleness: how many times more than the slowest one it may have averaged; None: any number.
      surroundings: `address`, `timeout`, `patience`, `shared`, `keys`, `training`: see `Member`;
        who is too far behind is left behind after `timeout`.

    See `Replication` for what it does.

    >>> import workbench as tf
    >>> from workbench.cluster.replication.roster import Roster
    >>> from workbench.cluster.replication.wandering_replica import WanderingReplica
    >>> w = tf.Variable(4.0)
    >>> train = tf.train.GradientDescentOptimizer(0.25).minimize(tf.square(w))
    >>> with Roster(replicas=1) as roster, tf.Session() as session:
    ...     session.run(tf.global_variables_initializer())
    ...     with WanderingReplica(session, train, roster.address) as replica:
    ...         replica.step(), session.run(w), replica.step_number
    (None, np.float32(2.0), 1)
    """

    def __init__(
        self,
        session: Any,
        train_op: Operation,
        roster: str,
        *,
        encoding: str | None = None,
        period: int = 8,
        staleness: int | None = None,
        **surroundings: Unpack[Surroundings],
    ) -> None:
        if period < 1:
            raise InvalidArgumentError(None, None, f"period must be at least 1, but got {period}")
        check_kind(encoding)
        self._train_op, self._encoding = train_op, encoding
        self._period, self._staleness = period, staleness
        #: Held while what comes from others is looked at; told when something came.
        self._came = threading.Condition()
        self._mixing = Mixing(-1, (), period, staleness)
        #: What was applied before this epoch, by all.
        self._before = 0
        super().__init__(session, roster, other=self._take, **surroundings)
        self._floating = [n for n, v in enumerate(self._state.variables) if v.dtype.is_floating]

    def agree(self, number: int) -> int:
        """The number itself: the replicas do not step together."""
        self._settle()
        return number

    @property
    def step_number(self) -> int:
        """How many steps all replicas have taken, as far as this one has heard."""
        with self._came:
            return max(super().step_number, self._before + self._mixing.all_steps)

    def step(self, fetches: Any = None, feed: Feed = None) -> Any:
        """Takes one step and returns the values of `fetches`, which were computed in it.

        `feed` is this replica's own, or a function of its `Share`.
        """
        share = self.share
        fed = feed(share) if callable(feed) else feed
        self._session.state.draw_for(share.batch)
        begun = time.perf_counter()
        results = self._run([] if fetches is None else fetches, fed or {})
        self.computed = time.perf_counter() - begun
        with self._came:
            is_time = self._mixing.stepped()
        if is_time:
            self._mix()
        elif self.until is not None and self._mixing.is_near(self.until - self.step_number):
            self._tell(self._joined())
        with self._came:
            self._mark = self._mark._replace(step=self._before + self._mixing.all_steps)
            furthest = self._mixing.furthest
        # Further than all that anybody has taken, as far as it is known here.
        self._batch = max(self._batch, self._first + self._joined().size * furthest)
        return results if fetches is not None else None

    def restore(self, state: TrainingState) -> None:
        """Sets the training back, or on, to a state."""
        super().restore(state)
        with self._came:
            # What others have taken since the group was formed is of no account.
            self._before = state.step
            self._mixing = Mixing(-1, (), self._period, self._staleness)

    def _run(self, fetches: Any, feed: Mapping[Any, Any]) -> Any:
        if self.look is not None:
            plan = FetchPlan(self._session.graph, fetches)
            found = self.look(self._session, [*plan.elements, self._train_op], feed)
            if found is not None:
                return plan.build(found[:-1])
        return self._session.run([fetches, self._train_op], feed)[0]

    # -- mixing ------------------------------------------------------------------------------

    def _take(self, sender: Any, message: Message) -> None:
        """Keeps what another replica has sent; it does not wait."""
        if message.kind not in (_KIND, _COUNT):
            return
        try:
            epoch, steps = int(message.fields["epoch"]), int(message.fields["steps"])
            member = str(message.fields["member"])
        except MISREAD:
            return
        if message.kind == _COUNT:
            with self._came:
                self._mixing.told(epoch, member, steps)
            return
        arrays = [array for _, array in message.arrays]
        with self._came:
            if self._fits(arrays) and self._mixing.came(epoch, member, steps, arrays):
                self._came.notify_all()

    def _fits(self, arrays: Sequence[Any]) -> bool:
        variables = [self._state.variables[n] for n in self._floating]
        return len(arrays) == len(variables) and all(
            array.dtype == variable.dtype.base_dtype.as_numpy_dtype
            and variable.shape.is_compatible_with(array.shape)
            for array, variable in zip(arrays, variables, strict=True)
        )

    def _mix(self) -> None:
        group = self._joined()
        own = [np.array(v) for v in self._values()]
        self._send(group, own)
        self._await(group)
        with self._came:
            others = self._mixing.take()
        if others:
            for number, value in enumerate(own):
                for other in others:
                    value += np.asarray(other[number], value.dtype)
                value *= value.dtype.type(1 / (1 + len(others)))
            self._state.take(own, self._floating)

    def _values(self) -> list[Any]:
        found: list[Any] = self._session.run([self._state.variables[n] for n in self._floating])
        return found

    def _news(self, group: Group) -> dict[str, Any]:
        return {
            "epoch": group.epoch,
            "member": self.address,
            "steps": self._mixing.own_steps,
        }

    def _tell(self, group: Group) -> None:
        """Tells the others how many steps it has taken, before it is time to mix."""
        for member in group.members:
            if member != self.address:
                self._circle.endpoint.send(member, Message(_COUNT, self._news(group)))
        # What they have told is taken in by another thread of this process.
        time.sleep(0)

    def _send(self, group: Group, own: Sequence[Any]) -> None:
        fields = self._news(group)
        arrays = [(str(n), value.copy()) for n, value in enumerate(own)]
        encodings = {}
        if self._encoding is not None:
            encodings = {name: Encoding(self._encoding) for name, _ in arrays}
        for member in group.members:
            if member != self.address:
                self._circle.endpoint.send(
                    member, Message(_KIND, fields, arrays, encodings=encodings)
                )

    def _await(self, group: Group) -> None:
        """Waits for those that are too far behind; those that are gone, or late, are no longer."""
        until = time.monotonic() + self._timeout
        while True:
            with self._came:
                if not self._mixing.behind() or self.is_awaited:
                    return
                with span(WAIT):
                    has_come = self._came.wait(min(1.0, max(until - time.monotonic(), 0.01)))
                late = self._mixing.behind()
            if has_come:
                continue
            # Not while what comes cannot be taken: the answers come the same way.
            is_over = time.monotonic() > until
            gone = [m for m in late if is_over or not self._lives(group, m)]
            with self._came:
                for member in gone:
                    self._mixing.lost(member)

    def _lives(self, group: Group, member: str) -> bool:
        """Whether a replica answers; asked where nothing has come from it for a second."""
        if not group.is_there(group.members.index(member)):
            return False
        asked = self._circle.endpoint.request(member, Message("ping"), "a sign of life", 5.0)
        try:
            asked.result()
        except OpError:
            return False
        return True

    # -- groups ------------------------------------------------------------------------------

    def _own_batch(self) -> int:
        group = self._joined()
        return self._first + group.rank + group.size * self._mixing.own_steps

    def _settle(self) -> None:
        self._joined()
        if self.is_awaited:
            self._forms_anew = True
        super()._settle()

    def _take_state(self, group: Group, view: View) -> None:
        """All take the average of those that have trained; what cannot be averaged, and counts,
        from the one that has done most."""
        line = max(mark.line for mark in view.marks)
        trained = self._mark.line == line and self._mark.step >= 0
        average = None
        if sum(mark.line == line and mark.step >= 0 for mark in view.marks) > 1:
            average = self._average(group, trained)
        batch = np.array([self._batch if trained else 0], np.int64)
        (most,) = group.all_reduce(batch, "max", timeout=self._timeout)
        super()._take_state(group, view)
        if average is not None:
            self._state.take(average, self._floating)
        self._batch = int(most)

    def _average(self, group: Group, trained: bool) -> list[Any]:
        weight = np.array([float(trained)])
        total = group.all_reduce(weight, timeout=self._timeout)[0]
        averages = []
        for value in self._values():
            share = np.array(value) if trained else np.zeros_like(value)
            share = share * share.dtype.type(1 / total)
            averages.append(group.all_reduce(np.asarray(share), timeout=self._timeout))
        return averages

    def _enter(self, group: Group, view: View) -> None:
        others = [m for m in group.members if m != self.address]
        with self._came:
            self._mixing = Mixing(group.epoch, others, self._period, self._staleness)
            self._before, self._first = max(self._mark.step, 0), self._batch
        # Nobody sends variables of this epoch to one that is not there yet.
        group.barrier(self._timeout)

    def _let_go(self) -> None:
        with self._came:
            self._mixing = Mixing(-1, (), self._period, self._staleness)
