"""A picture on the page: images side by side, each with a line that says what it shows."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import ipywidgets
import traitlets

#: Else the lines of a caption stand as far apart as rows of sliders.
_LINES = "line-height: 1.4; white-space: normal"


class _Image(ipywidgets.Image):  # type: ignore[misc]
    """An image that can have a title, which is its name for a screen reader.

    The page looks at a widget's description before it shows a tooltip, and images have none.
    """

    description = traitlets.Unicode("").tag(sync=True)


class PictureView:
    """The widgets of a picture.

    Args:
      sizes: height and width of each image, in pixels.
    """

    def __init__(self, sizes: Sequence[tuple[int, ...]]) -> None:
        self._images = [
            _Image(format="png", width=str(width), height=str(height)) for height, width in sizes
        ]
        self._captions = [ipywidgets.HTML() for _ in sizes]
        figures = [
            ipywidgets.VBox([image, caption], layout={"max_width": f"{max(width, 200) + 8}px"})
            for (_, width), image, caption in zip(sizes, self._images, self._captions, strict=True)
        ]
        self._box = ipywidgets.HBox(figures, layout={"flex_flow": "row wrap"})

    @property
    def closed(self) -> bool:
        """True when it is on no page any more."""
        return self._box.comm is None

    def show(self, files: Sequence[bytes], texts: Sequence[str]) -> None:
        """Puts new images (PNG) and texts in the place of those there are."""
        for image, caption, file, text in zip(
            self._images, self._captions, files, texts, strict=True
        ):
            with image.hold_sync():
                image.value = file
                image.tooltip = text
            caption.value = f'<small style="display: block; {_LINES}">{html.escape(text)}</small>'

    def bundle(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a cell shows."""
        found: Any = self._box._repr_mimebundle_()
        return found if isinstance(found, tuple) else (found, {})

    def close(self) -> None:
        """Takes it off every page."""
        for widget in (*self._images, *self._captions, *self._box.children, self._box):
            widget.close()
