"""Who trains one run, who leads, and what has been said to all: pure data, kept by the pool.

What is said are *words*, in their order. The leader says most of them; a change of the replicas is
one too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.core.errors import FailedPreconditionError

Word = Mapping[str, Any]


@dataclass(frozen=True)
class Order:
    """Tell a worker to join the run."""

    worker: str


@dataclass(frozen=True)
class Lose:
    """A replica, by its address, is gone: those who wait for it need not."""

    replica: str


Instruction = Order | Lose


@dataclass
class Place:
    """A worker that takes part, or was asked to."""

    worker: str
    #: What it is called in what users read.
    name: str
    #: Where the other replicas reach it; None until it takes part.
    replica: str | None = None
    #: How many words it had heard when it last held, having taken its step to the end.
    rests_at: int = 0
    #: What it said last of its pace.
    pace: Mapping[str, Any] = field(default_factory=dict)


class Board:
    """What is known of a run of several replicas.

    Args:
      run: the run's id.
      wanted: how many replicas there are to be, where there are workers for them.

    >>> board = Board("r", 2)
    >>> board.lead("tcp://a:1", "worker 0"), board.seek({"tcp://a:1": "0", "tcp://b:1": "1"})
    ([], [Order(worker='tcp://b:1')])
    >>> board.entered("tcp://a:1", "tcp://a:2"), board.entered("tcp://b:1", "tcp://b:2")
    ([], [])
    >>> board.lost("tcp://a:1", "was killed"), board.leader
    ([Lose(replica='tcp://a:2')], 'tcp://b:1')
    """

    def __init__(self, run: str, wanted: int) -> None:
        self.run, self.wanted = run, wanted
        #: The worker that leads; None while there is none.
        self.leader: str | None = None
        #: Those that take part or were asked to, in the order in which that was.
        self.places: dict[str, Place] = {}
        self.words: list[Word] = []
        self.is_closed = False

    # -- who takes part ----------------------------------------------------------------------

    def lead(self, worker: str, name: str) -> list[Instruction]:
        """A worker has the run. FailedPreconditionError where another one leads."""
        if self.leader not in (None, worker):
            raise FailedPreconditionError(None, None, f"{self.leader} leads this run already")
        if self.leader is None:
            self.leader = worker
            self.places.setdefault(worker, Place(worker, name))
        return []

    def seek(self, serving: Mapping[str, str]) -> list[Instruction]:
        """Asks workers that serve, by address with their names, where replicas are missing."""
        orders: list[Instruction] = []
        for worker, name in serving.items():
            if self.is_closed or self.leader is None or len(self.places) >= self.wanted:
                break
            if worker not in self.places:
                self.places[worker] = Place(worker, name)
                orders.append(Order(worker))
        return orders

    def entered(self, worker: str, replica: str) -> list[Instruction]:
        """A replica takes part."""
        place = self.places.get(worker)
        if place is None:
            raise FailedPreconditionError(None, None, "This worker was not asked to take part")
        if place.replica is None:
            self._say("joined", worker=worker, name=place.name, count=len(self.members) + 1)
        place.replica = replica
        return []

    def lost(self, worker: str, why: str) -> list[Instruction]:
        """A worker is gone, has left or cannot take part; another one leads where it led."""
        place = self.places.pop(worker, None)
        if place is None:
            return []
        # Said of those that never took part too: somebody asked for them.
        self._say("left", worker=worker, name=place.name, why=why, count=len(self.members))
        if worker == self.leader:
            self.leader = next(iter(self.members), None)
            if self.leader is not None:
                self._say("leader", worker=self.leader)
        # One that has not come yet is awaited by nobody but the first group.
        return [Lose(place.replica or worker)]

    @property
    def members(self) -> list[str]:
        """The workers that take part."""
        return [w for w, place in self.places.items() if place.replica is not None]

    # -- what is said ------------------------------------------------------------------------

    def post(self, worker: str, words: Sequence[Word]) -> int:
        """The leader says something; the number of its last word.

        FailedPreconditionError where another one leads now.
        """
        if worker != self.leader:
            raise FailedPreconditionError(None, None, "Another worker leads this run now")
        self.words.extend(words)
        return len(self.words)

    def failed(self, worker: str, error: Mapping[str, Any]) -> list[Instruction]:
        """A replica's own part of a step failed: the run has failed."""
        place = self.places.get(worker)
        self._say("failed", worker=worker, name=place.name if place else worker, error=dict(error))
        return self.lost(worker, "failed")

    def since(self, number: int) -> list[Word]:
        """The words after one."""
        return self.words[max(number, 0) :]

    def rests(self, worker: str, number: int) -> None:
        """A replica holds, and has heard so many words."""
        place = self.places.get(worker)
        if place is not None:
            place.rests_at = number

    def restless(self, number: int) -> list[str]:
        """Those that take part, beside the leader, and have not held since that many words.

        >>> board = Board("r", 2)
        >>> board.lead("a", "worker 0"), board.seek({"b": "worker 1"}), board.entered("b", "B")
        ([], [Order(worker='b')], [])
        >>> board.restless(1), board.rests("b", 1), board.restless(1)
        (['worker 1'], None, [])
        """
        found = [self.places[w] for w in self.members if w != self.leader]
        return [place.name for place in found if place.rests_at < number]

    def _say(self, kind: str, **more: Any) -> None:
        self.words.append({"kind": kind, **more})

    # -- paces -------------------------------------------------------------------------------

    def pace(self, worker: str, told: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A replica tells how it is getting on; what all told last."""
        place = self.places.get(worker)
        if place is not None:
            place.pace = dict(told)
        return [
            {
                "worker": place.name,
                "leads": place.worker == self.leader,
                **place.pace,
                "state": "joining" if place.replica is None else place.pace.get("state", "rests"),
            }
            for place in self.places.values()
        ]
