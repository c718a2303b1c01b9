"""The file descriptors that an endpoint waits for."""

from __future__ import annotations

import select
import sys
from typing import Any

_READ, _WRITE = select.POLLIN, select.POLLOUT
if sys.platform == "linux":
    _ONCE = select.EPOLLIN | select.EPOLLONESHOT


class Watch:
    """A set of descriptors, and one around it that can be switched off.

    Where the system has none that can be nested (`is_nested` is false) there is the inner one only.
    """

    is_nested = sys.platform == "linux"

    def __init__(self) -> None:
        self._inner: Any
        if self.is_nested:
            self._inner, self._outer = select.epoll(), select.epoll()
            self._number = self._inner.fileno()
            self._outer.register(self._number, _ONCE)
        else:
            self._inner = select.poll()

    def add(self, descriptor: int) -> None:
        """Waits for what can be read at a descriptor."""
        self._inner.register(descriptor, _READ)

    def change(self, descriptor: int, writes: bool) -> None:
        """Waits also for room to write, or no more."""
        self._inner.modify(descriptor, _READ | _WRITE if writes else _READ)

    def remove(self, descriptor: int) -> None:
        """Waits for it no more."""
        self._inner.unregister(descriptor)

    def wait(self, seconds: float) -> list[tuple[int, bool, bool]]:
        """The descriptors that can be read or are at their end, and those that can be written."""
        found = self._inner.poll(seconds if self.is_nested else seconds * 1000)
        return [(fd, bool(event & ~_WRITE), bool(event & _WRITE)) for fd, event in found]

    def await_any(self, seconds: float) -> bool:
        """Waits until there is something; who is told of it has switched the outer set off."""
        return not self.is_nested or bool(self._outer.poll(seconds))

    def switch(self, is_on: bool) -> None:
        """Whether `await_any` tells one thread when there is something."""
        if self.is_nested:
            self._outer.modify(self._number, _ONCE if is_on else 0)

    def close(self) -> None:
        """Gives its descriptors back."""
        if self.is_nested:
            self._outer.close()
            self._inner.close()
