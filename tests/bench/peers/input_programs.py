"""An input pipeline of images, in the interpreter of an engine: `input_programs.py ENGINE KIND N`.

KIND is "queues" or "datasets", N the number of threads that decode. It reads TFRecord files of JPEG
images, decodes and augments them, and prints how many examples a second came, and how busy the
processor was with it.
"""

from __future__ import annotations

import glob
import importlib
import io
import json
import os
import sys
import time
import warnings
from typing import Any

import numpy as np

BATCH = 32
IMAGES, FILES = 256, 4


def engine_module(engine: str) -> Any:
    """TensorFlow 1's names."""
    if engine == "workbench":
        return importlib.import_module("workbench")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    tf = importlib.import_module("tensorflow.compat.v1")
    tf.disable_v2_behavior()
    tf.logging.set_verbosity(tf.logging.ERROR)
    return tf


def write_files(tf: Any, folder: str) -> None:
    """Images of coarse noise: about as hard to decode as photographs of their size."""
    from PIL import Image

    random = np.random.default_rng(0)
    for number in range(FILES):
        with tf.python_io.TFRecordWriter(os.path.join(folder, f"{number}.tfrecords")) as writer:
            for label in range(IMAGES // FILES):
                coarse = random.integers(0, 256, (24, 32, 3), np.uint8)
                image = Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC)
                file = io.BytesIO()
                image.save(file, "JPEG", quality=90)
                content = tf.train.BytesList(value=[file.getvalue()])
                features = {
                    "image": tf.train.Feature(bytes_list=content),
                    "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())


def augmented(tf: Any, serialized: Any) -> tuple[Any, Any]:
    """An image of 128 by 128, cropped, flipped and brightened at random, and its label."""
    features = tf.parse_single_example(
        serialized,
        {
            "image": tf.FixedLenFeature([], tf.string),
            "label": tf.FixedLenFeature([], tf.int64),
        },
    )
    image = tf.image.decode_jpeg(features["image"], channels=3)
    image = tf.random_crop(image, [200, 200, 3])
    image = tf.image.random_flip_left_right(image)
    image = tf.image.convert_image_dtype(image, tf.float32)
    image = tf.image.random_brightness(image, 0.2)
    image = tf.image.resize_images(image, [128, 128])
    image.set_shape([128, 128, 3])
    return image, features["label"]


def queues(tf: Any, files: list[str], threads: int) -> Any:
    """Batches by way of queues."""
    names = tf.train.string_input_producer(files)
    _, serialized = tf.TFRecordReader().read(names)
    image, label = augmented(tf, serialized)
    return tf.train.shuffle_batch(
        [image, label], BATCH, 4 * BATCH, min_after_dequeue=BATCH, num_threads=threads
    )


def datasets(tf: Any, files: list[str], threads: int) -> Any:
    """Batches of a dataset."""
    dataset = tf.data.TFRecordDataset(files).repeat()
    dataset = dataset.map(lambda s: augmented(tf, s), num_parallel_calls=threads)
    dataset = dataset.batch(BATCH).prefetch(2)
    return (
        tf.data.make_one_shot_iterator(dataset).get_next()
        if hasattr(tf.data, "make_one_shot_iterator")
        else dataset.make_one_shot_iterator().get_next()
    )


def waited_seconds() -> float:
    """How long the threads of this process waited for a processor, where the system tells."""
    total = 0
    for path in glob.glob("/proc/self/task/*/schedstat"):
        try:
            with open(path, encoding="ascii") as file:
                total += int(file.read().split()[1])
        except (OSError, IndexError, ValueError):
            continue
    return total / 1e9


def measure(tf: Any, batch: Any, seconds: float) -> dict[str, float]:
    """Examples a second, processors busy, and processors that there was work for."""
    with tf.Session() as session:
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        for _ in range(6):
            session.run(batch)
        began, busy, waited = time.perf_counter(), time.process_time(), waited_seconds()
        count = 0
        while time.perf_counter() - began < seconds:
            count += len(session.run(batch)[1])
        elapsed = time.perf_counter() - began
        used = time.process_time() - busy
        wanted = used + waited_seconds() - waited
        coordinator.request_stop()
        coordinator.join(threads)
    return {"rate": count / elapsed, "busy": used / elapsed, "wanted": wanted / elapsed}


def main() -> None:
    """The command line."""
    engine, kind, threads, folder, seconds = sys.argv[1:]
    warnings.simplefilter("ignore")
    tf = engine_module(engine)
    files = sorted(glob.glob(os.path.join(folder, "*.tfrecords")))
    build = queues if kind == "queues" else datasets
    print(json.dumps(measure(tf, build(tf, files, int(threads)), float(seconds))))


if __name__ == "__main__":
    main()
