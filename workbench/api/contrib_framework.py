"""`tf.contrib.framework`: scopes of arguments, variables of models, and finding variables."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.queues.critical_section": "CriticalSection",
    "workbench.train.contrib.arg_scope": """
        add_arg_scope arg_scope arg_scoped_arguments current_arg_scope has_arg_scope
        """,
    "workbench.train.contrib.variables": """
        VariableDeviceChooser add_model_variable assert_or_get_global_step filter_variables
        get_local_variables get_model_variables get_trainable_variables get_unique_variable
        get_variable_full_name get_variables get_variables_by_name get_variables_by_suffix
        get_variables_to_restore global_variable local_variable model_variable variable
        """,
    "workbench.train.contrib.assigning": """
        assign_from_checkpoint assign_from_checkpoint_fn assign_from_values assign_from_values_fn
        """,
    "workbench.train.contrib.tensors": """
        argsort get_graph_from_inputs get_name_scope is_tensor reduce_sum_n sort
        """,
    "workbench.train.global_steps": """
        assert_global_step create_global_step get_global_step get_or_create_global_step
        """,
    "workbench.train.checkpoint_reader": "list_variables load_checkpoint load_variable",
    "workbench.train.initial_checkpoint": "init_from_checkpoint",
    "workbench.train.scoped_graph": """
        prepend_name_scope=prepend_scope strip_name_scope=strip_scope
        """,
    "workbench.core.graph.convert": "convert_to_tensor_or_sparse_tensor",
    "workbench.core.ops.checks": "is_non_decreasing is_strictly_increasing",
    "workbench.core.ops.static_checks": """
        assert_same_float_dtype assert_scalar is_numeric_tensor
        """,
}
_get, __dir__, __all__ = namespace(
    __name__,
    NAMES,
    {
        "nest": "workbench.core.graph.nest",
        "python": "workbench.api.contrib_framework_python",
    },
)


def __getattr__(name: str) -> Any:
    return _get(name)
