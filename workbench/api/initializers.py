"""`tf.initializers`: initial values of variables, and the operations that assign them."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.initializers": """
        Initializer zeros=Zeros ones=Ones constant=Constant random_uniform=RandomUniform
        random_normal=RandomNormal truncated_normal=TruncatedNormal orthogonal=Orthogonal
        identity=Identity
        """,
    "workbench.core.ops.scaled_initializers": """
        uniform_unit_scaling=UniformUnitScaling variance_scaling=VarianceScaling
        glorot_uniform=glorot_uniform_initializer glorot_normal=glorot_normal_initializer he_normal
        he_uniform lecun_normal lecun_uniform
        """,
    "workbench.core.ops.state.variable_collections": """
        variables=variables_initializer global_variables=global_variables_initializer
        local_variables=local_variables_initializer
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
