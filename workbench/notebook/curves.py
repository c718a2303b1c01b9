"""Curves of runs as Bokeh figures: one figure for each tracked name, one line for each run.

Every line has a data source with the columns `step` and `value`, which a view may replace as the
run goes on; smoothing happens where it is drawn, so a source always holds what was measured.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.live.events import Event
from workbench.live.history import History

#: Distinguishable with any kind of colour vision, on a light and on a dark page.
_COLORS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#b3a100", "#8c6bb1")
_DASHES = ("solid", "dashed", "dotdash")
#: Readable on a light page and on a dark one.
_INK = "#7f7f7f"
_HEIGHT = 240
_MARKED = ("set", "fork", "rewind", "watch", "failed")

#: An average that forgets: older values count by `weight` to the power of their distance.
_SMOOTHING = """
const smooth = new Float64Array(xs.length);
let sum = 0, total = 0;
for (let i = 0; i < xs.length; i++) {
  if (isFinite(xs[i])) {
    sum = weight * sum + (1 - weight) * xs[i];
    total = weight * total + (1 - weight);
  }
  smooth[i] = isFinite(xs[i]) ? sum / total : NaN;
}
return smooth;
"""


def bokeh(module: str) -> Any:
    """A module of Bokeh, loaded when a chart is first drawn."""
    return importlib.import_module(f"bokeh.{module}")


class Curve(NamedTuple):
    """A run as it is drawn."""

    run: str
    label: str
    history: History
    #: The step from which on it is drawn: where a fork left the run that is drawn beside it.
    first: int | None = None

    @property
    def events(self) -> list[Event]:
        """What is marked on the curve."""
        return [
            event
            for event in list(self.history.events)
            if event.kind in _MARKED and (self.first is None or event.step >= self.first)
        ]


class Figures(NamedTuple):
    """A Bokeh layout and the data sources in it."""

    layout: Any
    #: By run and tracked name: columns `step` and `value`.
    values: dict[str, dict[str, Any]]
    #: By run: columns `step` and `text`.
    events: dict[str, Any]


def draw(
    curves: Sequence[Curve],
    names: Sequence[str] | None = None,
    smoothing: float = 0.0,
    log: bool = False,
    points: int = 2000,
) -> Figures:
    """The figures of the given names, all that any of the runs tracks by default."""
    models = bokeh("models")
    ColumnDataSource = models.ColumnDataSource
    known = dict.fromkeys(name for curve in curves for name in curve.history.names)
    shown = list(names) if names is not None else list(known)
    values: dict[str, dict[str, Any]] = {curve.run: {} for curve in curves}
    events = {curve.run: ColumnDataSource(_event_columns(curve)) for curve in curves}
    # The same steps in every figure: moving one moves all.
    steps = models.DataRange1d()
    figures = []
    for name in shown:
        figure = _figure(name, log, steps)
        lines, marks = [], []
        for curve, (dash, color) in zip(
            curves, itertools.cycle(itertools.product(_DASHES, _COLORS)), strict=False
        ):
            if name not in curve.history:
                continue
            excerpt = curve.history.thinned(points, first=curve.first)
            row = curve.history.names.index(name)
            source = ColumnDataSource(
                {"step": excerpt.steps.astype(np.float64), "value": excerpt.values[row]}
            )
            values[curve.run][name] = source
            lines.append(_line(figure, curve, source, color, dash, smoothing))
            marks.append(_mark(figure, events[curve.run], color))
        _explain(figure, lines, marks, len(curves) > 1)
        figures.append(figure)
    layout = bokeh("layouts").column(*figures, sizing_mode="stretch_width")
    return Figures(layout, values, events)


def _event_columns(curve: Curve) -> dict[str, list[Any]]:
    return {
        "step": [float(event.step) for event in curve.events],
        "text": [event.text for event in curve.events],
    }


def _figure(name: str, log: bool, steps: Any) -> Any:
    found = bokeh("plotting").figure(
        title=name,
        height=_HEIGHT,
        sizing_mode="stretch_width",
        x_range=steps,
        y_axis_type="log" if log else "linear",
        tools="pan,box_zoom,wheel_zoom,reset,save",
        active_drag="box_zoom",
        background_fill_alpha=0.0,
        border_fill_alpha=0.0,
        outline_line_color=None,
        output_backend="canvas",
    )
    found.toolbar.logo = None
    found.title.text_color = _INK
    found.grid.grid_line_color = _INK
    found.grid.grid_line_alpha = 0.25
    for axis in found.axis:
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = _INK
        axis.major_label_text_color = axis.axis_label_text_color = _INK
    found.xaxis.axis_label = "step"
    found.xaxis.formatter.use_scientific = False
    return found


def _line(figure: Any, curve: Curve, source: Any, color: str, dash: str, smoothing: float) -> Any:
    look = {"color": color, "line_dash": dash, "name": curve.label}
    if smoothing <= 0:
        line = figure.line("step", "value", source=source, line_width=1.5, **look)
    else:
        smooth = bokeh("models").CustomJSTransform(args={"weight": smoothing}, v_func=_SMOOTHING)
        figure.line("step", "value", source=source, line_width=1, line_alpha=0.3, **look)
        line = figure.line(
            "step",
            bokeh("transform").transform("value", smooth),
            source=source,
            line_width=2,
            **look,
        )
    if curve.first is not None and len(source.data["step"]):
        figure.scatter(
            [source.data["step"][0]],
            [source.data["value"][0]],
            size=7,
            color=color,
            marker="circle",
        )
    return line


def _mark(figure: Any, source: Any, color: str) -> Any:
    """A line at each step where something happened; what it was is told under the pointer.

    Written beside the lines, long texts are cut off and lie over each other around a fork.
    """
    look = {"line_color": color, "line_dash": "dotted", "line_alpha": 0.8}
    return figure.vspan(x="step", source=source, line_width=1.5, **look)


def _explain(figure: Any, lines: list[Any], marks: list[Any], several: bool) -> None:
    models = bokeh("models")
    figure.add_tools(
        models.HoverTool(
            renderers=marks,
            tooltips=[("step", "@step{0,0}"), ("", "@text")],
            point_policy="follow_mouse",
            visible=False,
        )
    )
    figure.add_tools(
        models.HoverTool(
            renderers=lines,
            tooltips=[("run", "$name"), ("step", "@step{0,0}"), ("value", "@value{0.[000000]}")],
            mode="vline",
        )
    )
    if several:
        items = [models.LegendItem(label=line.name, renderers=[line]) for line in lines]
        legend = models.Legend(
            items=items,
            click_policy="hide",
            background_fill_alpha=0.0,
            border_line_color=None,
            label_text_color=_INK,
        )
        figure.add_layout(legend, "right")
