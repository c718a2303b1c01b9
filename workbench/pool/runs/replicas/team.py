"""The replicas of runs in one worker: those that lead, and those that follow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from workbench.cluster.wire.message import Message
from workbench.core.errors import FailedPreconditionError, NotFoundError, OpError
from workbench.live import machine as m
from workbench.live.descent import Descent
from workbench.live.engine import Engine
from workbench.live.resume import taken_up
from workbench.live.run import Run
from workbench.live.spec import RunSpec
from workbench.pool.runs.beginning import (
    initialise,
    made_run,
    session_for,
    unpacked_of,
)
from workbench.pool.runs.data import ReceivedData
from workbench.pool.runs.package import Unpacked
from workbench.pool.runs.place import AddressPlace
from workbench.pool.runs.replicas.board_client import ANSWER_SECONDS, BoardClient
from workbench.pool.runs.replicas.descending import begin_together, positions_of
from workbench.pool.runs.replicas.elements import share_elements, take_over
from workbench.pool.runs.replicas.elsewhere import is_elsewhere
from workbench.pool.runs.replicas.engine import ReplicatedEngine
from workbench.pool.runs.replicas.follower import Follower
from workbench.pool.runs.replicas.followers import Followers
from workbench.pool.runs.replicas.leading import Leading, hold_word
from workbench.pool.runs.replicas.packages import Sent, fetch, record_of
from workbench.pool.runs.replicas.positions import Positions
from workbench.pool.runs.replicas.promotion import promoted_run
from workbench.pool.runs.replicas.pulse import Pulse
from workbench.pool.runs.replicas.strategies import check_cut, make_replica
from workbench.pool.runs.replicas.terms import Identity, Terms, made_engine, read_graph, write_graph
from workbench.pool.runs.replicas.turns import Turns


class Team:
    """What a worker has of runs that it trains together with others.

    Args:
      identity: the worker.
      project: the folder of its runs.
      received: the data that it has got.
      serve: makes a run one of those that the worker serves, with the users' lines.
    """

    def __init__(
        self,
        identity: Identity,
        project: str,
        received: ReceivedData,
        serve: Callable[[Run, Mapping[str, Any] | None], Any],
    ) -> None:
        self._identity, self._project, self._received = identity, project, received
        self._serve = serve
        self._lock = threading.Lock()
        #: The replicas of runs that others lead.
        self.followers = Followers()
        self._packages: dict[str, tuple[Any, Terms]] = {}
        self._sent: dict[str, Sent] = {}
        self._turns = Turns()

    # -- leading -----------------------------------------------------------------------------

    def made(self, unpacked: Unpacked, message: Message, descent: Descent | None = None) -> Run:
        """A run that this worker leads, which has not begun."""
        fields, blob = message.fields, message.blobs[0]
        terms = Terms.of(fields["replicas"])
        check_cut(unpacked.spec, terms.strategy)
        session = session_for(unpacked, fields)
        engine = made_engine(unpacked.spec, session, terms, positions_of(descent))

        def start(run: Run) -> None:
            if descent is not None:
                begin_together(run, engine, descent, lambda: self._open(run, engine, terms))
            else:
                initialise(engine, unpacked)
                self._open(run, engine, terms, is_fresh=unpacked.frame is None)

        run = made_run(self._project, unpacked, session, fields, engine, start, descent)
        if run.folder is not None:
            write_graph(run.folder, blob)
        return run

    def taken_up(
        self, folder: str, found: Mapping[str, Any], paused: bool, ended: str | None
    ) -> Run | None:
        """A run that an earlier process of this worker led, as its record has it; it has not
        begun. None where another worker has it now, and keeps it. One that has ended stays so.

        Raises:
          OpError, OSError, ValueError, RuntimeError: it cannot be taken up.
        """
        terms, key = Terms.of(found["replicas"]), str(found["id"])
        with self._lock:
            leads = key in self._packages
        if leads or key in self.followers:
            raise NotFoundError(None, None, f"This worker takes part in the run {key!r:.80}")
        if is_elsewhere(self._board(terms.board, key), int(found["epoch"])):
            return None
        made: list[ReplicatedEngine] = []

        def make_engine(session: Any, spec: RunSpec, document: Mapping[str, Any]) -> Engine:
            made.append(made_engine(spec, session, terms, Positions(document["taken"])))
            made[0].values.update(document["initial"])
            return made[0]

        def then(run: Run) -> None:
            if ended is None:
                self._open(run, made[0], terms)
            made[0].reopen = lambda: self._open(run, made[0], terms)

        return taken_up(
            folder,
            graph=read_graph(folder),
            paused=paused,
            ended=ended,
            make_engine=make_engine,
            then=then,
        )

    def _board(self, address: str, run: str) -> BoardClient:
        return BoardClient(address, run, self._identity.address, self._identity.name)

    def _replica(
        self, engine: ReplicatedEngine, terms: Terms, board: BoardClient, meeting: str
    ) -> Any:
        address, step = f"tcp://{self._identity.host}:0", engine.targets[0]
        training = str(board.opening)
        return make_replica(
            terms.strategy, engine.session, step, meeting, address, training, terms.encoding
        )

    def _open(
        self, run: Run, engine: ReplicatedEngine, terms: Terms, is_fresh: bool = False
    ) -> int:
        """In the thread of a run: has others take part; `is_fresh`, it is where they begin. How
        many were asked to, with this one."""
        share_elements(engine, engine.positions.batch(engine.step))
        with self._lock:
            self._packages[run.id] = run, terms
            self._sent.pop(run.id, None)
        board = self._board(terms.board, run.id)
        opened = board.ask("open", wanted=terms.wanted, strategy=terms.strategy)
        board.opening = opened["opening"]
        replication = self._replica(engine, terms, board, opened["meeting"])
        board.listen()
        engine.replication = replication
        replication.lead()
        if not engine.in_step:
            # Who comes must not take a step before the run is where it begins.
            board.post([hold_word(m.PAUSED)])
        # Before it takes part: the first group takes the state of any of its replicas.
        state = None if is_fresh else engine.training_state()
        try:
            replication.join()
            board.ask("enter", replica=replication.address)
        except BaseException:
            with suppress(OpError):
                board.ask("close")
            board.close()
            replication.leave()
            raise
        self._lead(run, engine, board, replication, terms, is_held=not engine.in_step)
        if state is not None:
            replication.restore(state)
        return int(opened["begin"])

    def _lead(
        self,
        run: Run,
        engine: ReplicatedEngine,
        board: BoardClient,
        replication: Any,
        terms: Terms,
        is_held: bool,
    ) -> None:
        role = Leading(board, replication, is_held, engine.in_step)
        role.lead(run)
        # Rewound after its end, it has replicas again.
        engine.reopen = lambda: self._open(run, engine, terms)
        engine.replication, engine.role = replication, role
        self._pulse(engine, board)

    def _pulse(self, engine: ReplicatedEngine, board: BoardClient) -> None:
        if engine.pulse is None:
            engine.pulse = Pulse(engine, board)
            engine.pulse.start()

    def package(self, run: str, lines: Mapping[str, Any]) -> Message:
        """A run that this worker leads, for one that joins it."""
        with self._lock:
            found = self._packages.get(run)
            if found is None:
                raise FailedPreconditionError(None, None, f"Nobody joins the run {run!r:.80}")
            made = self._sent.get(run)
            if made is None:
                made = self._sent[run] = Sent(found[0], lines, *found[1][1:])
            return made.message

    # -- following ---------------------------------------------------------------------------

    def join(self, fields: Mapping[str, Any]) -> Message:
        """The board of a pool wants this worker to take part in a run."""
        run = str(fields["run"])
        # It may be asked again while it looks into that still: it takes part once.
        with self._turns.of(run):
            return self._join(run, fields)

    def _join(self, run: str, fields: Mapping[str, Any]) -> Message:
        place = AddressPlace(str(fields["from"]))
        board = self._board(str(fields["board"]), run)
        who = board.ask("who")
        board.opening = who["opening"]
        earlier = self.followers.get(run)
        if earlier is not None:
            if earlier.board.opening == board.opening and not earlier.is_over:
                return Message("joined", {})
            # Rewound after its end, the run has replicas again: those of before are let go. Or the
            # one that was here has come to an end, and is still about to leave.
            earlier.await_end(ANSWER_SECONDS)
        message = fetch(place, run, self._received)
        unpacked = unpacked_of(message, self._received)
        terms = Terms.of({**message.fields, "board": fields["board"]})
        session = session_for(unpacked, message.fields)
        engine = made_engine(unpacked.spec, session, terms, Positions())
        follower = Follower(
            str(message.fields["name"]),
            unpacked.spec,
            engine,
            board,
            lambda: self._replica(engine, terms, board, who["meeting"]),
            lambda: self._begin(engine, unpacked, message),
            record_of(place, run, unpacked.spec.tracked),
            lambda follower: self._promote(follower, message, terms),
            lambda: self.followers.forget(run),
        )
        self.followers.start(run, follower)
        self._pulse(engine, board)
        return Message("joined", {})

    @staticmethod
    def _begin(engine: ReplicatedEngine, unpacked: Unpacked, message: Message) -> None:
        """Brings the engine of one that joins to where the run starts."""
        initialise(engine, unpacked)
        take_over(engine, message.fields["elements"], message.arrays)

    def _promote(self, follower: Follower, message: Message, terms: Terms) -> None:
        """In the thread of a follower: the run is this worker's from now on."""
        engine, known = follower.engine, follower.known
        run = promoted_run(follower, message, self._project, self._identity.name)
        with self._lock:
            self._packages[run.id] = run, terms
        assert engine.replication is not None
        engine.replication.lead()
        self._lead(run, engine, follower.board, engine.replication, terms, known.is_held)
        # All others hold now, whatever they were told before.
        engine.rest()
        self._serve(run, message.fields["lines"])
        self.followers.forget(run.id)
        run._begin()

    # -- the end -----------------------------------------------------------------------------

    def forget(self, run: str) -> None:
        """A run that was led is not served any more."""
        with self._lock:
            self._packages.pop(run, None)
            self._sent.pop(run, None)
