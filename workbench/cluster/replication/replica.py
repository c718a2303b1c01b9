"""One replica of a synchronous training: its gradients are averaged with those of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.cluster.collectives.forming import Group
from workbench.cluster.replication.averages import Averages, Exchanged
from workbench.cluster.replication.circle import BROKEN, Circle
from workbench.cluster.replication.cut import cut
from workbench.cluster.replication.encoding import GradientEncoding
from workbench.cluster.replication.membership import Mark, View
from workbench.cluster.replication.programs import ApplyMeans, Gradients
from workbench.cluster.replication.state import ReplicatedState
from workbench.cluster.replication.strategy import Feed, Share, TrainingState
from workbench.cluster.wire.keys import Keys
from workbench.core.graph.operation import Operation


class Replica:
    """Takes the steps of a train operation together with other replicas.

    All replicas have the same graph and each feeds its own data. Variables begin with the values
    of the first, and have the same bits on all replicas after each step. Between two steps others
    may join. When one dies the others form a new group and take the step that failed again; a step
    is never applied twice.

    Args:
      session: a session of the graph, with its variables initialised.
      train_op: the operation that is a step.
      roster: the address of the `Roster`.
      address: where other replicas reach this one; port 0 for any port that is free.
      timeout: how long the others are awaited in a step, in seconds.
      shared: whether replicas of one host may use shared memory.
      patience: how long to wait to be let in, in seconds.
      keys: the keys of the wire; those of the process where left out.
      encoding: how gradients of float32 go to other replicas: "bfloat16", "float16", or "int8" (see
        `GradientEncoding`); all replicas have the same.

    See `Replication` for what it does.

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
        patience: float = 600.0,
        keys: Keys | None = None,
        encoding: str | None = None,
    ) -> None:
        self._session, self._timeout = session, timeout
        self._cut = cut(train_op)
        self._encoding = GradientEncoding(self._cut, encoding)
        self._gradients = Gradients(session, self._cut, self._encoding)
        self._applies: dict[tuple[int, bool], ApplyMeans] = {}
        self._averages = Averages(self._cut, self._encoding)
        self._state = ReplicatedState(session)
        self._mark = Mark()
        self._batch = 0
        #: The number that this replica gave to the others, and the greatest that they agree on.
        self._number = self._agreed = 0
        #: Whether it leaves its group before the next step, and whether the others must follow.
        self._forms_anew = self._was_restored = False
        self._circle = Circle(roster, address, timeout, patience, shared, keys)

    # -- what users do -----------------------------------------------------------------------

    @property
    def address(self) -> str:
        """Where other replicas reach it; it is its name."""
        return self._circle.address

    @property
    def step_number(self) -> int:
        """How many steps were applied; the state of newcomers comes with those of the others."""
        return max(self._mark.step, 0)

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

    @property
    def share(self) -> Share:
        """This replica's share of the next step."""
        self._settle()
        group = self._joined()
        return Share(
            self.step_number, group.rank, group.size, self._batch + group.rank, group.epoch
        )

    def join(self) -> Share:
        """Waits until the replicas have formed a group; `step` does so if need be."""
        return self.share

    def agree(self, number: int) -> int:
        """The greatest number that a replica had given before the last step; this one gives
        `number` with the next step. All replicas get the same one before the same step."""
        self._settle()
        self._number = number
        if self._joined().size == 1:
            self._agreed = max(self._agreed, number)
        return self._agreed

    def step(self, fetches: Any = None, feed: Feed = None) -> Any:
        """Takes one step and returns the values of `fetches`, which were computed before it.

        `feed` is this replica's own, or a function of its `Share`, which is called again where the
        group has changed before the step was applied.
        """
        share = self.share
        begun = self._mark
        values, results = self._compute(fetches, feed, share)
        while True:
            try:
                exchanged = self._averages.exchange(
                    values, (self._circle.invited.is_set(), self._number), self._timeout
                )
                break
            except BROKEN as error:
                self._form(error)
            if self._mark == (begun.line, begun.step + 1):
                # The others had applied it.
                return results if fetches is not None else None
            share, given = self.share, share
            is_other = replace(share, epoch=given.epoch) != given
            if self._mark != begun or (callable(feed) and is_other):
                begun = self._mark
                values, results = self._compute(fetches, feed, share)
        self._apply(exchanged)
        return results if fetches is not None else None

    def state(self) -> TrainingState:
        """The variables, and the counts of steps and batches."""
        return TrainingState(self.step_number, self._batch, self._state.values())

    def restore(self, state: TrainingState) -> None:
        """Sets the training back, or on, to a state: of all replicas, with the next step of this
        one. One replica does so at a time."""
        self._joined()
        self._state.load(state.variables)
        self._mark = Mark(self._mark.line + 1, state.step)
        self._batch = state.batch
        self._was_restored = True

    def leave(self) -> None:
        """Leaves the training, between two steps; the others go on."""
        self._averages.close()
        self._circle.leave()
        self._gradients.close()
        for apply in self._applies.values():
            apply.close()

    def __enter__(self) -> Replica:
        self.join()
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()

    # -- a step ------------------------------------------------------------------------------

    def _compute(self, fetches: Any, feed: Feed, share: Share) -> tuple[list[Any], Any]:
        fed = feed(share) if callable(feed) else feed
        averages = self._averages
        return self._gradients.run(fetches, fed, averages.memory, averages.side)

    def _apply(self, exchanged: Exchanged) -> None:
        form = len(exchanged.dense), exchanged.is_rounded
        apply = self._applies.get(form)
        if apply is None:
            encoding = self._encoding if exchanged.is_rounded else None
            apply = ApplyMeans(self._session, self._cut, len(exchanged.dense), encoding)
            self._applies[form] = apply
        apply(exchanged.dense, exchanged.others)
        self._averages.applied()
        invited, number = exchanged.notes
        self._mark = Mark(self._mark.line, self.step_number + 1)
        self._batch += self._joined().size
        self._agreed = max(self._agreed, number)
        self._forms_anew = bool(invited)

    # -- groups ------------------------------------------------------------------------------

    def _joined(self) -> Group:
        if self._circle.group is None:
            self._form()
        assert self._circle.group is not None
        return self._circle.group

    def _settle(self) -> None:
        """Forms a new group where all have seen that somebody waits, or this one was restored."""
        if self._joined().size == 1 and self._circle.invited.is_set():
            self._forms_anew = True
        if self._forms_anew or self._was_restored:
            self._form()

    def _form(self, error: Exception | None = None) -> None:
        """Forms a group of the next epoch, with the state of the replica that is furthest."""
        while True:
            at_once = self._was_restored
            view = self._circle.form(self._mark, error, at_once)
            self._forms_anew = self._was_restored = False
            group = self._circle.group
            assert group is not None
            self._gradients.forget()
            try:
                self._averages.enter(group, self._timeout)
                self._take_state(group, view)
                return
            except BROKEN as failure:
                error = failure

    def _take_state(self, group: Group, view: View) -> None:
        if len(set(view.marks)) == 1 and view.marks[0].step >= 0:
            return
        own = (*self._mark, self._batch, self._agreed)
        line, step, batch, agreed = self._state.share(group, view.root, own, self._timeout)
        self._mark, self._batch, self._agreed = Mark(line, max(step, 0)), batch, agreed
