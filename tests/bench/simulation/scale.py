"""Trainings on many machines, simulated: a table, and a chart of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tests.bench.simulation.inputs import OPERATIONS, SIZE, Inputs
from workbench.cluster.simulation.costs import TrainingCosts, Wire, spread
from workbench.cluster.simulation.processors import Machine
from workbench.cluster.simulation.reductions import all_reduce
from workbench.cluster.simulation.trainings import asynchronous, synchronous

#: The speed-ups of TensorFlow's talk of 2016, by machines.
TALK = {20: 15.0, 50: 40.0, 500: 300.0}
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500)

#: What is assumed: the network, in bytes a second and seconds from one machine to another;
LINE, HOP = 10e9 / 8, 50e-6
#: servers of parameters, and their processors;
SERVERS, PROCESSORS = 16, 2
#: a network as the third Inception: bytes of parameters, operations of an image's gradient, images;
PARAMETERS, IMAGE, BATCH = 95e6, 3 * 2 * 5.7e9, 32
#: an accelerator's time for such a batch;
ACCELERATOR = 2.0
#: and how times differ: log-normal, with one in a hundred three times as long. One worker in
#: twenty is a backup.
SIGMA, STALLS, FACTOR, BACKUPS = 0.1, 0.01, 3.0, 20


class Curves(NamedTuple):
    """Speed-ups over one worker, by the way of training, for each of `COUNTS`."""

    title: str
    found: dict[str, list[float]]


def large(inputs: Inputs, seconds: float) -> TrainingCosts:
    """A training of the large network, with what was measured of Python, bytes and updates."""
    here = inputs.costs("asynchronous")
    together = inputs.costs("synchronous")
    byte = sorted(inputs.network)[len(inputs.network) // 2]
    return replace(
        together,
        compute=spread(seconds, SIGMA, STALLS, FACTOR),
        size=PARAMETERS,
        # A worker speaks to each of the servers.
        worker=here.worker * SERVERS,
        server=here.server,
        accumulate=together.accumulate / SIZE * PARAMETERS,
        apply=here.apply / SIZE * PARAMETERS,
        servers=SERVERS,
        wire=Wire(HOP + here.wire.hop, byte, byte, LINE),
        machine=Machine(PROCESSORS, inputs.machine.slice),
        is_shared=False,
    )


def curves(inputs: Inputs, title: str, seconds: float) -> Curves:
    """Simulates all ways on all numbers of machines."""
    costs = large(inputs, seconds)
    ways: dict[str, Callable[[int], float]] = {
        "asynchronous": lambda n: asynchronous(costs, n, updates=max(20 * n, 4000)),
        "synchronous": lambda n: synchronous(costs, n, 0, max(30, 4000 // n)),
        "with backups": lambda n: synchronous(costs, n, n // BACKUPS, max(30, 4000 // n)),
        "all-reduce": lambda n: all_reduce(costs, n, max(30, 4000 // n)),
    }
    found: dict[str, list[float]] = {}
    for name, way in ways.items():
        one = way(1)
        found[name] = [way(n) / one if n > 1 else 1.0 for n in COUNTS]
    return Curves(title, found)


def trainings(inputs: Inputs) -> dict[str, float]:
    """What a worker's batch takes, in seconds, by what computes it."""
    here = IMAGE * BATCH * inputs.compute / OPERATIONS
    return {
        f"on a processor as here, {here:.1f} s a batch (measured)": here,
        f"on accelerators, {ACCELERATOR:.1f} s a batch (assumed)": ACCELERATOR,
    }


def assumptions() -> str:
    """What is assumed, in words."""
    return (
        f"assumed: {LINE * 8e-9:.0f} Gbit/s and {HOP * 1e6:.0f} us between machines, "
        f"{SERVERS} servers with {PROCESSORS} processors,\n{PARAMETERS / 1e6:.0f} MB to train, "
        f"{IMAGE * BATCH / 1e12:.2f} T operations a batch, log-normal times (sigma {SIGMA}) of\n"
        f"which 1 in {1 / STALLS:.0f} is {FACTOR:.0f} times as long, one worker in {BACKUPS} a "
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
