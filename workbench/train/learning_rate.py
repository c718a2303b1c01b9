"""Learning rates that change with the step.

Each takes the global step as a tensor or variable and gives a scalar tensor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api


def _step(global_step: Any, what: str) -> Any:
    if global_step is None:
        raise ValueError(f"global_step is required for {what}.")
    return global_step


def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate * decay_rate ^ (global_step / decay_steps); whole numbers with `staircase`.

    >>> import workbench as tf
    >>> tf.train.exponential_decay(0.5, tf.constant(20), 10, 0.5).eval()
    np.float32(0.125)
    """
    step = _step(global_step, "exponential_decay")
    with name_scope(name, "ExponentialDecay", [learning_rate, step]) as scope:
        rate = convert_to_tensor(learning_rate, name="learning_rate")
        progress = _progress(step, decay_steps, staircase, rate.dtype)
        power = api.pow(api.cast(decay_rate, rate.dtype), progress)
        decayed: Tensor = api.multiply(rate, power, name=scope)
        return decayed


def _progress(global_step: Any, decay_steps: Any, staircase: bool, dtype: Any) -> Tensor:
    progress: Tensor = api.cast(global_step, dtype) / api.cast(decay_steps, dtype)
    return api.floor(progress) if staircase else progress


def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate * exp(-decay_rate * global_step / decay_steps)."""
    step = _step(global_step, "natural_exp_decay")
    with name_scope(name, "NaturalExpDecay", [learning_rate, step]) as scope:
        rate = convert_to_tensor(learning_rate, name="learning_rate")
        progress = _progress(step, decay_steps, staircase, rate.dtype)
        exponent = api.exp(api.negative(api.cast(decay_rate, rate.dtype)) * progress)
        decayed: Tensor = api.multiply(rate, exponent, name=scope)
        return decayed


def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate / (1 + decay_rate * global_step / decay_steps)."""
    step = _step(global_step, "inverse_time_decay")
    with name_scope(name, "InverseTimeDecay", [learning_rate, step]) as scope:
        rate = convert_to_tensor(learning_rate, name="learning_rate")
        progress = _progress(step, decay_steps, staircase, rate.dtype)
        denominator = 1.0 + api.cast(decay_rate, rate.dtype) * progress
        decayed: Tensor = api.div(rate, denominator, name=scope)
        return decayed


def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Tensor:
    """From `learning_rate` to `end_learning_rate` in `decay_steps`, by a power of what is left.

    With `cycle` it starts over, with a decay that takes as many steps more.
    """
    step = _step(global_step, "polynomial_decay")
    with name_scope(name, "PolynomialDecay", [learning_rate, step]) as scope:
        rate = convert_to_tensor(learning_rate, name="learning_rate")
        dtype = rate.dtype
        steps = api.cast(step, dtype)
        length = api.cast(decay_steps, dtype)
        end = api.cast(end_learning_rate, dtype)
        if cycle:
            turns = api.ceil(steps / length)
            # Step 0 belongs to the first turn.
            turns = api.where(api.equal(steps, 0), api.ones_like(turns), turns)
            length = length * turns
        else:
            steps = api.minimum(steps, length)
        left = api.pow(1.0 - steps / length, api.cast(power, dtype))
        decayed: Tensor = api.add((rate - end) * left, end, name=scope)
        return decayed


def piecewise_constant(
    x: Any, boundaries: Sequence[Any], values: Sequence[Any], name: str | None = None
) -> Tensor:
    """values[0] for x up to boundaries[0], values[i] from there up to boundaries[i], and so on.

    >>> import workbench as tf
    >>> rate = tf.train.piecewise_constant(tf.constant(15), [10, 20], [1.0, 0.5, 0.1])
    >>> rate.eval()
    np.float32(0.5)
    """
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    with name_scope(name, "PiecewiseConstant", [x, *boundaries, *values]) as scope:
        x = convert_to_tensor(x)
        limits = [convert_to_tensor(b, dtype=x.dtype.base_dtype) for b in boundaries]
        choices = [convert_to_tensor(v) for v in values]
        for choice in choices[1:]:
            if choice.dtype.base_dtype is not choices[0].dtype.base_dtype:
                raise ValueError(
                    "Values must have elements all with the same dtype, got "
                    f"{choices[0].dtype.name} and {choice.dtype.name}"
                )
        chosen = choices[-1]
        for limit, choice in zip(reversed(limits), reversed(choices[:-1]), strict=True):
            chosen = api.where(api.less_equal(x, limit), choice, chosen)
        result: Tensor = api.identity(chosen, name=scope)
        return result


def cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    alpha: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """Half a cosine from the rate down to alpha times the rate (Loshchilov and Hutter, 2016)."""
    step = _step(global_step, "cosine_decay")
    with name_scope(name, "CosineDecay", [learning_rate, step]):
        rate = convert_to_tensor(learning_rate, name="learning_rate")
        length = api.cast(decay_steps, rate.dtype)
        done = api.minimum(api.cast(step, rate.dtype), length) / length
        wave = 0.5 * (1.0 + api.cos(math.pi * done))
        decayed: Tensor = api.multiply(rate, (1 - alpha) * wave + alpha)
        return decayed


def cosine_decay_restarts(
    learning_rate: Any,
    global_step: Any,
    first_decay_steps: Any,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """Cosine decay that starts over, each time `t_mul` times as long and `m_mul` times as high."""
    step = _step(global_step, "cosine_decay_restarts")
    with name_scope(name, "SGDRDecay", [learning_rate, step]) as scope:
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        dtype = rate.dtype
        progress = api.cast(step, dtype) / api.cast(first_decay_steps, dtype)
        if t_mul == 1.0:
            period = api.floor(progress)
            done = progress - period
        else:
            period = api.floor(api.log(1.0 - progress * (1.0 - t_mul)) / math.log(t_mul))
            start = (1.0 - api.pow(api.cast(t_mul, dtype), period)) / (1.0 - t_mul)
            done = (progress - start) / api.pow(api.cast(t_mul, dtype), period)
        height = api.pow(api.cast(m_mul, dtype), period)
        wave = 0.5 * height * (1.0 + api.cos(math.pi * done))
        decayed: Tensor = api.multiply(rate, (1 - alpha) * wave + alpha, name=scope)
        return decayed


def linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    num_periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    name: str | None = None,
) -> Tensor:
    """(alpha + linear decay) * cosine + beta (Bello et al., 2017)."""
    step = _step(global_step, "linear_cosine_decay")
    with name_scope(name, "LinearCosineDecay", [learning_rate, step]) as scope:
        rate = convert_to_tensor(learning_rate, name="learning_rate")
        steps, length = _steps_done(step, decay_steps, rate.dtype)
        linear = alpha + (length - steps) / length
        wave = _waves(num_periods, steps, length)
        decayed: Tensor = api.multiply(rate, linear * wave + beta, name=scope)
        return decayed


def noisy_linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    initial_variance: float = 1.0,
    variance_decay: float = 0.55,
    num_periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    name: str | None = None,
) -> Tensor:
    """`linear_cosine_decay`, its linear part with normal noise.

    The noise has the variance initial_variance / (1 + step) ** variance_decay.
    """
    step = _step(global_step, "noisy_linear_cosine_decay")
    with name_scope(name, "NoisyLinearCosineDecay", [learning_rate, step]) as scope:
        rate = convert_to_tensor(learning_rate, name="learning_rate")
        steps, length = _steps_done(step, decay_steps, rate.dtype)
        deviation = api.sqrt(initial_variance / api.pow(1.0 + steps, variance_decay))
        noise = api.random_normal([], dtype=rate.dtype) * deviation
        linear = alpha + (length - steps) / length + noise
        wave = _waves(num_periods, steps, length)
        decayed: Tensor = api.multiply(rate, linear * wave + beta, name=scope)
        return decayed


def _steps_done(step: Any, decay_steps: Any, dtype: DType) -> tuple[Tensor, Tensor]:
    """The step, at most where the decay ends, and that."""
    length = api.cast(decay_steps, dtype)
    return api.minimum(api.cast(step, dtype), length), length


def _waves(periods: float, steps: Tensor, length: Tensor) -> Tensor:
    """A cosine between 0 and 1, at first 1, which goes round `periods` times in all."""
    wave: Tensor = 0.5 * (1.0 + api.cos(math.pi * 2.0 * periods * steps / length))
    return wave
