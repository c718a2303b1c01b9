"""What the magics about runs do."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from workbench.core.errors import OpError
from workbench.live.run_table import run_table
from workbench.notebook import lookup, run_lookup
from workbench.notebook.charts import charts
from workbench.notebook.display import in_notebook
from workbench.notebook.lookup import usage_error


@contextmanager
def _plainly() -> Iterator[None]:
    """What the Python API says about wrong arguments, as one line."""
    try:
        yield
    except (ValueError, TypeError, KeyError, RuntimeError, TimeoutError, OpError) as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else str(error)
        raise usage_error(" ".join(str(text).split())) from None


def train(shell: Any, options: argparse.Namespace) -> Any:
    """`%train`: starts a run and returns it, which shows it."""
    from workbench.live.start import run

    target = lookup.graph_element(shell, options.target)
    graph = target.graph
    feed = None if options.feed is None else lookup.evaluate(shell, options.feed, "--feed")
    track = None if options.track is None else _tracked(shell, options.track, graph)
    more: dict[str, Any] = {}
    if options.pool is not None:
        more["pool"] = _pool(shell, options.pool)
    for option in ("replicas", "strategy", "encoding"):
        if getattr(options, option) is not None:
            more[option] = getattr(options, option)
    with _plainly():
        return run(target, steps=options.steps, feed=feed, track=track, name=options.name, **more)


def _pool(shell: Any, text: str) -> Any:
    """The pool in a variable of this name, or else the one that is called so."""
    found = shell.user_ns.get(text)
    if found is not None:
        return found
    from workbench.pool.listing import attach

    with _plainly():
        return attach(text)


def _tracked(shell: Any, text: str, graph: Any) -> dict[str, Any]:
    """What `loss,accuracy` or `name=tensor,...` stands for."""
    found: dict[str, Any] = {}
    for word in text.split(","):
        name, equals, value = word.strip().partition("=")
        if not name:
            raise usage_error(f"--track: a name is missing in {text!r}")
        tensor = lookup.tensor(shell, value.strip() if equals else name, graph)
        found[name if equals or name.isidentifier() else tensor.op.name] = tensor
    return found


def tweak(shell: Any, words: list[str]) -> Any:
    """`%tweak`: new values, or sliders where there are none."""
    names = [word for word in words if "=" not in word]
    if len(names) > 1:
        raise usage_error(f"%tweak changes one run, not {len(names)}: {', '.join(names)}")
    with _plainly():
        run = run_lookup.find_here(names[0] if names else None)
    values = {}
    for word in words:
        name, equals, text = word.partition("=")
        if equals:
            _check_hyperparameter(run, name)
            values[name] = _value(shell, run, name, text)
    if not values:
        if not run.hyperparameters:
            raise usage_error(
                f"the run {run.name!r} has no hyperparameters: wb.hyperparameter(...)"
            )
        return _sliders(run)
    with _plainly():
        step = run.set(**values)
    shown = ", ".join(f"{name}={value!r}" for name, value in values.items())
    print(f"{run.name}: {shown} from step {step} on")
    return None


def _sliders(run: Any) -> Any:
    """Sliders where something can show them, else the values."""
    if in_notebook():
        try:
            from workbench.notebook.tweak import sliders
        except ModuleNotFoundError as error:
            raise usage_error(f"%tweak shows sliders with ipywidgets: {error}") from None
        return sliders(run)
    for name, value in run.hyperparameters.items():
        print(f"{name}={value!r}")
    return None


def _check_hyperparameter(run: Any, name: str) -> None:
    known = run_lookup.hyperparameter_names(run)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        listed = f"; it has {', '.join(known)}" if known and not near else ""
        raise usage_error(f"the run {run.name!r} has no hyperparameter {name!r}{hint}{listed}")


def _value(shell: Any, run: Any, name: str, text: str) -> Any:
    """The value that `text` stands for; of choices and texts the bare word will do."""
    current = run.hyperparameters[name]
    if isinstance(current, str) and text not in shell.user_ns:
        return text.strip("'\"")
    value = lookup.evaluate(shell, text, name)
    # 1e3 is a float to Python, and meant as a whole number where there must be one.
    whole = isinstance(current, int) and isinstance(value, float) and value.is_integer()
    return int(value) if whole and not isinstance(current, bool) else value


def peek(shell: Any, text: str, name: str | None) -> Any:
    """`%peek`: the value of a tensor now."""
    with _plainly():
        run = run_lookup.find_here(name)
    tensor = lookup.tensor(shell, text, run.graph)
    with _plainly():
        return run.peek(tensor)


def runs(shell: Any, options: argparse.Namespace) -> Any:
    """`%runs`: a table, a comparison, or a deletion."""
    if options.compare and options.delete:
        raise usage_error("%runs either compares or deletes")
    with _plainly():
        chosen = [run_lookup.find(name) for name in options.names] or run_lookup.all_runs()
        if options.compare:
            return charts(*chosen)
        if options.delete:
            if not options.names:
                raise ValueError("%runs --delete needs the names of the runs to delete")
            for run in chosen:
                run_lookup.delete(run)
                print(f"deleted {run.name}")
            return None
    print(table(chosen))
    return None


def table(runs: list[Any]) -> str:
    """Runs as lines of text, the newest first."""
    if not runs:
        return "There are no runs yet: wb.run(...) or %train starts one."
    return run_table(runs[::-1])
