"""One rank that times all-reduces: `all_reduce_program.py ENGINE RANK MEMBERS SIZES`."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def workbench(rank: int, members: list[str], shared: bool) -> tuple[Callable[[Any], None], Any]:
    """Sums an array up in place, with the workbench."""
    from workbench.cluster.collectives.exchange import Exchange
    from workbench.cluster.collectives.forming import form

    exchange = Exchange(members[rank])
    group = form(exchange, "bench", 0, members, rank, shared=shared)

    def reduce(array: Any) -> None:
        group.all_reduce(array, out=array)

    return reduce, lambda: (group.barrier(), group.close(), exchange.close())


def gloo(rank: int, members: list[str]) -> tuple[Callable[[Any], None], Any]:
    """Sums an array up in place, with PyTorch's gloo."""
    import torch
    import torch.distributed as distributed

    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=members[0], rank=rank, world_size=len(members)
    )

    def reduce(array: Any) -> None:
        distributed.all_reduce(torch.from_numpy(array))

    return reduce, distributed.destroy_process_group


def main() -> None:
    """Prints the median seconds by size."""
    engine, rank = sys.argv[1], int(sys.argv[2])
    members, sizes = json.loads(sys.argv[3]), json.loads(sys.argv[4])
    with contextlib.suppress(AttributeError):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[rank]})
    if engine == "torch":
        reduce, close = gloo(rank, members)
    else:
        reduce, close = workbench(rank, members, engine == "shared")
    found = {}
    for name, length in sizes.items():
        array = np.full(length, rank + 1.0, np.float32)
        reduce(array)
        assert (array == 3).all()
        times = []
        for _ in range(12 if length > 100_000 else 300):
            array.fill(1)
            start = time.perf_counter()
            reduce(array)
            times.append(time.perf_counter() - start)
        assert (array == 2).all()
        found[name] = statistics.median(times)
    print(json.dumps(found), flush=True)
    close()


if __name__ == "__main__":
    main()
