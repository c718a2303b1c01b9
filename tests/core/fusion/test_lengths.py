"""No kernel is so long that LLVM is busy with it for seconds."""

from __future__ import annotations

import pytest

import workbench as tf
from workbench.core.codegen.target import AVX512
from workbench.core.fusion.lengths import _LENGTHS, MOST, length_of
from workbench.core.fusion.planning import plan_regions
from workbench.core.ops.registry import all_declarations, load_all
from workbench.core.plan.plan import make_plan

FUNCTIONS = {
    "Tan": tf.tan,
    "Erf": tf.erf,
    "Exp": tf.exp,
    "Add": lambda x: x + 1.5,
    "mixed": lambda x: tf.exp(tf.erf(tf.tan(x)) + 0.5),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_kernels_have_a_greatest_length(name: str) -> None:
    with tf.Graph().as_default():
        x = y = tf.placeholder(tf.float32, [64])
        branch = x
        for _ in range(70):
            y, branch = FUNCTIONS[name](y), FUNCTIONS[name](branch + 0.25)
        planned = plan_regions(make_plan([y + branch], [], [x], [(64,)]), AVX512)
    programs = [r.program for r in planned.regions if r.program is not None]
    lengths = [sum(map(length_of, k.nodes)) for p in programs for k in p.kernels]
    assert max(lengths) <= MOST
    # They are not cut finer than that asks for.
    assert len(lengths) <= 3 + 3 * sum(lengths) // MOST


def test_only_operations_have_lengths() -> None:
    load_all()
    assert _LENGTHS.keys() <= all_declarations().keys()
