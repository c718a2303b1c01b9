"""What goes wrong, and what is given in unusual ways: both tiers alike, and nothing half done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.networks import batches, convolutional, perceptron
from tests.core.fusion.two_tiers import Pair, compare, variables_of
from workbench.core.runtime.compiling import compiler


class Step:
    """A step of training, and sessions of both tiers to do it."""

    def __init__(self, initialise: bool = True, make: Any = perceptron, **options: Any) -> None:
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.network = make()
            self.train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(
                self.network.loss, tf.train.get_or_create_global_step()
            )
            self.fetches = [self.network.loss, self.train, list(self.network.others)]
            (self.feeds,) = batches(self.network, [6])
            self.x, self.y = list(self.feeds)
        self.pair = Pair(self.graph, **options)
        if initialise:
            self.pair.initialise()

    def __enter__(self) -> Step:
        return self

    def __exit__(self, *error: Any) -> None:
        self.pair.__exit__(*error)

    @property
    def variables(self) -> list[Any]:
        with self.graph.as_default():
            return tf.global_variables()

    def fails(self, feeds: dict[Any, Any]) -> str:
        """Both fail in the same words, and change nothing; then both go on."""
        before = {t: variables_of(s) for t, s in self.pair.sessions.items()}
        outcomes = self.pair.run(self.fetches, feeds)
        compare(outcomes["compiled"], outcomes["interpreted"])
        assert outcomes["compiled"].error is not None
        for tier, outcome in outcomes.items():
            for name, value in before[tier].items():
                np.testing.assert_array_equal(
                    outcome.variables[name], value, f"{tier} changed {name}"
                )
        self.agrees(self.feeds)
        return str(outcomes["compiled"].error)

    def agrees(self, feeds: dict[Any, Any], tolerance: float = 1e-4) -> None:
        self.pair.check(self.fetches, feeds, tolerance=tolerance, times=2)


def uninitialised() -> None:
    """The variable that is missing is named."""
    with Step(initialise=False) as step:
        outcomes = step.pair.run(step.fetches, step.feeds)
        compare(outcomes["compiled"], outcomes["interpreted"])
        assert "uninitialized" in str(outcomes["compiled"].error)
        step.pair.initialise()
        step.agrees(step.feeds)


def one_uninitialised() -> None:
    """All but the last variable have values: nothing is updated before that is found."""
    with Step() as step:
        for variable in (step.variables[0], step.variables[-1]):
            for session in step.pair.sessions.values():
                session.state.variables[variable.op.name].value = None
            outcomes = step.pair.run(step.fetches, step.feeds)
            slow, fast = outcomes["interpreted"], outcomes["compiled"]
            assert str(fast.error) == str(slow.error)
            assert variable.op.name in str(fast.error)
            step.pair.initialise()
            step.agrees(step.feeds)


def bad_label(label: int) -> None:
    """A label that is no class, among good ones."""
    with Step() as step:
        step.agrees(step.feeds)
        labels = step.feeds[step.y].copy()
        labels[3] = label
        told = step.fails({**step.feeds, step.y: labels})
        assert str(label) in told


def wrong_feed(make: Callable[[Step], dict[Any, Any]]) -> None:
    """Feeds that no tier takes."""
    with Step() as step:
        step.agrees(step.feeds)
        step.fails({**step.feeds, **make(step)})


def unusual_feed(make: Callable[[Any], Any]) -> None:
    """The same numbers in another form."""
    with Step() as step:
        step.agrees(step.feeds)
        rows = make(step.feeds[step.x])
        step.agrees({**step.feeds, step.x: rows})
        labels = step.feeds[step.y].astype(np.int64)
        step.agrees({step.x: rows, step.y: labels.tolist()})


def misaligned(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array one byte further on."""
    raw = np.zeros(array.nbytes + 1, np.uint8)
    moved = raw[1:].view(array.dtype).reshape(array.shape)
    moved[...] = array
    assert not moved.flags.aligned
    return moved


UNUSUAL: dict[str, Callable[[Any], Any]] = {
    "transposed": lambda a: np.asfortranarray(a),
    "every other": lambda a: np.repeat(a, 2, 0)[::2],
    "backward": lambda a: a[::-1],
    "misaligned": misaligned,
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "read only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "float64": lambda a: a.astype(np.float64),
    "lists": lambda a: a.tolist(),
    "a matrix": lambda a: np.asarray(a).view(np.recarray),
    "one row for all": lambda a: np.broadcast_to(a[:1], a.shape),
}
WRONG: dict[str, Callable[[Step], dict[Any, Any]]] = {
    "columns": lambda s: {s.x: np.zeros((6, 18), np.float32)},
    "axes": lambda s: {s.x: np.zeros((6, 19, 1), np.float32)},
    "rows that do not fit": lambda s: {s.x: np.zeros((5, 19), np.float32)},
    "strings": lambda s: {s.x: "text"},
    "none": lambda s: {s.x: None},
}


def scalars() -> None:
    """Numbers are fed as Python's, NumPy's and arrays without axes."""
    with tf.Graph().as_default() as graph:
        x, n = tf.placeholder(tf.float32, []), tf.placeholder(tf.int32, [])
        flag = tf.placeholder(tf.bool, [])
        row = tf.Variable(np.arange(40, dtype=np.float32))
        chosen = tf.where(flag, x, -x)
        fetches = [row * x + tf.cast(n, tf.float32), chosen, tf.assign_add(row, row * x)]
        with Pair(graph) as pair:
            pair.initialise()
            for a, b, c in (
                (0.25, 3, True), (np.float32(0.1), np.int32(-3), np.bool_(False)), (2, 1, 0),
                (np.array(0.5), np.array(7), np.array(True)), (np.float64(1e-3), 10**6, False),
            ):  # fmt: skip
                pair.check(fetches, {x: a, n: b, flag: c}, exact=True)


def loaded_between() -> None:
    """Variables get values from outside between two steps, in any form of array."""
    with Step() as step:
        step.agrees(step.feeds)
        for form in UNUSUAL.values():
            for variable in step.variables[1:3]:
                values = np.random.RandomState(1).standard_normal(variable.shape.as_list())
                given = form(values.astype(np.float32))
                for session in step.pair.sessions.values():
                    variable.load(given, session)
            step.agrees(step.feeds, 3e-3)


def fed_two_ways() -> None:
    """Values that a C function takes as they are, in turn with others that are converted first:
    where one way left an address, the other must not find it after the array is gone."""
    with tf.Graph().as_default() as graph:
        new = tf.placeholder(tf.float32, [1000])
        variable = tf.Variable(np.zeros(1000, np.float32))
        update = tf.assign(variable, new * 1.0)
        with Pair(graph) as pair:
            pair.initialise()
            for number in range(40):
                values = np.full(1000, number, np.float64)
                given = values if number % 3 else values.astype(np.float32)
                pair.check([update.op, update], {new: given}, exact=True, times=1)
                pair.check(variable, exact=True, times=1)


def another_shape() -> None:
    """A variable whose shape may change changes it."""
    with tf.Graph().as_default() as graph:
        variable = tf.Variable(np.ones((3, 4), np.float32), validate_shape=False)
        new = tf.placeholder(tf.float32)
        double = variable * 2.0 + 1.0
        assign = tf.assign(variable, new, validate_shape=False)
        plain = tf.Variable(np.ones((3, 4), np.float32))
        forced = tf.assign(plain, new, validate_shape=False)
        tripled = tf.assign_add(plain, tf.tanh(plain.value()))
        with Pair(graph) as pair:
            pair.initialise()
            for shape in ((3, 4), (2, 2), (7,), (3, 4)):
                values = np.random.RandomState(2).rand(*shape).astype(np.float32)
                pair.check(double)
                pair.check(assign, {new: values}, times=1)
                pair.check(double)
                pair.check(forced.op, {new: values}, times=1)
                pair.check([tripled.op, plain.value()])


def failing_after_update() -> None:
    """A check that comes after an update in order: no tier does half of the rest."""
    with tf.Graph().as_default() as graph:
        count = tf.Variable(np.zeros(4, np.float32))
        logits = tf.placeholder(tf.float32, [3, 4])
        labels = tf.placeholder(tf.int32, [3])
        first = tf.assign_add(count, tf.ones([4]))
        with tf.control_dependencies([first]):
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=labels, logits=tf.identity(logits) + count
            )
        second = tf.assign_add(count, tf.reduce_sum(losses) * tf.ones([4]))
        rows = np.ones((3, 4), np.float32)
        with Pair(graph) as pair:
            pair.initialise()
            pair.check([second.op, losses], {logits: rows, labels: [0, 1, 2]})
            for wrong in ([0, 4, 1], [-1, 0, 0]):
                pair.check([second.op, losses], {logits: rows, labels: wrong})
            pair.check([second.op, losses], {logits: rows, labels: [3, 3, 3]})


def numerics_checked() -> None:
    """A step that stops at the first NaN says where, on both tiers."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [5])
        total = tf.Variable(np.zeros(5, np.float32))
        checked = tf.check_numerics(tf.log(x), "no logarithm")
        update = tf.assign_add(total, checked * 2.0)
        with Pair(graph) as pair:
            pair.initialise()
            good = np.arange(1, 6, dtype=np.float32)
            pair.check([update.op, checked], {x: good})
            pair.check([update.op, checked], {x: good - 3})
            pair.check([update.op, checked], {x: good - 1})
            pair.check([update.op, checked], {x: good})


def bad_rows(index: int) -> None:
    """Rows that are not there are asked for, while a variable would be updated."""
    with tf.Graph().as_default() as graph:
        table = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3))
        numbers = tf.placeholder(tf.int32, [2])
        count = tf.Variable(0.0)
        rows = tf.gather(table, numbers) * 2.0
        update = tf.assign_add(count, tf.reduce_sum(rows))
        with Pair(graph) as pair:
            pair.initialise()
            for chosen in ([0, 3], [1, index], [2, 2]):
                pair.check([update.op, rows], {numbers: chosen})


def closed_while_compiling() -> None:
    """Closing a session ends the compiling for it, and what others compile goes on."""
    for delay in (0.0, 0.01, 0.05):
        with Step(make=convolutional) as step:
            with step.graph.as_default():
                hurried, patient = tf.Session(), tf.Session()
                for session in (hurried, patient):
                    session.run(tf.global_variables_initializer())
                    for _ in range(3):
                        session.run(step.fetches, step.feeds)
            if delay:
                compiler().wait(delay)
            hurried.close()
            assert compiler().wait(60)
            patient.run(step.fetches, step.feeds)
            (program,) = patient.explain(step.fetches, step.feeds).programs
            assert program.tier == "compiled", program.reason
            assert not hurried._programs.tiers.compilations
            patient.close()


def threads_with_sessions() -> None:
    """Two sessions in two threads on one graph do not see each other."""
    with Step() as step:
        feeds = list(batches(step.network, [6, 9, 6, 17] * 5, seed=3))
        wanted = [step.pair.sessions["interpreted"].run(step.fetches, f)[0] for f in feeds]
        initial = variables_of(step.pair.sessions["compiled"])
        found: dict[int, list[Any]] = {}

        def work(number: int) -> None:
            with tf.Session(graph=step.graph, tier=("compiled", "auto")[number]) as session:
                for name, value in initial.items():
                    if value is not None:
                        source = step.pair.sessions["compiled"].state.variables[name]
                        state = session.state.variable(name, source.dtype, source.entries)
                        state.value = value.copy() if value.ndim else value[()]
                found[number] = [session.run(step.fetches, f)[0] for f in feeds]

        _in_threads([partial(work, n) for n in (0, 1)])
        for number in (0, 1):
            np.testing.assert_allclose(found[number], wanted, 2e-4, 1e-6)


def threads_in_one_session() -> None:
    """Runs side by side in one session use memory of their own."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 64])
        weights = tf.Variable(np.random.RandomState(0).rand(64, 64).astype(np.float32))
        y = tf.nn.softmax(tf.matmul(tf.tanh(tf.matmul(x, weights) * 0.1), weights) * 0.1)
        count = tf.Variable(0.0)
        counted = tf.assign_add(count, 1.0, use_locking=True)
        with Pair(graph) as pair:
            pair.initialise()
            session = pair.sessions["compiled"]
            inputs = [
                np.full((rows, 64), 0.01 * n, np.float32) for n, rows in enumerate((3, 8, 3, 40))
            ]
            wanted = [pair.sessions["interpreted"].run(y, {x: i}) for i in inputs]
            for i in inputs:
                session.run(y, {x: i})

            def work(number: int) -> None:
                for _ in range(60):
                    got = session.run(y, {x: inputs[number]})
                    np.testing.assert_allclose(got, wanted[number], 1e-4)
                    session.run(counted.op)

            _in_threads([partial(work, n) for n in range(4)])


def _in_threads(works: list[Callable[[], None]]) -> None:
    errors: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=[w]) for w in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]


def forked() -> None:
    """A forked process goes on where its parent was; both get the same."""
    import os
    import warnings

    with Step(make=convolutional) as step:
        session = step.pair.sessions["compiled"]
        for _ in range(2):
            step.agrees(step.feeds)
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            status = 1
            try:
                losses = [float(session.run(step.fetches, step.feeds)[0]) for _ in range(3)]
                (more,) = batches(step.network, [11])
                losses.append(float(session.run(step.fetches, more)[0]))
                os.write(writing, repr(losses).encode())
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        _, status = os.waitpid(child, 0)
        told = os.read(reading, 10000).decode()
        os.close(reading)
        assert status == 0, "the forked process failed"
        losses = [float(session.run(step.fetches, step.feeds)[0]) for _ in range(3)]
        (more,) = batches(step.network, [11])
        losses.append(float(session.run(step.fetches, more)[0]))
        assert told == repr(losses)


def cases() -> dict[str, Callable[[], None]]:
    """By name."""
    found: dict[str, Callable[[], None]] = {
        f.__name__: f
        for f in (
            uninitialised, one_uninitialised, scalars, loaded_between, fed_two_ways, another_shape,
            failing_after_update, numerics_checked, closed_while_compiling, threads_with_sessions,
            threads_in_one_session, forked,
        )
    }  # fmt: skip
    for label in (5, -1, 1 << 30):
        found[f"label {label}"] = partial(bad_label, label)
    for index in (4, -1):
        found[f"row {index}"] = partial(bad_rows, index)
    for name, wrong in WRONG.items():
        found[f"wrong: {name}"] = partial(wrong_feed, wrong)
    for name, form in UNUSUAL.items():
        found[f"unusual: {name}"] = partial(unusual_feed, form)
    return found
