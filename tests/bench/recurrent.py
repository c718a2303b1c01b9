"""Training steps of an LSTM run by `dynamic_rnn`, beside other engines' loops.

    python -m tests.bench.recurrent [ENGINE=PYTHON ...] [--sizes BATCHxSTEPSxINPUTSxUNITS,...]

ENGINE is tensorflow, torch or jax and PYTHON an interpreter that has it; without any, the loop runs
beside the same network unrolled by `static_rnn`. Runs, turns and figures are those of
`compare_peers`, and the losses of the first steps must agree.

Ends with status 1 where losses differ, or a step takes longer than the limit says: with peers of
the best peer's, else of the unrolled network's.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.compare_peers import (
    Figures,
    describe_machine,
    disagreement,
    measure,
    peak,
    show,
)

#: What runs for each engine, and what it is told after the sizes.
PROGRAMS = {
    engine: ("lstm_programs.py", engine)
    for engine in ("workbench", "unrolled", "tensorflow", "torch", "jax")
}
SIZES = "64x32x128x128,64x32x256x256,128x28x28x128"
#: More steps than loops are unrolled for: with peers only, nobody unrolls so many.
LONG_SIZES = "128x400x28x128"


def operations(sizes: str) -> int:
    """Floating-point operations of the products of one step."""
    batch, steps, inputs, units = (int(size) for size in sizes.split("x"))
    wide = 4 * units
    # Three products with each weight but that of the inputs: nobody asks for their gradient.
    return 2 * batch * steps * wide * (2 * inputs + 3 * units) + 3 * 2 * batch * units * 10


def judge(sizes: str, figures: dict[str, Figures], limit: float, alone_limit: float) -> bool:
    """Prints how the loop stands; False where it takes longer than the limit."""
    wrong = disagreement(figures)
    if wrong:
        print(f"{sizes}: the losses of {wrong} are not ours")
    peers = {e: f for e, f in figures.items() if e not in ("workbench", "unrolled")}
    others = peers or {"unrolled": figures["unrolled"]}
    allowed = limit if peers else alone_limit
    best = min(others, key=lambda engine: others[engine].best)
    ratio = figures["workbench"].best / others[best].best
    print(f"{sizes}: the loop takes {ratio:.2f} of {best} (limit {allowed:g})")
    return not wrong and ratio <= allowed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("engines", nargs="*", metavar="ENGINE=PYTHON")
    parser.add_argument("--sizes", help="with commas (default: many, long ones with peers)")
    parser.add_argument("--rounds", type=int, help="3 with peers, 1 without")
    parser.add_argument("--seconds", type=float, default=2.0, help="of steps in a run")
    parser.add_argument("--limit", type=float, default=0.9, help="ours / best peer (default 0.9)")
    parser.add_argument("--alone-limit", type=float, default=1.25, help="loop / unrolled")
    options = parser.parse_args()
    peers = dict(entry.split("=", 1) for entry in options.engines)
    unknown = {*peers} - {*PROGRAMS}
    if unknown:
        sys.exit(f"There is no engine {', '.join(unknown)}: there are {', '.join(PROGRAMS)}")
    engines = {"workbench": sys.executable, "unrolled": sys.executable, **peers}
    chosen = options.sizes or (f"{SIZES},{LONG_SIZES}" if peers else SIZES)
    machine_peak = peak()
    print(describe_machine())
    share = "   of peak" if machine_peak else ""
    print(f"{'sizes':14}{'engine':11}{'median ms':>12}{'best ms':>12}{'first s':>10}{share}")
    held = True
    rounds = options.rounds or (3 if peers else 1)
    with tempfile.TemporaryDirectory() as cache:
        for sizes in chosen.split(","):
            figures = measure(engines, sizes, rounds, options.seconds, cache, PROGRAMS)
            show(sizes, figures, operations(sizes), machine_peak)
            held = judge(sizes, figures, options.limit, options.alone_limit) and held
    print(f"load average at the end {os.getloadavg()[0]:.2f}")
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
