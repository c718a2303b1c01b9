"""`tf.contrib.slim`: layers, scopes of arguments, losses and training loops in one place."""

from __future__ import annotations

from typing import Any

from workbench.api import contrib_framework, contrib_layers
from workbench.api.lazy import namespace

_LAYERS = {
    module: names
    for module, names in contrib_layers.NAMES.items()
    if not module.endswith(("summaries", "optimize_loss"))
}
_FRAMEWORK = {
    module: contrib_framework.NAMES[module]
    for module in (
        "workbench.train.contrib.arg_scope",
        "workbench.train.contrib.variables",
        "workbench.train.contrib.assigning",
        "workbench.train.global_steps",
    )
}
NAMES: dict[str, str] = {
    **_LAYERS,
    **_FRAMEWORK,
    "workbench.train.contrib.model_analysis": "model_analyzer=",
}
_get, __dir__, __all__ = namespace(
    __name__,
    NAMES,
    {
        "evaluation": "workbench.train.contrib.evaluation",
        "layers": "workbench.api.contrib_layers",
        "learning": "workbench.api.contrib_slim_learning",
        "losses": "workbench.api.contrib_losses",
        "metrics": "workbench.api.contrib_metrics",
        "summaries": "workbench.train.contrib.slim_summaries",
        "utils": "workbench.train.contrib.support",
        "variables": "workbench.train.contrib.variables",
    },
)


def __getattr__(name: str) -> Any:
    return _get(name)
