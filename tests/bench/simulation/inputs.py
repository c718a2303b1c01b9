"""What is measured for the model: trainings of one way, and those that its constants come from.

The constants come from runs that are not those that the model is to tell of: trainings of one
worker without numbers tell what Python takes, trainings that compute nothing what bytes take,
computing alone what a gradient takes.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.bench.simulation.machine import Network, network, slice_seconds, wake_seconds
from tests.bench.simulation.parts import Part, Parts, server_parts, spread, worker_parts
from tests.bench.simulation.runs import BLOCK, Key, Measured, Training, chosen, medians
from tests.bench.simulation.task import CLASSES, WHOLE, shapes

#: The bytes of the parameters.
SIZE = 4 * sum(int(np.prod(shape)) for shape in shapes("whole"))
#: The operations of a gradient: products forward, and backward for weights and hidden layer.
OPERATIONS = float(2 * WHOLE[2] * (2 * WHOLE[0] * WHOLE[1] + 3 * WHOLE[1] * CLASSES))
ALONE = [Key("alone", "hollow"), Key("alone", "whole"), Key("alone", "whole", 2)]
#: The runs whose pieces are counted, or whose processor time is looked at.
RUNS = {
    "asynchronous": [Key("asynchronous", kind, 1, True) for kind in ("hollow", "pushed")],
    "synchronous": [
        *(Key("synchronous", kind, 1, True) for kind in ("hollow", "pushed")),
        *(Key("asynchronous", kind, 1, True) for kind in ("hollow", "pushed")),
    ],
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


@dataclass
class Inputs:
    """What was measured for one way of training, block by block."""

    blocks: dict[Key, list[Measured]] = field(default_factory=dict)
    parts: dict[Key, list[Parts]] = field(default_factory=dict)
    slices: list[float] = field(default_factory=list)
    wakes: list[float] = field(default_factory=list)
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
            began = time.monotonic()
            for number in itertools.count():
                if number and time.monotonic() - began > seconds:
                    break
                if number % 4 == 0:
                    self.slices.append(slice_seconds())
                    self.wakes.append(wake_seconds())
                    self.networks.append(network(SIZE))
                for training in trainings.values():
                    training.measure(BLOCK)
        for key, training in trainings.items():
            self.blocks.setdefault(key, []).extend(training.blocks)
            for worker, server in training.pieces:
                parts = {**worker_parts(worker), **server_parts(server)}
                self.parts.setdefault(key, []).append(parts)
                self.unequal.append(spread({**worker, **server}))

    def of(self, way: str, kind: str, workers: int = 1) -> Measured:
        """The medians of a run."""
        return medians(self.blocks[Key(way, kind, workers)])

    def part(self, way: str, kind: str, name: str) -> Part:
        """The medians of a part of a step."""
        key = Key(way, kind, 1, True)
        looked = [self.parts[key][n] for n in chosen(self.blocks[key])]
        found = [parts[name] for parts in looked if name in parts]
        return Part(*(statistics.median(values) for values in zip(*found, strict=True)))

    def spreads(self) -> Iterator[tuple[str, float]]:
        """The constants' quartiles, as shares of their medians."""
        for key, blocks in self.blocks.items():
            if key.kind != "whole" or key.way == "alone":
                yield f"{key.way} {key.kind}", _spread([block.worker for block in blocks])
        yield "wake", _spread(self.wakes)
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
            "wakes": inputs.wakes,
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
            told["wakes"],
            [Network(*each) for each in told["networks"]],
            told["unequal"],
            told["is_ordinary"],
        )
        for way, told in json.loads(path.read_text()).items()
    }
