"""All commands by the kinds of messages, and in which thread each is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.cluster.commands import of_masters, of_tasks
from workbench.cluster.commands.serving import Command
from workbench.cluster.wire.message import Message

#: Done in the thread that receives, in the order in which they come.
AT_ONCE: dict[str, Command] = {**of_tasks.AT_ONCE, **of_masters.AT_ONCE}
#: Done in a thread of its own, and answered.
ANSWERED: dict[str, Command] = {**of_tasks.ANSWERED, **of_masters.ANSWERED}
#: What ends a step that was asked for, by the kind of what asked; it has the same fields.
FORSAKEN = {"run": "abort", "step": "cancel"}


def begins(message: Message) -> Callable[[Any, Message, Callable[[Message], None]], None] | None:
    """What begins something that no thread waits for, where a message asks for that.

    It is called in the thread that receives, with the server, the message, and what is to be called
    with the answer. What has a deadline has a thread that looks at it.
    """
    has_deadline = message.fields.get("seconds") is not None
    return of_tasks.begin_run if message.kind == "run" and not has_deadline else None
