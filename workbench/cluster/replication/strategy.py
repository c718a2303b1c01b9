"""What all ways to train replicas together have in common: the side of a replica, and where they
meet.

"sync": all replicas apply the average of their gradients, step by step, and have the same
variables. "parameter server": one place has the variables; each replica sends its gradients there
when it has them, and takes what the variables are by then. "async": each replica applies its own
gradients, and now and then its variables and what others have are drawn together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

#: The names of the strategies.
STRATEGIES = ("sync", "async", "parameter server")


@dataclass(frozen=True)
class Share:
    """Which part of the data a replica takes for a step.

    Batches of a training are numbered from 0; `batch` is the number of the one that this replica
    takes. No two replicas are given the same number, whoever comes, leaves or dies, and the
    numbers of a synchronous step follow each other: it takes `batch - rank` and the `size - 1`
    after it. So data is split alike wherever it is done: the batch with a number is a function of
    that number only. So are the random numbers that a step draws, as the masks of dropout: an
    operation draws what it draws in its run number `batch` in one session, counted from 0. Replicas
    draw different numbers, and a step that is taken again draws the same.

    Replicas of an asynchronous training know of each other's steps when they hear of them: one that
    dies, or goes on alone while it is cut off, may have been given numbers that others are given
    again.

    `step` is how many steps were applied before, in what this replica knows; `epoch` counts how
    often the replicas have changed.
    """

    step: int
    rank: int
    size: int
    batch: int
    epoch: int = 0


@dataclass(frozen=True)
class TrainingState:
    """All that a training is, between two steps.

    `variables` are the values of the global variables by name: optimizers' slots and counters of
    steps are among them. `step` is how many steps have been applied, `batch` the number of the
    first batch that nobody was given.
    """

    step: int
    batch: int
    variables: Mapping[str, Any]


#: What is fed in a step: nothing, a mapping, or a function of this replica's share that gives one.
#: A synchronous step that fails because a replica is gone asks the function again, with the
#: new share; a mapping stays what it is.
Feed = Mapping[Any, Any] | Callable[[Share], Mapping[Any, Any]] | None


#: Runs, for whoever looks into a step, what a session would run for some fetches and feeds, and
#: gives the results; None where nothing was run, and the session has to.
Look = Callable[[Any, Sequence[Any], Mapping[Any, Any]], list[Any] | None]


class Replication(Protocol):
    """One replica of a training, over a session of its own. One thread at a time uses it.

    As a context manager it joins, and leaves at the end.
    """

    #: Looks into the steps of this replica; None where nobody does. It is called with the user's
    #: session first, and then, where the gradients are applied here by another session, with that:
    #: its graph has copies of the user's operations with their names.
    look: Look | None
    #: The training ends, or pauses, after this step; None: not after a certain one. To replicas in
    #: step it makes no difference. A parameter server applies no step beyond that of its own
    #: replica. Where each applies its own, they tell each other of every step when it is near.
    until: int | None
    #: How long this replica's own computation took in its last step, in seconds.
    computed: float

    @property
    def address(self) -> str:
        """Where others reach this replica; it is its name among them."""

    @property
    def share(self) -> Share:
        """This replica's share of the next step. It joins if it has not."""

    @property
    def step_number(self) -> int:
        """How many steps are in the variables of this replica, of all replicas together."""

    @property
    def epoch(self) -> int:
        """How often the replicas have formed a group. It joins if it has not."""

    @property
    def is_awaited(self) -> bool:
        """Whether others have left the group, or wait to be let in: the next step is taken in
        another one."""

    def gather(self) -> Share:
        """Between two steps: leaves the group and forms the next one, with those who wait to be
        let in; all replicas do so. Gives the share of the coming step."""

    def join(self) -> Share:
        """Takes part: waits until the replicas it begins with are there, takes the state that they
        have, and returns its first share. Where it takes part already, nothing happens.

        DeadlineExceededError says who is awaited; CancelledError that the place where they meet is
        gone.
        """

    def lead(self) -> None:
        """This replica is the first from now on: it has rank 0 in each group, whoever comes before
        it. So it takes the first batch of a synchronous step, which batch does not depend on the
        order in which replicas come, and has the variables that all begin with; as the parameter
        server it has those of all. Where another one is the first, they form anew with its next
        step. One replica does so at a time."""

    def agree(self, number: int) -> int:
        """The greatest of the numbers that the replicas had given before the last step, the same
        on all of them before the same step; this one gives `number` with the next step.

        So they pause, stop, or change a hyperparameter before the same step, at no cost: each gives
        the number of the last command it has, before each step, and performs what comes up to the
        answer. Where replicas do not step together it is the number itself. After it `share` is
        that of the coming step for certain.
        """

    def step(self, fetches: Any = None, feed: Feed = None) -> Any:
        """Takes one step and returns the values of `fetches`, computed before it was applied.

        Replicas that come are let in before; those that die are left out, and the step is done by
        the others: none is lost, and none is applied twice.
        """

    def state(self) -> TrainingState:
        """The training as it is here, to be kept, as a checkpoint."""

    def restore(self, state: TrainingState) -> None:
        """The training goes on from `state`: with the next step on all replicas.

        InvalidArgumentError where its variables are not those of the graph.
        """

    def leave(self, is_over: bool = False) -> None:
        """Leaves between two steps, and closes all it has; the others go on.

        `is_over`: they do not, so nobody needs what only this one has.
        """


class Meeting(Protocol):
    """Where replicas meet: in a process that lives as long as the training."""

    @property
    def address(self) -> str:
        """What replicas are told."""

    @property
    def members(self) -> tuple[str, ...]:
        """The addresses of the replicas that take part, by rank."""

    def lost(self, member: str) -> None:
        """Whoever watches processes knows that a replica, by its address, is dead."""

    def end(self) -> None:
        """The training is over: replicas that still take part fail with AbortedError."""

    def close(self) -> None:
        """Nobody meets here any more: replicas go on as long as they can without."""
