"""Machine code that Python has something in place of: loaded once it is worthwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Code = TypeVar("Code")


class MachineCode(Generic[Code]):
    """Functions in machine code, for work that is first done without them.

    Loading them takes longer than a process saves that does little of the work.

    Args:
      load: gives the functions; ImportError, OSError or Unsupported where there can be none.
      worthwhile: after so many bytes of work they are loaded: about the time that takes.

    >>> code = MachineCode(lambda: "fast", worthwhile=10)
    >>> code.after(9), code.after(1)
    (None, 'fast')
    """

    def __init__(self, load: Callable[[], Code], worthwhile: int) -> None:
        self._load = load
        self._worthwhile = worthwhile
        self._loading = threading.Lock()
        self._code: Code | None = None
        #: True where there can be none.
        self._refused = False
        self._done = 0

    def after(self, size: int) -> Code | None:
        """The functions for `size` bytes more; None where there are none, or none yet."""
        if self._code is None and not self._refused:
            self._done += size
            if self._done >= self._worthwhile:
                self._try()
        return self._code

    def _try(self) -> None:
        from workbench.core.codegen.unsupported import Unsupported

        # One thread loads them; others go on without.
        if not self._loading.acquire(blocking=False):
            return
        try:
            if self._code is None and not self._refused:
                self._code = self._load()
        except (ImportError, OSError, Unsupported):
            self._refused = True
        finally:
            self._loading.release()
