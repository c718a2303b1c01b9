"""What `import workbench` loads, and what a small training loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = "google.protobuf tensorboardX safetensors PIL IPython ipykernel jupyter_client distributed"


def _loaded(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())


def test_import_loads_nothing_heavy() -> None:
    loaded = _loaded("import workbench")
    assert not loaded & {*HEAVY.split(), "numpy", "ml_dtypes"}
    assert "workbench.api.top" in loaded


@pytest.mark.parametrize(
    "step",
    [
        "tf.square(w * x - y)",
        "tf.reduce_mean(tf.nn.relu(tf.matmul([[1.0]], [[1.0]]) * w + y))",
        "tf.reduce_sum(tf.nn.softmax(tf.stack([w, x, y])))",
    ],
)
def test_training_loads_only_the_families_it_uses(step: str) -> None:
    loaded = _loaded(
        "import workbench as tf\n"
        "w, x, y = tf.Variable(0.1), tf.placeholder(tf.float32, []), tf.constant(3.0)\n"
        f"train = tf.train.GradientDescentOptimizer(0.1).minimize({step})\n"
        "with tf.Session() as session:\n"
        "    session.run(tf.global_variables_initializer())\n"
        "    session.run(train, {x: 1.0})\n"
    )
    assert not loaded & set(HEAVY.split())
    assert "workbench.core.ops.nn.convolution" not in loaded
    assert "workbench.core.ops.matrix_solving" not in loaded
