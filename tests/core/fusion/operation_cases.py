"""Every declared operation on its samples, and its gradient, on both tiers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.two_tiers import Pair
from tests.core.ops import declared
from tests.core.ops.test_registry_gradients import GRADIENT_CASES
from workbench.core.ops import registry
from workbench.core.ops.declaration import Declaration, Sample

#: What kernels promise to the bit: arithmetic that IEEE defines, comparisons, conversions,
#: selections and copies.
EXACT = frozenset(
    "Abs Add AddV2 Sub Mul RealDiv Div Neg Sign Square Sqrt Reciprocal Inv Maximum Minimum "
    "SquaredDifference Floor Ceil Rint Round Cast Equal NotEqual Less LessEqual Greater "
    "GreaterEqual LogicalAnd LogicalOr LogicalNot IsNan IsInf IsFinite Select SelectV2 Relu Relu6 "
    "ReluGrad Relu6Grad BiasAdd BiasAddV1 Concat ConcatV2 Pack Pad PadV2 Tile OneHot Gather "
    "GatherV2 ResourceGather Assign AssignAdd AssignSub ArgMax ArgMin Max Min MaxPool All Any "
    "ReciprocalGrad InvGrad SqrtGrad SoftsignGrad Softsign Identity Reshape Transpose "
    "ApplyGradientDescent StridedSliceGrad Slice StridedSlice Split SplitV Unpack".split()
)
#: Differences of nearly equal numbers in these lose more digits than their results show.
TOLERANCES = {"FusedBatchNormGrad": 1e-3, "FusedBatchNormGradV2": 1e-3, "LRNGrad": 1e-4}


def run_sample(declaration: Declaration, sample: Sample) -> None:
    """Both tiers run an operation on the inputs of a sample."""
    inputs = declared.sample_inputs(declaration, sample)
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(5)
        operation, feeds = declared.build(declaration, sample, inputs)
        with Pair(graph) as pair:
            pair.initialise()
            pair.check(
                [list(operation.outputs), operation],
                dict(feeds),
                exact=declaration.type in EXACT,
                tolerance=TOLERANCES.get(declaration.type),
            )


def run_gradient(declaration: Declaration, sample: Sample) -> None:
    """Both tiers run the gradients of a weighted sum of an operation's results."""
    inputs = declared.sample_inputs(declaration, sample)
    random = np.random.RandomState(7)
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(5)
        operation, feeds = declared.build(declaration, sample, inputs)
        with Pair(graph) as pair:
            pair.initialise()
            shapes = pair.sessions["interpreted"].run(
                [tf.shape(t) for t in operation.outputs if t.dtype.base_dtype.is_floating],
                dict(feeds),
            )
            outputs = [t for t in operation.outputs if t.dtype.base_dtype.is_floating]
            weights = [
                random.standard_normal(s).astype(t.dtype.base_dtype.as_numpy_dtype)
                for t, s in zip(outputs, shapes, strict=True)
            ]
            chosen = [p for p, _ in feeds if p.dtype.is_floating]
            found = tf.gradients(outputs, chosen, grad_ys=weights)
            gradients = [tf.convert_to_tensor(g) for g in found if g is not None]
            if gradients:
                pair.check(
                    gradients, dict(feeds), tolerance=TOLERANCES.get(f"{declaration.type}Grad")
                )


def cases() -> dict[str, Callable[[], None]]:
    """By name: the samples first, then the gradients."""
    found: dict[str, Callable[[], None]] = {}
    for name, declaration in sorted(registry.all_declarations().items()):
        if name in declared.RANDOM:
            continue
        for i, sample in enumerate(declaration.samples):
            found[f"{name} {i}"] = partial(run_sample, declaration, sample)
    for case in GRADIENT_CASES:
        chosen: Any = case.values
        found[f"gradient of {case.id}"] = partial(run_gradient, *chosen)
    return found
