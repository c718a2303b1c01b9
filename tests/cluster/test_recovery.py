"""How a training goes on whose chief, or one of whose replicas, was started again."""

from __future__ import annotations

import pytest

import workbench as tf

PS, WORKER = "/job:ps/task:0", "/job:worker/task:%d"


class Counting:
    """A training that counts its steps on a parameter server, and chiefs that begin it."""

    def __init__(self, target: str) -> None:
        self.target = target
        with tf.device(PS):
            self.step = tf.train.get_or_create_global_step()
            self.train = tf.assign_add(self.step, 1)
            self.saver = tf.train.Saver()
            self._init = tf.global_variables_initializer()
        with tf.device(WORKER % 0):
            # What a chief has for itself is gone with it.
            tf.Variable(0, collections=[tf.GraphKeys.LOCAL_VARIABLES])
            globals_ready = tf.report_uninitialized_variables(tf.global_variables())
            self._manager = tf.train.SessionManager(
                local_init_op=tf.local_variables_initializer(),
                ready_op=tf.report_uninitialized_variables(),
                ready_for_local_init_op=globals_ready,
            )

    def begin(self, folder: object, steps: int) -> int:
        """The step at which a chief begins, which takes some steps and is gone."""
        with self._manager.prepare_session(
            self.target, init_op=self._init, saver=self.saver, checkpoint_dir=str(folder)
        ) as session:
            begun = int(session.run(self.step))
            for _ in range(steps):
                session.run(self.train)
        return begun

    def save(self, folder: object) -> None:
        with tf.Session(self.target) as session:
            self.saver.save(session, f"{folder}/model.ckpt", global_step=self.step)


def test_a_chief_goes_on_where_the_variables_of_its_training_are(servers, tmp_path):
    target = servers["worker:0"].target
    own = servers["worker:0"].task.containers
    training = Counting(target)
    assert training.begin(tmp_path, 3) == 0
    training.save(tmp_path)
    own.reset([])
    assert training.begin(tmp_path, 2) == 3
    own.reset([])
    assert training.begin(tmp_path, 0) == 5
    tf.Session.reset(target)
    # The parameter server has forgotten them, as one does that is started again.
    assert training.begin(tmp_path, 0) == 3


def test_variables_of_another_training_are_replaced(servers, tmp_path):
    training = Counting(servers["worker:0"].target)
    training.begin(tmp_path / "one", 3)
    training.save(tmp_path / "one")
    training.begin(tmp_path / "one", 2)
    assert training.begin(tmp_path / "two", 9) == 0
    assert training.begin(tmp_path / "one", 0) == 3


def test_a_checkpoint_that_is_further_than_the_variables_is_restored(servers, tmp_path):
    training = Counting(servers["worker:0"].target)
    training.begin(tmp_path, 7)
    training.save(tmp_path)
    with tf.Session(training.target) as session:
        session.run(training.step.initializer)
    assert training.begin(tmp_path, 0) == 7


@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "sparse"])
def test_a_replica_that_is_started_again_gives_its_gradient_once(servers, is_sparse):
    with tf.device(PS):
        step = tf.train.get_or_create_global_step()
        weights = tf.Variable([0.0, 0.0])
        given = tf.placeholder(tf.float32, [])
    runs = []
    for task in range(2):
        with tf.device(WORKER % task):
            optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(1.0), 2)
            loss = -given * (tf.gather(weights, 0) if is_sparse else weights[0])
            optimizer.minimize(loss, global_step=step)
            gives = "SparseAccumulatorApplyGradient" if is_sparse else "AccumulatorApplyGradient"
            runs.append([op for op in step.graph.get_operations() if op.type == gives][-1])
    takes = optimizer.get_chief_queue_runner().enqueue_ops[0]
    with tf.Session(servers["worker:0"].target) as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        for task, value in [(0, 2.0), (0, 2.0), (1, 4.0)]:
            session.run(runs[task], {given: value})
        session.run(takes)
        assert session.run([weights, step])[0].tolist() == [3.0, 0.0]
