"""The errors an operation, a session or a file can end in, spelled as in ``tf.errors``.

Every error is an :class:`OpError`; its subclass and its ``error_code`` say the same thing, so that
code may catch by class and a wire may carry the number. Nothing here imports anything heavy: the
kernels, the files and the servers all raise these.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """What an operation failed with: the operation, its definition, a message and a code.

    >>> error = OpError(None, None, "the disk is full", RESOURCE_EXHAUSTED)
    >>> str(error), error.error_code
    ('the disk is full', 8)
    """

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int) -> None:
        super().__init__(message)
        self._node_def = node_def
        self._op = op
        self._message = message
        self._error_code = error_code
        #: What went into the operation in the step that failed, by the tensors' names, where known.
        self.inputs: dict[str, Any] = {}

    @property
    def message(self) -> str:
        """What went wrong, in the user's terms."""
        return self._message

    @property
    def op(self) -> Any:
        """The operation that failed, or None where no single operation is to blame."""
        return self._op

    @property
    def error_code(self) -> int:
        """The number of the error in TensorFlow's table (``DATA_LOSS`` is 15, and so on)."""
        return self._error_code

    @property
    def node_def(self) -> Any:
        """The ``NodeDef`` of the operation that failed, or None where it is not known.

        Errors are raised with the operation alone; its definition is made when somebody asks.
        """
        if self._node_def is None and self._op is not None:
            return getattr(self._op, "node_def", None)
        return self._node_def

    def __str__(self) -> str:
        return self._message

    def __reduce__(self) -> tuple[Any, ...]:
        # An operation holds its whole graph: what crosses to another process is the message.
        return OpError, (None, None, self._message, self._error_code)


class _CodedError(OpError):
    """A subclass whose code is fixed by its class."""

    code: ClassVar[int] = UNKNOWN

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, self.code)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (None, None, self._message)


class CancelledError(_CodedError):
    """The operation was cancelled: its step was stopped, or its queue closed."""

    code = CANCELLED


class UnknownError(_CodedError):
    """An error of unknown kind, such as one from another program's error space."""

    code = UNKNOWN

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int = UNKNOWN) -> None:
        OpError.__init__(self, node_def, op, message, error_code)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (None, None, self._message, self._error_code)


class InvalidArgumentError(_CodedError):
    """An operation received a value, shape or attribute that it does not accept."""

    code = INVALID_ARGUMENT


class DeadlineExceededError(_CodedError):
    """A deadline passed before the operation completed."""

    code = DEADLINE_EXCEEDED


class NotFoundError(_CodedError):
    """A requested thing (a file, a tensor of a checkpoint, a folder) does not exist."""

    code = NOT_FOUND


class AlreadyExistsError(_CodedError):
    """A thing that was to be created exists already."""

    code = ALREADY_EXISTS


class PermissionDeniedError(_CodedError):
    """The caller may not do this."""

    code = PERMISSION_DENIED


class UnauthenticatedError(_CodedError):
    """The request carries no valid credentials."""

    code = UNAUTHENTICATED


class ResourceExhaustedError(_CodedError):
    """A resource ran out: memory, disk space, a quota."""

    code = RESOURCE_EXHAUSTED


class FailedPreconditionError(_CodedError):
    """The system is not in the state the operation needs, such as an uninitialised variable."""

    code = FAILED_PRECONDITION


class AbortedError(_CodedError):
    """The operation was aborted, typically by a concurrent action; it may be tried again."""

    code = ABORTED


class OutOfRangeError(_CodedError):
    """Iteration went past the end: a data set, a queue or a file is exhausted."""

    code = OUT_OF_RANGE


class UnimplementedError(_CodedError):
    """The operation, or this combination of its arguments, is not available."""

    code = UNIMPLEMENTED


class InternalError(_CodedError):
    """An invariant of the system was found broken."""

    code = INTERNAL


class UnavailableError(_CodedError):
    """A service cannot be reached at present."""

    code = UNAVAILABLE


class DataLossError(_CodedError):
    """Data is lost or corrupt: a truncated, damaged or foreign file."""

    code = DATA_LOSS


_CLASSES: dict[int, type[_CodedError]] = {
    error_class.code: error_class for error_class in _CodedError.__subclasses__()
}


def exception_type_from_error_code(error_code: int) -> type[_CodedError]:
    """The class of errors that carries ``error_code``.

    Raises:
      KeyError: ``error_code`` is 0 (no error) or not in the table.

    >>> exception_type_from_error_code(11).__name__
    'OutOfRangeError'
    """
    return _CLASSES[error_code]


def error_code_from_exception_type(cls: type[OpError]) -> int:
    """The code that errors of class ``cls`` carry.

    Raises:
      KeyError: ``cls`` is not one of the coded error classes.

    >>> error_code_from_exception_type(DataLossError)
    15
    """
    if issubclass(cls, _CodedError) and cls is not _CodedError:
        return cls.code
    raise KeyError(cls)


class Status:
    """The outcome a call reports: a code (``OK`` is 0) and a message."""

    def __init__(self) -> None:
        self.code = OK
        self.message = ""

    def set(self, code: int, message: str) -> None:
        """Record the outcome."""
        self.code = code
        self.message = message


@contextmanager
def raise_exception_on_not_ok_status() -> Iterator[Status]:
    """Yield a :class:`Status`; on leaving, raise the error that it was set to, if any.

    >>> with raise_exception_on_not_ok_status() as status:
    ...     status.set(NOT_FOUND, "no such tensor")
    Traceback (most recent call last):
    ...
    workbench.core.errors.NotFoundError: no such tensor
    """
    status = Status()
    yield status
    if status.code != OK:
        error_class = _CLASSES.get(status.code)
        if error_class is None:
            raise UnknownError(None, None, status.message, status.code)
        raise error_class(None, None, status.message)
