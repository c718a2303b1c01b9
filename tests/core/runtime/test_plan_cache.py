"""A second process runs what the first one compiled, and nothing else it finds on the disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.codegen import code_cache, fingerprint, host
from workbench.core.codegen.code_cache import CACHE, CodeCache
from workbench.core.codegen.compiler import KERNEL_TYPE, KernelLibrary
from workbench.core.fusion import planning
from workbench.core.fusion.compiled_plan import CompiledPlan
from workbench.core.fusion.planning import plan_regions
from workbench.core.plan.plan import Plan, make_plan
from workbench.core.runtime import plan_cache
from workbench.core.runtime.compiling import compiler
from workbench.core.runtime.plan_cache import PlanCache
from workbench.core.runtime.plan_key import plan_key

pytestmark = [
    pytest.mark.skipif(fingerprint.system() is None, reason="nothing is kept here"),
    pytest.mark.skipif(host.obstacle() is not None, reason="nothing is compiled here"),
]

Change = Callable[[dict[str, Any]], None]


# -- processes of their own ------------------------------------------------------------------


def start(folder: Path, name: str, tier: str = "compiled") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.core.runtime.warm_training", name, tier],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, CACHE: str(folder)},
    )


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(output)
    return found


@pytest.mark.parametrize("name", ["normalised", "in parts"])
def test_a_second_process_compiles_nothing_and_computes_the_same(name: str, tmp_path: Path) -> None:
    first = finished(start(tmp_path, name))
    assert first["compiled"] and first["imported"]
    second = finished(start(tmp_path, name))
    assert not second["compiled"] and second["reloaded"]
    assert second["imported"] == []
    assert second["losses"] == first["losses"]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A folder that several processes have used at once, and what they found."""
    folder = tmp_path_factory.mktemp("left")
    together = [start(folder, "dense") for _ in range(3)]
    return folder, [finished(process) for process in together]


def test_several_processes_at_once_leave_what_the_next_one_uses(
    left: tuple[Path, list[dict[str, Any]]],
) -> None:
    folder, results = left
    assert any(found["compiled"] and found["imported"] for found in results)
    last = finished(start(folder, "dense"))
    assert last["imported"] == [] and not last["compiled"] and last["reloaded"]
    assert all(found["losses"] == last["losses"] for found in results)
    assert not [f for f in (folder / "code").iterdir() if f.name.endswith("partial")]


def test_damaged_files_are_as_good_as_none(
    left: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    folder, results = left
    shutil.copytree(folder / "code", tmp_path / "code")
    for number, file in enumerate(sorted((tmp_path / "code").iterdir())):
        content = bytearray(file.read_bytes())
        content[len(content) * (number % 3 + 1) // 4] ^= 1
        file.write_bytes(content)
    found = finished(start(tmp_path, "dense"))
    assert found["compiled"] and found["losses"] == results[0]["losses"]


# -- entries ---------------------------------------------------------------------------------


def planned(factor: float = 2.0, rows: int = 4) -> tuple[Plan, CompiledPlan]:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        w = tf.Variable(np.ones((3, 5), np.float32), name="w")
        y = tf.reduce_sum(tf.tanh(tf.matmul(x, w)) * factor)
        step = tf.assign_sub(w, tf.gradients(y, [w])[0])
        plan = make_plan([y], [step.op], [x], [(rows, 3)])
    target = host.target()
    assert target is not None
    return plan, plan_regions(plan, target)


def cache_in(folder: Path, limit: int = code_cache.LIMIT) -> PlanCache:
    """The cache as another process has it, with no function in it."""
    return PlanCache(KernelLibrary(CodeCache(folder / "code", limit)))


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Path, Plan, str]:
    """A folder with an entry for a plan, by its key."""
    plan, compiled = planned()
    cache = cache_in(tmp_path)
    key = plan_key(plan)
    assert key is not None
    cache.store(plan, compiled, key)
    assert cache_in(tmp_path).load(plan, key) is not None
    return tmp_path, plan, key


def test_an_entry_is_for_one_plan(kept: tuple[Path, Plan, str]) -> None:
    folder, plan, key = kept
    assert plan_key(planned()[0]) == key
    others = [plan_key(planned(*o)[0]) for o in [(2.5,), (2.0, 5)]]
    assert len({key, *others}) == 3
    assert all(cache_in(folder).load(plan, str(other)) is None for other in others)


@pytest.mark.parametrize("part", ["_processor", "_llvm", "_interpreter"])
def test_an_entry_is_for_one_system(
    part: str, kept: tuple[Path, Plan, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, plan, key = kept
    fingerprint.system.cache_clear()
    try:
        monkeypatch.setattr(fingerprint, part, lambda: "another one")
        assert plan_key(plan) not in (key, None)
        fingerprint.system.cache_clear()
        monkeypatch.setattr(fingerprint, part, lambda: None)
        assert plan_key(plan) is None
    finally:
        monkeypatch.undo()
        fingerprint.system.cache_clear()


def test_an_entry_is_for_one_state_of_the_package(
    kept: tuple[Path, Plan, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, plan, key = kept
    monkeypatch.setattr(plan_cache, "package", lambda: "a newer one")
    assert cache_in(folder).load(plan, key) is None
    cache = cache_in(folder)
    cache.store(*planned(), key)
    assert cache_in(folder).load(plan, key) is not None
    monkeypatch.undo()
    assert cache_in(folder).load(plan, key) is None


def test_the_interpreter_is_chosen_before_anything_kept(
    kept: tuple[Path, Plan, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, plan, key = kept
    monkeypatch.setenv(host.TIER, "interpreted")
    assert cache_in(folder).load(plan, key) is None


def test_the_functions_of_an_entry_are_those_that_were_compiled(
    kept: tuple[Path, Plan, str],
) -> None:
    folder, plan, key = kept
    cache = cache_in(folder)
    loaded = cache.load(plan, key)
    _, compiled = planned()
    assert loaded is not None
    x, w = np.full((4, 3), 0.25, np.float32), np.ones((3, 5), np.float32)
    results = []
    for library, source in ((cache._library, loaded), (KernelLibrary.shared(), compiled)):
        (program,) = [r.program for r in source.regions if r.program is not None]
        addresses = library.compile(r.code for r in program.records)
        product = next(k for k in program.kernels if k.kind == "product")
        record = program.records[product.first]
        result = np.zeros((4, 5), np.float32)
        arrays = iter((x.ctypes.data, w.ctypes.data, result.ctypes.data))
        words = [a if isinstance(a, int) else next(arrays) for a in record.arguments]
        arguments = np.array(words, np.int64)
        scratch = np.zeros(record.code.scratch + 64, np.uint8)
        start = -scratch.ctypes.data % 64 + scratch.ctypes.data
        KERNEL_TYPE(addresses[record.code.name])(arguments.ctypes.data, 0, record.units, start)
        results.append(result)
    assert results[0].any() and np.array_equal(*results)


def rewritten(folder: Path, key: str, change: Change, cut: int = 0) -> None:
    """Stores an entry again, with a good checksum but something else in it."""
    cache = CodeCache(folder / "code")
    entry = cache.load(key)
    assert entry is not None
    data, image = plan_cache._unpacked(entry)
    change(data)
    text = json.dumps(data).encode()
    assert image is not None
    content = image.content[: len(image.content) - cut]
    cache.store(key, len(text).to_bytes(8, "little") + text + content)


def other_names(data: dict[str, Any]) -> None:
    data["functions"] = {f"{name}_": at for name, at in data["functions"].items()}


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("plan"),
        lambda data: data.update(plan=3),
        lambda data: data.update(functions=[]),
        lambda data: data.update(functions={"f": 1 << 40}),
        lambda data: data.update(table=["system"]),
        lambda data: data.update(table=[-8]),
        lambda data: data["plan"].update(nodes=[{}]),
        lambda data: data["plan"].update(regions=[{"steps": [[1000, 0, 0, 0, []]]}]),
        lambda data: data["plan"]["regions"][0]["program"].update(codes=[["f", 0]]),
        other_names,
    ],
)
def test_entries_with_something_else_in_them_are_ignored(
    change: Change, kept: tuple[Path, Plan, str]
) -> None:
    folder, plan, key = kept
    rewritten(folder, key, change)
    assert cache_in(folder).load(plan, key) is None


def test_an_entry_without_the_end_of_its_code_is_ignored(kept: tuple[Path, Plan, str]) -> None:
    folder, plan, key = kept
    rewritten(folder, key, lambda data: None, cut=20)
    assert cache_in(folder).load(plan, key) is None


@pytest.mark.parametrize("entry", [b"", b"\1", bytes(8), b"\xff" * 40, b"\2" + bytes(7) + b"[]"])
def test_entries_of_other_bytes_are_ignored(entry: bytes, kept: tuple[Path, Plan, str]) -> None:
    folder, plan, key = kept
    CodeCache(folder / "code").store(key, entry)
    assert cache_in(folder).load(plan, key) is None


def test_nothing_is_kept_where_nobody_can_write(tmp_path: Path) -> None:
    (tmp_path / "code").write_text("a file")
    plan, compiled = planned()
    cache = cache_in(tmp_path)
    key = str(plan_key(plan))
    cache.store(plan, compiled, key)
    assert cache.load(plan, key) is None


def test_a_folder_that_others_can_write_to_is_not_read(kept: tuple[Path, Plan, str]) -> None:
    folder, plan, key = kept
    (folder / "code").chmod(0o777)
    assert cache_in(folder).load(plan, key) is None


def test_entries_count_to_the_limit_of_the_folder(tmp_path: Path) -> None:
    limit = 60_000
    for rows in range(1, 30):
        plan, compiled = planned(rows=rows)
        cache = cache_in(tmp_path, limit)
        cache.store(plan, compiled, str(plan_key(plan)))
        assert sum(f.stat().st_size for f in (tmp_path / "code").iterdir()) <= limit
    # The last one is there.
    assert cache_in(tmp_path).load(plan, str(plan_key(plan))) is not None


# -- sessions --------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlanCache:
    """What sessions use in place of the user's."""
    monkeypatch.setenv(CACHE, str(tmp_path))
    found = cache_in(tmp_path)
    monkeypatch.setattr(PlanCache, "_shared", found)
    return found


@pytest.mark.parametrize(
    ("steps", "kept"), [(40, ["compiled"] * 2), (1, ["interpreted", "compiled"])]
)
def test_what_is_kept_runs_at_once_or_in_a_small_plan_from_the_second_run_on(
    steps: int, kept: list[str], cache: PlanCache
) -> None:
    tiers = []
    for runs in (3, 2):
        with tf.Graph().as_default(), tf.Session() as session:
            x = tf.placeholder(tf.float32, [None, 3], name="x")
            y = x
            for _ in range(steps):
                y = tf.tanh(y)
            y = tf.reduce_sum(y, name="y")
            for _ in range(runs):
                assert session.run(y, {x: np.zeros((2, 3), np.float32)}) == 0.0
                (program,) = session._programs._programs.values()
                tiers.append(program.tier)
                assert compiler().wait(60)
    assert tiers == ["interpreted", "interpreted", "compiled", *kept]


def test_a_step_that_gives_nothing_is_compiled_after_its_first_run(cache: PlanCache) -> None:
    tiers = []
    for runs in (3, 2):
        with tf.Graph().as_default(), tf.Session() as session:
            state = tf.Variable(np.zeros(5, np.float32), name="state")
            step = tf.assign_add(state, tf.fill([5], 0.5)).op
            session.run(tf.global_variables_initializer())
            for _ in range(runs):
                session.run(step)
                program = list(session._programs._programs.values())[-1]
                tiers.append(program.tier)
                assert compiler().wait(60)
            assert session.run(state).tolist() == [0.5 * runs] * 5
    assert tiers == ["interpreted", "interpreted", "compiled", "interpreted", "compiled"]


def test_a_step_that_nobody_kept_waits_for_its_second_run(cache: PlanCache) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        y = tf.reduce_sum(tf.tanh(tf.constant(np.ones(7, np.float32)) * tf.random_uniform([7])))
        session.run(y)
        assert compiler().wait(60)
        (program,) = session._programs._programs.values()
        assert program.tier == "interpreted"
        session.run(y)
        assert compiler().wait(60)
        (program,) = session._programs._programs.values()
        assert program.tier == "compiled"


def test_a_failed_check_of_a_kept_program_is_told_as_ever(cache: PlanCache) -> None:
    messages = []
    for _ in range(2):
        with tf.Graph().as_default(), tf.Session(tier="compiled") as session:
            x = tf.placeholder(tf.float32, [4], name="x")
            y = tf.reduce_sum(tf.check_numerics(x, "what is fed"))
            assert session.run(y, {x: np.ones(4)}) == 4.0
            with pytest.raises(tf.errors.InvalidArgumentError, match="what is fed") as caught:
                session.run(y, {x: [1, 2, np.nan, 3]})
            messages.append(str(caught.value))
            assert compiler().wait(60)
    assert messages[0].splitlines()[0] == messages[1].splitlines()[0]


def test_what_has_no_kernel_is_looked_at_once(
    cache: PlanCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []

    def plan_and_count(plan: Plan, target: Any) -> CompiledPlan:
        looked.append(plan)
        return plan_regions(plan, target)

    monkeypatch.setattr(planning, "plan_regions", plan_and_count)
    for _ in range(2):
        with tf.Graph().as_default(), tf.Session() as session:
            word = tf.placeholder(tf.string, [], name="word")
            said = tf.string_join([word, "!"], name="said")
            for _ in range(3):
                assert session.run(said, {word: "so"}) == b"so!"
                assert compiler().wait(60)
            (found,) = session._programs.tiers.compilations.values()
            assert found.reason == "none of its operations has a kernel"
    assert len(looked) == 1
