"""The harness itself, tried with a small engine that is made here."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.peers import mnist_reader, run_scripts, run_unit_tests, stand_ins
from tests.peers.support import summary

ENGINE = """
import types

class Graph: pass
class Variable: pass
float32 = "float32"
nn = types.ModuleType("nn")
nn.relu = lambda value: max(value, 0)
test = types.ModuleType("test")

def get_seed(seed): return (None, None) if seed is None else (87654321, seed)
contrib = types.ModuleType("contrib")
contrib.lookup = types.ModuleType("lookup")
def reset_default_graph(): pass
def set_random_seed(seed): pass
def add(a, b): return a + b
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that is a very small engine."""
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines" / "small_engine.py").write_text(ENGINE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "engines"))
    return "small_engine"


def write_digits(folder: Path, training: int = 30, test: int = 8, compress: bool = True) -> None:
    """Small files in the format of the digits: image `i` is full of `i`, its label is `i % 10`."""
    folder.mkdir(exist_ok=True)
    for name, count in (("train", training), ("t10k", test)):
        pixels = np.repeat(np.arange(count, dtype=np.uint8), 784)
        images = np.array([2051, count, 28, 28], ">u4").tobytes() + pixels.tobytes()
        labels = np.array([2049, count], ">u4").tobytes() + bytes(i % 10 for i in range(count))
        for kind, content in (("images-idx3", images), ("labels-idx1", labels)):
            path = folder / f"{name}-{kind}-ubyte{'.gz' if compress else ''}"
            path.write_bytes(gzip.compress(content) if compress else content)


# The reader of digits -----------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [True, False])
def test_reader_splits_scales_and_encodes(tmp_path: Path, compress: bool) -> None:
    write_digits(tmp_path, compress=compress)
    digits = mnist_reader.read_data_sets(str(tmp_path), one_hot=True, validation_size=10)
    assert [part.num_examples for part in digits] == [20, 10, 8]
    assert digits.train.images.shape == (20, 784)
    assert digits.train.images.dtype == np.float32
    np.testing.assert_allclose(digits.validation.images[:, 0] * 255, np.arange(10), rtol=1e-6)
    np.testing.assert_array_equal(digits.test.labels.argmax(1), np.arange(8))
    plain = mnist_reader.read_data_sets(
        str(tmp_path), dtype=np.uint8, reshape=False, validation_size=0
    )
    assert plain.train.images.shape == (30, 28, 28, 1)
    assert plain.train.images.dtype == np.uint8
    np.testing.assert_array_equal(plain.test.labels, np.arange(8))


def test_batches_visit_every_example_once_in_each_pass(tmp_path: Path) -> None:
    write_digits(tmp_path)
    train = mnist_reader.read_data_sets(str(tmp_path), validation_size=0, seed=3).train
    seen = np.concatenate([train.next_batch(7)[0][:, 0] for _ in range(30)]) * 255
    assert train.epochs_completed == 6
    first, second = np.rint(seen[:30]), np.rint(seen[30:60])
    assert sorted(first) == sorted(second) == list(range(30))
    assert list(first) != list(second)


def test_batches_keep_their_order_unshuffled(tmp_path: Path) -> None:
    write_digits(tmp_path)
    train = mnist_reader.read_data_sets(str(tmp_path), validation_size=0).train
    labels = [train.next_batch(20, shuffle=False)[1] for _ in range(2)]
    np.testing.assert_array_equal(labels[1], [*(i % 10 for i in range(20, 30)), *range(10)])


def test_fake_digits_need_no_files() -> None:
    train = mnist_reader.read_data_sets("nowhere", fake_data=True, one_hot=True).train
    images, labels = train.next_batch(2, fake_data=True)
    assert train.num_examples == 10000
    assert images == [[1] * 784] * 2
    assert labels == [[1] + [0] * 9] * 2


def test_missing_digits_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_MNIST", raising=False)
    with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte.gz is in none of"):
        mnist_reader.read_data_sets(str(tmp_path))
    write_digits(tmp_path / "elsewhere")
    monkeypatch.setenv("WORKBENCH_MNIST", str(tmp_path / "elsewhere"))
    assert mnist_reader.read_data_sets(str(tmp_path), validation_size=1).test.num_examples == 8
    with pytest.raises(ValueError, match="between 0 and 30. Received: 31"):
        mnist_reader.read_data_sets(str(tmp_path), validation_size=31)


# Scripts ------------------------------------------------------------------------------------------


def run_script(tmp_path: Path, engine: str, source: str, **options: object) -> run_scripts.Result:
    script = tmp_path / "script.py"
    script.write_text(source)
    return run_scripts.run(script, engine, **options)  # type: ignore[arg-type]


def test_a_script_runs_unchanged(tmp_path: Path, engine: str, monkeypatch: object) -> None:
    write_digits(tmp_path / "digits")
    (tmp_path / "helper.py").write_text("import tensorflow as tf\nvalue = tf.add(1, 2)\n")
    source = f"""
import sys
import tensorflow as tf
import helper
from tensorflow.examples.tutorials.mnist import input_data
from tensorflow.contrib.learn.python.learn.datasets.mnist import read_data_sets
from tensorflow.examples.tutorials import mnist
assert mnist.input_data is input_data
from tensorflow.python.ops import math_ops, nn_ops
import tensorflow.nn
from tensorflow.contrib import lookup
assert tf.contrib.lookup is lookup
assert tensorflow.nn is tf.nn and nn_ops.relu is tf.nn.relu and math_ops.add is tf.add
digits = input_data.read_data_sets({str(tmp_path / "digits")!r}, validation_size=5)
print(digits.train.num_examples, helper.value, __name__, len(sys.argv), tf.float32)
"""
    result = run_script(tmp_path, engine, source)
    assert (result.outcome, result.error) == ("ok", "")
    assert result.output == ["25 3 __main__ 1 float32"]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import tensorflow as tf\ntf.add(1, 'a')\n", "TypeError: unsupported operand type"),
        ("import tensorflow as tf\ntf.subtract\n", "AttributeError: module 'small_engine' has no"),
        ("from tensorflow.python.ops import math_ops\nmath_ops.subtract\n", "AttributeError: "),
        ("import tensorflow.contrib.slim\n", "ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)\n", "exit code 3"),
    ],
)
def test_a_failure_is_reported(tmp_path: Path, engine: str, source: str, error: str) -> None:
    result = run_script(tmp_path, engine, source)
    assert result.outcome == "failed"
    assert result.error.startswith(error)


def test_a_long_script_counts_as_run(tmp_path: Path, engine: str) -> None:
    source = "print('started')\nwhile True:\n    pass\n"
    result = run_script(tmp_path, engine, source, timeout=2.0)
    assert (result.outcome, result.output) == ("ran", ["started"])


def test_seeds_make_runs_equal(tmp_path: Path, engine: str) -> None:
    source = "import random\nimport numpy as np\nprint(random.random(), np.random.rand())\n"
    outputs = [run_script(tmp_path, engine, source, seed=seed).output for seed in (1, 1, 2)]
    assert outputs[0] == outputs[1] != outputs[2]


def test_a_notebook_runs_without_its_magics(tmp_path: Path, engine: str) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["text"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import tensorflow as tf"]},
        {"cell_type": "code", "source": ["%%bash\n", "no python"]},
        {"cell_type": "code", "source": ["try:\n", "    %version 1.x\n", "except Exception: pass"]},
        {"cell_type": "code", "source": [">>> if True:\n", "...     print(tf.add(2, 3))"]},
        {"cell_type": "code", "source": ["print('%d'\n", "      % tf.add(3, 4))"]},
    ]
    notebook = tmp_path / "notebook.ipynb"
    notebook.write_text(json.dumps({"cells": cells}))
    assert run_scripts.run(notebook, engine).output == ["5", "7"]


def test_an_old_notebook_runs(tmp_path: Path, engine: str) -> None:
    cells = [{"cell_type": "code", "input": ["import tensorflow as tf\n", "print(tf.add(1, 1))"]}]
    notebook = tmp_path / "old.ipynb"
    notebook.write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}))
    assert run_scripts.run(notebook, engine).output == ["2"]


def test_command_line_prints_a_table(
    tmp_path: Path, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "good.py").write_text("print('loss 0.5')\n")
    (tmp_path / "scripts" / "bad.py").write_text("raise ValueError('no')\n")
    (tmp_path / "list.txt").write_text("scripts/good.py\nscripts/bad.py\n")
    report = tmp_path / "report.json"
    arguments = [str(tmp_path / "list.txt"), "--engine", engine, "--json", str(report)]
    assert run_scripts.main(arguments) == 1
    text = capsys.readouterr().out
    assert "good.py | small_engine | ok" in text
    assert "ValueError: no" in text
    outcomes = [each["outcome"] for each in json.loads(report.read_text())["results"]]
    assert outcomes == ["ok", "failed"]


def test_outputs_are_compared_by_their_numbers() -> None:
    left = ["step 1, loss 2.000", "done"]
    right = ["step 1, loss 2.002", "finished"]
    compared = run_scripts.compare(left, right)
    assert (compared.same_lines, compared.lines) == (1, 2)
    assert compared.largest_difference == pytest.approx(0.002 / 2.002)
    assert run_scripts.compare(["nan"], ["nan"]).largest_difference == 0.0


def test_the_text_has_the_expected_size(tmp_path: Path) -> None:
    stand_ins.write_text8(tmp_path / "text8.zip", 300_000, words=20_000)
    assert (tmp_path / "text8.zip").stat().st_size == 300_000
    with zipfile.ZipFile(tmp_path / "text8.zip") as archive:
        words = archive.read(archive.namelist()[0]).decode().split()
    assert len(words) == 20_000
    assert {"the", "american"} <= set(words)


# Unit tests ---------------------------------------------------------------------------------------

TESTS = """
import numpy as np
from tensorflow.python.framework import errors, test_util
from tensorflow.python.ops import gen_math_ops, math_ops
from tensorflow.python.platform import test
from tensorflow.python.ops.control_flow_ops import while_loop

class AddTest(test.TestCase):
    def testPasses(self):
        self.assertAllClose(math_ops.add(1.0, 2.0), np.float(3))
        self.assertItemsEqual([1, 2], [2, 1])
    def testFails(self):
        self.assertAllEqual(math_ops.add(1, 1), 3)
    def testLacksName(self):
        while_loop(1, 2, 3)
    def testIsSkipped(self):
        if not test.is_gpu_available():
            self.skipTest("no GPU")
    def testTakesLong(self):
        while True:
            pass

if __name__ == "__main__":
    for number in range(2):
        setattr(AddTest, "testAdded_%d" % number, lambda self: None)
    test.main()
    raise AssertionError("not reached")
"""


def test_unit_tests_are_counted(tmp_path: Path, engine: str) -> None:
    file = tmp_path / "add_op_test.py"
    file.write_text(TESTS)
    results = run_unit_tests.run(file, engine, test_timeout=1.0)
    found = {each["test"]: (each["outcome"], each["reason"]) for each in results}
    assert found["AddTest.testPasses"] == ("passed", "")
    assert found["AddTest.testAdded_1"] == ("passed", "")
    assert found["AddTest.testFails"][0] == "failed"
    assert found["AddTest.testLacksName"] == (
        "error",
        "UnknownNameError: small_engine has no name for "
        "tensorflow.python.ops.control_flow_ops.while_loop",
    )
    assert found["AddTest.testIsSkipped"] == ("skipped", "no GPU")
    assert found["AddTest.testTakesLong"][0] == "timeout"
    assert len(found) == 7
    assert run_unit_tests.counts(results) == "3 passed, 1 failed, 1 error, 1 timeout, 1 skipped"


def test_a_file_that_cannot_be_loaded_is_one_error(tmp_path: Path, engine: str) -> None:
    file = tmp_path / "broken_test.py"
    file.write_text("from tensorflow.python.ops import math_ops\nmath_ops.missing()\n")
    (only,) = run_unit_tests.run(file, engine)
    assert (only["test"], only["outcome"]) == ("(file)", "error")
    file.write_text("import os\nos._exit(7)\n")
    (only,) = run_unit_tests.run(file, engine)
    assert only["reason"] == "exit code 7"


def test_expected_passes_are_those_of_the_other_engine() -> None:
    theirs = {"/a/ops/x_test.py": [{"test": n, "outcome": "passed", "reason": ""} for n in "abc"]}
    ours = {
        "/b/ops/x_test.py": [
            {"test": "a", "outcome": "passed", "reason": ""},
            {"test": "b", "outcome": "failed", "reason": "ValueError: #"},
            {"test": "d", "outcome": "error", "reason": "ValueError: #"},
        ]
    }
    assert run_unit_tests.expected_passes(ours, theirs) == (
        3,
        1,
        ["ops/x_test.py:b", "ops/x_test.py:c"],
    )
    assert run_unit_tests.reasons(ours, 5) == [(2, "ValueError: #", "ops/x_test.py:b")]


def test_like_messages_have_one_summary() -> None:
    left = summary("/a/b.py:3: f(x)\n  Shape (3, 4) of 'x:0' at 0x7f01 differs\nmore")
    assert left == summary("Shape (5, 12) of 'x:1' at 0x1234 differs")
