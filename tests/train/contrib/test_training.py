"""Training steps and loops of contrib and slim, on problems whose solution is known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.train.summary_io import FileWriterCache

slim = tf.contrib.slim
training = tf.contrib.training
optimize_loss = tf.contrib.layers.optimize_loss


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph
    FileWriterCache.clear()


def quadratic() -> tuple[Any, Any]:
    """A variable that starts at 4, and half its square: the gradient is the variable."""
    w = tf.get_variable("w", initializer=4.0)
    return w, 0.5 * w * w


def stepped(train: Any, *fetches: Any, steps: int = 1) -> list[float]:
    """What fetches are after so many steps."""
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(steps):
            session.run(train)
        return [float(value) for value in session.run(list(fetches))]


SGD = tf.train.GradientDescentOptimizer


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, 3.6),
        ({"clip_gradient_norm": 2.0}, 3.8),
        ({"gradient_multipliers": {"w": 0.5}}, 3.8),
        ({"gradient_multipliers": {"w": 10.0}, "clip_gradient_norm": 1.0}, 3.9),
    ],
)
def test_steps_of_slim(arguments: dict[str, Any], expected: float) -> None:
    w, loss = quadratic()
    train = slim.learning.create_train_op(loss, SGD(0.1), summarize_gradients=True, **arguments)
    assert tf.get_collection(tf.GraphKeys.TRAIN_OP)[-1] is train
    tags = [op.type for op in tf.get_default_graph().get_operations() if "Summary" in op.type]
    assert sorted(tags) == ["HistogramSummary", "ScalarSummary"]
    found, step = stepped(train, w, tf.train.get_global_step())
    assert found == pytest.approx(expected) and step == 1


def test_updates_run_first(caplog: pytest.LogCaptureFixture) -> None:
    w, loss = quadratic()
    count = tf.get_variable("count", initializer=0.0, trainable=False)
    tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_add(count, 1.0))
    train = training.create_train_op(loss, SGD(0.1), global_step=None)
    assert stepped(train, count, w, steps=2) == [2.0, pytest.approx(3.24)]
    training.create_train_op(loss, SGD(0.1), update_ops=[])
    assert "does not contain all the update_ops" in caplog.text


def test_a_loss_that_is_not_finite_is_an_error() -> None:
    w = tf.get_variable("w", initializer=0.0)
    train = training.create_train_op(tf.log(w), SGD(0.1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="LossTensor is inf or nan"):
        stepped(train)


def test_gradients_that_cannot_be_multiplied() -> None:
    w, _ = quadratic()
    for pairs, factors, message in (
        (((1.0, w),), {w: 2.0}, "grads_and_vars` must be a list"),
        ([(1.0, w)], {}, "is empty"),
        ([(1.0, w)], [2.0], "must be a dict"),
        ([(None, w)], {w: 2.0}, "multiple of `None` gradient"),
    ):
        with pytest.raises(ValueError, match=message):
            training.multiply_gradients(pairs, factors)


def test_gradients_of_rows() -> None:
    w = tf.get_variable("w", initializer=np.ones([3, 2], np.float32))
    loss = tf.reduce_sum(tf.gather(w, [0, 0, 2]) * 3.0)
    ((gradient, _),) = training.clip_gradient_norms(SGD(1.0).compute_gradients(loss), 0.5)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run(gradient.values)
    np.testing.assert_allclose(np.sqrt((values**2).sum()), 0.5, rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"optimizer": "SGD"}, 3.6),
        ({"optimizer": SGD}, 3.6),
        ({"optimizer": lambda rate: SGD(rate * 2.0)}, 3.2),
        ({"optimizer": SGD(0.5), "learning_rate": None}, 2.0),
        ({"optimizer": lambda: SGD(0.5), "learning_rate": None}, 2.0),
        ({"optimizer": "SGD", "clip_gradients": 1.0}, 3.9),
        ({"optimizer": "SGD", "clip_gradients": lambda pairs: [(g * 2, v) for g, v in pairs]}, 3.2),
        ({"optimizer": "SGD", "gradient_multipliers": {"w:0": 0.5}}, 3.8),
        ({"optimizer": "SGD", "learning_rate_decay_fn": lambda rate, step: rate * 3.0}, 2.8),
        ({"optimizer": "SGD", "gradient_noise_scale": 0.0}, 3.6),
    ],
)
def test_optimize_loss(arguments: dict[str, Any], expected: float) -> None:
    w, loss = quadratic()
    step = tf.train.get_or_create_global_step()
    train = optimize_loss(loss, step, **{"learning_rate": 0.1, **arguments})
    found, count = stepped(train, w, step)
    assert found == pytest.approx(expected) and count == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "Best"}, "Optimizer name should be one of"),
        ({"optimizer": 3}, "Unrecognized optimizer: should be string"),
        ({"optimizer": lambda rate: rate}, "function should return subclass of Optimizer"),
        ({"optimizer": "SGD", "learning_rate": None}, "Learning rate is None.*string"),
        ({"optimizer": "SGD", "learning_rate": "x"}, "should be 0d Tensor or float"),
        ({"optimizer": "SGD", "learning_rate": -1.0}, "Invalid learning_rate -1.0"),
        ({"optimizer": "SGD", "clip_gradients": "x"}, "Unknown type"),
        ({"optimizer": "SGD", "summaries": ["x"]}, "Summaries should be one of"),
    ],
)
def test_optimize_loss_checks_its_arguments(arguments: dict[str, Any], message: str) -> None:
    _, loss = quadratic()
    step = tf.train.get_or_create_global_step()
    with pytest.raises(ValueError, match=message):
        optimize_loss(loss, step, **{"learning_rate": 0.1, **arguments})


def test_summaries_of_optimize_loss() -> None:
    _, loss = quadratic()
    step = tf.train.get_or_create_global_step()
    optimize_loss(
        loss, step, 0.1, "SGD", clip_gradients=1.0, summaries=tf.contrib.layers.OPTIMIZER_SUMMARIES
    )
    found = tf.Summary.FromString(_values(tf.summary.merge_all())[0])
    tags = {value.tag.split("/", 1)[1]: value.simple_value for value in found.value}
    assert tags["loss"] == 8.0 and tags["global_norm/gradient_norm"] == 4.0
    assert tags["global_norm/clipped_gradient_norm"] == pytest.approx(1.0)
    assert {"gradients/w_0", "gradient_norm/w_0"} <= tags.keys()


def _values(*fetches: Any) -> list[Any]:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return list(session.run(list(fetches)))


def test_adaptive_clipping() -> None:
    w, _ = quadratic()
    clip = tf.contrib.layers.adaptive_clipping_fn(decay=0.0, static_max_norm=2.0)
    ((short, _), (none, _)) = clip([(tf.constant([3.0, 4.0]), w), (None, w)])
    assert none is None
    # It is usual there as yet: only the bound that does not move holds.
    np.testing.assert_allclose(_values(short)[0], [1.2, 1.6], rtol=1e-5)


def test_loops_end_and_go_on(tmp_path: Path) -> None:
    for last in (5, 8):
        with tf.Graph().as_default():
            w, loss = quadratic()
            train = slim.learning.create_train_op(loss, SGD(0.5))
            result = slim.learning.train(
                train,
                str(tmp_path),
                number_of_steps=last,
                log_every_n_steps=2,
                trace_every_n_steps=100,
            )
            assert w is not None
        assert result == pytest.approx(0.5 * (4.0 * 0.5 ** (last - 1)) ** 2)
        assert tf.train.load_variable(str(tmp_path), "global_step") == last
    assert "tf_trace-1.json" in os.listdir(tmp_path)


def test_loops_check_their_arguments() -> None:
    _, loss = quadratic()
    train = slim.learning.create_train_op(loss, SGD(0.5))
    for arguments, message in (
        ({"train_op": None, "logdir": "x"}, "train_op cannot be None"),
        ({"logdir": None, "saver": tf.train.Saver()}, "Cannot provide saver"),
        ({"logdir": None, "trace_every_n_steps": 3}, "Cannot provide trace_every_n_steps"),
        ({"logdir": "x", "number_of_steps": 0}, "must be either None or a positive"),
    ):
        with pytest.raises(ValueError, match=message):
            slim.learning.train(**{"train_op": train, **arguments})
    with pytest.raises(ValueError, match="logdir cannot be None"):
        training.train(train, None)


def test_loops_without_a_folder() -> None:
    _, loss = quadratic()
    train = slim.learning.create_train_op(loss, SGD(0.5))
    assert slim.learning.train(train, None, number_of_steps=2) == pytest.approx(2.0)


def test_monitored_loops(tmp_path: Path) -> None:
    _, loss = quadratic()
    train = training.create_train_op(loss, SGD(0.5))
    hooks = [tf.train.StopAtStepHook(num_steps=3)]
    assert training.train(train, str(tmp_path), hooks=hooks) == pytest.approx(0.5)
    assert tf.train.load_variable(str(tmp_path), "w") == pytest.approx(0.5)


def test_evaluation(tmp_path: Path) -> None:
    w, loss = quadratic()
    step = tf.train.get_or_create_global_step()
    saver = tf.train.Saver()
    with tf.Session() as session:
        session.run([w.assign(3.0), step.assign(7)])
        path = saver.save(session, str(tmp_path / "model"), step)
    batch = tf.get_variable(
        "batch", initializer=0.0, trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES]
    )
    mean, update = slim.metrics.streaming_mean(loss + tf.assign_add(batch, 1.0))
    tf.summary.scalar("mean", mean)
    # 4.5 + the mean of 1, 2, 3, 4.
    arguments = {"num_evals": 4, "eval_op": update, "final_op": mean}
    once = slim.evaluation.evaluate_once("", path, str(tmp_path / "logs"), **arguments)
    loop = slim.evaluation.evaluation_loop(
        "", str(tmp_path), str(tmp_path / "logs"), max_number_of_evaluations=1, **arguments
    )
    assert once == loop == pytest.approx(7.0)
    hooks = [training.StopAfterNEvalsHook(4)]
    plain = training.evaluate_once(path, eval_ops=update, final_ops={"mean": mean}, hooks=hooks)
    assert plain == {"mean": pytest.approx(7.0)}
    assert training.evaluate_once(path, final_ops=w) == 3.0
    FileWriterCache.clear()
    (events,) = (tmp_path / "logs").glob("events.out*")
    found = [
        (e.step, e.summary.value[0].simple_value)
        for e in tf.train.summary_iterator(str(events))
        if e.HasField("summary")
    ]
    assert found == [(7, 7.0), (7, 7.0)]


def test_waiting_for_checkpoints(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert training.wait_for_new_checkpoint(folder, timeout=0.0) is None
    asked: list[int] = []

    def give_up() -> bool:
        asked.append(1)
        return len(asked) > 1

    assert list(training.checkpoints_iterator(folder, timeout=0.0, timeout_fn=give_up)) == []
    assert len(asked) == 2


def test_losses_take_predictions_first() -> None:
    predictions = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    labels = tf.constant([[1.0, 0.0], [0.0, 4.0]])
    logits = tf.constant([[100.0, -100.0], [100.0, -100.0]])
    sparse = slim.losses.sparse_softmax_cross_entropy(logits, tf.constant([0, 1]))
    squared = slim.losses.mean_squared_error(predictions, labels, weights=[1.0, 0.0])
    total = slim.losses.get_total_loss()
    found = [float(value) for value in _values(sparse, squared, total)]
    assert found == pytest.approx([100.0, 2.0, 102.0])


def test_slim_has_what_networks_are_written_with() -> None:
    """A small network in the style of slim's own."""
    images = tf.ones([2, 8, 8, 3])
    with (
        slim.arg_scope(
            [slim.conv2d, slim.fully_connected],
            activation_fn=tf.nn.relu,
            weights_initializer=tf.truncated_normal_initializer(0.0, 0.01),
            weights_regularizer=slim.l2_regularizer(0.0005),
        ),
        tf.variable_scope("net", values=[images]) as scope,
        slim.arg_scope([slim.conv2d, slim.max_pool2d], outputs_collections="ends"),
    ):
        net = slim.repeat(images, 2, slim.conv2d, 4, [3, 3], scope="conv1")
        net = slim.max_pool2d(net, [2, 2], scope="pool1")
        net = slim.dropout(slim.flatten(net), 0.5, is_training=True, scope="dropout")
        logits = slim.fully_connected(net, 5, activation_fn=None, scope="logits")
    ends = slim.utils.convert_collection_to_dict("ends")
    assert list(ends) == ["net/conv1/conv1_1", "net/conv1/conv1_2", "net/pool1"]
    assert scope.name == "net" and logits.shape.as_list() == [2, 5]
    assert [v.op.name for v in slim.get_model_variables("net/logits")] == [
        "net/logits/weights",
        "net/logits/biases",
    ]
    assert len(slim.losses.get_regularization_losses()) == 3
    assert slim.model_analyzer.analyze_vars(slim.get_model_variables()) == (585, 2340)
