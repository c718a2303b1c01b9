"""Steps of optimizers: new values for variables and their slots.

The formulas have the operations of `workbench.core.kernels.training` in the same order; what is
made of scalars alone is the same for all elements.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.codegen.translation.description import (
    FLOATS,
    NUMBERS,
    Access,
    Expression,
    attribute,
    input_shape,
    require,
    require_same_shape,
)
from workbench.core.codegen.translation.table import describes
from workbench.core.codegen.translation.term import Term
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.node import Node

Terms = tuple[Term, ...]


def _step(
    name: str, variables: int, write: Callable[..., Terms], allowed: frozenset[str] = FLOATS
) -> None:
    """Enters Apply<name> and its form for resources, with that many leading variables.

    `write` gives the new values of the variables; it takes the attribute `use_nesterov` where
    there is one.
    """

    @describes(f"Apply{name} ResourceApply{name}")
    def describe(node: Node) -> Expression:
        assert node.declaration is not None
        schema = node.declaration.schema
        typed = [i for i, a in enumerate(schema.inputs) if a.dtype is None or i < variables]
        require(allowed, *(node.inputs[i] for i in typed))
        names = [a.name for a in schema.inputs]
        gradient = names.index("grad" if "grad" in names else "delta")
        space = require_same_shape(node, *range(variables), gradient)
        inputs = tuple(Access(i, input_shape(node, i)) for i in range(len(node.inputs)))
        for access in inputs[variables:]:
            if access.input != gradient and access.shape:
                raise Unsupported(f"{names[access.input]} is not a scalar")
        nesterov = "use_nesterov" in schema.attributes and attribute(node, "use_nesterov")

        def written(*terms: Term) -> Terms:
            return write(*terms, use_nesterov=True) if nesterov else write(*terms)

        numbers = tuple(range(variables))
        return Expression("update", space, inputs, (space,) * variables, written, numbers)


#: The least numbers that processors compute with at full speed.
_LEAST = {"float32": 2.0**-126, "float64": 2.0**-1022}


def _settled(decaying: Term) -> Term:
    """0 in place of subnormal numbers; see `workbench.core.kernels.training.settle`."""
    least = _LEAST.get(decaying.dtype)
    return decaying if least is None else (abs(decaying) < least).where(0, decaying)


def _gradient_descent(var: Term, alpha: Term, delta: Term) -> Terms:
    return (var - alpha * delta,)


def _momentum(
    var: Term, accum: Term, lr: Term, grad: Term, momentum: Term, use_nesterov: bool = False
) -> Terms:
    accum = _settled(accum * momentum + grad)
    step = lr * grad + lr * momentum * accum if use_nesterov else lr * accum
    return var - step, accum


def _adam(
    var: Term,
    m: Term,
    v: Term,
    beta1_power: Term,
    beta2_power: Term,
    lr: Term,
    beta1: Term,
    beta2: Term,
    epsilon: Term,
    grad: Term,
    use_nesterov: bool = False,
) -> Terms:
    rate = lr * (1 - beta2_power).sqrt() / (1 - beta1_power)
    m = _settled(m + (grad - m) * (1 - beta1))
    v = _settled(v + (grad.square() - v) * (1 - beta2))
    direction = grad * (1 - beta1) + beta1 * m if use_nesterov else m
    return var - rate * direction / (v.sqrt() + epsilon), m, v


def _adagrad(var: Term, accum: Term, lr: Term, grad: Term) -> Terms:
    accum = accum + grad.square()
    return var - lr * grad / accum.sqrt(), accum


def _adadelta(
    var: Term, accum: Term, accum_update: Term, lr: Term, rho: Term, epsilon: Term, grad: Term
) -> Terms:
    accum = _settled(accum * rho + (1 - rho) * grad.square())
    change = (accum_update + epsilon).sqrt() / (accum + epsilon).sqrt() * grad
    accum_update = _settled(accum_update * rho + (1 - rho) * change.square())
    return var - lr * change, accum, accum_update


def _rms_prop(
    var: Term,
    ms: Term,
    mom: Term,
    lr: Term,
    rho: Term,
    momentum: Term,
    epsilon: Term,
    grad: Term,
) -> Terms:
    ms = _settled(ms + (grad.square() - ms) * (1 - rho))
    mom = _settled(mom * momentum + lr * grad / (ms + epsilon).sqrt())
    return var - mom, ms, mom


def _centered_rms_prop(
    var: Term,
    mg: Term,
    ms: Term,
    mom: Term,
    lr: Term,
    rho: Term,
    momentum: Term,
    epsilon: Term,
    grad: Term,
) -> Terms:
    ms = _settled(ms + (grad.square() - ms) * (1 - rho))
    mg = _settled(mg + (grad - mg) * (1 - rho))
    mom = _settled(mom * momentum + lr * grad / (ms - mg.square() + epsilon).sqrt())
    return var - mom, mg, ms, mom


def _shrunk(value: Term, l1: Term, scale: Term) -> Term:
    """The proximal step of an L1 penalty: towards zero by l1 * scale, not beyond."""
    return value.apply("sign") * (abs(value) - l1 * scale).maximum(0)


def _proximal_gradient_descent(var: Term, alpha: Term, l1: Term, l2: Term, delta: Term) -> Terms:
    moved = var - alpha * delta
    return ((l1 > 0).where(_shrunk(moved, l1, alpha), moved) / (1 + l2 * alpha),)


def _proximal_adagrad(var: Term, accum: Term, lr: Term, l1: Term, l2: Term, grad: Term) -> Terms:
    accum = accum + grad.square()
    rate = lr / accum.sqrt()
    moved = var - rate * grad
    return (l1 > 0).where(_shrunk(moved, l1, rate), moved) / (1 + l2 * rate), accum


def _adagrad_da(
    var: Term,
    total: Term,
    squared: Term,
    grad: Term,
    lr: Term,
    l1: Term,
    l2: Term,
    global_step: Term,
) -> Terms:
    steps = global_step.cast(var.dtype)
    total = total + grad
    squared = squared + grad.square()
    direction = (l1 > 0).where(_shrunk(total, l1, steps), total)
    return -lr * direction / (l2 * steps * lr + squared.sqrt()), total, squared


def _ftrl(
    var: Term,
    accum: Term,
    linear: Term,
    grad: Term,
    lr: Term,
    l1: Term,
    l2: Term,
    l2_shrinkage: Term,
    lr_power: Term,
) -> Terms:
    shrunk = grad + 2 * l2_shrinkage * var
    grown = accum + grad.square()
    power = grown.apply("power", -lr_power)
    sigma = (power - accum.apply("power", -lr_power)) / lr
    linear = linear + (shrunk - sigma * var)
    quadratic = power / lr + 2 * l2
    moved = (linear.apply("sign") * l1 - linear) / quadratic
    # A fresh weight stays exactly zero while |linear| is below l1.
    return (abs(linear) > l1).where(moved, moved.like(0)), grown, linear


def _first_ftrl(
    var: Term,
    accum: Term,
    linear: Term,
    grad: Term,
    lr: Term,
    l1: Term,
    l2: Term,
    lr_power: Term,
) -> Terms:
    return _ftrl(var, accum, linear, grad, lr, l1, l2, var.like(0), lr_power)


_step("GradientDescent", 1, _gradient_descent, NUMBERS)
_step("Momentum", 2, _momentum, NUMBERS)
_step("Adam", 3, _adam)
_step("Adagrad", 2, _adagrad)
_step("Adadelta", 3, _adadelta)
_step("RMSProp", 3, _rms_prop)
_step("CenteredRMSProp", 4, _centered_rms_prop)
_step("ProximalGradientDescent", 1, _proximal_gradient_descent)
_step("ProximalAdagrad", 2, _proximal_adagrad)
_step("AdagradDA", 3, _adagrad_da)
_step("Ftrl", 3, _first_ftrl)
_step("FtrlV2", 3, _ftrl)
