"""Messages to the user, as ``tf.logging`` has them, over the standard library's logging.

The logger is called ``workbench``. It writes to standard error unless the program has set up
logging of its own; then that decides.
"""

from __future__ import annotations

import logging as _logging
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, TextIO

DEBUG = _logging.DEBUG
INFO = _logging.INFO
WARN = _logging.WARNING
ERROR = _logging.ERROR
FATAL = _logging.CRITICAL

_lock = threading.Lock()
_counts: Counter[tuple[str, int]] = Counter()


class _StandardError(_logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment; notebooks and tests replace it."""

    def __init__(self) -> None:
        _logging.Handler.__init__(self)
        self.setFormatter(_logging.Formatter(_logging.BASIC_FORMAT))

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr

    def filter(self, record: _logging.LogRecord) -> bool:
        # A program that has set up logging gets the record there, and not twice.
        return not _logging.getLogger().handlers and bool(super().filter(record))


def get_logger() -> _logging.Logger:
    """The logger that all messages go through."""
    logger = _logging.getLogger("workbench")
    with _lock:
        if not any(isinstance(handler, _StandardError) for handler in logger.handlers):
            logger.addHandler(_StandardError())
    return logger


def log(level: int, msg: Any, *args: Any, **kwargs: Any) -> None:
    """Log ``msg % args`` at a level, such as ``INFO``."""
    # The file and line of a record are the caller's, not these.
    kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
    get_logger().log(level, msg, *args, **kwargs)


def _logs_at(level: int, name: str) -> Callable[..., None]:
    def log_at_level(msg: Any, *args: Any, **kwargs: Any) -> None:
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        get_logger().log(level, msg, *args, **kwargs)

    log_at_level.__name__ = log_at_level.__qualname__ = name
    log_at_level.__doc__ = f"Log ``msg % args`` at the level ``{_logging.getLevelName(level)}``."
    return log_at_level


debug = _logs_at(DEBUG, "debug")
info = _logs_at(INFO, "info")
warning = _logs_at(WARN, "warning")
warn = _logs_at(WARN, "warn")
error = _logs_at(ERROR, "error")
fatal = _logs_at(FATAL, "fatal")


def vlog(level: int, msg: Any, *args: Any, **kwargs: Any) -> None:
    """Log ``msg % args`` at a level; the same as :func:`log`."""
    kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
    log(level, msg, *args, **kwargs)


def TaskLevelStatusMessage(msg: Any) -> None:
    """Log a message about the task's state, as an error."""
    log(ERROR, msg, stacklevel=2)


def log_if(level: int, msg: Any, condition: Any, *args: Any) -> None:
    """Log ``msg % args`` if ``condition`` holds."""
    if condition:
        log(level, msg, *args, stacklevel=2)


def _times_before() -> int:
    """How often the line that called a counting function has done so before."""
    frame = sys._getframe(2)
    place = (frame.f_code.co_filename, frame.f_lineno)
    with _lock:
        _counts[place] += 1
        return _counts[place] - 1


def log_every_n(level: int, msg: Any, n: int, *args: Any) -> None:
    """Log ``msg % args`` at the first of every ``n`` calls from the same line."""
    if _times_before() % n == 0:
        log(level, msg, *args, stacklevel=2)


def log_first_n(level: int, msg: Any, n: int, *args: Any) -> None:
    """Log ``msg % args`` at the first ``n`` calls from the same line."""
    if _times_before() < n:
        log(level, msg, *args, stacklevel=2)


def get_verbosity() -> int:
    """The lowest level that is logged.

    >>> set_verbosity(INFO)
    >>> get_verbosity() == INFO
    True
    """
    return get_logger().getEffectiveLevel()


def set_verbosity(v: int | str) -> None:
    """Set the lowest level to log, such as ``INFO``."""
    get_logger().setLevel(v)


def flush() -> None:
    """Write out what is still held back."""
    for handler in get_logger().handlers:
        handler.flush()
