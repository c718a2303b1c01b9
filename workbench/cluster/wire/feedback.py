"""What encodings have rounded away, kept to be sent with the next array of the same key."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np

from workbench.cluster.wire.encodings import restore, shrink

_Array = np.ndarray[Any, Any]
#: So many keys are remembered: what was not sent for longest is forgotten first.
_MOST_KEYS = 4096


class Feedback:
    """The errors of what was sent to one peer, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._errors: OrderedDict[str, _Array] = OrderedDict()

    def shrink(self, key: str, array: _Array, kind: str) -> tuple[str, _Array]:
        """As `encodings.shrink`, of the array and what earlier ones with this key lack."""
        # One at a time: what goes out and what is kept must belong together.
        with self._lock:
            kept = self._errors.pop(key, None)
            wanted = array if kept is None or kept.shape != array.shape else array + kept
            kind, data = shrink(wanted, kind)
            sent = restore(kind, data, array.size).reshape(array.shape)
            with np.errstate(invalid="ignore"):
                error = wanted - sent
            # An infinity or NaN has been sent as it is: it is not to be sent for ever.
            if np.isfinite(error).all():
                self._errors[key] = error
                if len(self._errors) > _MOST_KEYS:
                    self._errors.popitem(last=False)
            return kind, data

    def forget(self, prefix: str) -> None:
        """Forgets the keys that begin with `prefix`."""
        with self._lock:
            for key in [k for k in self._errors if k.startswith(prefix)]:
                del self._errors[key]
