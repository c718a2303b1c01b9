"""`tf.contrib.summary`: what operations write while they run, read from the files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf

summary = tf.contrib.summary


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _events(folder: Path) -> list[Any]:
    return [e for path in sorted(folder.glob("events*")) for e in tf.train.summary_iterator(path)]


def _tags(folder: Path) -> list[tuple[int, str]]:
    return [(e.step, v.tag) for e in _events(folder) for v in e.summary.value]


def _writer(folder: Path, session: Any, **options: Any) -> Any:
    writer = summary.create_file_writer(str(folder), max_queue=1, **options)
    session.run(summary.summary_writer_initializer_op())
    return writer


def test_each_kind_of_summary(session: Any, tmp_path: Path) -> None:
    writer = _writer(tmp_path, session)
    with writer.as_default(), summary.always_record_summaries():
        summary.scalar("loss", tf.constant(1.5), family="train", step=3)
        summary.histogram("weights", tf.constant([1.0, 2.0, 2.0]), step=3)
        summary.image("pixels", tf.constant(np.ones([1, 2, 2, 3], np.float32)), step=3)
        summary.audio("tone", tf.zeros([1, 100]), 8000.0, 1, step=3)
        summary.generic("matrix", tf.constant([[1, 2]]), step=3)
    written = session.run(summary.all_summary_ops())
    assert written == [True] * 5
    first, *events = _events(tmp_path)
    assert first.file_version == "brain.Event:2"
    assert {e.step for e in events} == {3}
    values = {v.tag: v for e in events for v in e.summary.value}
    assert values["train/loss"].simple_value == 1.5
    assert values["weights"].histo.num == 3
    picture = next(v for tag, v in values.items() if tag.startswith("pixels"))
    assert (picture.image.height, picture.image.width) == (2, 2)
    sound = next(v for tag, v in values.items() if tag.startswith("tone"))
    assert (sound.audio.sample_rate, sound.audio.length_frames) == (8000.0, 100)
    assert tf.make_ndarray(values["matrix"].tensor).tolist() == [[1, 2]]


def test_every_few_steps(session: Any, tmp_path: Path) -> None:
    step = tf.train.get_or_create_global_step()
    writer = _writer(tmp_path, session)
    with writer.as_default(), summary.record_summaries_every_n_global_steps(2):
        write = summary.scalar("loss", tf.cast(step, tf.float32))
    next_step = tf.assign_add(step, 1)
    session.run(step.initializer)
    assert [bool(session.run(write)) for _ in range(5) if session.run(next_step)] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert _tags(tmp_path) == [(2, "loss"), (4, "loss")]


def test_nothing_is_written_where_nobody_asks(session: Any, tmp_path: Path) -> None:
    writer = _writer(tmp_path, session)
    with summary.always_record_summaries():
        assert session.run(summary.scalar("a", 1.0, step=1)) is None
    with writer.as_default():
        assert session.run(summary.scalar("b", 1.0, step=1)) is None
        with summary.never_record_summaries():
            assert session.run(summary.scalar("c", 1.0, step=1)) is None
    nowhere = summary.create_file_writer(None)
    with nowhere.as_default(), summary.always_record_summaries():
        assert session.run([summary.scalar("d", 1.0, step=1), nowhere.flush()]) == [None, None]
    assert summary.all_summary_ops() == []
    assert not summary.should_record_summaries()
    assert _tags(tmp_path) == []


def test_events_wait_for_others(session: Any, tmp_path: Path) -> None:
    writer = summary.create_file_writer(str(tmp_path), max_queue=3, filename_suffix=".own")
    session.run(summary.summary_writer_initializer_op())
    writer.set_as_default()
    with summary.always_record_summaries():
        write = summary.scalar("loss", 1.0, step=1)
    counts = []
    for _ in range(4):
        session.run(write)
        counts.append(len(_tags(tmp_path)))
    session.run(summary.flush())
    assert [*counts, len(_tags(tmp_path))] == [0, 0, 3, 3, 4]
    session.run([write, writer.close()])
    session.run(writer.flush())
    assert len(_tags(tmp_path)) == 5
    assert [path.suffix for path in tmp_path.iterdir()] == [".own"]


def test_a_writer_without_a_file(session: Any, tmp_path: Path) -> None:
    writer = summary.create_file_writer(str(tmp_path))
    with writer.as_default(), summary.always_record_summaries():
        write = summary.scalar("loss", 1.0, step=1)
    with pytest.raises(tf.errors.FailedPreconditionError, match="has no file"):
        session.run(write)


def test_the_session_closes_the_file(tmp_path: Path) -> None:
    with tf.Session() as session:
        writer = summary.create_file_writer(str(tmp_path), max_queue=100)
        session.run(summary.summary_writer_initializer_op())
        with writer.as_default(), summary.always_record_summaries():
            session.run(summary.scalar("loss", 1.0, step=1))
    assert _tags(tmp_path) == [(1, "loss")]
