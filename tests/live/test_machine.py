"""The states of a run, as data: a table of what each stimulus does in each state, and invariants
over any sequence of stimuli."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.live import machine as m
from workbench.live.machine import RunMachine

LIMIT = 5


def machine_in(state: str) -> RunMachine:
    """A machine that got into a state by stimuli alone, two steps done where it has begun."""
    machine = RunMachine(LIMIT)
    if state == m.CREATED:
        return machine
    for stimulus in (m.Started(), m.StepDone(), m.StepDone(), *PATHS[state]):
        machine.handle(stimulus)
    assert machine.state == state
    return machine


PATHS: dict[str, tuple[m.Stimulus, ...]] = {
    m.RUNNING: (),
    m.PAUSED: (m.PauseAsked(),),
    m.STEPPING: (m.PauseAsked(), m.StepsAsked(2)),
    m.FINISHED: (m.DataEnded(),),
    m.STOPPED: (m.StopAsked(),),
    m.FAILED: (m.Failure(),),
    m.INTERRUPTED: (m.ProcessEnds(),),
}

REFUSED = "refused"
# The state after each stimulus, for the states: running, paused, stepping, finished, stopped,
# failed, interrupted.
TABLE = [
    (m.PauseAsked(), "paused paused paused refused refused refused refused"),
    (m.ResumeAsked(), "running running running refused refused refused refused"),
    (m.StepsAsked(1), "stepping stepping stepping refused refused refused refused"),
    (m.StepsAsked(0), "refused refused refused refused refused refused refused"),
    (m.StopAsked(), "stopped stopped stopped refused refused refused refused"),
    (m.RewindAsked(1), "paused paused paused paused paused paused refused"),
    (m.RewindAsked(3), "refused refused refused refused refused refused refused"),
    (m.RewindAsked(-1), "refused refused refused refused refused refused refused"),
    (m.ChangeAsked("set"), "running paused stepping refused refused refused refused"),
    (m.WatchHit(), "paused paused paused finished stopped failed interrupted"),
    (m.ProcessEnds(), "interrupted interrupted interrupted finished stopped failed interrupted"),
    (m.Failure(), "failed failed failed failed failed failed failed"),
]


@pytest.mark.parametrize(
    ("stimulus", "state", "wanted"),
    [
        (stimulus, state, wanted)
        for stimulus, row in TABLE
        for state, wanted in zip(PATHS, row.split(), strict=True)
    ],
)
def test_table(stimulus: m.Stimulus, state: str, wanted: str) -> None:
    machine = machine_in(state)
    before = (machine.state, machine.step, machine.epoch, machine.remaining)
    instructions = machine.handle(stimulus)
    refusals = [i for i in instructions if isinstance(i, m.Refuse)]
    if wanted == REFUSED:
        assert len(refusals) == len(instructions) == 1
        assert (machine.state, machine.step, machine.epoch, machine.remaining) == before
    else:
        assert not refusals
        assert machine.state == wanted
        published = [i.state for i in instructions if isinstance(i, m.Publish)]
        assert published == [wanted] if wanted != state else set(published) <= {wanted}


def test_stepping_counts_down_and_pauses() -> None:
    machine = machine_in(m.PAUSED)
    assert machine.handle(m.StepsAsked(2)) == [m.Publish("stepping")]
    assert machine.handle(m.StepDone()) == []
    assert machine.handle(m.StepDone()) == [m.Publish("paused")]
    assert machine.step == 4


def test_the_last_step_finishes() -> None:
    machine = machine_in(m.RUNNING)
    assert machine.handle(m.StepDone()) == machine.handle(m.StepDone()) == []
    assert machine.handle(m.StepDone()) == [m.Publish("finished"), m.Conclude(True)]


def test_rewind_says_what_to_restore() -> None:
    machine = machine_in(m.FAILED)
    assert machine.handle(m.RewindAsked(1)) == [
        m.Restore(1),
        m.Note("rewind", "rewound from step 2 to 1"),
        m.Publish("paused"),
    ]
    assert (machine.step, machine.epoch, machine.sound) == (1, 1, True)


def test_a_failed_step_leaves_no_sound_state() -> None:
    machine = machine_in(m.RUNNING)
    assert machine.handle(m.Failure()) == [m.Publish("failed"), m.Conclude(False)]
    assert not machine.sound


def test_refusal_tells_what_can_be_done() -> None:
    (refusal,) = machine_in(m.STOPPED).handle(m.ResumeAsked())
    assert isinstance(refusal, m.Refuse) and refusal.ended
    assert "was stopped after step 2" in refusal.message and "rewind" in refusal.message


STIMULI = st.one_of(
    st.just(m.StepDone()),
    st.just(m.StepDone()),
    st.just(m.PauseAsked()),
    st.just(m.ResumeAsked()),
    st.builds(m.StepsAsked, st.integers(-1, 4)),
    st.just(m.StopAsked()),
    st.builds(m.RewindAsked, st.integers(-1, 8)),
    st.just(m.ChangeAsked("watch")),
    st.just(m.WatchHit()),
    st.just(m.DataEnded()),
    st.just(m.Failure()),
    st.just(m.ProcessEnds()),
)


@given(st.lists(STIMULI, max_size=40), st.one_of(st.none(), st.integers(1, 6)), st.booleans())
def test_invariants(stimuli: list[m.Stimulus], limit: int | None, paused: bool) -> None:
    machine = RunMachine(limit)
    machine.handle(m.Started(paused=paused))
    rewinds = 0
    for stimulus in stimuli:
        # The loop tells of steps, data and watches only while it runs steps.
        runs_steps = isinstance(stimulus, (m.StepDone, m.DataEnded))
        if runs_steps and not machine.wants_step:
            continue
        before, state = machine.step, machine.state
        instructions = machine.handle(stimulus)
        if any(isinstance(i, m.Refuse) for i in instructions):
            assert (machine.step, machine.state) == (before, state)
        if any(isinstance(i, m.Restore) for i in instructions):
            rewinds += 1
        assert machine.state in m.STATES
        assert machine.epoch == rewinds
        assert 0 <= machine.step <= (limit if limit is not None else machine.step)
        assert (machine.remaining > 0) == (machine.state == m.STEPPING)
        if state in m.ENDED and machine.state not in m.ENDED:
            assert isinstance(stimulus, m.RewindAsked)
        if limit is not None and machine.step == limit:
            assert not machine.wants_step
        ended = [i for i in instructions if isinstance(i, m.Conclude)]
        assert len(ended) <= 1 and bool(ended) <= machine.has_ended
        assert machine.step - before in (0, 1) or isinstance(stimulus, m.RewindAsked)
