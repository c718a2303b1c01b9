"""Messages: levels, counting by line, and where they come out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from workbench.core.platform import logging


@pytest.fixture(autouse=True)
def verbosity() -> Iterator[None]:
    before = logging.get_logger().level
    yield
    logging.get_logger().setLevel(before)


def test_levels(caplog: pytest.LogCaptureFixture) -> None:
    logging.set_verbosity(logging.INFO)
    assert logging.get_verbosity() == logging.INFO
    logging.debug("unseen")
    logging.info("step %d", 3)
    logging.warn("a")
    logging.warning("b")
    logging.error("c")
    logging.fatal("d")
    logging.log(logging.INFO, "e %s", "f")
    logging.vlog(logging.DEBUG, "unseen")
    logging.TaskLevelStatusMessage("g")
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [
        (logging.INFO, "step 3"),
        (logging.WARN, "a"),
        (logging.WARN, "b"),
        (logging.ERROR, "c"),
        (logging.FATAL, "d"),
        (logging.INFO, "e f"),
        (logging.ERROR, "g"),
    ]
    assert {r.filename for r in caplog.records} == {"test_logging.py"}
    logging.flush()


def test_counting_is_by_line(caplog: pytest.LogCaptureFixture) -> None:
    logging.set_verbosity(logging.INFO)
    for index in range(7):
        logging.log_every_n(logging.INFO, "every %d", 3, index)
        logging.log_first_n(logging.INFO, "first %d", 2, index)
        logging.log_if(logging.INFO, "if %d", index == 5, index)
    assert [r.getMessage() for r in caplog.records] == [
        "every 0",
        "first 0",
        "first 1",
        "every 3",
        "if 5",
        "every 6",
    ]
    assert {r.filename for r in caplog.records} == {"test_logging.py"}


@pytest.mark.parametrize(
    ("setup", "expected"),
    [
        ("", "WARNING:workbench:careful\n"),
        ("logging.basicConfig(format='mine %(message)s')", "mine careful\n"),
    ],
)
def test_standard_error_unless_the_program_logs_elsewhere(setup: str, expected: str) -> None:
    code = (
        "import logging\n"
        "from workbench.core.platform import logging as messages\n"
        "messages.info('unseen')\n"
        f"{setup}\n"
        "messages.warning('careful')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", expected)
