"""What the hooks of a step ask for, put together with what the caller asks for."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from workbench.train.sessions.run_hook import SessionRunArgs

#: The key of the caller's own fetches.
CALLER = "caller"
#: The options of which the largest wins.
_LARGEST = ("trace_level", "timeout_in_ms", "inter_op_thread_pool", "output_partition_graphs")


class StepRequest:
    """All that one step is to do: fetches by who asked for them, feeds, options.

    `options` is None while nobody asks for any: a step without is quicker.

    >>> request = StepRequest("loss:0", {"x:0": 1.0}, None)
    >>> request.add({"hook": SessionRunArgs("step:0", {"rate:0": 0.1})})
    >>> request.fetches, request.feed_dict
    ({'caller': 'loss:0', 'hook': 'step:0'}, {'rate:0': 0.1, 'x:0': 1.0})
    """

    def __init__(self, fetches: Any, feed_dict: Mapping[Any, Any] | None, options: Any) -> None:
        self.fetches: dict[Hashable, Any] = {CALLER: fetches}
        self.feed_dict = feed_dict
        self.options = options

    def add(self, requests: Mapping[Hashable, SessionRunArgs | None]) -> None:
        """Adds what hooks ask for.

        Raises:
          RuntimeError: two of them feed the same tensor, or one feeds what the caller feeds.
        """
        feeds: dict[Any, Any] = {}
        for hook, request in requests.items():
            if request is None:
                continue
            if request.fetches is not None:
                self.fetches[hook] = request.fetches
            if request.feed_dict:
                _check_disjoint(feeds, request.feed_dict, "Same tensor is fed by two hooks.")
                feeds.update(request.feed_dict)
            if request.options is not None:
                self._add_options(request.options)
        if feeds:
            caller = self.feed_dict or {}
            _check_disjoint(caller, feeds, "Same tensor is fed by a SessionRunHook and user.")
            self.feed_dict = {**feeds, **caller}

    def _add_options(self, options: Any) -> None:
        from workbench.core.protos import RunOptions

        merged = RunOptions()
        if self.options is not None:
            # The caller may use its options again: they stay as they are.
            merged.CopyFrom(self.options)
        for field in _LARGEST:
            setattr(merged, field, max(getattr(merged, field), getattr(options, field)))
        merged.debug_options.debug_tensor_watch_opts.extend(
            options.debug_options.debug_tensor_watch_opts
        )
        self.options = merged


def _check_disjoint(first: Iterable[Any], second: Iterable[Any], message: str) -> None:
    shared = set(first) & set(second)
    if shared:
        names = ", ".join(sorted(str(getattr(each, "name", each)) for each in shared))
        raise RuntimeError(f"{message} Conflict(s): {names}")
