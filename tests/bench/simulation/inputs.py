"""What is measured for the model: trainings of one way, and those that its constants come from.

The constants come from runs that are not those that the model is to tell of: trainings of one
worker without numbers tell what Python takes, trainings that compute nothing what bytes take,
computing alone what a gradient takes.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.bench.simulation.machine import Network, network, slice_seconds
from tests.bench.simulation.pace import Reference
from tests.bench.simulation.parts import (
    SERVER_PARTS,
    WORKER_PARTS,
    Part,
    Parts,
    server_parts,
    spread,
    worker_parts,
)
from tests.bench.simulation.runs import BLOCK, Key, Measured, Training, chosen, medians
from tests.bench.simulation.task import CLASSES, WHOLE, shapes

#: The machine is looked at so often, in seconds.
_EVERY = 20.0
#: The bytes of the parameters.
SIZE = 4 * sum(int(np.prod(shape)) for shape in shapes("whole"))
#: The operations of a gradient: products forward, and backward for weights and hidden layer.
OPERATIONS = float(2 * WHOLE[2] * (2 * WHOLE[0] * WHOLE[1] + 3 * WHOLE[1] * CLASSES))


def _counted(way: str) -> list[Key]:
    """Runs whose pieces are counted, and the same ones without that."""
    return [Key(way, kind, 1, it) for kind in ("hollow", "pushed") for it in (True, False)]


#: More processes than processors, of which the workers compute nothing.
CROWDED = Key("asynchronous", "pushed", max(os.cpu_count() or 1, 2))
ALONE = [Key("alone", "hollow"), Key("alone", "whole"), Key("alone", "whole", 2)]
#: The runs whose pieces are counted, or whose processor time is looked at.
RUNS = {
    "asynchronous": [*_counted("asynchronous"), CROWDED],
    "synchronous": [*_counted("synchronous"), *_counted("asynchronous"), CROWDED],
    "all-reduce": [
        Key("alone", "pushed"),
        Key("all-reduce", "hollow", 2),
        Key("all-reduce", "pushed", 2),
    ],
}
#: What is checked: ways of training, and workers; with the server, 2, 3 and 4 processes.
CHECKS = {
    "asynchronous": [Key("asynchronous", "whole", workers) for workers in (1, 2, 3)],
    "synchronous": [Key("synchronous", "whole", workers) for workers in (1, 2, 3)],
    "all-reduce": [Key("all-reduce", "whole", replicas) for replicas in (2, 3, 4)],
}


@dataclass(eq=False)
class Inputs:
    """What was measured for one way of training, block by block."""

    blocks: dict[Key, list[Measured]] = field(default_factory=dict)
    parts: dict[Key, list[Parts]] = field(default_factory=dict)
    slices: list[float] = field(default_factory=list)
    networks: list[Network] = field(default_factory=list)
    #: How unequal pieces of Python of one kind are: deviations as shares of the means.
    unequal: list[float] = field(default_factory=list)
    #: Whether the system has shared the processors as it does by default.
    is_ordinary: bool = True

    def measure(self, way: str, seconds: float) -> None:
        """Has all trainings go on by turns, for so long, and looks at the machine between."""
        self.is_ordinary = os.sched_getscheduler(0) == os.SCHED_OTHER
        keys = [*ALONE, *RUNS[way], *CHECKS[way]]
        with contextlib.ExitStack() as stack:
            trainings = {key: stack.enter_context(Training(key)) for key in keys}
            reference = stack.enter_context(Reference())
            began, looks = time.monotonic(), 0
            while True:
                passed = time.monotonic() - began
                # At first, and from time to time.
                if looks * _EVERY <= passed:
                    looks += 1
                    self._look_at_machine()
                # All have their turn, those of which fewer blocks are kept a little more often.
                training = min(trainings.values(), key=lambda each: len(each.blocks) + each.kept)
                if training.blocks and passed > seconds:
                    break
                training.measure(BLOCK, reference)
        for key, training in trainings.items():
            self.blocks.setdefault(key, []).extend(training.blocks)
            for worker, server in training.pieces:
                parts = {**worker_parts(worker), **server_parts(server)}
                self.parts.setdefault(key, []).append(parts)
                self.unequal.append(spread({**worker, **server}))

    def _look_at_machine(self) -> None:
        self.slices.append(slice_seconds())
        self.networks.append(network(SIZE))

    @functools.cached_property
    def pace(self) -> float:
        """What the reference loop took, as a rule: all constants are told at this pace."""
        return statistics.median(
            blocks[n].pace for blocks in self.blocks.values() for n in chosen(blocks)
        )

    def of(self, way: str, kind: str, workers: int = 1) -> Measured:
        """The medians of a run."""
        return self.seen(Key(way, kind, workers))

    def seen(self, key: Key) -> Measured:
        """The medians of a run."""
        return medians(self.blocks[key], self.pace)

    def part(self, way: str, kind: str, name: str) -> Part:
        """A part of a step.

        To be counted takes time as well: the parts of a process are made to add up to what it takes
        in a run in which nothing is counted.
        """
        names = WORKER_PARTS if name in WORKER_PARTS else SERVER_PARTS
        seen = self.of(way, kind)
        whole = seen.worker if names is WORKER_PARTS else seen.server
        counted = sum(self._counted(way, kind, each).seconds for each in names)
        return self._counted(way, kind, name).at(whole / counted)

    @functools.lru_cache  # noqa: B019 - a few of them live as long as the program
    def _counted(self, way: str, kind: str, name: str) -> Part:
        """The medians of a part of a step, as it was counted."""
        key = Key(way, kind, 1, True)
        blocks, parts = self.blocks[key], self.parts[key]
        found = [
            parts[n][name].at(self.pace / blocks[n].pace)
            for n in chosen(blocks)
            if name in parts[n]
        ]
        if not found:
            return Part(0, 0.0, 0.0)
        return Part(*(statistics.median(values) for values in zip(*found, strict=True)))

    def spreads(self) -> Iterator[tuple[str, float]]:
        """The constants' quartiles, as shares of their medians."""
        for key, blocks in self.blocks.items():
            if key.kind != "whole" or key.way == "alone":
                kept = [blocks[n].at(self.pace).worker for n in chosen(blocks)]
                counted = ", counted" if key.is_probed else ""
                yield f"{key.way} {key.kind}{counted}", _spread(kept)
        yield "slice", _spread(self.slices)


def _spread(values: list[float]) -> float:
    low, middle, high = np.percentile(values, (25, 50, 75))
    return float((high - low) / middle) if middle else 0.0


def save(found: dict[str, Inputs], path: Path) -> None:
    """Writes what was measured, by ways of training."""
    told = {
        way: {
            "blocks": [[*key, blocks] for key, blocks in inputs.blocks.items()],
            "parts": [[*key, parts] for key, parts in inputs.parts.items()],
            "slices": inputs.slices,
            "networks": inputs.networks,
            "unequal": inputs.unequal,
            "is_ordinary": inputs.is_ordinary,
        }
        for way, inputs in found.items()
    }
    path.write_text(json.dumps(told))


def load(path: Path) -> dict[str, Inputs]:
    """What `save` wrote."""
    return {
        way: Inputs(
            {Key(*key): [Measured(*b) for b in blocks] for *key, blocks in told["blocks"]},
            {
                Key(*key): [{name: Part(*p) for name, p in parts.items()} for parts in all_parts]
                for *key, all_parts in told["parts"]
            },
            told["slices"],
            [Network(*each) for each in told["networks"]],
            told["unequal"],
            told["is_ordinary"],
        )
        for way, told in json.loads(path.read_text()).items()
    }
