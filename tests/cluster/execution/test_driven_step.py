"""Steps that no thread waits for: in which thread stages run, and how a step ends."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from tests.core.sync.test_waiting import Queue, waiting_for
from workbench.cluster.execution.driven_step import DrivenStep
from workbench.cluster.execution.enclosed import Enclosed
from workbench.cluster.execution.inbox import Alone
from workbench.cluster.execution.part_run import PartTables
from workbench.cluster.execution.put_off import catching_up
from workbench.cluster.execution.step import ThreadStep
from workbench.cluster.wire.peers import Sent
from workbench.core.errors import AbortedError, CancelledError
from workbench.core.plan.partition.parts import Part, StagePart
from workbench.core.sync.registry import waits


def stage(number, takes=(), gives=(), after=(), sends=(), returns=(), may_wait=False):
    """A stage whose placeholders are named like the tensors."""
    pairs = [tuple((t, t) for t in names) for names in (takes, gives)]
    return StagePart(number, "d", *pairs, (), tuple(after), tuple(sends), tuple(returns), may_wait)


PART = Part(
    "t",
    b"",
    (
        stage(0, gives=("a",), sends=[("other", ("a",), False)]),
        stage(1, takes=("x",), gives=("b",), returns=("b",)),
        stage(2, takes=("fed",), gives=("w",), returns=("w",), may_wait=True),
    ),
    ("fed",),
)


class Registered:
    """A part whose stages note the threads that they run in."""

    def __init__(self, quick=True, act=None, part=PART, encodings=()):
        self.part, self.tables = part, PartTables(part)
        self.encodings = SimpleNamespace(of=lambda session, keys: dict(encodings))
        self.quick, self.act = quick, act or (lambda number: None)
        self.ran = []
        self.waiting_only = set()

    def pace(self, stage):
        return SimpleNamespace(is_quick=self.quick, seconds=0.0)

    def only_waits(self, stage):
        return stage.number in self.waiting_only

    def run(self, stage, values, traces=None):
        self.act(stage.number)
        self.ran.append((stage.number, threading.get_ident()))
        return {key: (stage.number, *values) for key, _ in stage.gives}


class Receives(Alone):
    """A wire whose threads may, or may not, take their time."""

    def __init__(self, has_time):
        self.has_time = has_time

    def step_back(self, seconds):
        return self.has_time


class Surroundings:
    """A task whose threads begin at once."""

    def __init__(self, has_time=True):
        self.receives = Receives(has_time)
        self.sent, self.threads = [], []

    def send(self, step, instruction):
        self.sent.append((instruction.task, instruction.values))
        return Sent(0, 0, 0)

    def start(self, work):
        thread = threading.Thread(target=work)
        self.threads.append(thread)
        thread.start()

    def is_own_thread(self):
        return threading.current_thread() in self.threads


def begun(registered, surroundings):
    """A step that has begun, and what it ended with."""
    outcomes, over = [], threading.Event()

    def ended(step, outcome):
        outcomes.append(outcome)
        over.set()

    step = DrivenStep("s", 1, registered, surroundings, None, ended)
    step.begin({"fed": 7})
    return step, outcomes, over


@pytest.mark.parametrize(("quick", "has_time"), [(True, True), (True, False), (False, True)])
def test_quick_stages_run_in_the_thread_that_brings_what_they_lack(quick, has_time):
    registered, surroundings = Registered(quick), Surroundings(has_time)
    step, outcomes, over = begun(registered, surroundings)
    step.arrived([("x", 10)], None)
    assert over.wait(20)
    assert outcomes == [{"b": (1, 10), "w": (2, 7)}]
    assert surroundings.sent == [("other", (("a", (0,)),))]
    here = {n for n, thread in registered.ran if thread == threading.get_ident()}
    # What may wait never runs here.
    assert here == ({0, 1} if quick and has_time else set())
    for thread in surroundings.threads:
        thread.join(20)
    step.arrived([("x", 11)], None)
    step.abort(AbortedError(None, None, "late"))
    assert len(outcomes) == 1


def test_what_came_early_is_taken_when_it_begins():
    outcomes, over = [], threading.Event()
    registered = Registered()
    step = DrivenStep(
        "s", 1, registered, Surroundings(), None, lambda s, o: (outcomes.append(o), over.set())
    )
    step.hold([([("x", 1)], None)])
    assert not registered.ran
    step.begin({"fed": 2})
    assert over.wait(20) and outcomes == [{"b": (1, 1), "w": (2, 2)}]


def test_an_abort_ends_a_step_that_lacks_something():
    step, outcomes, over = begun(Registered(), Surroundings())
    error = AbortedError(None, None, "enough")
    step.abort(error)
    assert over.wait(20) and outcomes == [error]


def test_a_stage_that_fails_ends_the_step_with_its_error():
    def act(number):
        if number == 1:
            raise ValueError("no")

    step, outcomes, over = begun(Registered(act=act), Surroundings())
    step.arrived([("x", 1)], None)
    assert over.wait(20)
    assert isinstance(outcomes[0], ValueError) and len(outcomes) == 1


def test_the_error_that_ended_a_step_is_told_and_not_what_that_ended():
    """An abort while a stage runs: the stage's own CancelledError is not the reason."""
    error = AbortedError(None, None, "the reason")

    def act(number):
        if number == 1:
            # As it would come from another thread: this one has the step.
            holder[0].abort(error)
            raise CancelledError(None, None, "cancelled")

    holder = []
    outcomes = []
    step = DrivenStep(
        "s", 1, Registered(act=act), Surroundings(), None, lambda s, o: outcomes.append(o)
    )
    holder.append(step)
    step.hold([([("x", 1)], None)])
    step.begin({"fed": 2})
    assert outcomes == [error]


def test_what_many_threads_bring_is_taken_by_one_at_a_time():
    wide = Part(
        "t",
        b"",
        (
            *(stage(n, takes=(f"x{n}",), gives=(f"y{n}",)) for n in range(40)),
            stage(99, takes=tuple(f"y{n}" for n in range(40)), gives=("z",), returns=("z",)),
        ),
        (),
    )
    inside = []

    class Wide(Registered):
        def __init__(self):
            super().__init__()
            self.part, self.tables = wide, PartTables(wide)

        def run(self, stage, values, traces=None):
            inside.append(1)
            assert len(inside) == 1
            inside.pop()
            return {key: len(values) for key, _ in stage.gives}

    outcomes, over = [], threading.Event()
    step = DrivenStep(
        "s", 1, Wide(), Surroundings(), None, lambda s, o: (outcomes.append(o), over.set())
    )
    step.begin({})
    threads = [
        threading.Thread(target=step.arrived, args=([(f"x{n}", n)], None)) for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert over.wait(20) and outcomes == [{"z": 40}]


class Waits(Registered):
    """A part whose stage 2 takes from a queue, and does nothing else."""

    def __init__(self, queue):
        super().__init__()
        self.queue, self.waiting_only = queue, {2}

    def run(self, stage, values, traces=None):
        if stage.number == 2:
            return {"w": self.queue.take()}
        return super().run(stage, values, traces)


def test_a_stage_that_waits_takes_no_thread_and_goes_on_where_the_wait_ends():
    queue, surroundings = Queue(), Surroundings()
    registered = Waits(queue)
    step, outcomes, over = begun(registered, surroundings)
    step.arrived([("x", 10)], None)
    assert not surroundings.threads and not outcomes
    # Another step of this thread puts in what it waits for: it goes on after that.
    with catching_up():
        queue.put("it")
        assert not outcomes
    assert outcomes == [{"b": (1, 10), "w": ["it"]}] and not surroundings.threads


def test_who_does_not_run_a_step_has_another_thread_go_on():
    queue = Queue()
    step, outcomes, over = begun(Waits(queue), Surroundings())
    step.arrived([("x", 10)], None)
    queue.put("it")
    assert over.wait(20) and outcomes == [{"b": (1, 10), "w": ["it"]}]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_step_that_ends_leaves_what_its_stages_wait_for(is_there):
    queue = Queue()
    step, outcomes, over = begun(Waits(queue), Surroundings())
    error = AbortedError(None, None, "enough")
    with catching_up():
        if is_there:
            queue.put("it")
        step.abort(error)
    assert outcomes == [error]
    assert not queue.machine.waiting and queue.machine.size == is_there
    assert not waits()


def test_a_wait_that_is_cancelled_ends_its_step():
    queue = Queue()
    step, outcomes, over = begun(Waits(queue), Surroundings())
    queue.close()
    assert over.wait(20) and isinstance(outcomes[0], CancelledError)


def test_what_is_recorded_waits_in_a_thread():
    """The statistics of a stage are those of one run."""
    queue, surroundings, outcomes, over = Queue(), Surroundings(), [], threading.Event()
    step = DrivenStep(
        "s", 1, Waits(queue), surroundings, [], lambda s, o: (outcomes.append(o), over.set())
    )
    step.begin({"fed": 7})
    step.arrived([("x", 10)], None)
    assert len(surroundings.threads) == 1
    queue.put("it")
    assert over.wait(20) and outcomes == [{"b": (1, 10), "w": ["it"]}]


def test_an_error_ends_what_other_stages_of_the_step_wait_for():
    queue, surroundings = Queue(), Surroundings()

    class Fails(Waits):
        def run(self, stage, values, traces=None):
            if stage.number == 1:
                raise ValueError("no")
            return super().run(stage, values, traces)

    outcomes = []
    driven = DrivenStep(
        "s", 1, Fails(queue), surroundings, [], lambda step, outcome: outcomes.append(outcome)
    )
    driven.begin({"fed": 7})
    waiting_for(queue, 1)
    driven.arrived([("x", 1)], None)
    step = ThreadStep("s", 2, Fails(queue), surroundings, None)
    threading.Timer(0.02, step.arrived, ([("x", 1)], None)).start()
    with pytest.raises(ValueError, match="no"):
        step.run({"fed": 3})
    for thread in surroundings.threads:
        thread.join(20)
        assert not thread.is_alive()
    assert not queue.machine.waiting and isinstance(outcomes[0], ValueError)


TO_LEADER = (("a",), False), (("b",), True)
ENDS_WITH_LEADER = Part(
    "t",
    b"",
    (
        stage(0, gives=("a",), sends=[("leader", *TO_LEADER[0]), ("other", ("a",), False)]),
        stage(1, gives=("b",), after=(0,), sends=[("leader", *TO_LEADER[1])], returns=("b",)),
    ),
    (),
)


@pytest.mark.parametrize(
    ("leader", "encodings", "traces", "is_enclosed"),
    [
        ("leader", {}, None, True),
        ("other", {}, None, False),
        (None, {}, None, False),
        # These are a matter of sending.
        ("leader", {"b": "bfloat16"}, None, False),
        ("leader", {}, [], False),
    ],
)
def test_the_last_values_for_the_leader_go_with_the_answer(leader, encodings, traces, is_enclosed):
    registered = Registered(part=ENDS_WITH_LEADER, encodings=encodings)
    surroundings, outcomes = Surroundings(), []

    def ended(step, outcome):
        outcomes.append((outcome, step.enclosed))

    step = DrivenStep("s", 1, registered, surroundings, traces, ended, leader)
    step.begin({})
    last = Enclosed((("b", (1,)),), 1)
    early = [("leader", (("a", (0,)),)), ("other", (("a", (0,)),))]
    assert outcomes == [({"b": (1,)}, last if is_enclosed else None)]
    assert surroundings.sent == early + ([] if is_enclosed else [("leader", last.values)])


def test_a_step_with_a_thread_waits_for_what_it_lacks():
    registered = Registered()
    step = ThreadStep("s", 1, registered, Surroundings(), 20.0)
    threading.Timer(0.02, step.arrived, ([("x", 1)], None)).start()
    assert step.run({"fed": 3}) == {"b": (1, 1), "w": (2, 3)}
    assert {n for n, thread in registered.ran if thread == threading.get_ident()} == {0, 1}
