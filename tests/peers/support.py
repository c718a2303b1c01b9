"""What TensorFlow's unit tests inherit and call, for an engine that lacks some of it.

`case_class(engine)` is the engine's own `tf.test.TestCase`, completed by the methods below where it
has none: a test is then judged on what it tests.
"""

from __future__ import annotations

import contextlib
import functools
import random
import re
import tempfile
import threading
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

DEFAULT_GRAPH_SEED = 87654321


class EndOfFileError(SystemExit):
    """The test file has called `test.main()`; the tests in it may now be collected."""


def end_of_file(*arguments: object, **keywords: object) -> None:
    """Stands for `test.main`."""
    raise EndOfFileError(0)


def temporary_folder() -> str:
    """A folder for a test's files."""
    return tempfile.mkdtemp(prefix="peer_test_")


@contextlib.contextmanager
def skip_eager(*arguments: object, **keywords: object) -> Iterator[None]:
    """Eager execution belongs to no version that is followed here."""
    raise unittest.SkipTest("eager execution")
    yield


def _unchanged(*arguments: Any, **keywords: Any) -> Any:
    """A decorator, with or without arguments, that leaves a test as it is."""
    if len(arguments) == 1 and callable(arguments[0]) and not keywords:
        return arguments[0]
    return lambda function: function


def _with_arguments_only(*arguments: Any, **keywords: Any) -> Callable[[Any], Any]:
    return lambda function: function


def _skipped(*arguments: Any, **keywords: Any) -> Any:
    skip = unittest.skip("eager execution")
    if len(arguments) == 1 and callable(arguments[0]):
        return skip(arguments[0])
    return skip


def run_in_graph_and_eager_modes(function: Any = None, *arguments: Any, **keywords: Any) -> Any:
    """Run a test in a session only."""

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(test)
        def run(self: Any, *values: Any, **names: Any) -> Any:
            with self.test_session():
                return test(self, *values, **names)

        return run

    return decorate(function) if callable(function) else decorate


def _permutation(order: list[int]) -> Callable[[Any], Any]:
    """A function that permutes a shape, or the dimensions of a tensor."""

    def permute(value: Any) -> Any:
        if isinstance(value, list | tuple | np.ndarray):
            permuted = [value[axis] for axis in order]
            return np.asarray(permuted) if isinstance(value, np.ndarray) else permuted
        return functools.partial(_transpose, order=order)(value)

    return permute


def _transpose(value: Any, order: list[int]) -> Any:
    import tensorflow  # the engine under test

    rank = len(value.get_shape().as_list())
    return tensorflow.transpose(value, order if rank == 4 else _volume(order))


def _volume(order: list[int]) -> list[int]:
    """The order for five dimensions that corresponds to one for four."""
    return [0, 4, 1, 2, 3] if order == [0, 3, 1, 2] else [0, 2, 3, 4, 1]


def _no_device(*arguments: object, **keywords: object) -> bool:
    return False


def _any_version(graph: object, version: int) -> None:
    """Old operations are there whatever version a graph was made with."""


@contextlib.contextmanager
def any_kernels(graph: object, labels: object) -> Iterator[None]:
    """Stands for `Graph._kernel_label_map`: there is one kernel for each operation."""
    yield


@contextlib.contextmanager
def _any_device(use_gpu: bool = False) -> Iterator[None]:
    yield


DEVICES: dict[str, Any] = {
    "IsBuiltWithCuda": _no_device,
    "gpu_device_name": lambda: "",
    "is_built_with_cuda": _no_device,
    "is_built_with_gpu_support": _no_device,
    "is_built_with_rocm": _no_device,
    "is_built_with_xla": _no_device,
    "is_gpu_available": _no_device,
}

HELPERS: dict[str, Any] = {
    **DEVICES,
    "CudaSupportsHalfMatMulAndConv": _no_device,
    "GpuSupportsHalfMatMulAndConv": _no_device,
    "IsGoogleCudaEnabled": _no_device,
    "IsMklEnabled": _no_device,
    "NCHWToNHWC": _permutation([0, 2, 3, 1]),
    "NHWCToNCHW": _permutation([0, 3, 1, 2]),
    "assert_no_garbage_created": _unchanged,
    "assert_no_new_pyobjects_executing_eagerly": _skipped,
    "assert_no_new_tensors": _unchanged,
    "deprecated_graph_mode_only": _unchanged,
    "device": _any_device,
    "disable_all_xla": _with_arguments_only,
    "disable_c_api": _unchanged,
    "disable_c_shapes": _unchanged,
    "disable_xla": _with_arguments_only,
    "enable_c_api": _unchanged,
    "enable_c_shapes": _unchanged,
    "enable_control_flow_v2": _unchanged,
    "force_cpu": _any_device,
    "force_gpu": _any_device,
    "run_all_in_graph_and_eager_modes": _unchanged,
    "run_all_without_tensor_float_32": _with_arguments_only,
    "run_cuda_only": unittest.skip("needs a GPU"),
    "run_deprecated_v1": _unchanged,
    "run_gpu_only": unittest.skip("needs a GPU"),
    "run_in_graph_and_eager_modes": run_in_graph_and_eager_modes,
    "run_v1_only": _with_arguments_only,
    "run_v2_only": _skipped,
    "set_producer_version": _any_version,
    "use_deterministic_cudnn": _unchanged,
    "use_gpu": _any_device,
    "with_c_api": _unchanged,
    "with_c_shapes": _unchanged,
    "with_control_flow_v2": _unchanged,
    "xla_allow_fallback": _with_arguments_only,
}


class _Thread(threading.Thread):
    """A thread whose failure is the test's."""

    def __init__(self, target: Callable[..., Any], args: Any = None, kwargs: Any = None) -> None:
        super().__init__(daemon=True)
        self._call = functools.partial(target, *(args or ()), **(kwargs or {}))
        self._error: BaseException | None = None

    def run(self) -> None:
        """Call the target and keep what it raises."""
        try:
            self._call()
        except BaseException as error:
            self._error = error

    def join(self, timeout: float | None = None) -> None:
        """Wait for the target; AssertionError where it failed."""
        super().join(timeout)
        if self._error is not None:
            raise AssertionError(f"Error in checkedThread: {self._error!r}") from self._error

    def check_termination(self) -> None:
        """Fail where the target still runs."""
        self.join(1.0)
        if self.is_alive():
            raise AssertionError("checkedThread was not joined")


@functools.cache
def case_class(engine: Any) -> type[unittest.TestCase]:
    """The class that the tests of this engine inherit from."""
    from tests.peers.assertions import Assertions

    own = getattr(getattr(engine, "test", None), "TestCase", None)
    bases: tuple[type, ...] = (Assertions,) if own is None else (own, Assertions)

    def set_up(self: Any) -> None:
        random.seed(DEFAULT_GRAPH_SEED)
        np.random.seed(DEFAULT_GRAPH_SEED)
        engine.reset_default_graph()
        for base in bases:
            if "setUp" in vars(base):
                base.setUp(self)
        engine.set_random_seed(DEFAULT_GRAPH_SEED)

    return type("TestCase", bases, {"engine": engine, "setUp": set_up})


def summary(message: str) -> str:
    """An error's first line with its numbers taken out, so that like ones count as one."""
    # The workbench puts the user's line first; what went wrong is on the line below it.
    message = re.sub(r"(/[^\s:]+)+\.py:\d+: [^\n]*\n", "", message)
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    text = lines[0] if lines else "(no message)"
    text = re.sub(r"0x[0-9a-f]+", "0x…", text)
    return re.sub(r"\d+(\.\d+)?(e[+-]?\d+)?", "#", text)[:160]
