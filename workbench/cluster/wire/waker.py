"""What wakes a thread that waits for file descriptors."""

from __future__ import annotations

import contextlib
import os


class Waker:
    """A pipe, one end of which is waited for beside the other descriptors."""

    def __init__(self) -> None:
        #: What is waited for.
        self.descriptor, self._write_end = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._write_end, False)

    def wake(self) -> None:
        """Wakes who waits; in any thread, also after the end."""
        # It may be awake already, or gone.
        with contextlib.suppress(OSError):
            os.write(self._write_end, b"\0")

    def drain(self) -> None:
        """By who was woken: it is not by the same call again."""
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self.descriptor, 4096)) == 4096:
                pass

    def close(self) -> None:
        """Gives its descriptors back."""
        # Who wakes somebody still does not write to what has the number next.
        write_end, self._write_end = self._write_end, -1
        os.close(self.descriptor)
        os.close(write_end)
