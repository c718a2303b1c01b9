"""That something is refused: with an error of a kind, in words for users, and in time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

#: What is refused is refused at once, however slow the machine is.
AT_ONCE = 5.0


def is_refused(
    call: Callable[[], Any], kind: type[BaseException], told: str, seconds: float = AT_ONCE
) -> None:
    """Asserts that a call raises an error whose message has `told`, a pattern, within `seconds`."""
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        call()
    assert time.monotonic() - began < seconds
    message = str(caught.value)
    assert re.search(told, message), message
    # Nobody is told what happened inside.
    assert "object at 0x" not in message and "Traceback" not in message
