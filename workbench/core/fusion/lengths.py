"""How long the machine code of nodes is, in that of an addition: what LLVM needs time for.

Functions are written out wherever they are used, and LLVM's time grows faster than what it is
given: 64 times `tan` in one kernel took it five seconds. While it works nobody can interrupt it,
and a process that ends waits for it (`codegen.llvm`).
"""

from __future__ import annotations

from workbench.core.plan.node import Node

#: More in a group would make one function that takes long to compile and spills its registers.
MOST = 64

_VERY_LONG, _LONG = 8, 4
_LENGTHS = {
    **dict.fromkeys("Acosh Asinh Atanh Cos Erfc Pow Sin Tan".split(), _VERY_LONG),
    **dict.fromkeys(
        """Acos ApplyFtrl ApplyFtrlV2 ResourceApplyFtrl ResourceApplyFtrlV2 Asin Atan Atan2 Cosh Elu
        Erf Expm1 FloorDiv FloorMod LogSoftmax Mod Selu Sinh Softmax
        SoftmaxCrossEntropyWithLogits Softplus SparseSoftmaxCrossEntropyWithLogits
        TruncateMod""".split(),
        _LONG,
    ),
    **dict.fromkeys("Exp Log Log1p Sigmoid SoftplusGrad Tanh".split(), 2),
}


def length_of(node: Node) -> int:
    """That of a node."""
    return _LENGTHS.get(node.type, 1)
