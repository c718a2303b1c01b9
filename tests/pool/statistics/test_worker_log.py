"""What a worker prints and logs is kept, and shown as before."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import pytest

from workbench.pool.statistics import worker_log
from workbench.pool.statistics.worker_log import KEPT_LINES, Recording, WorkerLog


def test_an_earlier_process_has_left_its_lines(tmp_path: Path) -> None:
    first = WorkerLog(tmp_path)
    first.write("one\ntwo\nhalf")
    first.close()
    second = WorkerLog(tmp_path)
    second.write("three\n")
    assert second.since(0) == (0, ["one", "two", "three"])
    second.close()


def test_keeps_the_newest_lines_alone(tmp_path: Path) -> None:
    log = WorkerLog(tmp_path)
    log.write("".join(f"line {n}\n" for n in range(KEPT_LINES + 5)))
    first, lines = log.since(0)
    assert (first, lines[0], len(lines)) == (5, "line 5", KEPT_LINES)
    assert log.since(KEPT_LINES + 4) == (KEPT_LINES + 4, [f"line {KEPT_LINES + 4}"])
    assert log.since(10**9) == (KEPT_LINES + 5, [])
    log.close()


def test_its_files_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_log, "_FILE_BYTES", 1000)
    log = WorkerLog(tmp_path)
    for _ in range(100):
        log.write("x" * 99 + "\n")
    log.write("endless" * 10_000)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"log.txt", "log.earlier.txt"}
    assert max(sizes.values()) <= 1000 + worker_log._LINE_CHARACTERS + 1
    assert max(map(len, log.since(0)[1])) <= worker_log._LINE_CHARACTERS
    log.close()


def test_a_full_disk_does_not_stop_the_worker(tmp_path: Path) -> None:
    log = WorkerLog(tmp_path)

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    assert log._file is not None
    log._file.close()
    log._file = Full()
    log.write("one\n")
    log.write("two\n")
    assert log.since(0) == (0, ["one", "two"])
    log.close()


def test_prints_and_logs_go_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    logger = logging.getLogger("tests.worker_log")
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    logger.propagate = False
    try:
        recording = Recording(WorkerLog(tmp_path))
        print("printed")
        logger.warning("logged")
        recording.close()
        print("later")
        logger.warning("later")
        assert recording.log.since(0) == (0, ["printed", "logged"])
        assert out.getvalue() == "printed\nlater\n" and err.getvalue() == "logged\nlater\n"
        assert sys.stdout is out and sys.stderr is err and handler.stream is err
        assert (tmp_path / "log.txt").read_text() == "printed\nlogged\n"
    finally:
        logger.removeHandler(handler)
