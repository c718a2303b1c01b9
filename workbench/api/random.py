"""`tf.random`: what TensorFlow 1.5 and later call random numbers, too."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench": """
        gamma=random_gamma get_seed multinomial normal=random_normal poisson=random_poisson
        set_random_seed shuffle=random_shuffle truncated_normal uniform=random_uniform
        """,
    "workbench.core.ops.random_distributions": "categorical",
    "workbench.api.nn": """
        all_candidate_sampler fixed_unigram_candidate_sampler learned_unigram_candidate_sampler
        log_uniform_candidate_sampler uniform_candidate_sampler
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
