"""One replica of a synchronous training: its gradients are averaged with those of the others."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Unpack

from workbench.cluster.collectives.forming import Group
from workbench.cluster.replication.averages import Averages, Exchanged
from workbench.cluster.replication.circle import BROKEN
from workbench.cluster.replication.cut import cut
from workbench.cluster.replication.encoding import GradientEncoding
from workbench.cluster.replication.member import Member, Surroundings
from workbench.cluster.replication.membership import View
from workbench.cluster.replication.programs import ApplyMeans, Gradients
from workbench.cluster.replication.strategy import Feed, Share
from workbench.core.graph.operation import Operation
from workbench.core.runtime.activity import EXCHANGE, span


class Replica(Member):
    """Takes the steps of a train operation together with other replicas.

    All replicas have the same graph and each feeds its own data. Variables begin with the values
    of the first, and have the same bits on all replicas after each step. Between two steps others
    may join. When one dies the others form a new group and take the step that failed again; a step
    is never applied twice.

    Args:
      session: a session of the graph, with its variables initialised.
      train_op: the operation that is a step.
      roster: the address of the `Roster`.
      encoding: how gradients of float32 go to other replicas: "bfloat16", "float16", or "int8" (see
        `GradientEncoding`); all replicas have the same.
      surroundings: `address`, `timeout`, `patience`, `shared`, `keys`, `training`: see `Member`.

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
        *,
        encoding: str | None = None,
        **surroundings: Unpack[Surroundings],
    ) -> None:
        super().__init__(session, roster, **surroundings)
        try:
            self._cut = cut(train_op)
            self._encoding = GradientEncoding(self._cut, encoding)
            self._gradients = Gradients(session, self._cut, self._encoding)
        except BaseException:
            self._circle.leave()
            raise
        self._applies: dict[tuple[int, bool], ApplyMeans] = {}
        self._averages = Averages(self._cut, self._encoding)

    @property
    def bytes_saved(self) -> int:
        """How many bytes less it has sent to other replicas than without an encoding."""
        counts = self._circle.endpoint.statistics().values()
        return sum(count.bytes_saved for count in counts)

    # -- a step ------------------------------------------------------------------------------

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
                with span(EXCHANGE):
                    exchanged = self._averages.exchange(
                        values, (self._circle.invited.is_set(), self._number), self._timeout
                    )
                break
            except BROKEN as error:
                self._form(error)
            if self._mark.step == begun.step + 1:
                # The others had applied it; and one of them may have changed the variables since.
                return results if fetches is not None else None
            share, given = self.share, share
            is_other = replace(share, epoch=given.epoch) != given
            if self._mark.done != begun.done or (callable(feed) and is_other):
                begun = self._mark
                values, results = self._compute(fetches, feed, share)
        self._apply(exchanged)
        return results if fetches is not None else None

    def _compute(self, fetches: Any, feed: Feed, share: Share) -> tuple[list[Any], Any]:
        fed = feed(share) if callable(feed) else feed
        self._session.state.draw_for(share.batch)
        averages = self._averages
        begun = time.perf_counter()
        found = self._gradients.run(fetches, fed, averages.memory, averages.side, self.look)
        self.computed = time.perf_counter() - begun
        return found

    def _apply(self, exchanged: Exchanged) -> None:
        form = len(exchanged.dense), exchanged.is_rounded
        apply = self._applies.get(form)
        if apply is None:
            encoding = self._encoding if exchanged.is_rounded else None
            apply = ApplyMeans(self._session, self._cut, len(exchanged.dense), encoding)
            self._applies[form] = apply
        apply(exchanged.dense, exchanged.others, self.look)
        self._averages.applied()
        invited, number = exchanged.notes
        self._mark = self._mark._replace(step=self.step_number + 1)
        self._batch += self._joined().size
        self._agreed = max(self._agreed, number)
        self._forms_anew = bool(invited)

    # -- groups ------------------------------------------------------------------------------

    def _own_batch(self) -> int:
        return self._batch + self._joined().rank

    def _settle(self) -> None:
        # Others are told of newcomers with a step's gradients; alone, there is nobody to tell.
        if self._joined().size == 1 and self._circle.invited.is_set():
            self._forms_anew = True
        super()._settle()

    def _enter(self, group: Group, view: View) -> None:
        self._gradients.forget()
        self._averages.enter(group, self._timeout)

    def _let_go(self) -> None:
        self._averages.close()
        self._gradients.close()
        for apply in self._applies.values():
            apply.close()
