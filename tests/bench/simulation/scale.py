"""Trainings on many machines, simulated: a table, and a chart of it."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.bench.simulation import constants
from tests.bench.simulation.inputs import OPERATIONS, Inputs
from workbench.cluster.simulation.costs import (
    Costs,
    ReplicaCosts,
    TrainingCosts,
    Wire,
    always,
    spread,
)
from workbench.cluster.simulation.processors import Machine, Turn, Work
from workbench.cluster.simulation.reductions import all_reduce
from workbench.cluster.simulation.trainings import asynchronous, synchronous

#: The speed-ups of TensorFlow's talk of 2016, by machines.
TALK = {20: 15.0, 50: 40.0, 500: 300.0}
#: So many gradients are simulated at least.
GRADIENTS = 6000
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500)

#: What is assumed: the network, in bytes a second and seconds from one machine to another, beside
#: what processors do; that of this machine's loopback is measured;
TEN_GIGABIT, HOP = 10e9 / 8, 50e-6
NETWORKS = ("10gbit", "loopback")
#: servers of parameters, and their processors;
SERVERS, PROCESSORS = 16, 2
#: a network as the third Inception: bytes of parameters, operations of an image's gradient, images;
PARAMETERS, IMAGE, BATCH = 95e6, 3 * 2 * 5.7e9, 32
#: an accelerator's time for such a batch;
ACCELERATOR = 2.0
#: and how times differ: log-normal, with one in a hundred three times as long. One worker in
#: twenty is a backup.
SIGMA, STALLS, FACTOR, BACKUPS = 0.1, 0.01, 3.0, 20


AnyCosts = TypeVar("AnyCosts", bound=Costs)
#: Tells how fast some workers are, over so many gradients, or steps.
Rate = Callable[[AnyCosts, int, int], float]


class Curves(NamedTuple):
    """Speed-ups over one worker, by the way of training, for each of `COUNTS`."""

    title: str
    found: dict[str, list[float]]


def line(found: dict[str, Inputs], network: str) -> Wire:
    """The wire between machines: processor times as measured here, through TCP."""
    networks = [each for inputs in found.values() for each in inputs.networks]
    byte = statistics.median(each.byte for each in networks)
    if network == "loopback":
        speed = statistics.median(each.bytes_per_second for each in networks)
        return Wire(0.0, byte, byte, speed)
    return Wire(HOP, byte, byte, TEN_GIGABIT)


def large(costs: TrainingCosts, wire: Wire, seconds: float) -> TrainingCosts:
    """A training of the large network, with what was measured of Python, bytes and updates."""

    def sends(turn: Turn, more: float) -> Turn:
        return turn._replace(before=turn.before._replace(byte=turn.before.byte + more))

    def to_each(turn: Turn) -> Turn:
        # A worker speaks to each of the servers.
        before = Work(turn.before.seconds * SERVERS, turn.before.byte)
        return Turn(before, turn.after * SERVERS)

    return replace(
        costs,
        compute=spread(seconds, SIGMA, STALLS, FACTOR),
        size=PARAMETERS,
        wire=wire,
        machine=Machine(PROCESSORS, costs.machine.slice),
        is_shared=False,
        servers=SERVERS,
        ask=to_each(costs.ask),
        hear=to_each(costs.hear),
        give=sends(to_each(costs.give), wire.send + wire.receive),
        send=sends(costs.send, wire.send),
        take=sends(costs.take, wire.receive),
    )


def curves(found: dict[str, Inputs], network: str, title: str, seconds: float) -> Curves:
    """Simulates all ways on all numbers of machines."""
    wire = line(found, network)
    apart = large(constants.asynchronous(found["asynchronous"]), wire, seconds)
    together = large(constants.synchronous(found["synchronous"]), wire, seconds)
    here = constants.all_reduce(found["all-reduce"])
    replicas = ReplicaCosts(
        spread(seconds, SIGMA, STALLS, FACTOR),
        size=PARAMETERS,
        wire=wire,
        python=here.python,
        apply=here.apply / here.size * PARAMETERS,
    )

    ways: dict[str, Callable[[int], float]] = {
        # A run begins and ends anywhere in each worker's steps: of many steps that matters little.
        "asynchronous": lambda n: speed_up(
            apart, n, lambda costs, workers, gradients: asynchronous(costs, workers, 4 * gradients)
        ),
        "synchronous": lambda n: speed_up(together, n, in_steps(with_backups(0))),
        "with backups": lambda n: speed_up(together, n, in_steps(with_backups(n // BACKUPS))),
        "all-reduce": lambda n: speed_up(replicas, n, in_steps(all_reduce)),
    }
    return Curves(title, {name: [way(n) for n in COUNTS] for name, way in ways.items()})


def with_backups(backups: int) -> Rate[TrainingCosts]:
    """Of workers in step, of which so many are backups, or none where there is but one."""
    return lambda costs, workers, steps: synchronous(
        costs, workers, min(backups, workers - 1), steps
    )


def in_steps(rate: Rate[AnyCosts]) -> Rate[AnyCosts]:
    """Of a way that goes on in steps of all, so many gradients of which are asked for."""
    return lambda costs, workers, gradients: rate(costs, workers, math.ceil(gradients / workers))


def speed_up(costs: AnyCosts, workers: int, rate: Rate[AnyCosts]) -> float:
    """How many times as fast workers are as one alone that has the same gradients to compute.

    What one takes is told from the mean of the times that were drawn for all, so that chance is in
    none of both more than in the other.
    """
    drawn: list[float] = []

    def draw(source: random.Random) -> float:
        drawn.append(costs.compute(source))
        return drawn[-1]

    fast = rate(replace(costs, compute=draw), workers, max(GRADIENTS, 40 * workers))
    mean = statistics.fmean(drawn)
    # Nobody waits for one worker, whose step is the sum of what is in it.
    one = rate(replace(costs, compute=always(mean)), 1, 100)
    return fast / one if workers > 1 else 1.0


def trainings(inputs: Inputs) -> dict[str, float]:
    """What a worker's batch takes, in seconds, by what computes it."""
    here = IMAGE * BATCH * constants.compute_seconds(inputs) / OPERATIONS
    return {
        f"on a processor as here, {here:.1f} s a batch (measured)": here,
        f"on accelerators, {ACCELERATOR:.1f} s a batch (assumed)": ACCELERATOR,
    }


def assumptions(wire: Wire) -> str:
    """What is assumed, in words."""
    return (
        f"assumed: {wire.bytes_per_second * 8e-9:.0f} Gbit/s and {wire.hop * 1e6:.0f} us between "
        f"machines, {SERVERS} servers with {PROCESSORS} processors,\n{PARAMETERS / 1e6:.0f} MB to "
        f"train, {IMAGE * BATCH / 1e12:.2f} T operations a batch, log-normal times (sigma {SIGMA}) "
        f"of\nwhich 1 in {1 / STALLS:.0f} is {FACTOR:.0f} times as long, one worker in {BACKUPS} a "
        "backup"
    )


def table(drawn: Curves) -> str:
    """Speed-ups, by machines."""
    lines = [drawn.title, f"{'machines':>10}" + "".join(f"{name:>14}" for name in drawn.found)]
    lines[-1] += f"{'the talk':>10}"
    for number, count in enumerate(COUNTS):
        row = "".join(f"{values[number]:14.1f}" for values in drawn.found.values())
        talk = f"{TALK[count]:9.0f}x" if count in TALK else ""
        lines.append(f"{count:10}{row}{talk}")
    return "\n".join(lines)


def save_chart(all_curves: list[Curves], path: Path) -> None:
    """Writes the curves as a page that needs nothing else."""
    from bokeh.layouts import row
    from bokeh.palettes import Colorblind
    from bokeh.plotting import figure, output_file, save
    from bokeh.resources import INLINE

    figures = []
    for drawn in all_curves:
        plot = figure(
            title=drawn.title, x_axis_type="log", y_axis_type="log", width=560, height=460,
            x_axis_label="machines", y_axis_label="speed-up over one",
        )  # fmt: skip
        plot.line(COUNTS, COUNTS, color="#bbbbbb", line_dash="dashed", legend_label="all of it")
        for (name, values), color in zip(drawn.found.items(), Colorblind[4], strict=True):
            plot.line(COUNTS, values, color=color, line_width=2, legend_label=name)
        plot.scatter(
            list(TALK), list(TALK.values()), size=9, color="black", legend_label="the talk of 2016"
        )
        plot.legend.location = "top_left"
        figures.append(plot)
    output_file(path, title="Speed-ups, simulated", mode="inline")
    save(row(figures), resources=INLINE)
