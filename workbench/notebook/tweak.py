"""Sliders for a run's hyperparameters, moved by the user and by Python alike."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets

from workbench.live.acknowledgement import Acknowledgement
from workbench.live.commands import Set
from workbench.live.hyperparameters import Hyperparameter
from workbench.live.registry import registry
from workbench.notebook.hub import Hub, get_hub

_STYLE = {"description_width": "8em"}
_WIDTH = {"width": "32em"}


class Sliders:
    """Controls for the hyperparameters of a run, in any front end that shows ipywidgets.

    Moving one tells the run; a change from elsewhere moves it. The two do not chase each other: a
    control stays where the user put it until the run has obeyed or refused.
    """

    def __init__(self, run: Any, hub: Hub) -> None:
        self._run = run
        self._hub = hub
        self._pending: dict[str, Acknowledgement] = {}
        self._moving: set[str] = set()
        described = run.status().hyperparameters
        self.controls: dict[str, Any] = {each.name: control_for(each) for each in described}
        self._title = ipywidgets.HTML()
        self._note = ipywidgets.HTML()
        self.box = ipywidgets.VBox([self._title, *self.controls.values(), self._note])
        for name, control in self.controls.items():
            control.observe(self._mover(name), names="value")
        self.poll()
        hub.publisher.add(self)

    def close(self) -> None:
        """Removes the controls from the page and lets go of the run."""
        self._hub.publisher.remove(self)
        self.box.close()

    def poll(self) -> None:
        """Moves the controls to where the run is; called on the publisher."""
        run = self._run
        if registry.find(run.id) is None:
            self._hub.publisher.remove(self)
        status = run.status()
        for each in status.hyperparameters:
            self._show(each.name, each.value)
        for control in self.controls.values():
            if control.disabled == run.is_live:
                control.disabled = not run.is_live
        title = f"<b>{_escaped(run.name)}</b> {status.state}"
        if self._title.value != title:
            self._title.value = title

    def _show(self, name: str, value: Any) -> None:
        pending = self._pending.get(name)
        if pending is not None:
            if not pending.done:
                return
            del self._pending[name]
            self._tell(pending)
        control = self.controls[name]
        if not _at_same_place(control, control.value, value):
            self._moving.add(name)
            try:
                control.value = value
            finally:
                self._moving.discard(name)

    def _tell(self, done: Acknowledgement) -> None:
        try:
            done.result(0)
        except Exception as error:
            self._note.value = _escaped(str(error))
        else:
            if self._note.value:
                self._note.value = ""

    def _mover(self, name: str) -> Any:
        def moved(change: Any) -> None:
            current = self._run.hyperparameters[name]
            here = _at_same_place(self.controls[name], change["new"], current)
            if name not in self._moving and (name in self._pending or not here):
                self._pending[name] = self._run.submit(Set({name: change["new"]}))

        return moved

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.box._repr_mimebundle_(**options)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self._run.hyperparameters.items())
        return f"<sliders of {self._run.name}: {values}>"


def sliders(run: Any) -> Sliders:
    """Controls for the hyperparameters of a run."""
    return Sliders(run, get_hub())


def control_for(described: Hyperparameter) -> Any:
    """The control that suits a hyperparameter: slider, field, list or box to tick."""
    name, value, low, high = described.name, described.value, described.low, described.high
    common = {"description": name, "style": _STYLE, "layout": _WIDTH}
    if described.type == "bool":
        return ipywidgets.Checkbox(value=value, indent=True, **common)
    if described.type == "choice":
        options = [(str(choice), choice) for choice in described.choices or ()]
        return ipywidgets.Dropdown(options=options, value=value, **common)
    if described.type == "int":
        if low is None or high is None:
            return ipywidgets.IntText(value=value, **common)
        return ipywidgets.IntSlider(value=value, min=int(low), max=int(high), **common)
    if low is None or high is None:
        return ipywidgets.FloatText(value=value, **common)
    if described.log:
        # A power of ten may lie a little within the bound that it came from.
        exponents = {"min": math.log10(low) - 1e-12, "max": math.log10(high) + 1e-12}
        return ipywidgets.FloatLogSlider(
            value=value, base=10, step=0.01, readout_format=".3g", **exponents, **common
        )
    step = (high - low) / 200
    return ipywidgets.FloatSlider(
        value=value, min=low, max=high, step=step, readout_format=".3g", **common
    )


def _at_same_place(control: Any, a: Any, b: Any) -> bool:
    """True where a slider stands at the same place for two values.

    The page rounds what it is given to the slider's steps and may say so: nobody has moved it.
    """
    if a == b:
        return True
    if isinstance(control, ipywidgets.FloatLogSlider):
        a, b = math.log(a, control.base), math.log(b, control.base)
    elif not isinstance(control, ipywidgets.FloatSlider):
        return False
    return bool(round((a - control.min) / control.step) == round((b - control.min) / control.step))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
