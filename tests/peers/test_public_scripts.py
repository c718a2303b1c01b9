"""Public TensorFlow-1 scripts, unchanged, with the workbench in TensorFlow's place.

    WORKBENCH_CORPORA=FOLDER WORKBENCH_MNIST=FOLDER pytest -m peers tests/peers

The folder of scripts may have a `demanded.txt` that lists those to run; WORKBENCH_TENSORFLOW, the
interpreter of an environment with TensorFlow, lets scripts without random numbers be compared.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.peers import run_scripts

pytestmark = [pytest.mark.peers, pytest.mark.timeout(700)]

TIMEOUT = float(os.environ.get("WORKBENCH_PEERS_TIMEOUT", "300"))
# Scripts that draw no random numbers, by the end of their paths, and how far their numbers may be
# from TensorFlow's.
DETERMINISTIC = {
    "1_Introduction/helloworld.py": 0.0,
    "1_Introduction/basic_operations.py": 0.0,
    "2_BasicModels/nearest_neighbor.py": 0.0,
    "2_BasicModels/logistic_regression.py": 1e-3,
    "4_Utils/tensorboard_basic.py": 1e-3,
    "mnist/mnist_softmax.py": 2e-3,
    "high_level_APIs/mnist_simple.py": 2e-3,
}


def corpus() -> list[Path]:
    """The scripts to run, or none where no folder is named."""
    if "WORKBENCH_CORPORA" not in os.environ:
        return []
    folder = Path(os.environ["WORKBENCH_CORPORA"])
    listed = folder / "demanded.txt"
    return run_scripts.scripts_in([listed if listed.exists() else folder])


SCRIPTS = corpus()


def short_name(script: Path) -> str:
    """The end of the path, which tells the scripts apart."""
    return "/".join(script.parts[-3:])


@pytest.mark.skipif(not SCRIPTS, reason="set WORKBENCH_CORPORA to a folder of public scripts")
def test_there_are_scripts() -> None:
    assert all(script.is_file() for script in SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS, ids=short_name)
def test_runs_unchanged(script: Path) -> None:
    result = run_scripts.run(script, "workbench", timeout=TIMEOUT, short=True, seed=1)
    assert result.outcome in ("ok", "ran"), result.error


@pytest.mark.skipif(
    "WORKBENCH_TENSORFLOW" not in os.environ,
    reason="set WORKBENCH_TENSORFLOW to the interpreter of an environment with TensorFlow",
)
@pytest.mark.parametrize(
    ("script", "tolerance"),
    [
        pytest.param(script, tolerance, id=short_name(script))
        for script in SCRIPTS
        for ending, tolerance in DETERMINISTIC.items()
        if str(script).endswith(ending)
    ],
)
def test_prints_what_tensorflow_prints(script: Path, tolerance: float) -> None:
    ours = run_scripts.run(script, "workbench", timeout=TIMEOUT, short=True, seed=1)
    theirs = run_scripts.run(
        script,
        "tensorflow",
        os.environ["WORKBENCH_TENSORFLOW"],
        timeout=TIMEOUT,
        short=True,
        seed=1,
    )
    assert (ours.outcome, theirs.outcome) == ("ok", "ok"), ours.error or theirs.error
    compared = run_scripts.compare(ours.output, theirs.output)
    assert compared.same_lines == compared.lines
    assert (compared.largest_difference or 0.0) <= tolerance
