"""Whether variables that outlive their sessions are those of a training that has only been left.

Where a chief is killed and its parameter servers are not, the variables there are further than the
last checkpoint. The servers know which folder they are trained for, until they are started again.
"""

from __future__ import annotations

import os
import re
from typing import Any

from workbench.core import errors
from workbench.core.platform import logging
from workbench.train.global_steps import get_global_step


def claim(session: Any, folder: str) -> None:
    """Has the tasks of a session know that what is on them is trained for a folder."""
    if session._elsewhere is not None:
        session._elsewhere.label(_label(folder))


def is_further(session: Any, folder: str, checkpoint: str) -> bool:
    """Whether all that a session's tasks have is that of a folder, and no older than a checkpoint.

    The variables have their values. The session has run a step on all tasks that have some.
    """
    if session._elsewhere is None:
        return False
    step = get_global_step(session.graph)
    saved = re.search(r"-(\d+)$", checkpoint)
    if step is None or saved is None:
        return False
    try:
        labels = session._elsewhere.labels()
        is_ours = bool(labels) and all(label == _label(folder) for label in labels)
        return is_ours and int(session.run(step)) >= int(saved[1])
    except errors.OpError as error:
        logging.info("The variables cannot be compared with checkpoint %s: %s", checkpoint, error)
        return False


def _label(folder: str) -> str:
    return os.path.realpath(folder)
