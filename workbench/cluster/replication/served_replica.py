"""One replica of a training with a parameter server, which is in the first of the replicas."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, Unpack

from workbench.cluster.collectives.errors import LostMembersError
from workbench.cluster.collectives.forming import Group
from workbench.cluster.remote_errors import to_fields
from workbench.cluster.replication.cut import cut
from workbench.cluster.replication.encoding import GradientEncoding
from workbench.cluster.replication.member import Member, Surroundings
from workbench.cluster.replication.membership import View
from workbench.cluster.replication.parameter_server import (
    Answer,
    Apply,
    End,
    ParameterServer,
    Refuse,
)
from workbench.cluster.replication.programs import ApplyMeans, Gradients
from workbench.cluster.replication.served_letters import (
    HAND_OVER,
    PUSH,
    Legacy,
    Parameters,
    Push,
    heard,
    refusal,
    taken,
)
from workbench.cluster.replication.service import Service
from workbench.cluster.replication.strategy import Feed, Look, TrainingState
from workbench.cluster.wire.message import Message
from workbench.core.errors import DeadlineExceededError
from workbench.core.graph.operation import Operation


class ServedReplica(Member):
    """Sends its gradients to the first of the replicas, and takes the variables from there.

    Nobody waits for anybody: gradients are applied as they come, one after the other, and are
    computed with variables that others may have changed meanwhile. When the first replica is gone,
    the others form anew with the state of the one that is furthest, and one of them is the
    parameter server from then on.

    Args:
      session: a session of the graph, with its variables initialised.
      train_op: the operation that is a step.
      roster: the address of the `Roster`.
      encoding: how gradients of float32 go to the parameter server: "bfloat16", "float16" or
        "int8"; what that rounds away goes with the next step's.
      staleness: gradients are dropped, and computed again, where more steps than this were applied
        since the one with whose variables they were computed; None: never.
      surroundings: `address`, `timeout`, `patience`, `shared`, `keys`, `training`: see `Member`.

    See `Replication` for what it does. Variables that a step reads on the first replica may be of
    several steps, as in TensorFlow.

    >>> import workbench as tf
    >>> from workbench.cluster.replication.roster import Roster
    >>> from workbench.cluster.replication.served_replica import ServedReplica
    >>> w = tf.Variable(4.0)
    >>> train = tf.train.GradientDescentOptimizer(0.25).minimize(tf.square(w))
    >>> with Roster(replicas=1) as roster, tf.Session() as session:
    ...     session.run(tf.global_variables_initializer())
    ...     with ServedReplica(session, train, roster.address) as replica:
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
        staleness: int | None = None,
        **surroundings: Unpack[Surroundings],
    ) -> None:
        self._cut = cut(train_op)
        plain = GradientEncoding(self._cut, None)
        self._encoding = GradientEncoding(self._cut, encoding).kind
        self._gradients = Gradients(session, self._cut, plain)
        self._apply = ApplyMeans(session, self._cut, 1, None)
        self._staleness = staleness
        #: Held while the variables here are changed.
        self._changing = threading.Lock()
        self._server: ParameterServer | None = None
        self._handed: Legacy | None = None
        self._own_next = 0
        self._sent = 0
        self._service = Service(self._serve)
        try:
            super().__init__(session, roster, other=self._service.put, **surroundings)
        except BaseException:
            self._service.close()
            raise

    def agree(self, number: int) -> int:
        """The number itself: the replicas do not step together."""
        self._settle()
        return number

    @property
    def dropped(self) -> int:
        """How many gradients came too late, at this replica as the parameter server."""
        return self._server.dropped if self._server is not None else 0

    def step(self, fetches: Any = None, feed: Feed = None) -> Any:
        """Takes one step and returns the values of `fetches`, which were computed before it.

        `feed` is this replica's own, or a function of its `Share`, which is called again where the
        gradients could not be applied.
        """
        while True:
            share = self.share
            fed = feed(share) if callable(feed) else feed
            self._session.state.draw_for(share.batch)
            begun = time.perf_counter()
            values, results = self._gradients.run(fetches, fed, {}, 0, self.look)
            self.computed = time.perf_counter() - begun
            self._sent += 1
            try:
                is_done = self._push(values)
            except (LostMembersError, DeadlineExceededError) as error:
                self._form(error)
                is_done = False
            if is_done:
                return results if fetches is not None else None

    def state(self) -> TrainingState:
        """The variables, and the counts of steps and batches."""
        with self._changing:
            return super().state()

    # -- to the parameter server -------------------------------------------------------------

    def _push(self, values: list[Any]) -> bool:
        """Has gradients applied; False where they were not, and the variables are newer now."""
        group = self._joined()
        if group.rank == 0:
            return self._apply_own(values)
        push = Push(group.epoch, self.address, self._sent, self.step_number, values)
        message = push.message(self._cut, self._encoding)
        about = "the parameter server"
        asked = self._circle.endpoint.request(group.members[0], message, about, self._timeout)
        given = heard(asked, group)
        if given is None:
            self._forms_anew = True
            return False
        with self._changing:
            self._state.take(given.values)
            self._mark = self._mark._replace(step=given.step)
            self._batch = given.batch
        if given.was_dropped:
            return False
        if not given.is_over:
            # Else its batch is the one that it takes when the training goes on.
            self._own_next = given.following
        return True

    def _apply_own(self, values: list[Any]) -> bool:
        with self._changing:
            server = self._server
            assert server is not None
            decision = server.came(server.epoch, self.address, self._sent, server.step, self.until)
            if not isinstance(decision, Apply):
                return isinstance(decision, End)
            self._do(values, self.look)
            self._own_next = server.take_batch()
            self._batch = server.batch
        return True

    def _do(self, values: Sequence[Any], look: Look | None = None) -> None:
        """Applies gradients to the variables here."""
        assert self._server is not None
        count = len(self._cut.dense)
        self._apply([values[:count]], values[count:], look)
        self._mark = self._mark._replace(step=self._server.step)

    # -- as the parameter server -------------------------------------------------------------

    def _serve(self, sender: Any, message: Message) -> None:
        """Answers other replicas, in the thread of the service."""
        if message.kind not in (PUSH, HAND_OVER) or not message.number:
            return
        try:
            answer = self._pushed(message) if message.kind == PUSH else self._take_over(message)
        except Exception as error:
            answer = Message("error", to_fields(error))
        self._circle.endpoint.answer(sender, message, answer)

    def _pushed(self, message: Message) -> Message:
        push = Push.read(message, self._cut)
        with self._changing:
            server = self._server
            if server is None:
                return refusal()
            decision = server.came(push.epoch, push.member, push.number, push.seen, self.until)
            if isinstance(decision, Refuse):
                return refusal()
            if isinstance(decision, Apply):
                self._do(push.values)
            was_dropped = isinstance(decision, Answer) and decision.was_dropped
            is_over = isinstance(decision, End)
            following = server.batch if was_dropped or is_over else server.take_batch()
            self._batch = server.batch
            values = list(self._state.values().values())
            given = Parameters(server.step, server.batch, following, was_dropped, is_over, values)
        return given.message()

    def _take_over(self, message: Message) -> Message:
        """The parameter server leaves: what it has is kept for the group that forms then."""
        legacy = Legacy.read(message)
        with self._changing:
            self._handed = legacy
        return taken()

    # -- groups ------------------------------------------------------------------------------

    def _own_batch(self) -> int:
        return self._own_next

    def _settle(self) -> None:
        self._joined()
        if self.is_awaited:
            self._forms_anew = True
        super()._settle()

    def _form(self, error: Exception | None = None) -> None:
        with self._changing:
            # From now on what comes is refused.
            self._server = None
            handed, self._handed = self._handed, None
            if handed is not None and handed.mark.order > self._mark.order:
                self._mark, self._batch = handed.mark, handed.batch
                self._state.take(handed.values)
        super()._form(error)

    def _enter(self, group: Group, view: View) -> None:
        self._own_next = self._batch + group.rank
        self._sent = 0
        if group.rank == 0:
            batch = self._batch + group.size
            server = ParameterServer(group.epoch, self.step_number, batch, self._staleness)
            with self._changing:
                self._server = server
        # Nothing is sent to it before.
        group.barrier(self._timeout)

    def leave(self, is_over: bool = False) -> None:
        """Leaves between two steps; a parameter server gives what it has to the others, unless the
        training is over."""
        with self._changing:
            server, self._server = self._server, None
        if server is not None and not is_over:
            self._hand_over()
        super().leave(is_over)

    def _hand_over(self) -> None:
        group = self._joined()
        message = Legacy(self._mark, self._batch, list(self._state.values().values())).message()
        endpoint = self._circle.endpoint
        asked = [
            endpoint.request(member, message, "the replica that takes over", self._timeout)
            for rank, member in enumerate(group.members)
            if rank and group.is_there(rank)
        ]
        for each in asked:
            # Who does not answer is gone, or has what it had.
            each.exception()

    def _let_go(self) -> None:
        self._service.close()
        self._gradients.close()
        self._apply.close()
