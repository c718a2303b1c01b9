"""The boards of the runs that several workers of a pool train, in the process of its scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from workbench.pool.membership import Change, Member

if TYPE_CHECKING:
    from workbench.pool.runs.replicas.boards import Boards


class RunBoards:
    """Opens the boards with the first run that needs one, and tells them who comes and goes.

    Args:
      wire: the keys of the wire; None for one without.
      members: gives the workers that serve.
    """

    def __init__(
        self, wire: dict[str, Any] | None, members: Callable[[], Iterable[Member]]
    ) -> None:
        self._wire, self._members = wire, members
        self._boards: Boards | None = None
        self._lock = asyncio.Lock()

    def serve(self, scheduler: Any) -> None:
        """Answers what pools ask."""
        self._scheduler = scheduler
        scheduler.handlers["workbench_boards"] = self._address
        scheduler.handlers["workbench_leader"] = self._leader

    async def _address(self) -> str:
        async with self._lock:
            if self._boards is None:
                self._boards = await asyncio.to_thread(self._opened)
                for member in self._members():
                    self._told(Change(0, "joined", member))
        return self._boards.address

    def _opened(self) -> Boards:
        from workbench.cluster.wire.keys import Keys
        from workbench.pool.addresses import host_of
        from workbench.pool.runs.replicas.boards import Boards

        keys = None if self._wire is None else Keys(**self._wire)
        return Boards(f"tcp://{host_of(self._scheduler.address)}:0", keys)

    async def _leader(self, run: str) -> str | None:
        return None if self._boards is None else self._boards.leader(run)

    def told(self, change: Change) -> None:
        """A worker has come or gone."""
        if self._boards is not None:
            # The boards wait for nobody, but for each other.
            asyncio.get_running_loop().run_in_executor(None, self._told, change)

    def _told(self, change: Change) -> None:
        from workbench.cluster.addresses import canonical

        if self._boards is None:
            return
        address = canonical(change.member.address)
        if change.kind == "joined":
            self._boards.joined(address, f"worker {change.member.index}")
        else:
            self._boards.left(address)

    async def close(self) -> None:
        """The pool ends."""
        boards, self._boards = self._boards, None
        if boards is not None:
            await asyncio.to_thread(boards.close)
