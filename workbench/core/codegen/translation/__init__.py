"""What the compiled tier knows of the operations of a plan.

A node is an *expression* (a formula for each place, perhaps with reductions over rows, or new
values for variables), a *reduction* along axes, a *view* of its input, *parts* put together, or it
is *decomposed* into smaller nodes. `kind_of` says which, `unsupported` why a node is none of them.
Products, convolutions and poolings have generators of their own and are not here.

>>> import workbench as tf
>>> from workbench.core.plan.plan import make_plan
>>> x = tf.placeholder(tf.float32, [4])
>>> node = make_plan([tf.nn.relu(x)], [], [x], [(4,)]).fetches[0].node
>>> kind_of(node), describe(node).space
('expression', (4,))
>>> builder = Builder()
>>> translate(node, builder, [builder.load("x", "float32")])
[2]
>>> [step.function for step in builder.steps], builder.operands
(['load', 'constant', 'maximum'], ['x'])
"""

from __future__ import annotations

from workbench.core.codegen.array_layout import Layout, contiguous
from workbench.core.codegen.translation import (  # noqa: F401  (they enter their operations)
    activation,
    arithmetic,
    assignment,
    batch_normalization,
    channels,
    local_normalization,
    optimizer,
    ranking,
    reduction,
    selection,
    softmax,
    unary,
)
from workbench.core.codegen.translation.builder import Builder, Flag, Parameter, live_steps
from workbench.core.codegen.translation.description import (
    Access,
    Description,
    Expression,
    Reduction,
)
from workbench.core.codegen.translation.lookup import (
    decompose,
    describe,
    kind_of,
    parts,
    translate,
    unsupported,
    view,
)
from workbench.core.codegen.translation.part import Part, Parts
from workbench.core.codegen.translation.view import viewed_input

__all__ = [
    "Access",
    "Builder",
    "Description",
    "Expression",
    "Flag",
    "Layout",
    "Parameter",
    "Part",
    "Parts",
    "Reduction",
    "contiguous",
    "decompose",
    "describe",
    "kind_of",
    "live_steps",
    "parts",
    "translate",
    "unsupported",
    "view",
    "viewed_input",
]
