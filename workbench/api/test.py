"""`tf.test`: help for tests of code that builds graphs."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.platform.test": """
        Benchmark StubOutForTesting TestCase assert_equal_graph_def compute_gradient
        compute_gradient_error get_temp_dir gpu_device_name is_built_with_cuda is_gpu_available main
        mock test_src_dir_path
        """,
    "workbench.cluster.local_cluster": "create_local_cluster",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
