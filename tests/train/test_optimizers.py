"""Every optimizer against its formula in plain NumPy, over several steps; slots, errors, names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf

STEPS = 4


@pytest.fixture(autouse=True)
def session() -> Iterator[tf.Session]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


# -- the formulas: (variable, gradient, state, step number) -> new variable ----------------------


def _slot(state: dict[str, Any], name: str, like: Any, start: float = 0.0) -> Any:
    return state.setdefault(name, np.full_like(like, start))


def descent(v: Any, g: Any, state: Any, t: int) -> Any:
    return v - 0.1 * g


def momentum(v: Any, g: Any, state: Any, t: int) -> Any:
    state["a"] = 0.9 * _slot(state, "a", v) + g
    return v - 0.1 * state["a"]


def nesterov(v: Any, g: Any, state: Any, t: int) -> Any:
    state["a"] = 0.9 * _slot(state, "a", v) + g
    return v - 0.1 * (g + 0.9 * state["a"])


def adam(v: Any, g: Any, state: Any, t: int) -> Any:
    state["m"] = 0.8 * _slot(state, "m", v) + 0.2 * g
    state["v"] = 0.9 * _slot(state, "v", v) + 0.1 * g * g
    rate = 0.1 * np.sqrt(1 - 0.9**t) / (1 - 0.8**t)
    return v - rate * state["m"] / (np.sqrt(state["v"]) + 1e-3)


def adagrad(v: Any, g: Any, state: Any, t: int) -> Any:
    state["a"] = _slot(state, "a", v, 0.1) + g * g
    return v - 0.1 * g / np.sqrt(state["a"])


def adadelta(v: Any, g: Any, state: Any, t: int) -> Any:
    state["a"] = 0.9 * _slot(state, "a", v) + 0.1 * g * g
    update = np.sqrt(_slot(state, "u", v) + 0.01) / np.sqrt(state["a"] + 0.01) * g
    state["u"] = 0.9 * state["u"] + 0.1 * update**2
    return v - 0.5 * update


def rms(v: Any, g: Any, state: Any, t: int, centered: bool = False) -> Any:
    state["s"] = 0.8 * _slot(state, "s", v, 1.0) + 0.2 * g * g
    spread = state["s"]
    if centered:
        state["g"] = 0.8 * _slot(state, "g", v) + 0.2 * g
        spread = spread - state["g"] ** 2
    state["m"] = 0.5 * _slot(state, "m", v) + 0.1 * g / np.sqrt(spread + 1e-3)
    return v - state["m"]


def _shrunk(v: Any, rate: Any, l1: float, l2: float) -> Any:
    return np.sign(v) * np.maximum(np.abs(v) - rate * l1, 0) / (1 + rate * l2)


def proximal_descent(v: Any, g: Any, state: Any, t: int) -> Any:
    return _shrunk(v - 0.1 * g, 0.1, 0.05, 0.02)


def proximal_adagrad(v: Any, g: Any, state: Any, t: int) -> Any:
    state["a"] = _slot(state, "a", v, 0.2) + g * g
    rate = 0.1 / np.sqrt(state["a"])
    return _shrunk(v - rate * g, rate, 0.05, 0.02)


def ftrl(v: Any, g: Any, state: Any, t: int) -> Any:
    old = _slot(state, "n", v, 0.2)
    state["n"] = old + g * g
    # learning_rate_power is -0.4 here.
    sigma = (state["n"] ** 0.4 - old**0.4) / 0.1
    state["z"] = _slot(state, "z", v) + g - sigma * v
    z, n = state["z"], state["n"]
    return np.where(
        np.abs(z) > 0.05, (np.sign(z) * 0.05 - z) / (n**0.4 / 0.1 + 2 * 0.02), np.zeros_like(v)
    )


def dual_averaging(v: Any, g: Any, state: Any, t: int) -> Any:
    state["g"] = _slot(state, "g", v) + g
    state["s"] = _slot(state, "s", v, 0.2) + g * g
    total, squares = state["g"], state["s"]
    shrunk = np.sign(total) * np.maximum(np.abs(total) - 0.05 * t, 0)
    return -0.1 * shrunk / (0.1 * 0.02 * t + np.sqrt(squares))


Make = Callable[..., Any]
train = tf.train
OPTIMIZERS: dict[str, tuple[Make, Callable[..., Any], list[str]]] = {
    "descent": (lambda **k: train.GradientDescentOptimizer(0.1, **k), descent, []),
    "momentum": (lambda **k: train.MomentumOptimizer(0.1, 0.9, **k), momentum, ["momentum"]),
    "nesterov": (
        lambda **k: train.MomentumOptimizer(0.1, 0.9, use_nesterov=True, **k),
        nesterov,
        ["momentum"],
    ),
    "adam": (lambda **k: train.AdamOptimizer(0.1, 0.8, 0.9, 1e-3, **k), adam, ["m", "v"]),
    "adagrad": (lambda **k: train.AdagradOptimizer(0.1, **k), adagrad, ["accumulator"]),
    "adadelta": (
        lambda **k: train.AdadeltaOptimizer(0.5, 0.9, 0.01, **k),
        adadelta,
        ["accum", "accum_update"],
    ),
    "rms": (
        lambda **k: train.RMSPropOptimizer(0.1, 0.8, 0.5, 1e-3, **k),
        rms,
        ["momentum", "rms"],
    ),
    "centered rms": (
        lambda **k: train.RMSPropOptimizer(0.1, 0.8, 0.5, 1e-3, centered=True, **k),
        lambda *a: rms(*a, centered=True),
        ["mg", "momentum", "rms"],
    ),
    "proximal descent": (
        lambda **k: train.ProximalGradientDescentOptimizer(0.1, 0.05, 0.02, **k),
        proximal_descent,
        [],
    ),
    "proximal adagrad": (
        lambda **k: train.ProximalAdagradOptimizer(0.1, 0.2, 0.05, 0.02, **k),
        proximal_adagrad,
        ["accumulator"],
    ),
    "ftrl": (
        lambda **k: train.FtrlOptimizer(0.1, -0.4, 0.2, 0.05, 0.02, **k),
        ftrl,
        ["accum", "linear"],
    ),
    "dual averaging": (
        lambda **k: train.AdagradDAOptimizer(
            0.1, train.get_or_create_global_step(), 0.2, 0.05, 0.02, **k
        ),
        dual_averaging,
        ["gradient_accumulator", "gradient_squared_accumulator"],
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_dense_steps(name: str, dtype: str, session: tf.Session) -> None:
    make, formula, slots = OPTIMIZERS[name]
    value = np.array([1.0, -2.0, 0.3], dtype)
    scale = np.array([1.0, 2.0, 3.0], dtype)
    variable = tf.Variable(value, name="w")
    step = tf.train.get_or_create_global_step()
    optimizer = make(use_locking=dtype == "float64")
    minimize = optimizer.minimize(tf.reduce_sum(scale * tf.square(variable)), global_step=step)
    session.run(tf.global_variables_initializer())
    state: dict[str, Any] = {}
    for t in range(1, STEPS + 1):
        value = formula(value, 2 * scale * value, state, t)
        session.run(minimize)
        np.testing.assert_allclose(session.run(variable), value, rtol=2e-4, atol=1e-5)
    assert session.run(step) == STEPS
    assert optimizer.get_slot_names() == slots
    for slot in slots:
        assert optimizer.get_slot(variable, slot).shape == variable.shape
    assert optimizer.get_slot(variable, "nonsense") is None


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_sparse_steps(name: str, session: tf.Session) -> None:
    make, formula, _ = OPTIMIZERS[name]
    values = np.arange(8, dtype=np.float32).reshape(4, 2) / 4
    variable = tf.Variable(values)
    rows = tf.placeholder(tf.int32, [None])
    step = tf.train.get_or_create_global_step()
    loss = tf.reduce_sum(tf.square(tf.gather(variable, rows) - 0.3))
    minimize = make().minimize(loss, global_step=step)
    session.run(tf.global_variables_initializer())
    states: list[dict[str, Any]] = [{} for _ in values]
    for t, chosen in enumerate(([0, 1, 1], [3], [0, 3, 3, 2], [1]), start=1):
        session.run(minimize, {rows: chosen})
        for row in range(4):
            gradient = chosen.count(row) * 2 * (values[row] - np.float32(0.3))
            # Adam moves every row; the others leave rows alone that the gradient does not have.
            if row in chosen or name == "adam":
                values[row] = formula(values[row], gradient, states[row], t)
        np.testing.assert_allclose(session.run(variable), values, rtol=2e-4, atol=1e-5)


def test_names_of_slots() -> None:
    with tf.variable_scope("net"):
        w = tf.get_variable("w", [2], initializer=tf.zeros_initializer())
        with tf.name_scope("training"):
            tf.train.AdamOptimizer().minimize(tf.reduce_sum(w))
    v = tf.Variable([1.0], name="v")
    tf.train.AdamOptimizer().minimize(tf.reduce_sum(v), var_list=[v])
    tf.train.RMSPropOptimizer(0.1, centered=True).minimize(tf.reduce_sum(v), var_list=[v])
    tf.train.MomentumOptimizer(0.1, 0.9, name="mine").minimize(tf.reduce_sum(v), var_list=[v])
    assert [x.op.name for x in tf.global_variables()] == [
        "net/w",
        "net/training/beta1_power",
        "net/training/beta2_power",
        "net/net/w/Adam",
        "net/net/w/Adam_1",
        "v",
        "beta1_power",
        "beta2_power",
        "v/Adam",
        "v/Adam_1",
        "v/RMSProp",
        "v/RMSProp_1",
        "v/RMSProp_2",
        "v/mine",
    ]
    assert [x.op.name for x in tf.trainable_variables()] == ["net/w", "v"]


def test_names_of_operations() -> None:
    w = tf.Variable(1.0, name="w")
    step = tf.train.create_global_step()
    plain = tf.train.GradientDescentOptimizer(0.1).minimize(w * w)
    counted = tf.train.AdamOptimizer(0.1).minimize(w * w, global_step=step)
    named = tf.train.GradientDescentOptimizer(0.1).minimize(w * w, name="go")
    assert [plain.name, counted.name, named.name] == ["GradientDescent", "Adam", "go"]
    assert tf.get_collection(tf.GraphKeys.TRAIN_OP) == [plain, counted, named]
    assert tf.get_default_graph().get_operation_by_name("Adam/update_w/ApplyAdam").type


def test_learning_rate_of_any_kind(session: tf.Session) -> None:
    w = tf.Variable(np.float64(1.0))
    rate = tf.placeholder(tf.float32, [])
    fed = tf.train.GradientDescentOptimizer(rate).minimize(w * 1.0)
    called = tf.train.GradientDescentOptimizer(lambda: 0.5).minimize(w * 1.0)
    session.run(w.initializer)
    session.run(fed, {rate: 0.25})
    session.run(called)
    assert session.run(w) == 0.25


def test_gradients_of_none_are_passed_over(session: tf.Session) -> None:
    used, unused = tf.Variable(1.0), tf.Variable(1.0)
    optimizer = tf.train.GradientDescentOptimizer(0.5)
    pairs = optimizer.compute_gradients(used * 1.0, [used, unused])
    assert pairs[1] == (None, unused)
    apply = optimizer.apply_gradients([(g, v) for g, v in pairs])
    session.run(tf.global_variables_initializer())
    session.run(apply)
    assert session.run([used, unused]) == [0.5, 1.0]


def test_a_constraint_is_applied_after_the_step(session: tf.Session) -> None:
    w = tf.Variable([1.0, -1.0], constraint=lambda x: tf.clip_by_value(x, 0.0, 0.75))
    step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(w))
    session.run(w.initializer)
    session.run(step)
    assert session.run(w).tolist() == [0.75, 0.0]
    rows = tf.Variable([[1.0]], constraint=tf.identity)
    with pytest.raises(RuntimeError, match="constraint function on a sparse variable"):
        tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.gather(rows, [0])))


def test_an_initial_value_of_grad_loss(session: tf.Session) -> None:
    w = tf.Variable([1.0, 1.0])
    optimizer = tf.train.GradientDescentOptimizer(1.0)
    step = optimizer.minimize(w * 2.0, grad_loss=tf.constant([1.0, 0.5]))
    session.run(w.initializer)
    session.run(step)
    assert session.run(w).tolist() == [-1.0, 0.0]


def test_errors() -> None:
    w, number = tf.Variable(1.0), tf.Variable(1, name="number")
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        optimizer.minimize(tf.constant(1.0))
    with pytest.raises(ValueError, match="No variables to optimize"):
        optimizer.minimize(w * w, var_list=[])
    with pytest.raises(TypeError, match="not a tf.Variable"):
        optimizer.minimize(w * w, var_list=[tf.constant(1.0)])
    with pytest.raises(ValueError, match="gate_gradients must be one of"):
        optimizer.compute_gradients(w * w, gate_gradients=7)
    with pytest.raises(ValueError, match="Invalid type 'int32'"):
        optimizer.compute_gradients(number * 2)
    with pytest.raises(ValueError, match="No variables provided"):
        optimizer.apply_gradients([])
    with pytest.raises(ValueError, match="No gradients provided for any variable: .*Variable:0"):
        optimizer.apply_gradients([(None, w)])
    with pytest.raises(TypeError, match="must be a tf.Variable"):
        optimizer.apply_gradients([(1.0, 2.0)])
    with pytest.raises(ValueError, match="Must specify the optimizer name"):
        tf.train.AdamOptimizer(name="")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tf.train.AdagradOptimizer(0.1, 0.0), "initial_accumulator_value must be positive"),
        (lambda: tf.train.ProximalAdagradOptimizer(0.1, -1.0), "must be positive"),
        (lambda: tf.train.FtrlOptimizer(0.1, 0.5), "learning_rate_power 0.5"),
        (lambda: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=-1.0), "l1_regul"),
    ],
)
def test_hyperparameters_out_of_range(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_an_optimizer_of_the_users_own(session: tf.Session) -> None:
    class Signs(tf.train.Optimizer):
        def __init__(self) -> None:
            super().__init__(False, "Signs")

        def _apply_dense(self, grad: Any, var: Any) -> Any:
            return var.assign_sub(tf.sign(grad))

    w = tf.Variable([3.0, -2.0])
    step = Signs().minimize(tf.reduce_sum(tf.square(w)))
    session.run(w.initializer)
    session.run(step)
    assert session.run(w).tolist() == [2.0, -1.0]


def test_variables_are_those_of_the_graph() -> None:
    """One optimizer may train in several graphs."""
    optimizer = tf.train.MomentumOptimizer(0.1, 0.9)
    for name in ("a", "b"):
        with tf.Graph().as_default():
            weight = tf.Variable(1.0, name=name)
            optimizer.minimize(weight * weight)
            assert [v.op.name for v in optimizer.variables()] == [f"{name}/Momentum"]
    assert not optimizer.variables()


def test_views_of_dicts_are_lists_of_variables(session: Any) -> None:
    weights = {"a": tf.Variable(1.0), "b": tf.Variable(2.0)}
    session.run(tf.group(*[w.initializer for w in weights.values()]))
    step = tf.train.GradientDescentOptimizer(1.0).minimize(
        tf.add_n(weights.values()), var_list=weights.values()
    )
    session.run(tf.group(tf.group(weights.values()), step))
    assert session.run(weights) == {"a": 0.0, "b": 1.0}
