"""The constants of the model, from runs that are not those it is to tell of.

Trainings without numbers tell what Python and waking up take; trainings that compute nothing, what
bytes and updates take; computing alone, what a gradient takes.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from unittest import mock

import numpy as np

from tests.bench.simulation.runs import Measured, run, slice_seconds
from tests.bench.simulation.task import CLASSES, WHOLE, shapes
from tests.cluster.wire.ends import Echo, ask, client
from workbench.cluster.simulation.costs import TrainingCosts, Wire, always
from workbench.cluster.simulation.processors import Machine
from workbench.cluster.simulation.reductions import WAITS, bytes_through_memory
from workbench.cluster.wire.message import Message

#: The bytes of the parameters.
SIZE = float(4 * sum(int(np.prod(shape)) for shape in shapes("whole")))
#: The operations of a gradient: products forward, and backward for weights and hidden layer.
OPERATIONS = float(2 * WHOLE[2] * (2 * WHOLE[0] * WHOLE[1] + 3 * WHOLE[1] * CLASSES))
#: The runs that are needed: way, kind, workers.
RUNS = [
    ("alone", "hollow", 1),
    ("alone", "whole", 1),
    ("alone", "whole", 2),
    ("asynchronous", "hollow", 1),
    ("asynchronous", "pushed", 1),
    ("synchronous", "hollow", 1),
    ("synchronous", "pushed", 1),
    ("all-reduce", "hollow", 2),
    ("all-reduce", "pushed", 2),
]


@dataclass
class Inputs:
    """What was measured, round by round."""

    runs: dict[tuple[str, str, int], list[Measured]] = field(default_factory=dict)
    slices: list[float] = field(default_factory=list)
    network: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """One round."""
        for key in RUNS:
            self.runs.setdefault(key, []).append(run(*key))
        self.slices.append(slice_seconds())
        self.network.append(network_byte_seconds())

    def of(self, way: str, kind: str, workers: int = 1) -> Measured:
        """The medians of a run."""
        rounds = zip(*self.runs[way, kind, workers], strict=True)
        return Measured(*(statistics.median(values) for values in rounds))

    @property
    def compute(self) -> float:
        """The seconds of a gradient."""
        return max(self.of("alone", "whole").worker - self.of("alone", "hollow").worker, 0.0)

    @property
    def machine(self) -> Machine:
        """This machine."""
        together = self.of("alone", "whole", 2).worker / self.of("alone", "whole").worker
        slice_ = statistics.median(self.slices)
        return Machine(os.cpu_count(), slice_, max(together, 1.0))

    @property
    def byte(self) -> float:
        """The seconds of a byte between processes of this host, for the sender or the receiver."""
        pushed, hollow = (self.of("asynchronous", kind).worker for kind in ("pushed", "hollow"))
        return max(pushed - hollow, 0.0) / (2 * SIZE)

    @property
    def apply(self) -> float:
        """The seconds in which the server applies a gradient."""
        return max(self._server_gain("asynchronous") - 2 * SIZE * self.byte, 0.0)

    def _server_gain(self, way: str) -> float:
        return self.of(way, "pushed").server - self.of(way, "hollow").server

    def costs(self, way: str) -> TrainingCosts:
        """The constants of a training on this machine."""
        made: Callable[[], TrainingCosts] = {
            "asynchronous": self._asynchronous,
            "synchronous": self._synchronous,
            "all-reduce": self._all_reduce,
        }[way]
        return made()

    def _asynchronous(self) -> TrainingCosts:
        hollow = self.of("asynchronous", "hollow")
        waited = 1 / hollow.rate - hollow.worker - hollow.server
        return TrainingCosts(
            always(self.compute),
            size=SIZE,
            worker=hollow.worker,
            server=hollow.server,
            apply=self.apply,
            wire=Wire(max(waited, 0.0) / 4, self.byte, self.byte),
            machine=self.machine,
            is_shared=True,
        )

    def _synchronous(self) -> TrainingCosts:
        one, apart = (self.of(way, "hollow") for way in ("synchronous", "asynchronous"))
        # What is more than asynchronously, is so for the worker as much as for the chief.
        chief_worker = max(one.worker - apart.worker, 0.0) / 2
        chief_server = max(one.server - apart.server, 0.0) / 2
        waited = 1 / one.rate - one.worker - one.server
        added = self._server_gain("synchronous") - self._server_gain("asynchronous")
        return TrainingCosts(
            always(self.compute),
            size=SIZE,
            worker=one.worker - chief_worker,
            server=one.server - chief_server,
            accumulate=max(added, 0.0),
            apply=self.apply,
            chief_worker=chief_worker,
            chief_server=chief_server,
            wire=Wire(max(waited, 0.0) / 4, self.byte, self.byte),
            machine=self.machine,
            is_shared=True,
        )

    def _all_reduce(self) -> TrainingCosts:
        hollow, pushed = (self.of("all-reduce", kind, 2) for kind in ("hollow", "pushed"))
        waited, machine = 2 / hollow.rate - hollow.worker, self.machine
        # Both replicas were at it together.
        copied = max((pushed.worker - hollow.worker) / machine.together - self.apply, 0.0)
        return TrainingCosts(
            always(self.compute),
            size=SIZE,
            worker=hollow.worker / machine.together,
            apply=self.apply,
            wire=Wire(max(waited, 0.0) / WAITS, copied / bytes_through_memory(SIZE, 2)),
            machine=machine,
            is_shared=True,
        )


def network_byte_seconds(count: int = 500) -> float:
    """The processor time of a byte that goes through TCP, for the sender or the receiver.

    Of what goes to a process and comes back, less what a message takes that has hardly any bytes.
    """
    elsewhere = mock.patch("workbench.cluster.wire.host.host_id", lambda: "another host")
    with elsewhere, Echo() as echo, client() as end:
        messages = [
            Message("m", {}, (("x", np.ones(size, np.float32)),)) for size in (1, int(SIZE) // 4)
        ]
        spent = [0.0, 0.0]
        # In turns, as the machine's pace changes.
        for number in range(2 * count):
            began = time.process_time()
            ask(end, echo.address, messages[number % 2])
            spent[number % 2] += (time.process_time() - began) / count
    return max(spent[1] - spent[0], 0.0) / (2 * SIZE)
