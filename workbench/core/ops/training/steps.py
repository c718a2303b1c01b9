"""The operations that optimizers apply gradients with (ApplyAdam, SparseApplyMomentum, ...).

Most dense operations have a sparse one, which takes the gradient of some rows, and each has a form
for resource variables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.shapes import merge_shapes
from workbench.core.kernels import training as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import (
    NOT_DIFFERENTIABLE,
    Sample,
    declare,
    keyword_only,
    sample,
)
from workbench.core.ops.state.scatter import check_rows

Kernel = Callable[..., Any]


def _shape(variables: int, gradient: str) -> Callable[[Any], list[Any]]:
    def rule(op: Any) -> list[Any]:
        entries = op.inputs[0].entries
        for tensor in op.inputs[1:variables]:
            entries = merge_shapes(entries, tensor.entries)
        if gradient:
            merge_shapes(entries, op.inputs[_position(op, gradient)].entries)
        return [entries] * len(op.outputs)

    return rule


def _position(op: Any, name: str) -> int:
    from workbench.core.ops import registry

    names = [a.name for a in registry.get(op.type).schema.inputs]
    return names.index(name)


def _sparse_kernel(dense: Kernel, variables: int, gradient: int) -> Kernel:
    """The sparse operation's kernel: indices follow the gradient in the OpDef."""
    flags = [name for name in keyword_only(dense) if name != "inplace"]

    def run(inputs: tuple[Any, ...], inplace: bool, keywords: dict[str, Any]) -> Any:
        arguments = list(inputs)
        indices = np.asarray(arguments.pop(gradient + 1))
        state = tuple(arguments[:variables])
        rest = arguments[variables:]
        check_rows(indices, state[0].shape[0])
        rows_gradient = rest[gradient - variables]
        if len(np.unique(indices)) != len(indices):
            unique, inverse = np.unique(indices, return_inverse=True)
            summed = np.zeros((len(unique), *rows_gradient.shape[1:]), rows_gradient.dtype)
            np.add.at(summed, inverse.reshape(-1), rows_gradient)
            indices, rest[gradient - variables] = unique, summed
        owned = tuple(v if inplace else np.array(v) for v in state)
        results = dense(*(o[indices] for o in owned), *rest, inplace=True, **keywords)
        for array, new in zip(owned, results if variables > 1 else (results,), strict=True):
            array[indices] = new
        return owned if variables > 1 else owned[0]

    if flags:
        flag = flags[0]

        # Keyword-only parameters tell the planner which attributes the kernel needs.
        def with_nesterov(*inputs: Any, use_nesterov: bool, inplace: bool) -> Any:
            return run(inputs, inplace, {flag: use_nesterov})

        return with_nesterov

    def plain(*inputs: Any, inplace: bool) -> Any:
        return run(inputs, inplace, {})

    return plain


def _declare(
    name: str,
    kernel: Kernel,
    variables: str,
    others: str,
    gradient: str,
    dense: Sample,
    sparse: Sample | None,
    attrs: str = "",
) -> None:
    """Declares Apply<name>, SparseApply<name> and their resource forms."""
    state = variables.split()
    references = ", ".join(f"{v}: Ref(T)" for v in state)
    rest = others.split()
    typed = ", ".join(f"{o}: {'int64' if o == 'global_step' else 'T'}" for o in rest)
    position = len(state) + rest.index(gradient)
    with_indices = typed.replace(f"{gradient}: T", "grad: T, indices: Tindices")
    extra = f", {attrs}" if attrs else ""
    types = "T: {number}, use_locking: bool = false"
    sparse_types = f"T: {{number}}, Tindices: {{int32, int64}}, use_locking: bool = false{extra}"
    common: dict[str, Any] = {"stateful": True, "gradient": NOT_DIFFERENTIABLE}
    declare(
        f"Apply{name}",
        inputs=f"{references}, {typed}",
        outputs="out: Ref(T)",
        attrs=types + extra,
        shape=_shape(len(state), gradient),
        kernel=kernel,
        samples=[dense],
        **common,
    )
    # Resource variables are the same variables; their operations give no value out.
    resources: dict[str, Any] = {**common, "shape": shape_rules.no_outputs, "updates": len(state)}
    handles = ", ".join(f"{v}: resource" for v in state)
    declare(
        f"ResourceApply{name}",
        inputs=f"{handles}, {typed}",
        attrs=types + extra,
        kernel=kernel,
        samples=[dense],
        **resources,
    )
    if sparse is None:
        return
    declare(
        f"ResourceSparseApply{name}",
        inputs=f"{handles}, {with_indices}",
        attrs=sparse_types,
        kernel=_sparse_kernel(kernel, len(state), position),
        samples=[sparse],
        **resources,
    )
    declare(
        f"SparseApply{name}",
        inputs=f"{references}, {with_indices}",
        outputs="out: Ref(T)",
        attrs=sparse_types,
        shape=_shape(len(state), ""),
        kernel=_sparse_kernel(kernel, len(state), position),
        samples=[sparse],
        **common,
    )


_V, _S, _G = [1.0, 2.0], [0.1, 0.2], [0.5, -1.0]
_ROWS_V, _ROWS_S, _ROW_G = [[1.0], [2.0]], [[0.1], [0.2]], [[-1.0]]


def _rows(*inputs: Any, want: Any = None, tolerance: float = 1e-5) -> Sample:
    """A sample of a sparse step that touches row 1 only."""
    dtypes = tuple("int32" if i == [1] else None for i in inputs)
    return sample(*inputs, want=want, dtype=dtypes, tolerance=tolerance)


_declare(
    "GradientDescent",
    kernels.apply_gradient_descent,
    "var",
    "alpha delta",
    "delta",
    sample(_V, 0.1, _G, want=[0.95, 2.1]),
    None,
)
_declare(
    "Momentum",
    kernels.apply_momentum,
    "var accum",
    "lr grad momentum",
    "grad",
    sample(_V, _S, 0.1, _G, 0.9, want=lambda v, a, lr, g, m: v - lr * (m * a + g)),
    _rows(_ROWS_V, _ROWS_S, 0.1, _ROW_G, [1], 0.9, want=[[1.0], [2.0 - 0.1 * (0.18 - 1.0)]]),
    "use_nesterov: bool = false",
)
_declare(
    "Adagrad",
    kernels.apply_adagrad,
    "var accum",
    "lr grad",
    "grad",
    sample(_V, _S, 0.1, _G, want=lambda v, a, lr, g: v - lr * g / np.sqrt(a + g * g)),
    _rows(_ROWS_V, _ROWS_S, 0.1, _ROW_G, [1], want=[[1.0], [2.0 + 0.1 / 1.2**0.5]]),
)


def _adam_want(*inputs: Any) -> Any:
    v, m, s, b1p, b2p, lr, b1, b2, eps, g = (np.float64(i) for i in inputs)
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g * g
    return v - lr * np.sqrt(1 - b2p) / (1 - b1p) * m / (np.sqrt(s) + eps)


_declare(
    "Adam",
    kernels.apply_adam,
    "var m v",
    "beta1_power beta2_power lr beta1 beta2 epsilon grad",
    "grad",
    sample(_V, _S, _S, 0.9, 0.999, 0.1, 0.9, 0.999, 1e-8, _G, want=_adam_want, tolerance=1e-4),
    None,
    "use_nesterov: bool = false",
)


def _adadelta_want(*inputs: Any) -> Any:
    v, a, u, lr, rho, eps, g = (np.float64(i) for i in inputs)
    a = rho * a + (1 - rho) * g * g
    return v - lr * np.sqrt(u + eps) / np.sqrt(a + eps) * g


_declare(
    "Adadelta",
    kernels.apply_adadelta,
    "var accum accum_update",
    "lr rho epsilon grad",
    "grad",
    sample(_V, _S, _S, 0.1, 0.9, 1e-6, _G, want=_adadelta_want),
    _rows(
        _ROWS_V,
        _ROWS_S,
        _ROWS_S,
        0.1,
        0.9,
        1e-6,
        _ROW_G,
        [1],
        want=[[1.0], [2.0 + 0.1 * 0.2**0.5 / 0.28**0.5]],
    ),
)


def _rms_want(*inputs: Any) -> Any:
    v, s, mom, lr, rho, momentum, eps, g = (np.float64(i) for i in inputs)
    s = rho * s + (1 - rho) * g * g
    return v - (momentum * mom + lr * g / np.sqrt(s + eps))


_declare(
    "RMSProp",
    kernels.apply_rms_prop,
    "var ms mom",
    "lr rho momentum epsilon grad",
    "grad",
    sample(_V, _S, _S, 0.1, 0.9, 0.5, 1e-6, _G, want=_rms_want),
    _rows(
        _ROWS_V,
        _ROWS_S,
        _ROWS_S,
        0.1,
        0.9,
        0.5,
        1e-6,
        _ROW_G,
        [1],
        want=[[1.0], [2.0 - (0.1 - 0.1 / 0.28**0.5)]],
    ),
)


def _centered_want(*inputs: Any) -> Any:
    v, mg, s, mom, lr, rho, momentum, eps, g = (np.float64(i) for i in inputs)
    s, mg = rho * s + (1 - rho) * g * g, rho * mg + (1 - rho) * g
    return v - (momentum * mom + lr * g / np.sqrt(s - mg * mg + eps))


_declare(
    "CenteredRMSProp",
    kernels.apply_centered_rms_prop,
    "var mg ms mom",
    "lr rho momentum epsilon grad",
    "grad",
    sample(_V, _S, _S, _S, 0.1, 0.9, 0.5, 1e-6, _G, want=_centered_want),
    _rows(_ROWS_V, _ROWS_S, _ROWS_S, _ROWS_S, 0.1, 0.9, 0.5, 1e-6, _ROW_G, [1]),
)
_declare(
    "ProximalGradientDescent",
    kernels.apply_proximal_gradient_descent,
    "var",
    "alpha l1 l2 delta",
    "delta",
    sample(_V, 0.1, 0.5, 0.2, _G, want=[0.90 / 1.02, 2.05 / 1.02]),
    _rows(_ROWS_V, 0.1, 0.5, 0.2, _ROW_G, [1], want=[[1.0], [2.05 / 1.02]]),
)
_declare(
    "ProximalAdagrad",
    kernels.apply_proximal_adagrad,
    "var accum",
    "lr l1 l2 grad",
    "grad",
    sample(
        _V, _S, 0.1, 0.0, 0.0, _G, want=lambda v, a, lr, l1, l2, g: v - lr * g / np.sqrt(a + g * g)
    ),
    _rows(_ROWS_V, _ROWS_S, 0.1, 0.0, 0.0, _ROW_G, [1], want=[[1.0], [2.0 + 0.1 / 1.2**0.5]]),
)
_declare(
    "AdagradDA",
    kernels.apply_adagrad_da,
    "var gradient_accumulator gradient_squared_accumulator",
    "grad lr l1 l2 global_step",
    "grad",
    sample(
        _V,
        _S,
        _S,
        _G,
        0.1,
        0.0,
        0.0,
        1,
        want=lambda v, t, s, g, *r: -0.1 * (t + g) / np.sqrt(s + g * g),
    ),
    _rows(
        _ROWS_V, _ROWS_S, _ROWS_S, _ROW_G, [1], 0.1, 0.0, 0.0, 1, want=[[1.0], [0.08 / 1.2**0.5]]
    ),
)


def _ftrl(
    var: Any,
    accum: Any,
    linear: Any,
    grad: Any,
    lr: Any,
    l1: Any,
    l2: Any,
    lr_power: Any,
    *,
    inplace: bool,
) -> Any:
    zero = np.asarray(var).dtype.type(0)
    return kernels.apply_ftrl(var, accum, linear, grad, lr, l1, l2, zero, lr_power, inplace=inplace)


def _ftrl_want(v: Any, a: Any, z: Any, g: Any, lr: Any, l1: Any, l2: Any, *powers: Any) -> Any:
    grown = a + g * g
    z = z + g - (np.sqrt(grown) - np.sqrt(a)) / lr * v
    return np.where(np.abs(z) > l1, (np.sign(z) * l1 - z) / (np.sqrt(grown) / lr + 2 * l2), 0)


_declare(
    "Ftrl",
    _ftrl,
    "var accum linear",
    "grad lr l1 l2 lr_power",
    "grad",
    sample(_V, _S, _S, _G, 0.1, 0.3, 0.2, -0.5, want=_ftrl_want),
    _rows(_ROWS_V, _ROWS_S, _ROWS_S, _ROW_G, [1], 0.1, 0.3, 0.2, -0.5),
)
_declare(
    "FtrlV2",
    kernels.apply_ftrl,
    "var accum linear",
    "grad lr l1 l2 l2_shrinkage lr_power",
    "grad",
    sample(_V, _S, _S, _G, 0.1, 0.3, 0.2, 0.0, -0.5, want=_ftrl_want),
    _rows(_ROWS_V, _ROWS_S, _ROWS_S, _ROW_G, [1], 0.1, 0.3, 0.2, 0.0, -0.5),
)
