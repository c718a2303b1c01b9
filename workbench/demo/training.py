"""`workbench demo`: trains a network on handwritten digits and keeps all of the run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import workbench as tf
from workbench.core.files import atomic_write
from workbench.demo.data import load_digits
from workbench.demo.model import Model, build
from workbench.demo.progress import ProgressBar

BATCH = 64
#: A checkpoint is written this often, so that a kill loses no more steps than that.
CHECKPOINT_STEPS = 50
SUMMARY_STEPS = 10
INTERRUPTED = 130


class Interruption:
    """Whether Ctrl-C was pressed: the loop looks between two steps."""

    def __init__(self) -> None:
        self.requested = False

    @contextlib.contextmanager
    def watching(self) -> Iterator[Interruption]:
        """A scope in which Ctrl-C is a request, not an exception."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return

        def request(number: int, frame: Any) -> None:
            self.requested = True

        previous = signal.signal(signal.SIGINT, request)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, previous)


def batches(count: int, epochs: int, seed: int, start: int) -> Iterator[np.ndarray[Any, Any]]:
    """The rows of each step's batch from step `start` on; the order depends on the seed alone."""
    step = 0
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(count)
        for first in range(0, count - BATCH + 1, BATCH):
            if step >= start:
                yield order[first : first + BATCH]
            step += 1


def train(folder: str | None, epochs: int, seed: int, resume: bool = False) -> int:
    """Trains, evaluates, and checks the checkpoint; returns the command's exit status."""
    if epochs < 1:
        print(f"--epochs must be at least 1, got {epochs}", file=sys.stderr)
        return 2
    folder = folder or os.path.join("runs", time.strftime("digits-%Y%m%d-%H%M%S"))
    with Interruption().watching() as interruption, tf.Graph().as_default():
        status = _train(folder, epochs, seed, resume, interruption)
    if status:
        return status
    return _check_in_fresh_process(folder)


def _train(folder: str, epochs: int, seed: int, resume: bool, interruption: Interruption) -> int:
    train_images, train_labels, test_images, test_labels = load_digits()
    steps = epochs * (len(train_images) // BATCH)
    tf.set_random_seed(seed)
    model = build(steps)
    tf.summary.scalar("loss", model.loss)
    tf.summary.scalar("accuracy", model.accuracy)
    tf.summary.scalar("learning_rate", model.learning_rate)
    summaries = tf.summary.merge_all()
    saver = tf.train.Saver(max_to_keep=3)
    checkpoints = os.path.join(folder, "checkpoints")
    prefix = os.path.join(checkpoints, "model")
    with tf.Session() as session:
        newest = tf.train.latest_checkpoint(checkpoints) if resume else None
        if newest:
            saver.restore(session, newest)
        else:
            session.run(tf.global_variables_initializer())
            tf.gfile.MakeDirs(checkpoints)
            tf.train.write_graph(session.graph, folder, "graph.pb", as_text=False)
            saver.save(session, prefix, global_step=model.step)
        start = int(session.run(model.step))
        _write_record(folder, seed, epochs, start, "running")
        bar = ProgressBar(steps, start)
        print(f"training a convolutional network on {len(train_images)} digits -> {folder}")
        started = time.monotonic()
        with tf.summary.FileWriter(folder, session.graph) as writer:
            done = start
            for rows in batches(len(train_images), epochs, seed, start):
                if interruption.requested:
                    break
                done, loss = _step(
                    session, model, summaries, writer, train_images[rows], train_labels[rows]
                )
                if done % CHECKPOINT_STEPS == 0:
                    saver.save(session, prefix, global_step=model.step)
                bar.show(done, loss=loss)
        bar.close()
        saver.save(session, prefix, global_step=model.step)
        if interruption.requested:
            _write_record(folder, seed, epochs, done, "stopped")
            print(f"stopped at step {done}: the checkpoint is in {checkpoints}")
            print(f"go on with: workbench demo --resume --epochs {epochs} --folder {folder}")
            return INTERRUPTED
        accuracy, predictions = session.run(
            [model.accuracy, model.predictions],
            {model.images: test_images, model.labels: test_labels},
        )
    _write_record(folder, seed, epochs, done, "done", float(accuracy), predictions.tolist())
    elapsed = time.monotonic() - started
    print(f"held-out accuracy {accuracy:.4f} on {len(test_images)} digits after {elapsed:.1f} s")
    return 0


def _step(
    session: Any,
    model: Model,
    summaries: Any,
    writer: Any,
    images: np.ndarray[Any, Any],
    labels: np.ndarray[Any, Any],
) -> tuple[int, float]:
    """One training step; returns how many steps are done, and the loss."""
    feeds = {model.images: images, model.labels: labels, model.keep_probability: 0.5}
    loss, before, _ = session.run([model.loss, model.step, model.train], feeds)
    done = int(before) + 1
    if done % SUMMARY_STEPS == 0:
        writer.add_summary(session.run(summaries, {**feeds, model.keep_probability: 1.0}), done)
    return done, float(loss)


def _write_record(
    folder: str,
    seed: int,
    epochs: int,
    step: int,
    state: str,
    accuracy: float | None = None,
    predictions: list[int] | None = None,
) -> None:
    """The run's record, run.json."""
    record = {
        "name": "digits",
        "state": state,
        "step": step,
        "seed": seed,
        "epochs": epochs,
        "held_out_accuracy": accuracy,
        "held_out_predictions": predictions,
    }
    atomic_write(os.path.join(folder, "run.json"), json.dumps(record, indent=1).encode())


def _check_in_fresh_process(folder: str) -> int:
    """Loads the checkpoint in a new interpreter and compares what it predicts."""
    with open(os.path.join(folder, "run.json"), encoding="utf-8") as file:
        expected = json.load(file)["held_out_predictions"]
    with tempfile.TemporaryDirectory() as scratch:
        output = os.path.join(scratch, "predictions.json")
        command = [sys.executable, "-m", "workbench.cli", "demo-predict", folder]
        done = subprocess.run(
            [*command, "--output", output], capture_output=True, text=True, timeout=120
        )
        if done.returncode:
            print(f"the checkpoint could not be loaded in a fresh process:\n{done.stderr}")
            return 1
        with open(output, encoding="utf-8") as file:
            restored = json.load(file)
    if restored != expected:
        print("the checkpoint predicts otherwise in a fresh process")
        return 1
    print(f"restored in a fresh process: all {len(restored)} predictions are the same")
    return 0
