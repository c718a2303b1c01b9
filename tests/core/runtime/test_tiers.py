"""The compiled tier may be missing or fail: the interpreter goes on, and says why when asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.codegen import host
from workbench.core.codegen.compiler import CompileError, KernelLibrary
from workbench.core.fusion import planning
from workbench.core.runtime import tiers
from workbench.core.runtime.compiling import compiler
from workbench.core.runtime.tier import chosen_tier

compiled_only = pytest.mark.skipif(host.obstacle() is not None, reason="nothing is compiled here")

#: What makes the compiled tier impossible, and what `explain` says of it.
OBSTACLES = {
    "no LLVM": ("sys.modules['llvmlite'] = None", "llvmlite cannot be imported"),
    "free-threaded": ("sys.abiflags = 't'", "free-threaded CPython"),
    "unknown machine": (
        "import platform; platform.machine = lambda: 'vax'",
        "there are no kernels",
    ),
    "other interpreter": ("sys.implementation.name = 'other'", "needs CPython"),
    "pinned": ("import os; os.environ['WORKBENCH_TIER'] = 'interpreted'", "pinned"),
}

#: Trains with every way to choose a tier; the last line is what came of it.
PROGRAM = """
import sys, json, warnings
{obstacle}
warnings.simplefilter("error")
import numpy as np
import workbench as tf
from workbench.core.runtime.compiling import compiler

def train(**options):
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 4])
        weights = tf.Variable(np.full((4, 3), 0.5, np.float32))
        loss = tf.reduce_mean(tf.square(tf.tanh(tf.matmul(x, weights)) - 1.0))
        step = tf.train.AdamOptimizer(0.1).minimize(loss)
        with tf.Session(**options) as session:
            session.run(tf.global_variables_initializer())
            found = []
            for rows in (3, 3, 5, 3):
                feeds = {{x: np.ones((rows, 4), np.float32)}}
                found.append(float(session.run([loss, step], feeds)[0]))
                compiler().wait(30)
            explained = session.explain([loss, step], feeds)
            return found, explained.programs[0].tier, explained.programs[0].reason, str(explained)

runs = [train(), train(tier="compiled"), train(deterministic=True), train(tier="interpreted")]
print(json.dumps([runs, "llvmlite.binding" in sys.modules]))
"""


def _run(obstacle: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(obstacle=obstacle)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", OBSTACLES)
def test_what_cannot_be_compiled_is_interpreted_without_a_word(name: str) -> None:
    obstacle, words = OBSTACLES[name]
    runs, _ = _run(obstacle)
    for losses, tier, reason, told in runs:
        assert losses == runs[-1][0]
        assert losses[-1] < losses[0]
        assert tier == "interpreted"
        assert reason in told
    # The last one says that it was pinned; where the environment says so, only the others do not.
    assert all(words in reason for _, _, reason, _ in runs[:1])
    assert "pinned to the interpreter" in runs[-1][2]


@compiled_only
def test_the_same_program_is_compiled_where_it_can_be() -> None:
    runs, _ = _run("")
    assert [tier for _, tier, _, _ in runs] == ["compiled", "compiled", "compiled", "interpreted"]
    for losses, _, _, _ in runs:
        np.testing.assert_allclose(losses, runs[-1][0], 1e-5)


def test_tests_of_sessions_pass_without_llvm() -> None:
    block = (
        "import sys, pytest; sys.modules['llvmlite'] = None; sys.exit(pytest.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", block, "-q", "-p", "no:cacheprovider", "-W", "error",
         "tests/core/runtime/test_session.py", "tests/core/runtime/test_errors.py"],
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


@compiled_only
def test_without_a_folder_nothing_is_compiled_a_second_time() -> None:
    program = (
        "import workbench as tf, numpy as np\n"
        "from workbench.core.runtime.compiling import compiler\n"
        "from workbench.core.codegen.compiler import KernelLibrary\n"
        "counts = []\n"
        "for _ in range(2):\n"
        "    with tf.Graph().as_default(), tf.Session(tier='compiled') as session:\n"
        "        x = tf.placeholder(tf.float32, [9])\n"
        "        session.run(tf.tanh(x), {x: np.ones(9, 'f')})\n"
        "    assert compiler().wait(60)\n"
        "    counts.append(KernelLibrary.shared().statistics.compiled)\n"
        "assert counts[0] == counts[1] > 0, counts\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "WORKBENCH_CACHE": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


# -- failures ---------------------------------------------------------------------------------


@pytest.fixture
def unwarned(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has not been warned yet, where what happens to be on disk does not help."""
    monkeypatch.setattr(tiers, "_warned", False)
    monkeypatch.setattr(tiers, "_kept", lambda *_: None)
    yield


def _break_planning(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> Any:
        raise RuntimeError("the planner lost its way")

    monkeypatch.setattr(planning, "plan_regions", fail)


def _break_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> Any:
        raise CompileError("LLVM refuses the text: it is no good")

    monkeypatch.setattr(KernelLibrary, "compile", fail)


FAILURES = {
    "planning": (_break_planning, "RuntimeError: the planner lost its way"),
    "compiling": (_break_compiler, "CompileError: LLVM refuses the text: it is no good"),
}


@compiled_only
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("tier", ["auto", "compiled"])
def test_a_failure_is_told_once_and_the_interpreter_goes_on(
    failure: str, tier: str, unwarned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it, words = FAILURES[failure]
    break_it(monkeypatch)
    with tf.Graph().as_default(), tf.Session(tier=tier) as session:
        x = tf.placeholder(tf.float32, [3])
        steps = [tf.tanh(x) * 2.0, tf.exp(x) + 1.0]
        feeds = {x: np.array([1.0, 2.0, 3.0], np.float32)}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for step in steps:
                for _ in range(3):
                    result = session.run(step, feeds)
                    assert compiler().wait(60)
        np.testing.assert_allclose(result, np.exp(feeds[x]) + 1.0, 1e-6)
        messages = [w for w in caught if issubclass(w.category, RuntimeWarning)]
        assert len(messages) == 1
        assert words in str(messages[0].message)
        assert "session.explain()" in str(messages[0].message)
        for step in steps:
            (program,) = session.explain(step, feeds).programs
            assert program.tier == "interpreted"
            assert program.reason == words


@compiled_only
def test_a_warning_that_is_an_error_does_not_end_the_compiler(
    unwarned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: seen.append(arguments.exc_value))
    with tf.Graph().as_default(), tf.Session(tier="auto") as session:
        x = tf.placeholder(tf.float32, [3])
        broken, whole = tf.tanh(x) * 2.0, tf.exp(x) + 1.0
        feeds = {x: np.ones(3, np.float32)}
        with monkeypatch.context() as patch, warnings.catch_warnings():
            _break_planning(patch)
            warnings.simplefilter("error")
            for _ in range(3):
                session.run(broken, feeds)
            assert compiler().wait(60)
        (program,) = session.explain(broken, feeds).programs
        assert program.reason == "RuntimeError: the planner lost its way"
        for _ in range(3):
            session.run(whole, feeds)
        assert compiler().wait(60)
        assert session.explain(whole, feeds).programs[0].tier == "compiled"
    assert all(isinstance(error, RuntimeWarning) for error in seen)


# -- choosing ---------------------------------------------------------------------------------


def test_a_tier_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="tier must be one of 'auto', 'interpreted', 'compiled'"):
        tf.Session(tier="fast")


@pytest.mark.parametrize(
    ("level", "tier"), [(-1, "interpreted"), (0, "auto"), (1, "compiled"), (2, "compiled")]
)
def test_a_config_chooses_the_tier(level: int, tier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(host.TIER, raising=False)
    config = tf.ConfigProto()
    config.graph_options.optimizer_options.global_jit_level = level
    assert chosen_tier(None, False, config).value == tier
    assert chosen_tier("interpreted", True, config).value == "interpreted"


@compiled_only
def test_the_first_run_is_interpreted_and_later_ones_are_compiled(unwarned: None) -> None:
    with tf.Graph().as_default(), tf.Session(tier="auto") as session:
        x = tf.placeholder(tf.float32, [None])
        y = tf.reduce_sum(tf.tanh(x) * x)
        feeds = {x: np.arange(5, dtype=np.float32)}
        tiers_seen = []
        for _ in range(3):
            session.run(y, feeds)
            assert compiler().wait(60)
            tiers_seen.append(session.explain(y, feeds).programs[0].tier)
        assert tiers_seen == ["interpreted", "compiled", "compiled"]


def test_a_tier_that_the_environment_names_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_TIER", "fast")
    with pytest.raises(ValueError, match="environment's WORKBENCH_TIER must be one of .* 'fast'"):
        tf.Session(graph=tf.Graph())


def test_a_deterministic_session_does_not_change_its_tier() -> None:
    with pytest.raises(ValueError, match="leave tier out"):
        tf.Session(graph=tf.Graph(), tier="auto", deterministic=True)
    for tier in ("compiled", "interpreted"):
        tf.Session(graph=tf.Graph(), tier=tier, deterministic=True).close()
