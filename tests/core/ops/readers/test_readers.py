"""Readers in sessions: what they give, count and remember, and how they fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench as tf
from workbench.core import records
from workbench.core.ops.creation import create
from workbench.core.ops.readers import formats
from workbench.core.ops.readers.resource import ReaderResource
from workbench.core.runtime.snapshot import restore_snapshot, take_snapshot


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two files of three lines each."""
    names = []
    for letter in "ab":
        path = tmp_path / letter
        path.write_text("".join(f"{letter}{number}\n" for number in range(3)))
        names.append(str(path))
    return names


LINES = [b"a0", b"a1", b"a2", b"b0", b"b1", b"b2"]


def queue_of_files(session: Any, files: list[str]) -> Any:
    queue = tf.FIFOQueue(10, [tf.string], shapes=[[]])
    session.run(queue.enqueue_many([files]))
    session.run(queue.close())
    return queue


def test_all_lines_come_once_and_then_the_end(files: list[str]) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        reader = tf.TextLineReader()
        key, value = reader.read(queue_of_files(session, files))
        found = [session.run([key, value]) for _ in LINES]
        assert [value for _, value in found] == LINES
        assert found[4][0] == files[1].encode() + b":2"
        with pytest.raises(tf.errors.OutOfRangeError, match="is closed and has insufficient"):
            session.run(value)
        assert session.run(reader.num_records_produced()) == 6
        assert session.run(reader.num_work_units_completed()) == 2


def test_reading_up_to_a_number_ends_with_the_file(files: list[str]) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        keys, values = tf.TextLineReader().read_up_to(queue_of_files(session, files), 2)
        assert keys.shape.as_list() == values.shape.as_list() == [None]
        parts = [session.run(values).tolist() for _ in range(4)]
        assert parts == [[b"a0", b"a1"], [b"a2"], [b"b0", b"b1"], [b"b2"]]


@pytest.mark.parametrize(
    ("reader", "content"),
    [(tf.WholeFileReader, b"a0\na1\na2\n"), (tf.IdentityReader, None)],
    ids=["whole file", "identity"],
)
def test_readers_whose_work_items_are_records(
    files: list[str], reader: Any, content: bytes | None
) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        made = reader()
        key, value = made.read(queue_of_files(session, files))
        name = files[0].encode()
        assert session.run([key, value]) == [name, name if content is None else content]
        assert session.run(made.num_work_units_completed()) == 1


@pytest.mark.parametrize("first_version", [False, True])
def test_state_can_be_taken_and_put_back(files: list[str], first_version: bool) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        if first_version:
            reader = tf.ReaderBase(create("TextLineReader").outputs[0])
            queue = tf.FIFOQueue(10, [tf.string], shapes=[[]])
            ref = create("FIFOQueue", component_types=[tf.string], shapes=[[]]).outputs[0]
            queue = tf.QueueBase([tf.string], [[]], None, ref)
        else:
            reader = tf.TextLineReader()
            queue = tf.FIFOQueue(10, [tf.string], shapes=[[]])
        session.run(queue.enqueue_many([files]))
        _, value = reader.read(queue)
        assert [session.run(value) for _ in range(2)] == LINES[:2]
        state = session.run(reader.serialize_state())
        assert session.run(value) == LINES[2]
        session.run(reader.restore_state(state))
        assert session.run(value) == LINES[2]
        assert session.run(reader.num_records_produced()) == 3
        session.run(reader.reset())
        assert session.run(reader.num_records_produced()) == 0
        assert session.run(value) == LINES[3]
        with pytest.raises(tf.errors.InvalidArgumentError, match="Could not parse state"):
            session.run(reader.restore_state(b"\x09bogus"))
        with pytest.raises(tf.errors.InvalidArgumentError, match="Inconsistent state"):
            session.run(reader.restore_state(b"\x10\x02"))


def test_a_session_goes_back_to_where_a_reader_was(files: list[str]) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        queue = tf.FIFOQueue(10, [tf.string], shapes=[[]])
        session.run(queue.enqueue_many([files]))
        _, value = tf.TextLineReader().read(queue)
        before = [session.run(value) for _ in range(4)]
        snapshot = take_snapshot(session.state)
        after = [session.run(value) for _ in range(2)]
        restore_snapshot(session.state, snapshot)
        assert [session.run(value) for _ in range(2)] == after
        with tf.Session() as other:
            restore_snapshot(other.state, snapshot)
            assert [other.run(value) for _ in range(2)] == after
    assert before + after == LINES


def test_records_before_damage_come_first_and_the_error_stays(tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    content = bytearray(b"".join(records.framed(v) for v in (b"one", b"two", b"three")))
    content[-1] ^= 1
    path.write_bytes(content)
    with tf.Graph().as_default(), tf.Session() as session:
        reader = tf.TFRecordReader()
        _, values = reader.read_up_to(queue_of_files(session, [str(path)]), 10)
        assert session.run(values).tolist() == [b"one", b"two"]
        for _ in range(2):
            with pytest.raises(tf.errors.DataLossError, match="damaged: the record at byte 38"):
                session.run(values)


def test_readers_share_their_place_by_name(files: list[str]) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        queue = queue_of_files(session, files)
        handles = [create("TextLineReaderV2", shared_name="s").outputs[0] for _ in range(2)]
        values = [tf.ReaderBase(handle).read(queue)[1] for handle in handles]
        assert [session.run(value) for value in values] == LINES[:2]
        other = tf.ReaderBase(create("IdentityReaderV2", shared_name="s").outputs[0])
        with pytest.raises(tf.errors.InvalidArgumentError, match="is no IdentityReader"):
            session.run(other.read(queue))


def test_queues_of_numbers_name_no_files() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        _, value = tf.WholeFileReader().read(tf.FIFOQueue(1, [tf.int32], shapes=[[]]))
        with pytest.raises(tf.errors.InvalidArgumentError, match="single string component"):
            session.run(value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"record_bytes": 0}, "record_bytes must be > 0 not 0"),
        ({"record_bytes": 1, "header_bytes": -1}, "header_bytes must be >= 0 not -1"),
        ({"record_bytes": 1, "footer_bytes": -2}, "footer_bytes must be >= 0 not -2"),
        ({"record_bytes": 1, "hop_bytes": -3}, "hop_bytes must be >= 0 not -3"),
        ({"record_bytes": 1, "encoding": "LZMA"}, "must be one of '', 'ZLIB', 'GZIP'"),
    ],
)
def test_sizes_that_make_no_sense(arguments: dict[str, Any], message: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        reader = tf.FixedLengthRecordReader(**arguments)
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            session.run(reader.num_records_produced())


def test_work_taken_by_two_threads_at_once_is_all_read() -> None:
    reader = ReaderResource("IdentityReader", "r", formats.identities, is_single=True)

    def next_work() -> bytes:
        # Another thread gets a work item first, and asks for a record meanwhile.
        assert reader.read(lambda: b"second") == (b"second", b"second")
        return b"first"

    assert reader.read(next_work) == (b"first", b"first")
    assert (reader.started, reader.finished, reader.produced) == (2, 2, 2)
