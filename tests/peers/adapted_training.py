"""Inner names of TensorFlow's tests of sessions and training, made from an engine's own."""

from __future__ import annotations

import glob
import importlib
import os
from typing import Any, ClassVar

from tests.peers.adapted import Maker

#: Inner names that an engine of ours spells without the underscore, and where.
RENAMED = {
    ("monitored_session", "_WrappedSession"): "train.sessions.wrapped_session.WrappedSession",
    ("monitored_session", "_HookedSession"): "train.sessions.wrapped_session.HookedSession",
    ("monitored_session", "_CoordinatedSession"): (
        "train.sessions.wrapped_session.CoordinatedSession"
    ),
    ("monitored_session", "_RecoverableSession"): (
        "train.sessions.wrapped_session.RecoverableSession"
    ),
    ("training_util", "_get_or_create_global_step_read"): (
        "train.sessions.step_reading.get_or_create_global_step_read"
    ),
    ("saver", "_get_saver_or_default"): "train.sessions.scaffold.saver_or_default",
    ("summary_io", "SummaryWriterCache"): "train.summary_io.FileWriterCache",
    ("checkpoint_utils", "list_variables"): "train.checkpoint_reader.list_variables",
}


class FakeSummaryWriter:
    """Keeps what is written in memory, in the place of an engine's writer of summaries."""

    _engine_module: ClassVar[Any] = None
    _replaced: ClassVar[Any] = None

    def __init__(self, logdir: str, graph: Any = None, **options: Any) -> None:
        self._logdir = logdir
        self._graph = graph
        self.summaries: dict[int, list[Any]] = {}
        self.graphs: list[Any] = []
        self.meta_graphs: list[Any] = []
        self.logs: list[Any] = []

    @classmethod
    def install(cls) -> None:
        """Takes the place of the engine's writer."""
        cls._replaced = cls._engine_module.FileWriter
        cls._engine_module.FileWriter = FakeSummaryWriter

    @classmethod
    def uninstall(cls) -> None:
        """Gives it back."""
        cls._engine_module.FileWriter = cls._replaced

    def add_summary(self, summary: Any, step: Any) -> None:
        """Keeps a summary."""
        if isinstance(summary, bytes):
            summary = self._engine_module.protos.Summary.FromString(summary)
        self.summaries.setdefault(step, []).append(summary)

    def add_graph(self, graph: Any, global_step: Any = None, graph_def: Any = None) -> None:
        """Keeps a graph."""
        self.graphs.append(graph)

    def add_meta_graph(self, meta_graph_def: Any, global_step: Any = None) -> None:
        """Keeps a meta graph."""
        self.meta_graphs.append(meta_graph_def)

    def add_session_log(self, session_log: Any, global_step: Any = None) -> None:
        """Keeps a log."""
        self.logs.append(session_log)

    def flush(self) -> None:
        """Nothing waits."""

    def reopen(self) -> None:
        """Nothing is closed."""

    def close(self) -> None:
        """Nothing is open."""

    def assert_summaries(
        self,
        test_case: Any,
        expected_logdir: Any = None,
        expected_graph: Any = None,
        expected_summaries: Any = None,
        expected_added_graphs: Any = None,
        expected_added_meta_graphs: Any = None,
        expected_session_logs: Any = None,
    ) -> None:
        """Compares what was kept with what is expected, where something is."""
        if expected_graph is not None:
            test_case.assertIs(expected_graph, self._graph)
        for step, values in (expected_summaries or {}).items():
            test_case.assertIn(step, self.summaries)
            # How often the steps are counted depends on a thread.
            found = {
                value.tag: value.simple_value
                for summary in self.summaries[step]
                for value in summary.value
                if value.tag != "global_step/sec"
            }
            test_case.assertEqual(values, found)
        for expected, got in (
            (expected_logdir, self._logdir),
            (expected_added_graphs, self.graphs),
            (expected_added_meta_graphs, self.meta_graphs),
            (expected_session_logs, self.logs),
        ):
            if expected is not None:
                test_case.assertEqual(expected, got)


def _fake_summary_writer(engine: Any) -> Any:
    FakeSummaryWriter._engine_module = importlib.import_module(
        f"{engine.__name__}.train.summary_io"
    )
    return FakeSummaryWriter


def _latest_summaries(engine: Any) -> Any:
    def latest_summaries(folder: str) -> list[Any]:
        paths = sorted(glob.glob(os.path.join(folder, "events.*")))
        events = engine.train.summary_iterator(paths[-1]) if paths else []
        return [event for event in events if event.HasField("summary")]

    return latest_summaries


def _increment_global_step(engine: Any) -> Any:
    def increment_global_step(increment: int, graph: Any = None) -> Any:
        step = engine.train.get_or_create_global_step(graph)
        return engine.assign_add(step, increment)

    return increment_global_step


def _server(engine: Any) -> Any:
    class Server(engine.train.Server):  # type: ignore[misc]
        """A server whose target has the old scheme: tests take it off by its length."""

        @property
        def target(self) -> str:
            return str(super().target).replace("tcp://", "grpc://")

        @staticmethod
        def create_local_server(config: Any = None, start: bool = True) -> Any:
            return Server({"local": ["localhost:0"]}, config=config, start=start)

    return Server


_MAKERS: dict[tuple[str, str], Maker] = {
    ("fake_summary_writer", "FakeSummaryWriter"): _fake_summary_writer,
    ("server_lib", "Server"): _server,
    ("util_test", "latest_summaries"): _latest_summaries,
    ("training_util", "_increment_global_step"): _increment_global_step,
}


def maker(module: str, name: str) -> Maker | None:
    """What makes `module.name`, or None."""
    if (module, name) in _MAKERS:
        return _MAKERS[module, name]
    path = RENAMED.get((module, name))
    if path is None:
        return None
    folder, _, attribute = path.rpartition(".")
    return lambda engine: getattr(importlib.import_module(f"{engine.__name__}.{folder}"), attribute)
