"""Checkpoints of what lies on several tasks: each writes its part, any arrangement reads them."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as tf
from tests.cluster.servers import near

SAVED = {"a": [1.0, 2.0], "b": [3.0], "table": np.arange(12.0).reshape(6, 2)}


@pytest.fixture(scope="module")
def servers():
    with near(ps=3, worker=1) as found:
        yield found


def build(tasks: int, parts: int) -> tuple[dict[str, tf.Tensor], tf.train.Saver]:
    """Variables in turns on so many tasks, one of them in so many parts; and what saves them."""
    with tf.device(tf.train.replica_device_setter(ps_tasks=tasks)):
        a = tf.get_variable("a", initializer=np.zeros(2, np.float32))
        b = tf.get_variable("b", initializer=np.zeros(1, np.float32))
        partitioner = tf.fixed_size_partitioner(parts) if parts > 1 else None
        table = tf.get_variable("table", [6, 2], partitioner=partitioner)
        values = {"a": a + 0.0, "b": b + 0.0, "table": tf.convert_to_tensor(table) + 0.0}
        return values, tf.train.Saver(sharded=True)


def test_a_checkpoint_of_three_tasks_is_restored_in_other_arrangements(servers, tmp_path):
    with tf.Graph().as_default():
        _, saver = build(3, parts=2)
        variables = tf.global_variables()
        flat = {"a": SAVED["a"], "b": SAVED["b"]}
        flat |= {f"table/part_{i}": SAVED["table"][3 * i : 3 * i + 3] for i in (0, 1)}
        metadata = tf.RunMetadata()
        with tf.Session(servers["worker:0"].target) as session:
            for variable in variables:
                variable.load(flat[variable.op.name], session)
            prefix = saver.save(session, str(tmp_path / "model"), global_step=4)
            # The operation that the saver runs, once more, to see who does what.
            session.run(
                saver.saver_def.save_tensor_name,
                {saver.saver_def.filename_tensor_name: str(tmp_path / "traced")},
                options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE),
                run_metadata=metadata,
            )
        held = {int(v.device[-1]) for v in variables}
    writers = {
        device.device
        for device in metadata.step_stats.dev_stats
        for stats in device.node_stats
        if "SaveV2" in stats.node_name
    }
    assert held == {0, 1, 2}
    assert writers == {f"/job:ps/replica:0/task:{i}/device:CPU:0" for i in range(3)}
    assert sorted(p.name for p in tmp_path.iterdir() if "temp" in p.name) == []
    for tasks, parts, target in [(1, 1, "worker:0"), (2, 3, "ps:1"), (0, 2, None)]:
        with tf.Graph().as_default():
            values, saver = build(tasks, parts)
            with tf.Session(servers[target].target if target else "") as session:
                saver.restore(session, prefix)
                found = session.run(values)
        assert {k: v.tolist() for k, v in found.items()} == {
            k: np.asarray(v).tolist() for k, v in SAVED.items()
        }
