"""What operations have in Python: datasets of iterators, functions of users.

A graph has those of its operations. A graph made of a part of it, for a task of a cluster, has
none, nor has one that was imported: there they are found in the process that made them. In another
one what is to be had has a definition, plain data that travels with the graph; users' functions
have none, and are called only where they were made.
"""

from __future__ import annotations

import itertools
import os
import weakref
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.core.errors import FailedPreconditionError

if TYPE_CHECKING:
    from workbench.core.graph.graph import Graph
    from workbench.core.graph.operation import Operation

#: The attribute that says what an operation has: a number of the process that made it, and which
#: process that is.
MADE = "_made_in_python"
#: The attribute that says, in graphs that travel, what that is.
DEFINITION = "_definition"
#: The attribute of operations in parts of graphs that says which process has it.
HOME = "_home_process"

_numbers = itertools.count()
#: What all graphs of this process have, by those attributes; graphs keep it alive.
_made: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
#: Tells this process from all others; other ones that were forked from it have other numbers.
_token = os.urandom(8).hex()


class Absence(NamedTuple):
    """What is said where a process lacks what an operation has, `{name}` is the operation's."""

    #: Where another one has it, for which the step runs.
    elsewhere: str
    #: Where it did not come with its graph.
    imported: str


def _home() -> str:
    return f"{os.getpid()}-{_token}"


def keep(operation: Operation, thing: Any) -> None:
    """Has an operation's graph, and those around it, keep what the operation has in Python."""
    key = operation.attrs[MADE] = f"{next(_numbers)} of {_home()}"
    _made[key] = thing
    graph: Any = operation.graph
    while graph is not None:
        # The graphs around the body of a function live as long as what is made of it.
        graph.made_in_python[key] = thing
        graph = getattr(graph, "outer", None)


def kept(
    operation: Operation,
    absence: Absence,
    make: Callable[[Sequence[bytes | str], Graph], Any] | None = None,
) -> Any:
    """What an operation has in Python; `make` makes it of a definition, around which is a graph.

    FailedPreconditionError where another process made it and it has no definition: it runs there.
    """
    found = _found(operation)
    if found is None and make is not None and operation.attrs.get(DEFINITION):
        found = make(operation.attrs[DEFINITION], operation.graph)
        # Once: what runs knows a dataset by itself.
        operation.graph.made_in_python[str(operation.attrs.get(MADE, ""))] = found
    if found is None:
        said = absence.elsewhere if HOME in operation.attrs else absence.imported
        raise FailedPreconditionError(None, None, said.format(name=repr(operation.name)))
    return found


def _found(operation: Operation) -> Any:
    key = str(operation.attrs.get(MADE, ""))
    found = operation.graph.made_in_python.get(key)
    if found is None and operation.attrs.get(HOME, _home()) == _home():
        found = _made.get(key)
        if found is not None:
            # The graph it was made in may go.
            operation.graph.made_in_python[key] = found
    return found


def definition_of(operation: Operation) -> Sequence[bytes | str]:
    """The definition of what an operation has in Python; nothing where it has none."""
    known: Sequence[bytes | str] | None = operation.attrs.get(DEFINITION)
    if known:
        return known
    describe = getattr(_found(operation), "definition", None)
    return () if describe is None else describe()


def note_home(definition: Any) -> None:
    """Says in a GraphDef of whose operations' Python this process has what it has."""
    functions = (function.node_def for function in definition.library.function)
    for node in chain(definition.node, *functions):
        is_of_python = MADE in node.attr and HOME not in node.attr
        if is_of_python and node.attr[MADE].s.decode() in _made:
            node.attr[HOME].s = _home().encode()
