"""How a replica gets into groups: it asks who is there, and forms a group with them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent import futures
from concurrent.futures import Future
from typing import Any

from workbench.cluster.collectives.errors import LostMembersError
from workbench.cluster.collectives.exchange import Exchange
from workbench.cluster.collectives.forming import Group, form
from workbench.cluster.collectives.shared_group import SharedGroup
from workbench.cluster.replication.desk import KINDS, Desk, identity_of, view_fields, view_of
from workbench.cluster.replication.membership import Mark, Membership, View
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.keys import Keys
from workbench.cluster.wire.message import MISREAD, Message
from workbench.core.errors import (
    AbortedError,
    CancelledError,
    DeadlineExceededError,
    FailedPreconditionError,
    OpError,
    UnavailableError,
)

#: What means that the group is not what it was: what it did is tried again in a new one.
BROKEN = (LostMembersError, DeadlineExceededError, AbortedError)
#: What replicas call their groups, and why those end in the end.
_GROUP, _OVER = "replicas", "the training is over"
#: A roster that does not answer is told again so often at most, in seconds.
_TELL_SECONDS = 2.0


class Circle:
    """The replicas of a training as one of them sees them.

    Args:
      roster: the address of the `Roster`.
      address: where other replicas reach this one.
      timeout: how long the others are awaited in what a group does, in seconds.
      patience: how long it waits to be let in, in seconds.
      shared: whether replicas of one host may use shared memory.
      keys: the keys of the wire.
      training: what tells the training from others, which may meet at the same address later; ""
        where nothing does.
      other: gets what comes and is about no group, with who sent it.
    """

    def __init__(
        self,
        roster: str,
        address: str,
        timeout: float,
        patience: float,
        shared: bool,
        keys: Keys | None,
        other: Callable[[Any, Message], None] | None = None,
        training: str = "",
    ) -> None:
        #: Who keeps the members: the roster, or who does so in its place.
        self._roster = self._keeper = roster
        self._other = other
        self._training, self._is_over = training, False
        #: What it has asked whoever keeps the members.
        self._asked: Future[Message] | None = None
        self._timeout, self._patience, self._shared = timeout, patience, shared
        #: Set when somebody waits to be let in.
        self.invited = threading.Event()
        #: Set when others have left the group that this one is in.
        self.recalled = threading.Event()
        self._lock = threading.Lock()
        self._desk: Desk | None = None
        self._view = View(0, (), ())
        #: What it tells the roster, which answers by no longer being there.
        self._told: Future[Message] | None = None
        self._tell_at = 0.0
        self.group: Group | None = None
        #: Whether it is to be the first of the replicas.
        self.leads = False
        self._exchange = Exchange(address, self._heard, keys, identity_of(training))

    @property
    def endpoint(self) -> Endpoint:
        """Its end of the wire."""
        return self._exchange.endpoint

    @property
    def address(self) -> str:
        """Where other replicas reach this one; it is its name."""
        return self._exchange.address

    def form(self, mark: Mark, error: Exception | None = None, at_once: bool = False) -> View:
        """Forms a group of the next epoch, and leaves the one before.

        `error` is what that one failed with; `at_once` has the others leave it too. Whoever has
        `group` before must be done with it. CancelledError where nobody knows who is there,
        AbortedError where the training is over.
        """
        missing, certain = self._missing(error)
        at_once = at_once or error is not None
        while True:
            self.invited.clear()
            self.recalled.clear()
            view = self._ask(mark, missing, at_once, certain)
            old, rank = self.group, view.members.index(self.address)
            try:
                group = form(
                    self._exchange,
                    _GROUP,
                    view.epoch,
                    view.members,
                    rank,
                    self._timeout,
                    self._shared,
                )
            except BROKEN as failure:
                self._view = view
                missing, certain, at_once = _missing_of(view.members, failure), False, True
                continue
            # Others that still wait in the old one would take this for dead before now.
            if old is not None:
                old.close()
            with self._lock:
                # What was said of the group before is of no interest now.
                self.recalled.clear()
                self.group, self._view = group, view
                # Of this one it may have been said while it was formed here.
                reason = self._exchange.end_of(_GROUP, view.epoch)
                if reason is not None:
                    self.recalled.set()
            if reason is not None:
                group.abort(reason)
            return view

    def tend(self) -> None:
        """Called now and then, as between two steps: a roster that begins anew hears who there is.

        Where replicas do not wait for each other nobody else would tell it, and it would let nobody
        in.
        """
        if self._view.epoch and (self._told is None or self._told.done()):
            now = time.monotonic()
            if now >= self._tell_at:
                self._tell_at = now + _TELL_SECONDS
                message = Message("keep", {"after": view_fields(self._view), "stays": True})
                self._told = self._exchange.endpoint.request(
                    self._roster, message, "the roster of a training"
                )

    def _missing(self, error: Exception | None) -> tuple[tuple[str, ...], bool]:
        group = self.group
        if group is None or error is None:
            return (), False
        ranks = error.ranks if isinstance(error, LostMembersError) else ()
        # The system says of processes of this host that they have ended.
        certain = isinstance(group, SharedGroup) and not any(map(group.is_there, ranks))
        return tuple(group.members[r] for r in ranks), certain

    def _ask(self, mark: Mark, missing: Iterable[str], at_once: bool, certain: bool) -> View:
        """The next group, of whoever keeps the members."""
        missing = list(missing)
        fields = {
            "member": self.address,
            "mark": list(mark),
            "missing": missing,
            "at_once": at_once,
            "certain": certain,
            "leads": self.leads,
            "after": view_fields(self._view),
        }
        heirs = [m for m in self._view.members if m not in missing]
        keepers = list(dict.fromkeys([self._keeper, *heirs]))
        problems = []
        until = time.monotonic() + self._patience
        while keepers:
            keeper = keepers.pop(0)
            patience = max(until - time.monotonic(), 0.0)
            try:
                answer = self._answer(keeper, Message("ready", fields), patience)
            except (UnavailableError, FailedPreconditionError) as error:
                if isinstance(error, FailedPreconditionError) and not self._view.epoch:
                    raise
                # Who refuses to talk to a member is of something else that is there by now.
                problems.append(error.message)
                continue
            except DeadlineExceededError:
                if keeper == self._keeper and not problems:
                    raise
                break
            if answer.kind == "elsewhere":
                # The roster is there, or was the last to say so.
                keepers = list(dict.fromkeys([self._roster, keeper, *keepers]))
                self._keeper = self._roster
                continue
            self._keeper = keeper
            return view_of(answer.fields)
        raise CancelledError(
            None,
            None,
            "The roster of this training is gone, and too few replicas are left that could go on "
            f"without it: {'; '.join(problems)}",
        )

    def _answer(self, keeper: str, message: Message, patience: float) -> Message:
        """What a keeper answers. AbortedError where the training is over, or ends meanwhile."""
        if self._is_over:
            raise AbortedError(None, None, _OVER)
        about = "the next group of replicas"
        asked = self._asked = self._exchange.endpoint.request(keeper, message, about, patience)
        if self._is_over:
            # Who told this one so in between did not see it.
            asked.cancel()
        try:
            answer = asked.result()
        except futures.CancelledError:
            answer = Message("over")
        if answer.kind == "over":
            raise AbortedError(None, None, _OVER)
        return answer

    def _heard(self, sender: Any, message: Message) -> None:
        if message.kind == "invite":
            self.invited.set()
        elif message.kind == "roster":
            self._keeper = self._roster
        elif message.kind == "recall":
            self._recall(message.fields.get("epoch"))
        elif message.kind == "over":
            if self._training and message.fields.get("training") == self._training:
                self._end()
        elif message.kind in KINDS:
            desk = self._take_over(message)
            if desk is not None:
                desk.handle(sender, message)
        elif self._other is not None:
            self._other(sender, message)

    def _recall(self, epoch: Any) -> None:
        """Others have left a group: this one's, or one that is being formed here."""
        if type(epoch) is not int:
            return
        reason = "others have left it"
        self._exchange.end(_GROUP, epoch, reason)
        with self._lock:
            group = self.group
            if group is None or group.epoch != epoch:
                return
            self.recalled.set()
        group.abort(reason)

    def _end(self) -> None:
        """The training is over: what is awaited does not come any more."""
        self._is_over = True
        self._exchange.end(_GROUP, None, _OVER)
        with self._lock:
            group, asked = self.group, self._asked
        if group is not None:
            group.abort(_OVER)
        if asked is not None:
            asked.cancel()

    def _take_over(self, message: Message) -> Desk | None:
        """The desk of this replica: others have found that the roster is gone."""
        with self._lock:
            if self._desk is None and message.kind == "ready":
                try:
                    after = view_of(message.fields["after"])
                except MISREAD:
                    return None
                if self.address not in after.members or after.epoch < self._view.epoch:
                    return None
                membership = Membership(0, after=after)
                self._desk = Desk(self._exchange.endpoint, membership, self._roster)
            return self._desk

    def hurry(self, seconds: float) -> None:
        """Waits no longer than this to be let in from now on."""
        self._patience = min(self._patience, seconds)

    def leave(self, is_over: bool = False) -> None:
        """Tells the others that it goes, unless the training is over, and closes all it has."""
        if not (is_over or self._is_over):
            with contextlib.suppress(OpError):
                # Who is gone needs not be told.
                message = Message("leave", {"member": self.address})
                self._exchange.endpoint.send(self._keeper, message)
        if self.group is not None:
            self.group.close()
        with self._lock:
            desk, self._desk = self._desk, None
        if desk is not None:
            desk.close()
        self._exchange.close()


def _missing_of(members: Sequence[str], error: Exception) -> tuple[str, ...]:
    return tuple(members[r] for r in error.ranks) if isinstance(error, LostMembersError) else ()
