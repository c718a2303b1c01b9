"""Tensors that stay in a session between runs, and the handles that stand for them."""

from __future__ import annotations

import itertools
import threading
import weakref
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.dtypes import DType

#: The fetched results of these operations are handles.
HANDLE_OPERATIONS = ("GetSessionHandle", "GetSessionHandleV2")

_DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"
_numbers = itertools.count(1)
_stores: weakref.WeakValueDictionary[int, SessionTensors] = weakref.WeakValueDictionary()


class SessionTensors:
    """The tensors of one session, by handle."""

    def __init__(self) -> None:
        self._number = next(_numbers)
        self._lock = threading.Lock()
        self._next = 0
        self._values: dict[str, Any] = {}
        _stores[self._number] = self

    def add(self, name: str, value: Any) -> str:
        """Keeps a copy of a value; its handle."""
        with self._lock:
            handle = f"{name};{self._number}.{self._next};{_DEVICE}"
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

    The tensor is forgotten when nobody has its handle any more.
    """

    def __init__(self, handle: str, dtype: DType, store: SessionTensors) -> None:
        self._handle = handle
        self._dtype = dtype
        self._store = store
        self._is_owner = True

    def __del__(self) -> None:
        if getattr(self, "_is_owner", False):
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
        self._check()
        return self._store.get(self._handle)

    def delete(self) -> None:
        """Forgets the tensor now; TypeError where that happened before."""
        self._check()
        self._is_owner = False
        self._store.delete(self._handle)

    def get_raw_handle(self) -> str:
        """The text; the tensor now stays until it is deleted by `tf.delete_session_tensor`."""
        self._is_owner = False
        return self._handle

    def _check(self) -> None:
        if not self._is_owner:
            raise TypeError(f"Persistent tensor {self._handle} may have already been deleted.")


def as_handle(value: Any, dtype: DType) -> TensorHandle | None:
    """The handle of what a run gave for one; None for what is no text."""
    if not isinstance(value, (bytes, str)):
        return None
    text = value.decode() if isinstance(value, bytes) else value
    store = _stores.get(int(text.split(";")[-2].split(".")[0]))
    if store is None:
        raise InvalidArgumentError(None, None, f"The session of handle {text!r} is gone.")
    return TensorHandle(text, dtype, store)
