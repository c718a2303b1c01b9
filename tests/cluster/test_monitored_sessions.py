"""`MonitoredTrainingSession` on servers: the chief initialises and writes, others wait for it."""

from __future__ import annotations

import threading

import pytest

import workbench as tf


def build(index: int, steps: int) -> dict[str, object]:
    """A training on a worker, and what its session needs."""
    with tf.device(tf.train.replica_device_setter(1, worker_device=f"/job:worker/task:{index}")):
        step = tf.train.get_or_create_global_step()
        weight = tf.get_variable("weight", [], initializer=tf.constant_initializer(4.0))
        loss = tf.square(weight)
        tf.summary.scalar("loss", loss)
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
    return {"train": train, "hooks": [tf.train.StopAtStepHook(last_step=steps)]}


def events_of(folder) -> list:
    """What was written to the events' files of a folder."""
    paths = sorted(folder.glob("*tfevents*"))
    return [event for path in paths for event in tf.train.summary_iterator(str(path))]


@pytest.mark.filterwarnings("ignore:.*global step.*")
def test_the_chief_alone_writes_summaries_and_checkpoints(servers, tmp_path):
    taken = [0, 0]

    def work(index: int) -> None:
        folder = str(tmp_path / f"worker_{index}")
        with tf.Graph().as_default():
            built = build(index, 30)
            with tf.train.MonitoredTrainingSession(
                servers[f"worker:{index}"].target,
                is_chief=index == 0,
                checkpoint_dir=folder,
                hooks=built["hooks"],
                save_summaries_steps=5,
                save_checkpoint_secs=600,
                log_step_count_steps=10,
            ) as session:
                while not session.should_stop():
                    session.run(built["train"])
                    taken[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in (1, 0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert sum(taken) >= 30
    assert not (tmp_path / "worker_1").exists()
    events = events_of(tmp_path / "worker_0")
    losses = [v.simple_value for e in events for v in e.summary.value if v.tag == "loss"]
    assert losses and losses[0] <= 16.0 and losses == sorted(losses, reverse=True)
    prefix = tf.train.latest_checkpoint(str(tmp_path / "worker_0"))
    assert tf.train.NewCheckpointReader(prefix).get_tensor("global_step") >= 30
