"""Those that have connected to an endpoint and said hello."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from workbench.cluster.wire import host
from workbench.cluster.wire.channel import Channel
from workbench.cluster.wire.hello import Hello
from workbench.cluster.wire.segments import SegmentBorrower, SegmentLender

#: So many are remembered: who was not heard for longest is forgotten first, and says hello again.
MOST_CALLERS = 16384
#: So many processes that others have taken the names of.
_MOST_FENCED = 4096


class Caller:
    """Who a message came from, to answer to."""

    def __init__(self, route: bytes, hello: Hello, is_near: bool) -> None:
        self.route = route
        self.hello = hello
        self.name = hello.name or f"client {hello.incarnation:x}"
        self.heard = time.monotonic()
        self.lender = SegmentLender() if is_near else None
        self.borrower = SegmentBorrower() if is_near else None
        #: What it says at the door, if it may come in; the channel then, and whether it has sent
        #: by the connection all that it will.
        self.token = secrets.token_hex(16) if is_near else ""
        self.channel: Channel | None = None
        self.has_moved = False
        self._is_closed = False

    @property
    def is_settled(self) -> bool:
        """Whether it and this process talk by the channel."""
        return self.has_moved and self.channel is not None

    @property
    def is_gone(self) -> bool:
        """Whether it is forgotten, or its process, on this host, has ended."""
        return self._is_closed or self._has_ended()

    def _has_ended(self) -> bool:
        return self.lender is not None and (host.start_of(self.hello.process) != self.hello.started)

    def close(self) -> None:
        """Frees what was shared."""
        self._is_closed = True
        if self.channel is not None:
            self.channel.close()
        if self.lender is not None:
            self.lender.close()
        if self.borrower is not None:
            self.borrower.close()


class Callers:
    """The callers by their routes. Used by who receives only.

    `leaves` is called with a channel that is about to be closed.
    """

    def __init__(self, leaves: Callable[[Channel], None]) -> None:
        self._leaves = leaves
        self._by_route: OrderedDict[bytes, Caller] = OrderedDict()
        self._latest: OrderedDict[str, int] = OrderedDict()
        self._fenced: OrderedDict[tuple[str, int], None] = OrderedDict()

    def find(self, route: bytes) -> Caller | None:
        """Who has said hello on a route."""
        caller = self._by_route.get(route)
        if caller is not None:
            caller.heard = time.monotonic()
            self._by_route.move_to_end(route)
        return caller

    def with_token(self, token: str) -> Caller | None:
        """Who was told to say this at the door, and has not come in yet."""
        for caller in reversed(self._by_route.values()):
            is_awaited = caller.token and caller.channel is None
            if is_awaited and secrets.compare_digest(caller.token.encode(), token.encode()):
                return caller
        return None

    def is_fenced(self, hello: Hello) -> bool:
        """Whether another process has taken this one's name since it was here."""
        return (hello.name, hello.incarnation) in self._fenced

    def add(self, route: bytes, hello: Hello, is_near: bool) -> Caller:
        """Somebody said hello: earlier processes with the same name are not heard any more."""
        if hello.name:
            latest = self._latest.get(hello.name)
            if latest is not None and latest != hello.incarnation:
                self._fenced[hello.name, latest] = None
                if len(self._fenced) > _MOST_FENCED:
                    self._fenced.popitem(last=False)
                for old in [c for c in self._by_route.values() if c.hello.name == hello.name]:
                    self.forget(old)
            self._latest[hello.name] = hello.incarnation
            self._latest.move_to_end(hello.name)
            if len(self._latest) > MOST_CALLERS:
                self._latest.popitem(last=False)
        before = self._by_route.get(route)
        if before is not None:
            self.forget(before)
        caller = self._by_route[route] = Caller(route, hello, is_near)
        if len(self._by_route) > MOST_CALLERS:
            self.forget(next(iter(self._by_route.values())))
        return caller

    def forget(self, caller: Caller) -> None:
        """Somebody is gone."""
        if self._by_route.get(caller.route) is caller:
            del self._by_route[caller.route]
        if caller.channel is not None:
            self._leaves(caller.channel)
        caller.close()

    def tend(self) -> None:
        """Frees what ended processes have borrowed, and what has not been lent for long."""
        for caller in list(self._by_route.values()):
            if caller.is_gone:
                self.forget(caller)
                host.sweep()
            elif caller.lender is not None and caller.borrower is not None:
                caller.lender.trim()
                caller.borrower.trim()

    def close(self) -> None:
        """Forgets all."""
        for caller in list(self._by_route.values()):
            self.forget(caller)
