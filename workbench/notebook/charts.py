"""Charts of runs to keep: `wb.charts`, and the script that draws those of a view."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.files import atomic_write
from workbench.live.run_controls import RunControls
from workbench.live.run_record import RunRecord
from workbench.notebook.connection import Answer, Call
from workbench.notebook.curves import Curve, Figures, bokeh, draw

if TYPE_CHECKING:
    from workbench.notebook.hub import Answers


class Charts:
    """The curves of some runs, drawn with Bokeh; `wb.charts` makes them.

    The last expression of a cell shows them; `save` writes a page that needs no network.
    """

    def __init__(self, figures: Figures, labels: Sequence[str]) -> None:
        self._figures = figures
        self._labels = list(labels)

    @property
    def layout(self) -> Any:
        """The Bokeh layout, to change or to combine with other figures."""
        return self._figures.layout

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes a page of its own, everything that draws included; returns its path."""
        target = Path(path)
        resources = bokeh("resources").INLINE
        page = bokeh("embed").file_html(self.layout, resources, f"Runs: {', '.join(self._labels)}")
        atomic_write(target, page.encode())
        return target

    def _ipython_display_(self) -> None:
        io = bokeh("io")
        # Bokeh's own default would have the page ask another host for the script.
        io.output_notebook(resources=bokeh("resources").INLINE, hide_banner=True)
        io.show(self.layout)

    def __repr__(self) -> str:
        return f"<wb.charts of {', '.join(self._labels)}>"


def charts(
    *runs: Any,
    names: Sequence[str] | None = None,
    smoothing: float = 0.0,
    log: bool = False,
) -> Charts:
    """The curves of one run or several over each other, one figure for each tracked name.

    Changes of hyperparameters are marked at their steps; a fork is drawn from where it left a run
    that is drawn beside it.

    Args:
      runs: runs, their names or ids; all runs of this kernel if there are none.
      names: which tracked values to draw; all of them by default.
      smoothing: 0 for what was measured, up to 1 for ever smoother lines beside it.
      log: whether values are on a logarithmic scale.

    Raises:
      ValueError: `smoothing` is out of range, there is nothing to draw, or no run tracks a name.

    >>> import workbench as wb
    >>> w = wb.Variable(4.0)
    >>> loss = wb.square(w)
    >>> train = wb.train.GradientDescentOptimizer(0.1).minimize(loss)
    >>> with wb.run(train, steps=5, track={"loss": loss}, name="small", folder=None) as run:
    ...     wb.charts(run.wait(timeout=60))
    <wb.charts of small>
    """
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing must be from 0 to below 1, but got {smoothing!r}")
    found = _runs(runs)
    if not found:
        raise ValueError("There are no runs to draw")
    curves = curves_of(found)
    tracked = {name for curve in curves for name in curve.history.names}
    for name in names or ():
        if name not in tracked:
            listed = ", ".join(sorted(tracked)) or "nothing"
            raise ValueError(f"None of the runs tracks {name!r}; they track {listed}")
    return Charts(draw(curves, names, smoothing, log), [curve.label for curve in curves])


def curves_of(runs: Iterable[Any]) -> list[Curve]:
    """Runs as they are drawn beside each other."""
    runs = list(runs)
    ids = {run.id for run in runs}
    labels = [run.name for run in runs]
    curves = []
    for run in runs:
        parent = run.status().parent or {}
        first = int(parent["step"]) if parent.get("run") in ids else None
        label = run.name if labels.count(run.name) == 1 else f"{run.name} ({run.id[:4]})"
        curves.append(Curve(run.id, label, run.history, first))
    return curves


def _runs(wanted: Sequence[Any]) -> list[Any]:
    from workbench.notebook.run_lookup import all_runs, find

    flat: list[Any] = []
    for each in wanted:
        flat += each if isinstance(each, (list, tuple)) else [each]
    if not wanted:
        return all_runs()
    found = []
    for each in flat:
        if isinstance(each, str):
            each = find(each)
        elif not isinstance(each, (RunControls, RunRecord)):
            raise TypeError(f"wb.charts takes runs or their names, not {type(each).__name__}")
        found.append(each)
    return found


def bokeh_script(call: Call) -> Answer:
    """`bokeh.script`: BokehJS as installed, so that no page asks another host for it.

    The page describes its charts itself: only a small part of Bokeh is imported here, since all of
    it would take seconds beside a run that trains.
    """
    folder = Path(bokeh("util.paths").bokehjs_path())
    script = (folder / "js" / "bokeh.min.js").read_bytes()
    return Answer({"version": bokeh("util.version").__version__}, [script])


ANSWERS: Answers = {"bokeh.script": bokeh_script}
