"""`tf.distributions`: probability distributions."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

_HOME = "workbench.train.distributions"
NAMES: dict[str, str] = {
    f"{_HOME}.distribution": """
        Distribution ReparameterizationType FULLY_REPARAMETERIZED NOT_REPARAMETERIZED
        """,
    f"{_HOME}.normal": "Normal",
    f"{_HOME}.laplace": "Laplace",
    f"{_HOME}.uniform": "Uniform",
    f"{_HOME}.gamma": "Gamma Exponential",
    f"{_HOME}.beta": "Beta",
    f"{_HOME}.student_t": "StudentT",
    f"{_HOME}.bernoulli": "Bernoulli",
    f"{_HOME}.categorical": "Categorical",
    f"{_HOME}.dirichlet": "Dirichlet",
    f"{_HOME}.counts": "Multinomial DirichletMultinomial",
    f"{_HOME}.divergence": "kl_divergence RegisterKL",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
