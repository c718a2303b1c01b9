"""One view's connection, over whatever carries its messages."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.notebook import protocol
from workbench.notebook.protocol import Refusal
from workbench.notebook.publisher import Feed

if TYPE_CHECKING:
    from workbench.notebook.hub import Hub

_log = logging.getLogger("workbench.notebook")

#: Sends a message with its buffers to the view; raises when the view is gone.
Send = Callable[[dict[str, Any], list[bytes]], None]

#: Notifications on their way to a view that says which it has received.
WINDOW = 16
#: Seconds between the notifications that ask a silent view for a sign of life.
PROBE_INTERVAL = 5.0
#: Seconds of silence after which a view that owes an acknowledgement is taken for closed.
SILENCE = 600.0


class Answer(NamedTuple):
    """What a request is answered with."""

    result: dict[str, Any]
    buffers: Sequence[bytes] = ()


class Call:
    """A checked request on its way to an answer, which may come later and from any thread."""

    def __init__(self, connection: Connection, request: protocol.Request) -> None:
        self.connection = connection
        self.hub = connection.hub
        self.params = request.params
        self.method = request.method
        self._id = request.id

    def answer(self, answer: Answer) -> None:
        """Answers the request."""
        self.connection.send({"id": self._id, "result": answer.result}, answer.buffers)

    def refuse(self, code: int, message: str) -> None:
        """Answers the request with an error."""
        self.connection.send_error(self._id, code, message)


class Connection:
    """Takes a view's messages, answers each, and holds what the view follows.

    `receive` may be called on any thread and returns quickly; everything is sent on the hub's
    publisher, in order. A view acknowledges its notifications, or never does: while it owes too
    many, what it follows waits, and the newest state is sent once it has caught up. So neither a
    slow page nor one that is gone without a word makes anything pile up.
    """

    def __init__(self, hub: Hub, view: str, send: Send) -> None:
        self.hub = hub
        self.view = view
        self._send = send
        self._feeds: dict[tuple[str, ...], Feed] = {}
        self._closed = False
        #: Called once, when the connection has been closed.
        self.on_close: Callable[[], None] | None = None
        self._acknowledges = False
        self._sequence = 0
        self._received = 0
        self._heard = self._probed = time.monotonic()
        self._heard_aside = False

    @property
    def closed(self) -> bool:
        """True once nothing is sent any more."""
        return self._closed

    def receive(self, message: object, buffers: object = ()) -> None:
        """Does what a message asks, or answers why not; never raises."""
        self._heard = time.monotonic()
        self._heard_aside = threading.current_thread() is not threading.main_thread()
        try:
            request = protocol.parse(message, buffers)
        except Refusal as refusal:
            self.send_error(protocol.identity_of(message), refusal.code, refusal.message)
            return
        call = Call(self, request)
        try:
            answer = self.hub.answers[request.method](call)
        except Refusal as refusal:
            call.refuse(refusal.code, refusal.message)
        except Exception as error:
            _log.exception("%s failed", request.method)
            call.refuse(protocol.FAILED_INSIDE, f"{type(error).__name__}: {error}")
        else:
            if answer is not None:
                call.answer(answer)

    def notify(self, method: str, params: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Tells the view something it did not ask for."""
        self._sequence += 1
        message = {"method": method, "params": params, "sequence": self._sequence}
        self.send(message, buffers)

    def send_error(self, identity: int | None, code: int, message: str) -> None:
        """Answers a request with an error."""
        self.send({"id": identity, "error": {"code": code, "message": message}})

    def send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Sends as soon as the publisher is free; a view that is gone is closed."""
        if not self._closed:
            self.hub.publisher.post(lambda: self._send_now(message, buffers))

    # -- what the view follows ---------------------------------------------------------------

    def follow(self, key: tuple[str, ...], feed: Feed) -> None:
        """Polls `feed` for this view, in place of an earlier one with the same key."""
        self.unfollow(key)
        if not self._closed:
            self._feeds[key] = feed
            self.hub.publisher.add(self)

    def unfollow(self, key: tuple[str, ...]) -> None:
        """Ends what `follow` began, if it did."""
        feed = self._feeds.pop(key, None)
        if feed is not None:
            feed.close()
        if not self._feeds:
            self.hub.publisher.remove(self)

    def following(self, key: tuple[str, ...]) -> Feed | None:
        """What the view follows under `key`."""
        return self._feeds.get(key)

    def followed(self, kind: str) -> list[tuple[str, ...]]:
        """The keys of a kind, their first word, that the view follows, the newest last."""
        return [key for key in list(self._feeds) if key[0] == kind]

    def poll(self) -> None:
        """Sends what changed in what the view follows, unless the view lags behind."""
        if self._lags():
            return
        for feed in list(self._feeds.values()):
            try:
                feed.poll()
            except Exception:
                _log.exception("what view %s follows failed", self.view)

    def acknowledge(self, sequence: int) -> None:
        """The view has received the notification of this number, and will say so of later ones."""
        self._acknowledges = True
        self._received = max(self._received, min(sequence, self._sequence))

    def _lags(self) -> bool:
        if not self._acknowledges or self._sequence - self._received < WINDOW:
            return False
        if self.hub.busy and not self._heard_aside:
            return False  # what it says waits for the end of the cell
        now = time.monotonic()
        if now - self._heard > SILENCE:
            self.close()
        elif now - self._probed > PROBE_INTERVAL:
            # What was on its way may be lost: a view that lives acknowledges this one.
            self._probed = now
            return False
        return True

    def close(self) -> None:
        """Ends everything this view follows; called when its channel is closed."""
        if self._closed:
            return
        self._closed = True
        for key in list(self._feeds):
            self.unfollow(key)
        self.hub.forget(self)
        if self.on_close is not None:
            self.on_close()

    def _send_now(self, message: dict[str, Any], buffers: Sequence[bytes]) -> None:
        if self._closed:
            return
        try:
            self._send(message, list(buffers))
        except Exception:
            _log.debug("view %s cannot be reached", self.view, exc_info=True)
            self.close()
