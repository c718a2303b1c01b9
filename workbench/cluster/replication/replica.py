"""One replica of a training: computes gradients, averages them with the others, applies them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.cluster.collectives.errors import LostMembersError
from workbench.cluster.collectives.exchange import Exchange
from workbench.cluster.collectives.forming import Group, form
from workbench.cluster.replication.averages import Averages
from workbench.cluster.replication.cut import cut
from workbench.cluster.replication.membership import View
from workbench.cluster.replication.state import ReplicatedState
from workbench.cluster.wire.message import Message
from workbench.core.errors import (
    AbortedError,
    CancelledError,
    DeadlineExceededError,
    UnavailableError,
)
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor

#: What means that the group is not what it was: the step is tried again in a new one.
_BROKEN = (LostMembersError, DeadlineExceededError, AbortedError)

#: A feed, or what makes the feed of a step: of its number, this replica's rank and how many are.
Feed = Mapping[Any, Any] | Callable[[int, int, int], Mapping[Any, Any]] | None


class Replica:
    """Takes the steps of a train operation together with other replicas.

    All replicas have the same graph and each feeds its own data. Variables begin with the values
    of the first, and have the same bits on all replicas after each step. Between two steps others
    may join. When one dies the others form a new group and take the step that failed again, with
    the gradients they have; a step is never applied twice.

    Args:
      session: a session of the graph, with its variables initialised.
      train_op: the operation that is a step.
      roster: the address of the `Roster`.
      address: where other replicas reach this one; port 0 for any port that is free.
      timeout: how long the others are awaited in a step, in seconds.
      shared: whether replicas of one host may use shared memory.

    >>> import workbench as tf
    >>> from workbench.cluster.replication.replica import Replica
    >>> from workbench.cluster.replication.roster import Roster
    >>> w = tf.Variable(4.0)
    >>> train = tf.train.GradientDescentOptimizer(0.25).minimize(tf.square(w))
    >>> with Roster(replicas=1) as roster, tf.Session() as session:
    ...     session.run(tf.global_variables_initializer())
    ...     with Replica(session, train, roster.address) as replica:
    ...         replica.step(), session.run(w), replica.step_number
    (None, np.float32(2.0), 1)
    """

    def __init__(
        self,
        session: Any,
        train_op: Operation,
        roster: str,
        address: str = "tcp://127.0.0.1:0",
        timeout: float = 60.0,
        shared: bool = True,
    ) -> None:
        self._session, self._roster = session, roster
        self._timeout, self._shared = timeout, shared
        self._cut = cut(train_op)
        self._tensors = self._cut.tensors
        self._averages = Averages(self._cut)
        self._apply = session.make_callable(train_op, self._tensors)
        self._state = ReplicatedState(session)
        self._invited = threading.Event()
        self._exchange = Exchange(address, self._told)
        self._group: Group | None = None
        #: How many steps were applied; the state of newcomers comes with those of the others.
        self.step_number = 0
        self._is_new = True

    # -- what users do -----------------------------------------------------------------------

    @property
    def address(self) -> str:
        """Where other replicas reach it; it is its name."""
        return self._exchange.address

    @property
    def rank(self) -> int:
        """Its number among the replicas, from 0."""
        return self._joined().rank

    @property
    def size(self) -> int:
        """How many replicas there are."""
        return self._joined().size

    @property
    def epoch(self) -> int:
        """How often the replicas have formed a group."""
        return self._joined().epoch

    def join(self) -> None:
        """Waits until the replicas have formed a group; `step` does so if need be."""
        if self._group is None:
            self._form(())

    def step(self, fetches: Any = None, feed: Feed = None) -> Any:
        """Takes one step and returns the values of `fetches`, which were computed before it.

        `feed` is this replica's own, or a function of the step's number, the rank and the number
        of replicas that gives it, which is called again where the group has changed before the
        step.
        """
        self._meet()
        group = self._joined()
        fed = feed(self.step_number, group.rank, group.size) if callable(feed) else feed
        values, results = self._session.run(
            [self._tensors, [] if fetches is None else fetches], fed
        )
        own = dict(zip(self._tensors, values, strict=True))
        averages = self._average(own)
        if averages is not None:
            self._apply(*(averages[t] for t in self._tensors))
            self.step_number += 1
        return results if fetches is not None else None

    def close(self) -> None:
        """Leaves the training, between two steps; the others go on."""
        self._exchange.endpoint.send(self._roster, Message("leave", {"member": self.address}))
        if self._group is not None:
            self._group.close()
        self._exchange.close()

    def __enter__(self) -> Replica:
        self.join()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # -- groups ------------------------------------------------------------------------------

    def _joined(self) -> Group:
        if self._group is None:
            self.join()
        assert self._group is not None
        return self._group

    def _told(self, sender: Any, message: Message) -> None:
        if message.kind == "invite":
            self._invited.set()

    def _meet(self) -> None:
        """Forms a new group where one of the replicas was told that somebody waits."""
        group = self._joined()
        while True:
            wanted = np.array([self._invited.is_set()], np.int64)
            try:
                if not group.all_reduce(wanted, "max", timeout=self._timeout)[0]:
                    return
                self._form(())
            except _BROKEN as error:
                self._form(_missing(group, error))
            group = self._joined()

    def _average(self, values: Mapping[Tensor, Any]) -> dict[Tensor, Any] | None:
        """The averages; None where the others had applied the step, and this one has its state."""
        step = self.step_number
        while True:
            group = self._joined()
            try:
                return self._averages.of(values, group, self._timeout)
            except _BROKEN as error:
                self._form(_missing(group, error))
            if self.step_number != step:
                return None

    def _form(self, missing: tuple[str, ...]) -> None:
        """Forms a group of the next epoch, with the state of the replica that is furthest."""
        while True:
            self._invited.clear()
            view = self._ask(missing)
            old, rank = self._group, view.members.index(self.address)
            try:
                group = form(
                    self._exchange,
                    "replicas",
                    view.epoch,
                    view.members,
                    rank,
                    self._timeout,
                    self._shared,
                )
            except _BROKEN as error:
                missing = _missing_of(view.members, error)
                continue
            # Others that still wait in the old one would take this for dead before now.
            if old is not None:
                old.close()
            self._group = group
            try:
                self._take_state(group, view)
                return
            except _BROKEN as error:
                missing = _missing(group, error)

    def _ask(self, missing: tuple[str, ...]) -> View:
        step = -1 if self._is_new else self.step_number
        fields = {"member": self.address, "step": step, "missing": list(missing)}
        answer = self._exchange.endpoint.request(
            self._roster, Message("ready", fields), "the next group of replicas"
        )
        try:
            view = answer.result().fields
        except UnavailableError as error:
            raise CancelledError(
                None, None, f"The roster of this training is gone: {error}"
            ) from None
        return View(int(view["epoch"]), tuple(view["members"]), tuple(view["steps"]))

    def _take_state(self, group: Group, view: View) -> None:
        if len(set(view.steps)) > 1 or max(view.steps) < 0:
            furthest = view.root
            step = self._state.share(group, furthest, max(self.step_number, 0), self._timeout)
            self.step_number = step
        self._is_new = False


def _missing(group: Group, error: Exception) -> tuple[str, ...]:
    return _missing_of(group.members, error)


def _missing_of(members: tuple[str, ...], error: Exception) -> tuple[str, ...]:
    return tuple(members[r] for r in error.ranks) if isinstance(error, LostMembersError) else ()
