"""Steps of optimizers, on a variable and its slots.

Each takes the arrays of variables and slots first, then scalars and the gradient, and returns the
new arrays: the given ones with `inplace`, copies otherwise. Large arrays are gone through in blocks
that stay in the cache, so that the several passes of a formula read memory once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: Elements of a block: a few of these arrays fit into a processor core's second-level cache.
_BLOCK = 1 << 14


#: The least numbers that processors compute with at full speed.
_LEAST = {np.dtype(kind): np.finfo(kind).smallest_normal for kind in (np.float32, np.float64)}


def settle(decaying: Array) -> None:
    """Puts 0 in place of subnormal numbers.

    What decays from step to step ends there where no gradients come any more, and rounding keeps
    it there for ever; each operation on it takes a hundred times as long as on other numbers.
    """
    least = _LEAST.get(decaying.dtype)
    if least is not None:
        np.copyto(decaying, 0, where=np.abs(decaying) < least)


def _owned(values: tuple[Any, ...], inplace: bool) -> tuple[Array, ...]:
    return tuple(
        v if inplace and isinstance(v, np.ndarray) and v.ndim else np.array(v, order="C", ndmin=1)
        for v in values
    )


def _blocks(arrays: tuple[Array, ...]) -> Iterator[tuple[Array, ...]]:
    first = arrays[0]
    if first.size <= _BLOCK or not all(a.flags.c_contiguous for a in arrays):
        yield arrays
        return
    flat = [a.reshape(-1) for a in arrays]
    for start in range(0, first.size, _BLOCK):
        yield tuple(a[start : start + _BLOCK] for a in flat)


def updated(
    step: Callable[..., None], variables: tuple[Any, ...], gradients: tuple[Any, ...], inplace: bool
) -> Any:
    """Applies `step(*variables, *gradients)`, which changes the variables, block by block."""
    owned = _owned(variables, inplace)
    given = tuple(np.asarray(g) if np.ndim(g) else np.reshape(g, (1,)) for g in gradients)
    for block in _blocks((*owned, *given)):
        step(*block)
    results = tuple(o if np.ndim(v) else o[0] for o, v in zip(owned, variables, strict=True))
    return results if len(results) > 1 else results[0]


def apply_gradient_descent(var: Any, alpha: Any, delta: Any, *, inplace: bool) -> Any:
    """var - alpha * delta."""
    if not isinstance(var, np.ndarray):
        return var - alpha * delta

    def step(v: Array, d: Array) -> None:
        v -= alpha * d

    return updated(step, (var,), (delta,), inplace)


def apply_momentum(
    var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, *, use_nesterov: bool, inplace: bool
) -> Any:
    """accum = momentum * accum + grad; var -= lr * accum (or lr * (grad + momentum * accum))."""

    def step(v: Array, a: Array, g: Array) -> None:
        a *= momentum
        a += g
        settle(a)
        if use_nesterov:
            v -= lr * g + lr * momentum * a
        else:
            v -= lr * a

    return updated(step, (var, accum), (grad,), inplace)


def apply_adam(
    var: Any,
    m: Any,
    v: Any,
    beta1_power: Any,
    beta2_power: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    grad: Any,
    *,
    use_nesterov: bool,
    inplace: bool,
) -> Any:
    """Adam (Kingma and Ba, 2014), with the bias correction folded into the step size."""
    kind = np.asarray(var).dtype.type
    one = kind(1)
    rate = lr * np.sqrt(one - beta2_power) / (one - beta1_power)

    def step(value: Array, first: Array, second: Array, g: Array) -> None:
        first += (g - first) * (one - beta1)
        second += (np.square(g) - second) * (one - beta2)
        settle(first)
        settle(second)
        direction = g * (one - beta1) + beta1 * first if use_nesterov else first
        value -= rate * direction / (np.sqrt(second) + epsilon)

    return updated(step, (var, m, v), (grad,), inplace)


def apply_adagrad(var: Any, accum: Any, lr: Any, grad: Any, *, inplace: bool) -> Any:
    """accum += grad^2; var -= lr * grad / sqrt(accum)."""

    def step(v: Array, a: Array, g: Array) -> None:
        a += np.square(g)
        v -= lr * g / np.sqrt(a)

    return updated(step, (var, accum), (grad,), inplace)


def apply_adadelta(
    var: Any,
    accum: Any,
    accum_update: Any,
    lr: Any,
    rho: Any,
    epsilon: Any,
    grad: Any,
    *,
    inplace: bool,
) -> Any:
    """Adadelta (Zeiler, 2012)."""
    one = np.asarray(var).dtype.type(1)

    def step(v: Array, a: Array, u: Array, g: Array) -> None:
        a *= rho
        a += (one - rho) * np.square(g)
        settle(a)
        change = np.sqrt(u + epsilon) / np.sqrt(a + epsilon) * g
        u *= rho
        u += (one - rho) * np.square(change)
        settle(u)
        v -= lr * change

    return updated(step, (var, accum, accum_update), (grad,), inplace)


def apply_rms_prop(
    var: Any,
    ms: Any,
    mom: Any,
    lr: Any,
    rho: Any,
    momentum: Any,
    epsilon: Any,
    grad: Any,
    *,
    inplace: bool,
) -> Any:
    """ms = rho ms + (1 - rho) grad^2; mom = momentum mom + lr grad / sqrt(ms + epsilon)."""
    one = np.asarray(var).dtype.type(1)

    def step(v: Array, s: Array, m: Array, g: Array) -> None:
        s += (np.square(g) - s) * (one - rho)
        settle(s)
        m *= momentum
        m += lr * g / np.sqrt(s + epsilon)
        settle(m)
        v -= m

    return updated(step, (var, ms, mom), (grad,), inplace)


def apply_centered_rms_prop(
    var: Any,
    mg: Any,
    ms: Any,
    mom: Any,
    lr: Any,
    rho: Any,
    momentum: Any,
    epsilon: Any,
    grad: Any,
    *,
    inplace: bool,
) -> Any:
    """As RMSProp, with the variance of the gradient in place of its mean square."""
    one = np.asarray(var).dtype.type(1)

    def step(v: Array, mean: Array, s: Array, m: Array, g: Array) -> None:
        s += (np.square(g) - s) * (one - rho)
        settle(s)
        mean += (g - mean) * (one - rho)
        settle(mean)
        m *= momentum
        m += lr * g / np.sqrt(s - np.square(mean) + epsilon)
        settle(m)
        v -= m

    return updated(step, (var, mg, ms, mom), (grad,), inplace)


def _shrunk(value: Array, l1: Any, scale: Array | Any) -> Array:
    """The proximal step of an L1 penalty: towards zero by l1 * scale, not beyond."""
    shrunk: Array = np.sign(value) * np.maximum(np.abs(value) - l1 * scale, 0)
    return shrunk


def apply_proximal_gradient_descent(
    var: Any, alpha: Any, l1: Any, l2: Any, delta: Any, *, inplace: bool
) -> Any:
    """A gradient step followed by the proximal step of l1 |var| + l2/2 var^2."""
    one = np.asarray(var).dtype.type(1)

    def step(v: Array, d: Array) -> None:
        moved = v - alpha * d
        v[...] = (_shrunk(moved, l1, alpha) if l1 > 0 else moved) / (one + l2 * alpha)

    return updated(step, (var,), (delta,), inplace)


def apply_proximal_adagrad(
    var: Any, accum: Any, lr: Any, l1: Any, l2: Any, grad: Any, *, inplace: bool
) -> Any:
    """AdaGrad followed by the proximal step of l1 |var| + l2/2 var^2."""
    one = np.asarray(var).dtype.type(1)

    def step(v: Array, a: Array, g: Array) -> None:
        a += np.square(g)
        rate = lr / np.sqrt(a)
        moved = v - rate * g
        v[...] = (_shrunk(moved, l1, rate) if l1 > 0 else moved) / (one + l2 * rate)

    return updated(step, (var, accum), (grad,), inplace)


def apply_adagrad_da(
    var: Any,
    gradient_accumulator: Any,
    gradient_squared_accumulator: Any,
    grad: Any,
    lr: Any,
    l1: Any,
    l2: Any,
    global_step: Any,
    *,
    inplace: bool,
) -> Any:
    """AdaGrad with dual averaging (Duchi, Hazan and Singer, 2011)."""
    kind = np.asarray(var).dtype.type
    steps = kind(global_step)

    def step(v: Array, total: Array, squared: Array, g: Array) -> None:
        total += g
        squared += np.square(g)
        direction = total
        if l1 > 0:
            direction = np.sign(total) * np.maximum(np.abs(total) - l1 * steps, 0)
        v[...] = -lr * direction / (l2 * steps * lr + np.sqrt(squared))

    return updated(
        step, (var, gradient_accumulator, gradient_squared_accumulator), (grad,), inplace
    )


def apply_ftrl(
    var: Any,
    accum: Any,
    linear: Any,
    grad: Any,
    lr: Any,
    l1: Any,
    l2: Any,
    l2_shrinkage: Any,
    lr_power: Any,
    *,
    inplace: bool,
) -> Any:
    """Follow the regularised leader (McMahan et al., 2013)."""
    two = np.asarray(var).dtype.type(2)

    def step(v: Array, a: Array, z: Array, g: Array) -> None:
        shrunk = g + two * l2_shrinkage * v
        grown = a + np.square(g)
        sigma = (np.power(grown, -lr_power) - np.power(a, -lr_power)) / lr
        z += shrunk - sigma * v
        quadratic = np.power(grown, -lr_power) / lr + two * l2
        # A fresh weight stays exactly zero while |linear| is below l1.
        v[...] = np.where(np.abs(z) > l1, (np.sign(z) * l1 - z) / quadratic, 0)
        a[...] = grown

    return updated(step, (var, accum, linear), (grad,), inplace)
