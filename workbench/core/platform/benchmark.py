"""`tf.test.Benchmark`: measured operations, reported as text."""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any

import numpy as np

from workbench.core.errors import AlreadyExistsError
from workbench.core.files import atomic_write

#: Where reports go, a file for each, whose names begin with this; printed without it.
REPORT_PREFIX = "TEST_REPORT_FILE_PREFIX"

_known: list[type[Benchmark]] = []


class Benchmark:
    """A class whose methods called `benchmark...` measure something.

    `python program.py --benchmarks=REGEX` runs those whose "Class.method" matches, where the
    program ends with `tf.test.main()`.
    """

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if not cls.is_abstract():
            _known.append(cls)

    @classmethod
    def is_abstract(cls) -> bool:
        """True for classes without measurements of their own."""
        return not any(name.startswith("benchmark") for name in dir(cls))

    def report_benchmark(
        self,
        iters: int | None = None,
        cpu_time: float | None = None,
        wall_time: float | None = None,
        throughput: float | None = None,
        extras: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        """Reports a measurement: seconds for each iteration, their number, and what else counts."""
        title = name or f"{type(self).__name__}.{getattr(self, '_current', 'benchmark')}"
        fields = {
            "iters": iters,
            "cpu_time": cpu_time,
            "wall_time": wall_time,
            "throughput": throughput,
        }
        _report(title, {k: v for k, v in fields.items() if v is not None}, extras or {})

    def run_op_benchmark(
        self,
        sess: Any,
        op_or_tensor: Any,
        feed_dict: Any = None,
        burn_iters: int = 2,
        min_iters: int = 10,
        store_trace: bool = False,
        store_memory_usage: bool = True,
        name: str | None = None,
        extras: dict[str, Any] | None = None,
        mbs: float = 0,
    ) -> dict[str, Any]:
        """Measures runs of an operation and reports their median.

        `burn_iters` runs come first and do not count; `mbs` are the megabytes that a run moves.
        Returns what was reported.
        """
        for _ in range(burn_iters):
            sess.run(op_or_tensor, feed_dict=feed_dict)
        seconds = []
        for _ in range(min_iters):
            start = time.perf_counter()
            sess.run(op_or_tensor, feed_dict=feed_dict)
            seconds.append(time.perf_counter() - start)
        median = float(np.median(seconds)) if seconds else 0.0
        found: dict[str, Any] = {"iters": min_iters, "wall_time": median, "extras": extras or {}}
        if mbs and median:
            found["throughput"] = mbs / median
        self.report_benchmark(name=name, **found)
        return found


def _report(name: str, fields: dict[str, Any], extras: dict[str, Any]) -> None:
    lines = [f"  name: {json.dumps(name)}"]
    lines += [f"  {field}: {value}" for field, value in fields.items()]
    for key, value in extras.items():
        kind = "double_value" if isinstance(value, (int, float)) else "string_value"
        shown = float(value) if kind == "double_value" else json.dumps(str(value))
        lines.append(f"  extras {{ key: {json.dumps(key)} value {{ {kind}: {shown} }} }}")
    text = "\n".join(["entry {", *lines, "}"])
    prefix = os.environ.get(REPORT_PREFIX)
    if prefix is None:
        print(text)
        return
    path = prefix + name.replace("/", "__")
    if os.path.exists(path):
        raise AlreadyExistsError(None, None, f"There is a report under {path} already")
    atomic_write(path, f"{text}\n".encode())


def run_benchmarks(pattern: str) -> None:
    """Runs all measurements whose "Class.method" matches."""
    wanted = "." if pattern == "all" else pattern
    for kind in list(_known):
        for method in sorted(n for n in dir(kind) if n.startswith("benchmark")):
            if re.search(wanted, f"{kind.__module__}.{kind.__name__}.{method}"):
                instance: Any = kind()
                instance._current = method
                getattr(instance, method)()
