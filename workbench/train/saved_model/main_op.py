"""Operations to run when a saved model is loaded."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import control_dependencies
from workbench.core.ops.control import group
from workbench.core.ops.lookup import tables_initializer
from workbench.core.ops.state.variable_collections import (
    global_variables_initializer,
    local_variables_initializer,
)


# TensorFlow's name for the function is that of the module.
def main_op() -> Any:
    """An operation that initialises all variables and tables of the default graph."""
    return group(
        global_variables_initializer(), local_variables_initializer(), tables_initializer()
    )


def main_op_with_restore(restore_op_name: Any) -> Any:
    """The same, and then an operation (or the one of that name) that restores variables."""
    from workbench.core.graph.context import get_default_graph

    restore = restore_op_name
    if isinstance(restore, str):
        restore = get_default_graph().get_operation_by_name(restore)
    with control_dependencies([main_op()]):
        return group(restore)
