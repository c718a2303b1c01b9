"""A training whose checkpoints fill the disk: it ends with an error that says so, and goes on from
its last whole checkpoint when there is room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench as tf
from tests.chaos.disks import mount, small_disk

pytestmark = pytest.mark.chaos
SIZE = 100_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    with small_disk(tmp_path / "disk", "2m") as folder:
        yield folder


class Growing:
    """A training with checkpoints of 0.4 MB, all of which are kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.step = tf.train.get_or_create_global_step()
        self.weights = tf.Variable(tf.zeros([SIZE]))
        counted = tf.assign_add(self.step, 1)
        self.train = tf.group(counted, self.weights.assign_add(tf.ones([SIZE])))
        self.saver = tf.train.Saver(max_to_keep=None)

    def run(self, last: int) -> None:
        hooks = [
            tf.train.StopAtStepHook(last_step=last),
            tf.train.CheckpointSaverHook(self.folder, save_steps=2, saver=self.saver),
        ]
        with tf.train.MonitoredTrainingSession(
            checkpoint_dir=self.folder,
            scaffold=tf.train.Scaffold(saver=self.saver),
            save_checkpoint_secs=None,
            hooks=hooks,
        ) as session:
            while not session.should_stop():
                session.run(self.train)

    def saved(self) -> tuple[int, float, float]:
        """The step of the last checkpoint, and the least and largest of its weights."""
        with tf.Session() as session:
            self.saver.restore(session, tf.train.latest_checkpoint(self.folder))
            step, weights = session.run([self.step, self.weights])
        return int(step), float(weights.min()), float(weights.max())


def test_a_full_disk_is_told_and_leaves_the_last_checkpoint(disk: Path) -> None:
    training = Growing(disk)
    with pytest.raises(tf.errors.ResourceExhaustedError, match="No space left on device"):
        training.run(1000)
    step, least, most = training.saved()
    assert 1 < step < 20 and least == most == step
    assert not list(disk.glob(".*.partial"))
    mount("-o", "remount,size=20m", str(disk))
    training.run(step + 10)
    assert training.saved() == (step + 10,) * 3
