"""What may stand next on a magic's line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.notebook import lookup
from workbench.notebook.hub import get_hub

#: More names than this are no help.
_MAXIMUM = 500

Complete = Callable[[Any, list[str]], list[str]]


def register(shell: Any) -> None:
    """Completes the magics' arguments in a shell."""
    for name in _ARGUMENTS:
        for mark in ("%", "%%") if name == "graph" else ("%",):
            shell.set_hook("complete_command", _complete, str_key=f"{mark}{name}")


def unregister(shell: Any) -> None:
    """Completes them no more."""
    commands = shell.strdispatchers.get("complete_command")
    if commands is not None:
        for name in _ARGUMENTS:
            for mark in ("%", "%%"):
                commands.strs.pop(f"{mark}{name}", None)


def _complete(shell: Any, event: Any) -> list[str]:
    """IPython's hook: the words that may stand at the cursor."""
    words = str(getattr(event, "text_until_cursor", event.line)).split()
    before = words[1:-1] if event.symbol else words[1:]
    name = event.command.lstrip("%")
    arguments = _ARGUMENTS.get(name)
    if arguments is None:
        return []
    try:
        found = arguments(shell, before)
    except Exception:  # completion never disturbs typing
        return []
    return found[:_MAXIMUM]


def _graph(shell: Any, before: list[str]) -> list[str]:
    graphs = ["default", *get_hub().graphs.named()]
    return graphs if before and before[-1] == "--diff" else [*graphs, "--diff", "--text"]


def _train(shell: Any, before: list[str]) -> list[str]:
    last = before[-1] if before else ""
    if last == "--track" or not before:
        return [*lookup.element_variables(shell), *lookup.tensor_names(get_default_graph())]
    if last == "--strategy":
        return ["sync", "async", "'parameter server'"]
    if last == "--encoding":
        from workbench.cluster.wire.encodings import KINDS

        return list(KINDS)
    if last in ("--feed", "--pool"):
        return [name for name in shell.user_ns if not name.startswith("_")]
    used = {word for word in before if word.startswith("--")}
    options = (
        *("--steps", "--feed", "--track", "--name"),
        *("--pool", "--replicas", "--strategy", "--encoding"),
    )
    return [option for option in options if option not in used]


def _tweak(shell: Any, before: list[str]) -> list[str]:
    from workbench.notebook import run_lookup

    named = [word for word in before if "=" not in word]
    run = run_lookup.find_here(named[0] if named else None)
    values = [f"{name}=" for name in run_lookup.hyperparameter_names(run)]
    return values if before else [*values, *run_lookup.names()]


def _peek(shell: Any, before: list[str]) -> list[str]:
    from workbench.notebook import run_lookup

    if before and before[-1] == "--run":
        return run_lookup.names()
    graph = get_default_graph()
    return [*lookup.element_variables(shell), *lookup.tensor_names(graph), "--run"]


def _runs(shell: Any, before: list[str]) -> list[str]:
    from workbench.notebook import run_lookup

    return [*run_lookup.names(), *(o for o in ("--compare", "--delete") if o not in before)]


def _pool(shell: Any, before: list[str]) -> list[str]:
    from workbench.notebook import pool_magic

    if not before:
        return list(pool_magic.ACTIONS)
    return ["--workers"] if before[0] == "start" else pool_magic.names()


_ARGUMENTS: dict[str, Complete] = {
    "graph": _graph,
    "train": _train,
    "tweak": _tweak,
    "peek": _peek,
    "runs": _runs,
    "pool": _pool,
}
