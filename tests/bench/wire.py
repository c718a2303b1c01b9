"""Round trips between two processes of this host, beside a plain echo through ZeroMQ.

    python -m tests.bench.wire [--seconds 1]

Medians in microseconds of a tensor that goes there and comes back, in turns with the plain echo.
Ends with an error where a small tensor takes more than 150 microseconds and more than 2.5 times
what the plain echo takes: the second tells of a machine that is busy.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import zmq

from tests.cluster.wire.ends import Echo, ask, client
from workbench.cluster.wire.encodings import Encoding
from workbench.cluster.wire.message import Message

LIMIT = 150.0
PLAIN = """
import zmq
socket = zmq.Context().socket(zmq.ROUTER)
print(socket.bind_to_random_port("tcp://127.0.0.1"), flush=True)
while True:
    socket.send_multipart(socket.recv_multipart(copy=False), copy=False)
"""


def median(call: Callable[[], object], seconds: float) -> float:
    """The median time of a call, in microseconds."""
    call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.0)
    seconds = parser.parse_args().seconds
    plain = subprocess.Popen([sys.executable, "-c", PLAIN], stdout=subprocess.PIPE, text=True)
    context = zmq.Context()
    try:
        assert plain.stdout is not None
        dealer = context.socket(zmq.DEALER)
        dealer.connect(f"tcp://127.0.0.1:{int(plain.stdout.readline())}")

        def bare(array: np.ndarray) -> None:
            dealer.send_multipart([b"header", array], copy=False)
            dealer.recv_multipart(copy=False)

        print(f"{'bytes':>12}{'plain zmq':>12}{'workbench':>12}{'bfloat16':>12}{'GB/s':>8}")
        with Echo() as echo, client() as end:
            small = {}
            for size in (64, 4096, 65_536, 1 << 20, 4 << 20, 40 << 20):
                array = np.random.default_rng(0).normal(size=size // 4).astype(np.float32)
                message = Message("m", {}, (("x", array),))
                short = Message("m", {}, (("x", array),), encodings={"x": Encoding("bfloat16")})
                times = [
                    median(lambda a=array: bare(a), seconds),
                    median(lambda m=message: ask(end, echo.address, m), seconds),
                    median(lambda m=short: ask(end, echo.address, m), seconds),
                ]
                rate = 2 * size / times[1] / 1e3
                print(f"{size:12,d}" + "".join(f"{t:12.0f}" for t in times) + f"{rate:8.2f}")
                small.setdefault("plain", times[0])
                small.setdefault("ours", times[1])
        if small["ours"] > LIMIT and small["ours"] > 2.5 * small["plain"]:
            sys.exit(f"A small tensor takes {small['ours']:.0f} microseconds: limit {LIMIT:.0f}")
    finally:
        context.destroy(linger=0)
        plain.kill()
        plain.wait(10)
        plain.stdout.close()


if __name__ == "__main__":
    main()
