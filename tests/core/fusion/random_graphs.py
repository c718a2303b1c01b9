"""Random graphs on both tiers: what is computed, what is updated, and in what order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import workbench as tf
from tests.core.fusion import random_arrangements, random_values
from tests.core.fusion.random_values import Drawn, Shape
from tests.core.fusion.two_tiers import Pair, close, compare

SHAPES: list[Shape] = [
    (), (1,), (7,), (16,), (37,), (0,), (3, 1), (1, 13), (5, 8), (31, 17), (0, 4), (4, 3, 5),
    (2, 6, 6, 3), (1, 7, 5, 2), (128, 33),
]  # fmt: skip
EXAMPLES = 60


class Choices:
    """Draws numbers for a graph, and random arrays that depend on one of them."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self.random = np.random.RandomState(self.number(1 << 16))

    def number(self, below: int) -> int:
        return self._data.draw(st.integers(0, below - 1))

    def one_of(self, things: Sequence[Any]) -> Any:
        return things[self.number(len(things))]

    def array(self, shape: Shape) -> np.ndarray[Any, Any]:
        """Ordinary numbers, at times with those that go wrong among them."""
        array = self.random.standard_normal(shape).astype(np.float32)
        kind = self.number(4)
        if kind == 0 and array.size:
            specials = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-42], np.float32)
            places = self.random.randint(0, array.size, 1 + array.size // 5)
            flat = array.reshape(-1)
            flat[places] = self.random.choice(specials, places.size)
        elif kind == 1:
            array = np.round(array)
        return array


class RandomGraph:
    """A graph that is drawn step by step."""

    def __init__(self, choices: Choices) -> None:
        self.draw = choices
        self.feeds: dict[Any, Any] = {}
        self.initial: dict[Any, np.ndarray[Any, Any]] = {}
        self.updates: list[Any] = []
        self.pool: list[Drawn] = []
        for _ in range(1 + choices.number(3)):
            self._leaf(choices.one_of(SHAPES))
        for _ in range(choices.number(3)):
            self._variable(choices.one_of(SHAPES))
        for _ in range(4 + choices.number(14)):
            self._step()

    def _leaf(self, shape: Shape) -> None:
        array = self.draw.array(shape)
        known: list[int | None] = list(shape)
        if known and self.draw.number(3) == 0:
            known[0] = None
        placeholder = tf.placeholder(tf.float32, known)
        self.feeds[placeholder] = array
        self.pool.append(Drawn(placeholder, shape, True, _largest(array), 0.0))

    def _variable(self, shape: Shape) -> None:
        array = self.draw.array(shape)
        resource = bool(self.draw.number(2))
        variable = tf.get_variable(
            f"v{len(self.initial)}", shape, initializer=tf.zeros_initializer(),
            use_resource=resource,
        )  # fmt: skip
        self.initial[variable] = array
        self._read(variable, _largest(array))

    def _read(self, variable: Any, most: float, exact: bool = True, error: float = 0.0) -> None:
        shape = self.initial[variable].shape
        value = variable.read_value() if self.draw.number(2) else tf.identity(variable)
        self.pool.append(Drawn(value, shape, exact, most, error))

    def _step(self) -> None:
        draw = self.draw
        kind = draw.number(10)
        x = draw.one_of(self.pool)
        made: Drawn | None
        if kind < 3:
            made = random_values.binary(draw, x, draw.one_of(self.pool))
        elif kind < 6:
            made = draw.one_of(random_values.ONE_OPERAND)(draw, x)
        elif kind < 8:
            made = draw.one_of(random_arrangements.ARRANGEMENTS)(draw, x)
        elif self.initial:
            self._update()
            return
        else:
            return
        if made is not None and made.most < 1e6 and random_values.count(made.shape) < 20000:
            assert made.tensor.dtype == tf.float32
            self.pool.append(made)

    def _update(self) -> None:
        """Changes a variable, before or after others change or read it, or in no order."""
        draw = self.draw
        variable = draw.one_of(list(self.initial))
        shape = self.initial[variable].shape
        fitting = [v for v in self.pool if v.shape == shape]
        if not fitting:
            return
        value = draw.one_of(fitting)
        earlier = [*self.updates, *(v.tensor.op for v in self.pool)]
        after = [draw.one_of(earlier)] if draw.number(3) else []
        with tf.control_dependencies(after):
            update = draw.one_of([tf.assign, tf.assign_add, tf.assign_sub, _descend])
            made = update(variable, value.tensor)
        operation = made if isinstance(made, tf.Operation) else tf.convert_to_tensor(made).op
        self.updates.append(operation)
        with tf.control_dependencies([operation]):
            # What a chain of updates may add up to, of all that were drawn so far.
            most = 4 * sum(v.most for v in self.pool)
            error = 4 * sum(v.error for v in self.pool) + 1e-6 * most
            self._read(variable, most, False, error)

    def check(self, graph: Any) -> None:
        """Runs what is drawn on both tiers, a few times."""
        draw = self.draw
        chosen = [draw.one_of(self.pool) for _ in range(1 + draw.number(4))]
        feeds = dict(self.feeds)
        between = draw.one_of(self.pool)
        if draw.number(4) == 0 and between.tensor not in feeds:
            feeds[between.tensor] = draw.array(between.shape)
        targets = [u for u in self.updates if draw.number(2)]
        fetches = [[v.tensor for v in chosen], targets]
        with Pair(graph) as pair:
            for variable, array in self.initial.items():
                for session in pair.sessions.values():
                    variable.load(array, session)
            copies = {t: np.array(a) for t, a in feeds.items()}
            runs = 1 if self.updates or between.tensor in feeds else 2
            for _ in range(runs):
                outcomes = pair.run(fetches, feeds)
                slow, fast = outcomes["interpreted"], outcomes["compiled"]
                if slow.error is not None or fast.error is not None:
                    compare(fast, slow)
                    return
                fed = between.tensor in feeds and between.tensor not in self.feeds
                for value, found, wanted in zip(
                    chosen, fast.results[0], slow.results[0], strict=True
                ):
                    self._compare(value, found, wanted, loose=fed)
                most = 8 * sum(v.most for v in self.pool)
                error = 8 * sum(v.error for v in self.pool) + 2e-6 * most
                for name, value in slow.variables.items():
                    close(fast.variables[name], value, 1e-4, f"variable {name}", error)
            for tensor, copy in copies.items():
                np.testing.assert_array_equal(feeds[tensor], copy, "a fed value was changed")

    def _compare(self, value: Drawn, found: Any, wanted: Any, loose: bool) -> None:
        where = f"{value.tensor.name} = {value.tensor.op.type}"
        assert found.shape == wanted.shape, where
        assert found.shape == value.shape, where
        if value.exact and not loose:
            np.testing.assert_array_equal(found, wanted, where)
            zeros = np.asarray(wanted) == 0
            np.testing.assert_array_equal(
                np.signbit(found)[zeros], np.signbit(wanted)[zeros], f"{where}: sign of zero"
            )
        else:
            close(found, wanted, 1e-5, where, value.error + (1e-3 if loose else 0.0))


def _descend(variable: Any, value: Any) -> Any:
    return tf.train.GradientDescentOptimizer(0.5).apply_gradients([(value, variable)])


def _largest(array: np.ndarray[Any, Any]) -> float:
    return float(np.abs(array[np.isfinite(array)]).max(initial=1.0))


# Making an example smaller compiles hundreds of graphs: the graph is told as it is.
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def check_random_graph(data: st.DataObject) -> None:
    """Draws a graph and compares both tiers."""
    with tf.Graph().as_default() as graph, np.errstate(all="ignore"):
        drawn = RandomGraph(Choices(data))
        try:
            drawn.check(graph)
        except Exception as error:
            error.add_note(described(graph))
            raise


def described(graph: Any) -> str:
    """The operations of a graph, one a line."""
    lines = []
    for operation in graph.get_operations():
        inputs = ", ".join(t.name for t in operation.inputs)
        after = ", ".join(f"^{o.name}" for o in operation.control_inputs)
        shapes = ", ".join(str(t.shape) for t in operation.outputs)
        lines.append(f"{operation.name} = {operation.type}({inputs}) {after} {shapes}")
    return "\n".join(lines)


def cases() -> dict[str, Callable[[], None]]:
    return {"random graphs": check_random_graph}
