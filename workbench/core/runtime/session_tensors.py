"""Tensors that stay in a session between runs, and the handles that stand for them."""

from __future__ import annotations

import secrets
import threading
import weakref
from typing import Any

import numpy as np

from workbench.core.errors import FailedPreconditionError, InvalidArgumentError
from workbench.core.graph.dtypes import DType

#: The fetched results of these operations are handles.
HANDLE_OPERATIONS = ("GetSessionHandle", "GetSessionHandleV2")

_DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"
#: The stores of this process by numbers that those of no other process have.
_stores: weakref.WeakValueDictionary[int, SessionTensors] = weakref.WeakValueDictionary()


class SessionTensors:
    """The tensors of one session, by handle."""

    def __init__(self) -> None:
        self._number = secrets.randbits(64)
        self._lock = threading.Lock()
        self._next = 0
        self._values: dict[str, Any] = {}
        _stores[self._number] = self

    def add(self, name: str, value: Any) -> str:
        """Keeps a copy of a value; its handle."""
        with self._lock:
            handle = f"{name};{self._number:x}.{self._next};{_DEVICE}"
            self._next += 1
            self._values[handle] = np.array(value) if isinstance(value, np.ndarray) else value
        return handle

    def get(self, handle: str) -> Any:
        """The value of a handle; InvalidArgumentError where there is none."""
        try:
            return self._values[handle]
        except KeyError:
            raise InvalidArgumentError(
                None, None, f"The tensor with handle {handle!r} is not in the session store."
            ) from None

    def delete(self, handle: str) -> None:
        """Forgets the value of a handle; InvalidArgumentError where there is none."""
        with self._lock:
            self.get(handle)
            del self._values[handle]

    def discard(self, handle: str) -> None:
        """Forgets the value of a handle, if there is one."""
        # No lock: this runs in destructors, maybe while this very thread holds the lock.
        self._values.pop(handle, None)

    def close(self) -> None:
        """Forgets all values."""
        with self._lock:
            self._values.clear()

    def saved(self) -> dict[str, Any]:
        """What is kept, for `restore`."""
        with self._lock:
            return {"next": self._next, "values": dict(self._values)}

    def restore(self, saved: dict[str, Any]) -> None:
        """Makes what was saved all that is kept."""
        with self._lock:
            self._next = max(self._next, int(saved["next"]))
            self._values = dict(saved["values"])


class TensorHandle:
    """Stands for a tensor that was kept in a session; it may be fed in the tensor's place.

    The tensor is forgotten when nobody has its handle any more. One that a task of another process
    keeps is read by `tf.get_session_tensor` there, and stays until it is deleted there.
    """

    def __init__(self, handle: str, dtype: DType, store: SessionTensors | None) -> None:
        self._handle = handle
        self._dtype = dtype
        self._store = store
        self._is_owner = True

    def __del__(self) -> None:
        if getattr(self, "_is_owner", False) and self._store is not None:
            self._store.discard(self._handle)

    def __str__(self) -> str:
        return self._handle

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.asarray(self.eval(), dtype)

    @property
    def handle(self) -> str:
        """The text that stands for the tensor, to be fed to `tf.get_session_tensor`."""
        return self._handle

    @property
    def dtype(self) -> DType:
        """The type of the tensor."""
        return self._dtype

    def eval(self) -> Any:
        """The tensor's value."""
        return self._kept().get(self._handle)

    def delete(self) -> None:
        """Forgets the tensor now; TypeError where that happened before."""
        store = self._kept()
        self._is_owner = False
        store.delete(self._handle)

    def get_raw_handle(self) -> str:
        """The text; the tensor now stays until it is deleted by `tf.delete_session_tensor`."""
        self._is_owner = False
        return self._handle

    def _kept(self) -> SessionTensors:
        if not self._is_owner:
            raise TypeError(f"Persistent tensor {self._handle} may have already been deleted.")
        if self._store is None:
            raise FailedPreconditionError(
                None,
                None,
                f"The tensor with handle {self._handle!r} is in another process: run "
                "tf.get_session_tensor or tf.delete_session_tensor on the device that it is on",
            )
        return self._store


def as_handle(value: Any, dtype: DType) -> TensorHandle | None:
    """The handle of what a run gave for one; None for what is none."""
    if isinstance(value, TensorHandle):
        return value
    if isinstance(value, np.ndarray) and value.dtype == object and not value.ndim:
        # As it comes from another task.
        value = value.item()
    if not isinstance(value, (bytes, str)):
        return None
    text = value.decode() if isinstance(value, bytes) else value
    store = int(text.split(";")[-2].rpartition(".")[0], 16)
    return TensorHandle(text, dtype, _stores.get(store))


def passed_on(value: Any) -> Any:
    """A value as it goes to another session: of a handle its text, which owns the tensor then."""
    if isinstance(value, TensorHandle):
        return np.array(value.get_raw_handle().encode(), dtype=object)
    return value
