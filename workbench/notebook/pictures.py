"""Pictures in a cell that change while a run trains.

A picture asks its run for values between two steps, at most five times a second, and so seldom
that asking and drawing take less than 2 % of the time for all pictures of a run together; what it
misses it never catches up with. The publisher's thread draws and sends, so neither the run nor a
cell waits for a picture.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels import png
from workbench.live.acknowledgement import Acknowledgement, Obeyed
from workbench.live.commands import Call, Command, Evaluate, Peek
from workbench.live.errors import RunEndedError
from workbench.live.events import Published, StateChanged
from workbench.notebook.hub import get_hub
from workbench.notebook.pictures_colors import Pixels
from workbench.notebook.pictures_kinds import Drawing, Subject, drawing, subjects, surface

#: Seconds between two pictures, at least.
_INTERVAL = 0.2
#: The share of the time that all pictures of a run and its observer may take.
_SHARE = 0.02
#: How long the first picture may wait for the step that runs now.
_PATIENCE = 60.0

#: The pictures that there are, and the lock for whoever adds one or walks through them.
_pictures: weakref.WeakSet[Picture] = weakref.WeakSet()
_pictures_lock = threading.Lock()


class Picture:
    """Tensors of a run as images, as they are now; `wb.picture` makes it.

    In a notebook it is a widget. It follows the run, also through rewinds, until `close` or until
    the run is closed.
    """

    def __init__(self, run: Any, given: list[Subject], labels: Any) -> None:
        self.run = run
        self._subjects: list[Subject] = []
        self._drawings: list[Drawing | None] = []
        for each in given:
            if each.kind == "surface":
                drawn, each = surface(each, labels)
                self._drawings.append(drawn)
            else:
                self._drawings.append(None)
            self._subjects.append(each)
        self._publisher = get_hub().publisher
        self._lock = threading.Lock()
        self._asked: list[Acknowledgement] | None = None
        self._shown: tuple[int, int] | None = None
        self._due = 0.0
        self._view: Any = None
        #: After how many steps of the run the picture was taken.
        self.step = 0
        #: How many pictures were drawn so far.
        self.count = 0
        #: The share of the time that the last picture took, asking and drawing.
        self.cost = 0.0
        #: True when it follows the run no more.
        self.closed = False
        #: The values shown, an array for each tensor.
        self.values: list[NDArray[Any]] = []
        #: The pictures, uint8 [height, width, 3] each.
        self.images: list[Pixels] = []
        self._take(self._answers(self._ask(), _PATIENCE))
        self._unsubscribe = run.subscribe(self._follow)
        with _pictures_lock:
            _pictures.add(self)
        self._publisher.add(self)

    @property
    def image(self) -> Pixels:
        """The picture of the first tensor."""
        return self.images[0]

    @property
    def descriptions(self) -> list[str]:
        """What the pictures show, in words."""
        drawn = zip(self._drawings, self.values, strict=True)
        return [d.describe(v) for d, v in drawn if d is not None]

    def close(self) -> None:
        """Follows the run no more, and takes the picture off the page."""
        self._detach()
        view, self._view = self._view, None
        if view is not None:
            view.close()

    def _detach(self) -> None:
        """Follows the run no more; what is on the page stays there."""
        self.closed = True
        self._unsubscribe()
        self._publisher.remove(self)

    def refresh(self) -> Picture:
        """Takes a picture now, whatever it costs, and returns when it is drawn."""
        self._take(self._answers(self._ask(), _PATIENCE))
        return self

    # -- following the run -------------------------------------------------------------------

    def poll(self) -> None:
        """Called by the publisher: asks where something is new, and it is time."""
        if self.closed or (self._view is not None and self._view.closed):
            self.close()
        elif self._asked is not None:
            return
        elif self._shown == (self.run.epoch, self.run.step_number):
            if not self.run.is_live:
                # The run has ended and is as shown; `_follow` comes back if it is rewound,
                # which may be happening right now.
                self._publisher.remove(self)
                if self.run.is_live:
                    self._publisher.add(self)
        elif time.monotonic() >= self._due or not self.run.is_live:
            self._asked = self._ask()
            self._asked[-1].call_when_done(lambda _: self._publisher.post(self._answered))

    def _answered(self) -> None:
        """Draws what the run has answered, on the publisher's thread."""
        asked, self._asked = self._asked, None
        if asked is None or self.closed:
            return
        try:
            self._take(self._answers(asked, 0))
        except RunEndedError:
            self._detach()
        except Exception:
            # It would fail again with every step.
            self._detach()
            raise

    def _follow(self, event: Published) -> None:
        if isinstance(event, StateChanged) and not self.closed:
            self._publisher.add(self)

    def _ask(self) -> list[Acknowledgement]:
        """Puts questions for all values into the run's queue, between two looks at the clock."""
        feed = self._subjects[0].feed
        tensors = [each.tensor for each in self._subjects]
        questions: list[Command] = [Peek(t) for t in tensors]
        if feed is not None:
            questions = [Evaluate(tensors, feed)]
        clock = Call(time.perf_counter)
        return [self.run.submit(each) for each in (clock, *questions, clock)]

    @staticmethod
    def _answers(asked: list[Acknowledgement], patience: float) -> list[Obeyed]:
        deadline = time.monotonic() + patience
        return [each.result(max(0.0, deadline - time.monotonic())) for each in asked]

    def _take(self, answers: list[Obeyed]) -> None:
        """Draws the values that the run gave, and sends them to the view."""
        began, *found, ended = answers
        fed = self._subjects[0].feed is not None
        with self._lock:
            start = time.thread_time()
            values = [np.asarray(v) for v in (found[0].value if fed else [f.value for f in found])]
            for place, (subject, array) in enumerate(zip(self._subjects, values, strict=True)):
                if self._drawings[place] is None:
                    self._drawings[place] = drawing(subject, array)
            drawn = zip(self._drawings, values, strict=True)
            self.images = [each.draw(array) for each, array in drawn if each is not None]
            self.values = values
            self.step = found[-1].step
            self.count += 1
            self._shown = (self.run.epoch, self.step)
            if self._view is not None:
                self._send()
            # With a step between the looks at the clock, the difference says nothing of the cost;
            # nor does it the first time, when the run plans how to get the values.
            sound = ended.step == began.step and self.count > 1
            asking = ended.value - began.value if sound else 0.0
            spent = asking + time.thread_time() - start
            pause = max(_INTERVAL, spent / self._share())
            self.cost = spent / pause
            self._due = time.monotonic() + pause

    def _share(self) -> float:
        """The share of the time that this picture may take: all that watch a run divide theirs."""
        with _pictures_lock:
            watching = sum(each.run is self.run and not each.closed for each in _pictures)
        left = _SHARE - float(self.run.status().observer_cost)
        return max(left, _SHARE / 4) / max(watching, 1)

    # -- showing -----------------------------------------------------------------------------

    def _send(self) -> None:
        files = [png.write(image, compression=1, filtering=False) for image in self.images]
        self._view.show(files, [f"{text}, step {self.step}" for text in self.descriptions])

    def _repr_mimebundle_(self, **options: Any) -> Any:
        text = {"text/plain": repr(self)}
        if self._view is None and not self.closed:
            try:
                from workbench.notebook.pictures_view import PictureView
            except ModuleNotFoundError:
                return text
            self._view = PictureView([image.shape[:2] for image in self.images])
            self._send()
        if self._view is None:
            return text
        data, metadata = self._view.bundle()
        return {**data, **text}, metadata

    def __repr__(self) -> str:
        return (
            f"<wb.picture of {self.run.name!r} at step {self.step}: {'; '.join(self.descriptions)}>"
        )


def picture(
    run: Any,
    tensors: Any,
    feed: Mapping[Any, Any] | None = None,
    kind: str | None = None,
    labels: Any = None,
) -> Picture:
    """A picture of tensors that changes live while the run trains.

    Args:
      run: the run.
      tensors: a tensor, variable or name, or a list of them: an image for each.
      feed: what they are evaluated with; by default the last batch of the run.
      kind: "filters" ([height, width, in, out]), "images" ([count, height, width] with or without
        channels), "heat map" (a matrix or a vector) or "surface"; what fits the shape by default.
        Blue is negative, red positive; each tile is scaled by its own largest value. A surface
        shows the probability of class 1, or of each class, over the plane around the points that
        `feed` holds as one array [count, 2].
      labels: the classes of those points.

    Raises:
      ValueError: a tensor has no such picture, or the feed lacks something.

    >>> import numpy as np
    >>> import workbench as wb
    >>> w = wb.Variable(np.eye(2), name="w")
    >>> with wb.run(w.assign_add(np.ones([2, 2])), steps=3, folder=None) as run:
    ...     wb.picture(run.wait(timeout=60), w)
    <wb.picture of 'run' at step 3: w: 2 x 2, from 3 to 4>
    """
    if not hasattr(run, "submit") or not hasattr(run, "graph"):
        raise TypeError(f"wb.picture takes a run first, but got {type(run).__name__}")
    return Picture(run, subjects(run.graph, tensors, feed, kind), labels)
