"""Records of many files in random order."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

import workbench as tf
from workbench.core.ops.queues.record_input import RecordInput, RecordSource


@pytest.fixture
def pattern(tmp_path: Path) -> str:
    for number in range(3):
        path = tmp_path / f"records.{number}"
        with tf.python_io.TFRecordWriter(str(path)) as writer:
            for record in range(4):
                writer.write(f"{number}-{record}".encode())
    return str(tmp_path / "records.*")


ALL = sorted(f"{number}-{record}".encode() for number in range(3) for record in range(4))


def source(pattern: str, seed: int = 1, **settings: Any) -> RecordSource:
    chosen = {"shift_ratio": 0.0, "buffer_size": 5, "parallelism": 2, "compression": ""}
    return RecordSource(pattern, seed, **{**chosen, **settings})


def test_each_epoch_has_each_record_once(pattern: str) -> None:
    records = source(pattern)
    epochs = [records.next(12) for _ in range(3)]
    assert [sorted(epoch) for epoch in epochs] == [ALL] * 3
    assert epochs[0] != epochs[1]


def test_order_depends_on_the_seed_alone(pattern: str) -> None:
    assert source(pattern).next(30) == source(pattern).next(30)
    assert source(pattern).next(12) != source(pattern, seed=2).next(12)


def test_one_file_after_the_other_without_a_buffer_or_company(pattern: str) -> None:
    found = source(pattern, parallelism=1, buffer_size=1).next(12)
    files = [record[0] for record in found]
    # With one record of delay, at most one of the next file comes early.
    assert len({bytes([f]) for f in files[:3]}) <= 2


def test_state_goes_back(pattern: str) -> None:
    records = source(pattern)
    records.next(7)
    saved = records.saved()
    following = records.next(10)
    records.restore(saved)
    assert records.next(10) == following


def test_no_files_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(tf.errors.NotFoundError, match="No files match"):
        source(str(tmp_path / "nothing")).next(1)


def test_damage_stays_an_error_and_nothing_stays_open(pattern: str) -> None:
    path = Path(pattern.replace("*", "1"))
    path.write_bytes(path.read_bytes()[:-1])
    records = source(pattern, buffer_size=1)
    found = []
    with pytest.raises(tf.errors.DataLossError, match="records.1.*is truncated"):
        while True:
            found += records.next(1)
    assert len(found) == len(set(found)) < 12
    for _ in range(2):
        with pytest.raises(tf.errors.DataLossError, match="records.1.*is truncated"):
            records.next(1)
    records.restore({"given": 2})
    assert records.next(1) == found[2:3]


def test_closing_the_session_closes_the_files(pattern: str) -> None:
    with tf.Graph().as_default():
        records = RecordInput(pattern, seed=3).get_yield_op()
        with tf.Session() as session:
            session.run(records)
            (made,) = session.state.resources.values()
    with pytest.raises(tf.errors.CancelledError, match="session of the records is closed"):
        made.next(1)
    # A file that is let go while it is open would be a ResourceWarning, which is an error here.
    gc.collect()


def test_operation_gives_batches(pattern: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        whole = RecordInput(pattern, batch_size=12, seed=3).get_yield_op()
        assert whole.shape.as_list() == [12]
        assert sorted(session.run(whole)) == ALL
        batches = RecordInput(pattern, batch_size=4, batches=3, seed=3, name="in").get_yield_op()
        assert [len(batch) for batch in batches] == [4, 4, 4]
        found = session.run(batches)
        assert sorted(record for batch in found for record in batch) == ALL
