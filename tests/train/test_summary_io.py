"""Event files: what is written, in what order, and what TensorBoard reads of it."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.core import errors, protos
from workbench.core.graph.tensor_proto import make_tensor_proto
from workbench.train import event_files, summary_io


def graph_def() -> Any:
    return protos.GraphDef(node=[protos.NodeDef(name="x", op="NoOp")])


class Graph:
    """What the writer asks of a graph."""

    def as_graph_def(self, add_shapes: bool = False) -> Any:
        assert add_shapes
        return graph_def()


def scalar(tag: str, value: float) -> Any:
    return protos.Summary(value=[protos.Summary.Value(tag=tag, simple_value=value)])


def events(folder: Path) -> list[Any]:
    """All events of a folder but those that open a file, in order."""
    found = []
    for path in sorted(folder.iterdir()):
        first, *rest = event_files.summary_iterator(path)
        assert first.file_version == "brain.Event:2"
        assert abs(first.wall_time - time.time()) < 60
        found += rest
    return found


def test_names_of_files(tmp_path: Path) -> None:
    for _ in range(3):
        summary_io.FileWriter(tmp_path, filename_suffix=".eval").close()
    names = os.listdir(tmp_path)
    assert len(names) == 3
    for name in names:
        assert name.startswith("events.out.tfevents.")
        assert name.endswith(".eval")
        assert abs(int(name.split(".")[3]) - time.time()) < 60


def test_folders_are_made(tmp_path: Path) -> None:
    with summary_io.FileWriter(tmp_path / "a" / "b") as writer:
        assert writer.get_logdir() == str(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.AlreadyExistsError, match="file"):
        summary_io.FileWriter(tmp_path / "file")


def test_every_kind_of_event(tmp_path: Path) -> None:
    metadata = protos.RunMetadata()
    metadata.step_stats.dev_stats.add(device="/cpu:0")
    meta_graph = protos.MetaGraphDef(graph_def=graph_def())
    with summary_io.FileWriter(tmp_path) as writer:
        writer.add_summary(scalar("a", 1.0), 1)
        writer.add_summary(scalar("a", 2.0).SerializeToString(), np.int64(2))
        writer.add_summary(np.array(scalar("a", 3.0).SerializeToString(), dtype=object))
        writer.add_summary(b"", 4)
        writer.add_session_log(protos.SessionLog(status=protos.SessionLog.START), 5)
        writer.add_graph(Graph(), 6)
        writer.add_graph(graph_def(), 7)
        writer.add_graph(None, 8, graph_def=graph_def())
        writer.add_meta_graph(meta_graph, 9)
        writer.add_run_metadata(metadata, "step 10", 10)
        writer.add_event(protos.Event(wall_time=1.0, step=11))
    found = events(tmp_path)
    assert [event.step for event in found] == [1, 2, 0, 4, 5, 6, 7, 8, 9, 10, 11]
    assert [event.WhichOneof("what") for event in found] == [
        *["summary"] * 4,
        "session_log",
        *["graph_def"] * 3,
        "meta_graph_def",
        "tagged_run_metadata",
        None,
    ]
    values = [event.summary.value[0].simple_value for event in found[:3]]
    assert values == [1.0, 2.0, 3.0]
    assert found[4].session_log.status == protos.SessionLog.START
    for event in found[5:8]:
        assert protos.GraphDef.FromString(event.graph_def) == graph_def()
    assert protos.MetaGraphDef.FromString(found[8].meta_graph_def) == meta_graph
    assert found[9].tagged_run_metadata.tag == "step 10"
    assert protos.RunMetadata.FromString(found[9].tagged_run_metadata.run_metadata) == metadata
    assert found[10].wall_time == 1.0
    assert all(abs(event.wall_time - time.time()) < 60 for event in found[:10])


@pytest.mark.parametrize("arguments", [{"graph": Graph()}, {"graph_def": graph_def()}])
def test_a_graph_at_once(tmp_path: Path, arguments: dict[str, Any]) -> None:
    summary_io.FileWriter(tmp_path, **arguments).close()
    graph, meta_graph = events(tmp_path)
    assert protos.GraphDef.FromString(graph.graph_def) == graph_def()
    assert protos.MetaGraphDef.FromString(meta_graph.meta_graph_def).graph_def == graph_def()


def test_metadata_is_written_with_the_first_value_of_a_tag(tmp_path: Path) -> None:
    summary = scalar("a", 1.0)
    summary.value[0].metadata.display_name = "A"
    with summary_io.FileWriter(tmp_path) as writer:
        for step in range(3):
            writer.add_summary(summary, step)
    assert summary.value[0].HasField("metadata")
    kept = [event.summary.value[0].HasField("metadata") for event in events(tmp_path)]
    assert kept == [True, False, False]


def test_what_is_no_event_is_refused(tmp_path: Path) -> None:
    with summary_io.FileWriter(tmp_path) as writer:
        for value in ("text", 3, None, protos.Event()):
            with pytest.raises(TypeError, match="summary must be a tensorflow.Summary"):
                writer.add_summary(value)
        with pytest.raises(errors.DataLossError, match="summary"):
            writer.add_summary(b"\xff\xff\xff")
        for value in ("text", None, b"bytes"):
            with pytest.raises(TypeError, match="must be a Graph or a GraphDef"):
                writer.add_graph(value)
        with pytest.raises(ValueError, match="not both"):
            writer.add_graph(Graph(), graph_def=graph_def())
        with pytest.raises(TypeError, match="meta_graph_def must be"):
            writer.add_meta_graph(graph_def())
        with pytest.raises(TypeError, match="run_metadata must be"):
            writer.add_run_metadata(None, "tag")
        writer.add_run_metadata(protos.RunMetadata(), "tag")
        with pytest.raises(ValueError, match="already used.*'tag'"):
            writer.add_run_metadata(protos.RunMetadata(), "tag")
    with pytest.raises(TypeError, match="must be a Graph"):
        summary_io.FileWriter(tmp_path, "graph")


def test_flush_makes_all_readable(tmp_path: Path) -> None:
    with summary_io.FileWriter(tmp_path, max_queue=2) as writer:
        for step in range(200):
            writer.add_summary(scalar("a", step), step)
        writer.flush()
        assert [event.step for event in events(tmp_path)] == list(range(200))


def test_events_are_copied_when_added(tmp_path: Path) -> None:
    summary = scalar("a", 0.0)
    with summary_io.FileWriter(tmp_path, max_queue=0) as writer:
        for step in range(50):
            summary.value[0].simple_value = step
            writer.add_summary(summary, step)
    for event in events(tmp_path):
        assert event.summary.value[0].simple_value == event.step


def test_threads_add_at_the_same_time(tmp_path: Path) -> None:
    with summary_io.FileWriter(tmp_path, max_queue=3) as writer:

        def add(first: int) -> None:
            for step in range(first, first + 50):
                writer.add_summary(scalar("a", step), step)

        threads = [threading.Thread(target=add, args=(100 * index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    steps = [event.step for event in events(tmp_path)]
    assert sorted(steps) == sorted(100 * i + j for i in range(4) for j in range(50))


def writing_threads() -> int:
    """Those of other kinds come and go."""
    return sum(thread.name == "workbench events" for thread in threading.enumerate())


def test_close_and_reopen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = writing_threads()
    writer = summary_io.FileWriter(tmp_path)
    writer.add_summary(scalar("a", 1.0), 1)
    writer.reopen()
    writer.close()
    writer.close()
    writer.flush()
    assert writing_threads() == before
    writer.add_summary(scalar("a", 2.0), 2)
    assert "closed writer" in caplog.text
    writer.reopen()
    writer.add_summary(scalar("a", 3.0), 3)
    writer.close()
    assert [event.step for event in events(tmp_path)] == [1, 3]
    assert len(os.listdir(tmp_path)) == 2


def test_a_writer_that_is_let_go_is_closed(tmp_path: Path) -> None:
    before = writing_threads()
    writer = summary_io.FileWriter(tmp_path)
    writer.add_summary(scalar("a", 1.0), 1)
    del writer
    gc.collect()
    assert writing_threads() == before
    assert [event.step for event in events(tmp_path)] == [1]


SCRIPT = """
import sys, time
from workbench.core import protos
from workbench.train.summary_io import FileWriter
writer = FileWriter(sys.argv[1])
for step in range(100):
    value = protos.Summary.Value(tag="a", simple_value=step)
    writer.add_summary(protos.Summary(value=[value]), step)
"""


def test_the_end_of_the_program_writes_what_is_waiting(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], check=True)
    assert [event.step for event in events(tmp_path)] == list(range(100))


def test_a_kill_loses_no_flushed_event(tmp_path: Path) -> None:
    script = SCRIPT + "writer.flush(); print('ready', flush=True); time.sleep(60)\n"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert [event.step for event in events(tmp_path)] == list(range(100))


def test_flushing_beside_closing_waits_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the two the writing thread hears of first, and when it has ended."""
    is_writing, is_free = threading.Event(), threading.Event()
    write = event_files._Worker._write

    def slow(worker: Any, content: bytes) -> None:
        is_writing.set()
        assert is_free.wait(20)
        write(worker, content)

    monkeypatch.setattr(event_files._Worker, "_write", slow)
    writer = event_files.EventFileWriter(tmp_path)
    worker = writer._worker
    # The thread holds the first event only: what comes now stays in the queue.
    assert is_writing.wait(20)
    closing = threading.Thread(target=writer.close, daemon=True)
    closing.start()
    while not worker._queue.qsize():
        time.sleep(0.001)
    flushing = threading.Thread(target=worker.flush, daemon=True)
    flushing.start()
    while worker._queue.qsize() < 2:
        time.sleep(0.001)
    is_free.set()
    for thread in (closing, flushing):
        thread.join(20)
        assert not thread.is_alive()
    late = threading.Thread(target=worker.flush, daemon=True)
    late.start()
    late.join(20)
    assert not late.is_alive()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_reported_and_blocks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = open("/dev/full", "wb", buffering=0)  # noqa: SIM115 - the writer closes it
    monkeypatch.setattr(event_files, "new_event_file", lambda *_: ("the file", full))
    writer = event_files.EventFileWriter(tmp_path, max_queue=1)
    with pytest.raises(errors.ResourceExhaustedError, match="the file; No space left"):
        writer.flush()
    for step in range(20):
        try:
            writer.add_event(protos.Event(step=step))
        except errors.ResourceExhaustedError:
            continue
    with pytest.raises(errors.ResourceExhaustedError):
        writer.close()
    assert full.closed


def test_damaged_event_files(tmp_path: Path) -> None:
    with summary_io.FileWriter(tmp_path) as writer:
        writer.add_summary(scalar("a", 1.0), 1)
    [path] = tmp_path.iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:-3])
    with pytest.raises(errors.DataLossError, match=f"{path.name}: the record at byte .* truncated"):
        list(event_files.summary_iterator(path))
    with pytest.raises(errors.NotFoundError):
        list(event_files.summary_iterator(tmp_path / "none"))


def test_the_cache_has_one_writer_for_each_folder(tmp_path: Path) -> None:
    cache = summary_io.FileWriterCache
    first, second = (str(tmp_path / name) for name in "ab")
    writer = cache.get(first)
    assert cache.get(first) is writer
    assert cache.get(second) is not writer
    writer.add_summary(scalar("a", 1.0), 1)
    cache.clear()
    assert [event.step for event in events(tmp_path / "a")] == [1]
    assert cache.get(first) is not writer
    cache.clear()


def test_tensorboard_reads_it(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    histogram = protos.HistogramProto(
        min=0, max=2, num=3, sum=3, sum_squares=5, bucket_limit=[1, 2], bucket=[1, 2]
    )
    image = protos.Summary.Image(height=1, width=2, colorspace=1, encoded_image_string=b"png")
    text = make_tensor_proto(["some text"])
    metadata = protos.RunMetadata()
    metadata.step_stats.dev_stats.add(device="/cpu:0")
    with summary_io.FileWriter(tmp_path, Graph()) as writer:
        for step in range(3):
            writer.add_summary(scalar("loss", 1.0 / (step + 1)), step)
        value = protos.Summary.Value(tag="weights", histo=histogram)
        writer.add_summary(protos.Summary(value=[value]), 3)
        value = protos.Summary.Value(tag="picture", image=image)
        writer.add_summary(protos.Summary(value=[value]), 4)
        value = protos.Summary.Value(tag="text", tensor=text)
        value.metadata.plugin_data.plugin_name = "text"
        writer.add_summary(protos.Summary(value=[value]), 5)
        writer.add_run_metadata(metadata, "step 6", 6)
    found = accumulator.EventAccumulator(str(tmp_path))
    found.Reload()
    tags = found.Tags()
    assert tags["scalars"] == ["loss"]
    assert tags["histograms"] == ["weights"]
    assert tags["images"] == ["picture"]
    assert tags["tensors"] == ["text"]
    assert tags["run_metadata"] == ["step 6"]
    assert tags["graph"]
    assert tags["meta_graph"]
    np.testing.assert_allclose([e.value for e in found.Scalars("loss")], [1, 0.5, 1 / 3])
    assert [e.step for e in found.Scalars("loss")] == [0, 1, 2]
    assert found.Histograms("weights")[0].histogram_value.num == 3
    assert found.Images("picture")[0].encoded_image_string == b"png"
    assert found.Tensors("text")[0].tensor_proto.string_val == [b"some text"]
    assert found.Graph().node[0].name == "x"
    assert found.RunMetadata("step 6").step_stats.dev_stats[0].device == "/cpu:0"
