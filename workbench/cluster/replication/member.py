"""What a replica does whatever its strategy: it gets into groups, takes their state, and leaves."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

from workbench.cluster.collectives.forming import Group
from workbench.cluster.replication.circle import BROKEN, Circle
from workbench.cluster.replication.membership import Mark, View
from workbench.cluster.replication.state import ReplicatedState
from workbench.cluster.replication.strategy import Feed, Look, Share, TrainingState
from workbench.cluster.wire.keys import Keys
from workbench.core.errors import OpError

#: Who leaves waits so long for others that may have missed its last step.
_FAREWELL_SECONDS = 10.0

SomeMember = TypeVar("SomeMember", bound="Member")


class Surroundings(TypedDict, total=False):
    """What a replica may be told beside its training, whatever its strategy: see `Member`."""

    address: str
    timeout: float
    patience: float
    shared: bool
    keys: Keys | None
    training: str


class Member(abc.ABC):
    """One replica of a training.

    Args:
      session: a session of the graph, with its variables initialised.
      roster: the address of the `Roster`.
      address: where other replicas reach this one; port 0 for any port that is free.
      timeout: how long the others are awaited in what all do together, in seconds.
      patience: how long to wait to be let in, in seconds.
      shared: whether replicas of one host may use shared memory.
      keys: the keys of the wire; those of the process where left out.
      training: what tells the training from others, as at its `Roster`.
      other: gets messages of other replicas that are about no group.
    """

    def __init__(
        self,
        session: Any,
        roster: str,
        address: str = "tcp://127.0.0.1:0",
        timeout: float = 60.0,
        patience: float = 600.0,
        shared: bool = True,
        keys: Keys | None = None,
        training: str = "",
        other: Callable[[Any, Any], None] | None = None,
    ) -> None:
        #: See `Replication`.
        self.look: Look | None = None
        self.computed = 0.0
        self.until: int | None = None
        self._session, self._timeout = session, timeout
        self._state = ReplicatedState(session)
        self._mark = Mark()
        #: The first batch that nobody was given, when the group was formed or the last step ended.
        self._batch = 0
        #: The number that this replica gave to the others, and the greatest that they agree on.
        self._number = self._agreed = 0
        #: Whether it leaves its group before the next step, and whether the others must follow.
        self._forms_anew = self._recalls = False
        self._circle = Circle(roster, address, timeout, patience, shared, keys, other, training)

    # -- what users do -----------------------------------------------------------------------

    @property
    def address(self) -> str:
        """Where other replicas reach it; it is its name."""
        return self._circle.address

    @property
    def step_number(self) -> int:
        """How many steps are in the variables here, of all replicas together."""
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
    def is_awaited(self) -> bool:
        """Whether others have left its group, or wait to be let in."""
        return self._circle.invited.is_set() or self._circle.recalled.is_set()

    def gather(self) -> Share:
        """Leaves its group, as all do, and forms the next one with those who wait to be let in."""
        self._recalls = True
        return self.share

    @property
    def share(self) -> Share:
        """This replica's share of the next step."""
        self._settle()
        group = self._joined()
        return Share(self.step_number, group.rank, group.size, self._own_batch(), group.epoch)

    def join(self) -> Share:
        """Waits until the replicas have formed a group; `step` does so if need be."""
        return self.share

    @abc.abstractmethod
    def step(self, fetches: Any = None, feed: Feed = None) -> Any:
        """Takes one step and returns the values of `fetches`, computed before it was applied."""

    def state(self) -> TrainingState:
        """The variables, and the counts of steps and batches."""
        return TrainingState(self.step_number, self._batch, self._state.values())

    def restore(self, state: TrainingState) -> None:
        """Sets the training back, or on, to a state: of all replicas, with the next step of this
        one. One replica does so at a time."""
        self._joined()
        self._state.load(state.variables)
        self._mark = self._mark._replace(line=self._mark.line + 1, step=state.step)
        self._batch = state.batch
        self._recalls = True

    def lead(self) -> None:
        """From now on it is the first of the replicas; where it is not, all form
        anew with its next step."""
        self._circle.leads = True
        group = self._circle.group
        if group is not None and group.rank:
            self._recalls = True

    def leave(self, is_over: bool = False) -> None:
        """Leaves the training, between two steps; the others go on, unless it is over."""
        if self._circle.recalled.is_set() and not is_over:
            # They may have missed the last step, which this one has.
            self._circle.hurry(_FAREWELL_SECONDS)
            with contextlib.suppress(OpError):
                self._form()
        self._let_go()
        self._circle.leave(is_over)

    def __enter__(self: SomeMember) -> SomeMember:
        try:
            self.join()
        except BaseException:
            # Nobody ends what has not begun, and the others would wait for this one.
            self._let_go()
            self._circle.leave()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()

    # -- what strategies do ------------------------------------------------------------------

    @abc.abstractmethod
    def _own_batch(self) -> int:
        """The batch of the coming step."""

    @abc.abstractmethod
    def _enter(self, group: Group, view: View) -> None:
        """There is a new group, whose state this replica has; all ranks do this together."""

    @abc.abstractmethod
    def _let_go(self) -> None:
        """Closes what the strategy has."""

    # -- groups ------------------------------------------------------------------------------

    def _joined(self) -> Group:
        if self._circle.group is None:
            self._form()
        assert self._circle.group is not None
        return self._circle.group

    def _settle(self) -> None:
        """Forms a new group where it is time for it."""
        self._joined()
        self._circle.tend()
        if self._forms_anew or self._recalls:
            self._form()

    def _form(self, error: Exception | None = None) -> None:
        """Forms a group of the next epoch, with the state of the replica that is furthest."""
        while True:
            view = self._circle.form(self._mark, error, self._recalls)
            self._forms_anew = self._recalls = False
            group = self._circle.group
            assert group is not None
            try:
                self._take_state(group, view)
                self._mark = self._mark._replace(epoch=view.epoch)
                self._enter(group, view)
                return
            except BROKEN as failure:
                error = failure

    def _take_state(self, group: Group, view: View) -> None:
        if len(set(view.marks)) == 1 and view.marks[0].step >= 0:
            return
        own = (self._mark.line, self._mark.step, self._batch, self._agreed)
        line, step, batch, agreed = self._state.share(group, view.root, own, self._timeout)
        self._mark, self._batch, self._agreed = Mark(line, max(step, 0)), batch, agreed
