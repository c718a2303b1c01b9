"""`RecordInput`: records of many files in random order, without end."""

from __future__ import annotations

import random
import threading
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from workbench.core.errors import CancelledError, NotFoundError, OpError
from workbench.core.graph.context import name_scope
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.support import invalid
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare
from workbench.core.ops.reshaping import reshape
from workbench.core.ops.splitting import split
from workbench.core.platform.file_io import get_matching_files
from workbench.core.platform.python_io import TFRecordOptions
from workbench.core.records import read_records
from workbench.core.sync.attempts import Failed


class RecordSource:
    """The records of files: all of them in random order, then all again in another one.

    Args:
      pattern: the names of the files, with wildcards.
      seed: on this the order depends, and on nothing else.
      shift_ratio: by this part of their number the files are moved from epoch to epoch.
      buffer_size: among so many records the next one is chosen.
      parallelism: from so many files records are read in turn.
      compression: "", "ZLIB" or "GZIP".
    """

    def __init__(
        self,
        pattern: str,
        seed: int,
        shift_ratio: float,
        buffer_size: int,
        parallelism: int,
        compression: str,
    ) -> None:
        self._pattern = pattern
        self._seed = seed
        self._shift_ratio = shift_ratio
        self._buffer_size = buffer_size
        self._parallelism = parallelism
        self._compression = compression
        self._lock = threading.Lock()
        self._records = self._read()
        self._given = 0
        self._failure: Failed | None = None

    def next(self, count: int) -> list[bytes]:
        """The next records; once they cannot be read, the same error from then on."""
        with self._lock:
            if self._failure is not None:
                self._failure.result()
            try:
                taken = [next(self._records) for _ in range(count)]
            except OpError as error:
                self._failure = Failed(type(error), error.message)
                raise
            self._given += count
            return taken

    def close(self) -> None:
        """The session is over: closes the files that are open, and gives nothing more."""
        with self._lock:
            self._failure = Failed(CancelledError, "The session of the records is closed")
            self._records.close()

    def saved(self) -> dict[str, Any]:
        """How many records it has given."""
        with self._lock:
            return {"given": self._given}

    def restore(self, saved: dict[str, Any]) -> None:
        """Goes on as after so many records."""
        with self._lock:
            self._records.close()
            self._records = self._read()
            self._failure = None
            self._given = saved["given"]
            for _ in range(self._given):
                next(self._records)

    def _read(self) -> Generator[bytes, None, None]:
        chance = random.Random(self._seed)
        epoch = 0
        while True:
            files = sorted(get_matching_files(self._pattern))
            if not files:
                raise NotFoundError(None, None, f"No files match {self._pattern!r}")
            random.Random(self._seed).shuffle(files)
            shift = int(self._shift_ratio * len(files) * epoch) % len(files)
            found = False
            for record in self._shuffled(chance, files[shift:] + files[:shift]):
                found = True
                yield record
            if not found:
                raise NotFoundError(None, None, f"The files {self._pattern!r} hold no records")
            epoch += 1

    def _shuffled(self, chance: random.Random, files: list[str]) -> Generator[bytes, None, None]:
        """The records of files, each chosen from as many as the buffer holds."""
        buffer: list[bytes] = []
        for record in self._in_turn(files):
            buffer.append(record)
            if len(buffer) > self._buffer_size:
                yield _drawn(chance, buffer)
        while buffer:
            yield _drawn(chance, buffer)

    def _in_turn(self, files: list[str]) -> Iterator[bytes]:
        """The records of files, one of each of those that are open."""
        waiting = iter(files)
        reading: list[Iterator[bytes]] = []
        while True:
            for file in waiting:
                reading.append(read_records(file, self._compression))
                if len(reading) >= self._parallelism:
                    break
            if not reading:
                return
            for records in list(reading):
                record = next(records, None)
                if record is None:
                    reading.remove(records)
                else:
                    yield record


def _drawn(chance: random.Random, buffer: list[bytes]) -> bytes:
    place = chance.randrange(len(buffer))
    buffer[place], buffer[-1] = buffer[-1], buffer[place]
    return buffer.pop()


def _record_input(
    *,
    file_pattern: str,
    file_random_seed: int,
    file_shuffle_shift_ratio: float,
    file_buffer_size: int,
    file_parallelism: int,
    batch_size: int,
    compression_type: str,
    context: Any,
) -> Any:
    for what, value in (
        ("file_buffer_size", file_buffer_size),
        ("file_parallelism", file_parallelism),
        ("batch_size", batch_size),
    ):
        if value < 1:
            raise invalid(f"{what} must be positive, but it is {value}")
    source: RecordSource = context.resource(
        lambda: RecordSource(
            file_pattern,
            file_random_seed,
            file_shuffle_shift_ratio,
            file_buffer_size,
            file_parallelism,
            compression_type,
        )
    )
    return np.array(source.next(batch_size), object)


def _batch(op: Any) -> list[Entries]:
    return [(op.attrs["batch_size"],)]


declare(
    "RecordInput",
    outputs="records: string",
    attrs=(
        "file_pattern: string, file_random_seed: int = 301, file_shuffle_shift_ratio: float = 0, "
        "file_buffer_size: int = 10000, file_parallelism: int = 16, batch_size: int = 32, "
        "compression_type: string = ''"
    ),
    shape=_batch,
    kernel=_record_input,
    stateful=True,
    expensive=True,
)


class RecordInput:
    """Records of many files in random order, a batch at each step, without end.

    Args:
      file_pattern: the names of the files, with wildcards.
      batch_size: how many records a batch has.
      buffer_size: among so many records the next one is chosen.
      parallelism: from so many files records are read in turn.
      shift_ratio: by this part of their number the files are moved from epoch to epoch.
      seed: on this the order depends, and on nothing else.
      name: the name of the operation.
      batches: how many batches a step gives; None for one.
      compression_type: None, or a name or number of `tf.python_io.TFRecordCompressionType`.
    """

    def __init__(
        self,
        file_pattern: str,
        batch_size: int = 1,
        buffer_size: int = 1,
        parallelism: int = 1,
        shift_ratio: float = 0,
        seed: int = 0,
        name: str | None = None,
        batches: int | None = None,
        compression_type: Any = None,
    ) -> None:
        self._size = batch_size
        self._batches = batches
        self._name = name
        self._arguments = {
            "file_pattern": file_pattern,
            "file_buffer_size": buffer_size,
            "file_parallelism": parallelism,
            "file_shuffle_shift_ratio": shift_ratio,
            "batch_size": batch_size * (batches or 1),
            "file_random_seed": seed,
            "compression_type": TFRecordOptions.get_compression_type_string(compression_type),
        }

    def get_yield_op(self) -> Any:
        """The records of a step: a vector of strings; or for each batch a list of scalars."""
        records: Tensor = call("RecordInput", self._name, **self._arguments)
        if self._batches is None:
            return records
        with name_scope(self._name, "RecordInput", [records]):
            parts = split(records, self._size * self._batches)
            scalars = [reshape(part, []) for part in parts]
        return [scalars[i :: self._batches] for i in range(self._batches)]
