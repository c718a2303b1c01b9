"""What others ask of a server: handed to its commands, and answered."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.cluster.commands.serving import Command, Serving
from workbench.cluster.commands.table import ANSWERED, AT_ONCE, FORSAKEN, begins
from workbench.cluster.remote_errors import to_fields
from workbench.cluster.shown import shown
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message
from workbench.core.errors import AbortedError, InvalidArgumentError, OpError

#: Of a step that takes longer than this, it is looked whether who asked for it is still there.
_FORSAKEN_SECONDS = 1.0


@dataclass(eq=False)
class _Asked:
    """A step that somebody has asked for, since when it runs, and whether who did was taken for
    gone."""

    sender: Any
    message: Message
    since: float
    is_forsaken: bool = False


class Answering:
    """Hands what comes to the commands of a server.

    Args:
      server: whom they are asked of.
      extensions: what else it may be asked, by the kinds of messages.
    """

    def __init__(self, server: Serving, extensions: Mapping[str, Command]) -> None:
        self._server, self._extensions = server, extensions
        #: What takes answers back, once there is one.
        self.endpoint: Endpoint | None = None
        #: What comes before that waits here, in its order: who asked it waits for an answer.
        self._early: list[tuple[Any, Message]] = []
        self._has_begun = False
        self._lock = threading.RLock()
        #: The steps that others wait for.
        self._asked: set[_Asked] = set()

    def begin(self, endpoint: Endpoint) -> None:
        """From now on what comes is handled; what has come already is so first."""
        self.endpoint = endpoint
        with self._lock:
            # One that is handled here may bring another one, in this thread.
            for sender, message in self._early:
                self._handle(sender, message)
            self._early.clear()
            self._has_begun = True

    def handle(self, sender: Any, message: Message) -> None:
        """What has come, in the thread that receives: what may take longer goes to another."""
        if not self._has_begun:
            with self._lock:
                if not self._has_begun:
                    self._early.append((sender, message))
                    return
        self._handle(sender, message)

    def _handle(self, sender: Any, message: Message) -> None:
        server, task = self._server, self._server.task
        try:
            wanted = message.fields.get("task", task.name)
            if wanted != task.name:
                raise InvalidArgumentError(None, None, f"This is {task.name}, not {shown(wanted)}")
            if message.kind in AT_ONCE:
                self._reply(sender, message, AT_ONCE[message.kind](server, message))
            elif (begin := begins(message)) is not None:
                asked = self._note(sender, message)
                try:
                    begin(server, message, functools.partial(self._answer_asked, asked))
                except BaseException:
                    self._asked.discard(asked)
                    raise
            elif message.kind in ANSWERED or message.kind in self._extensions:
                command = ANSWERED.get(message.kind) or self._extensions[message.kind]
                task.threads.start(lambda: self._answer(sender, message, command))
            else:
                raise InvalidArgumentError(
                    None, None, f"Servers do not know what {shown(message.kind)} is"
                )
        except Exception as error:
            self._reply(sender, message, Message("error", to_fields(error)))

    def end_forsaken(self, now: float) -> None:
        """Ends the steps whose results nobody waits for: who asked for them is gone."""
        for asked in list(self._asked):
            if now - asked.since > _FORSAKEN_SECONDS and not self._reaches(asked.sender):
                self._asked.discard(asked)
                asked.is_forsaken = True
                kind, fields = FORSAKEN[asked.message.kind], dict(asked.message.fields)
                fields["reason"] = f"Who asked for step {fields.get('step')} is gone"
                with contextlib.suppress(OpError):
                    AT_ONCE[kind](self._server, Message(kind, fields))

    def _reaches(self, sender: Any) -> bool:
        return self.endpoint is None or self.endpoint.reaches(sender)

    def _note(self, sender: Any, message: Message) -> _Asked:
        asked = _Asked(sender, message, time.monotonic())
        if message.kind in FORSAKEN:
            self._asked.add(asked)
        return asked

    def _answer_asked(self, asked: _Asked, answer: Message) -> None:
        self._asked.discard(asked)
        if asked.is_forsaken:
            # It may have stood still, and hear this: nobody has cancelled anything there.
            answer = Message("error", to_fields(_taken_for_gone(asked)))
        self._reply(asked.sender, asked.message, answer)

    def _answer(self, sender: Any, message: Message, command: Command) -> None:
        asked = self._note(sender, message)
        try:
            found = command(self._server, message)
        except BaseException as error:
            found = Message("error", to_fields(error))
        self._answer_asked(asked, found)

    def _reply(self, sender: Any, message: Message, answer: Message) -> None:
        if self.endpoint is not None and message.number:
            self.endpoint.answer(sender, message, answer)


def _taken_for_gone(asked: _Asked) -> OpError:
    seconds = time.monotonic() - asked.since
    return AbortedError(
        None,
        None,
        f"Who asked for this step, {seconds:.1f} s ago, could not be reached for a while, and was "
        "taken for gone: the step was ended",
    )
