"""What became of a session's steps: what is compiled and fused, how fast it is, and why not."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.runtime.explanation import (
    BodiesExplanation,
    Explanation,
    KernelExplanation,
    LeftOperation,
    ProgramExplanation,
)
from workbench.core.runtime.program import Program
from workbench.core.runtime.tiers import Compilation

if TYPE_CHECKING:
    from workbench.core.codegen.peak import Peak
    from workbench.core.fusion.program import KernelReport
    from workbench.core.plan.node import Node


def explain(
    session: Any, fetches: Any = None, feed_dict: Any = None, measure: bool = False, repeat: int = 1
) -> Explanation:
    """See `Session.explain`."""
    if session._closed:
        raise RuntimeError("Attempted to use a closed Session.")
    if fetches is None:
        if measure:
            raise ValueError("measure=True runs a step: say which with `fetches`.")
        found = {id(c): c for c in session._programs.tiers.compilations.values()}
        return Explanation(tuple(explained(c) for c in found.values()))
    if repeat < 1:
        raise ValueError(f"repeat must be at least 1, but got {repeat}")
    signature = session._signatures.find(fetches, feed_dict)
    program = signature.prepare(feed_dict)[0]
    if not measure:
        return Explanation((_of_program(session, program),))
    seconds = None
    durations: dict[int, np.ndarray[Any, Any]] = {}
    for _ in range(repeat):
        compilation = session._programs.tiers.find(signature.prepare(feed_dict)[0])
        took = _measured(compilation, durations, lambda: session.run(fetches, feed_dict))
        seconds = took if seconds is None else min(seconds, took)
    measured = _of_program(session, signature.prepare(feed_dict)[0], durations, seconds)
    peak = _peak() if durations else None
    return Explanation((_compared(measured, peak),), peak)


def explained(
    compilation: Compilation,
    durations: dict[int, np.ndarray[Any, Any]] | None = None,
    seconds: float | None = None,
) -> ProgramExplanation:
    """What became of a program; `durations` has, by region, the seconds of each record."""
    plan = compilation.interpreted.plan
    names = {value: tensor.name for tensor, value in reversed(list(plan.values.items()))}
    common: dict[str, Any] = {
        "fetches": _fetched(compilation, names),
        "feeds": tuple((f.name, f.shapes[0]) for f in plan.feeds),
        "reason": compilation.reason if compilation.compiled is None else None,
        "compile_seconds": compilation.seconds,
        "seconds": seconds,
        "unrolled": plan.counts["loops unrolled"],
    }
    if compilation.compiled is None or compilation.plan is None:
        arena = plan.memory.arena_bytes
        made = sum(_bytes(v.entries, v.dtype) for v in plan.fetches)
        return ProgramExplanation(
            tier="interpreted",
            arena_bytes=arena,
            peak_bytes=arena + made,
            threads=1,
            kernels=(),
            interpreted=(),
            **common,
        )
    kernels: list[KernelExplanation] = []
    arena = made = 0
    for number, region in enumerate(compilation.regions):
        times = (durations or {}).get(number)
        kernels += [_kernel(report, times) for report in region.program.kernels]
        arena += region.program.arena_bytes
        made += sum(
            _bytes(a.shape, a.value.dtype)
            for a in region.program.arguments
            if a.kind in ("output", "replacement")
        )
    return ProgramExplanation(
        tier="compiled",
        arena_bytes=arena,
        peak_bytes=arena + made,
        threads=max((r.instance.threads for r in compilation.regions), default=1),
        kernels=tuple(kernels),
        interpreted=tuple(
            _left(
                (n, r) for n, r in compilation.plan.reasons.items() if n not in compilation.bodies
            )
        ),
        bodies=tuple(
            BodiesExplanation(node.name, node.type, maker.account)
            for node, maker in compilation.bodies.items()
        ),
        **common,
    )


# -- finding out ------------------------------------------------------------------------------


def _of_program(
    session: Any,
    program: Program,
    durations: dict[int, np.ndarray[Any, Any]] | None = None,
    seconds: float | None = None,
) -> ProgramExplanation:
    compilation = session._programs.tiers.find(program)
    if compilation is None:
        # Such as that of a session with `check_numerics`, which looks at every result.
        compilation = Compilation(program)
        compilation.reason = (
            "it finds its order while it runs: values may be dead, or operations wait side by side"
            if program.plan.counts["dataflow nodes"]
            else "every result is looked at"
        )
    return explained(compilation, durations, seconds)


def _measured(
    compilation: Compilation | None,
    durations: dict[int, np.ndarray[Any, Any]],
    run: Callable[[], Any],
) -> float:
    """Runs once, and notes for each region what its records took, if it is less than before."""
    regions = list(compilation.regions) if compilation is not None else []
    tables = [region.instance.table for region in regions]
    for table in tables:
        table.measure(True)
    try:
        began = time.perf_counter()
        run()
        seconds = time.perf_counter() - began
    finally:
        for table in tables:
            table.measure(False)
    for number, table in enumerate(tables):
        found = table.durations()
        if found.any():
            known = durations.get(number)
            durations[number] = found if known is None else np.minimum(found, known)
    return seconds


def _peak() -> Peak:
    from workbench.core.codegen.peak import peak

    return peak()


def _compared(program: ProgramExplanation, peak: Peak | None) -> ProgramExplanation:
    """With the kernels' shares of what the machine can do."""
    if peak is None:
        return program
    alone = program.threads == 1
    flops, moved = (peak.flops_one, peak.bytes_one) if alone else (peak.flops_all, peak.bytes_all)

    def compared(kernel: KernelExplanation) -> KernelExplanation:
        if not kernel.seconds:
            return kernel
        return replace(
            kernel,
            share_of_peak=kernel.flops / kernel.seconds / flops,
            share_of_memory=kernel.bytes / kernel.seconds / moved,
        )

    return replace(program, kernels=tuple(compared(k) for k in program.kernels))


def _kernel(report: KernelReport, times: np.ndarray[Any, Any] | None) -> KernelExplanation:
    seconds = None if times is None else float(times[report.first : report.last].sum())
    return KernelExplanation(
        tuple(dict.fromkeys(node.name for node in report.nodes)),
        report.kind,
        dict(report.notes),
        report.flops,
        report.bytes,
        seconds,
    )


def _left(reasons: Iterable[tuple[Node, str]]) -> list[LeftOperation]:
    return [LeftOperation(node.name, node.type, reason) for node, reason in reasons]


def _fetched(compilation: Compilation, names: dict[Any, str]) -> tuple[str, ...]:
    plan = compilation.interpreted.plan
    fetched = [names.get(value, value.node.name) for value in plan.fetches]
    # Operations that are fetched for what they do have no value: the updates are told.
    effects = [
        step.node.name
        for step in plan.memory.steps
        if step.node.declaration is not None and step.node.declaration.stateful
    ]
    shown = effects if len(effects) <= 2 else [*effects[:2], f"{len(effects) - 2} more effects"]
    return tuple(dict.fromkeys([*fetched, *shown]))


def _bytes(shape: Any, dtype: Any) -> int:
    """The bytes of an array, as far as its shape is known."""
    if shape is None or not all(isinstance(e, int) for e in shape):
        return 0
    size: int = math.prod(shape) * (dtype.size or 0)
    return size
