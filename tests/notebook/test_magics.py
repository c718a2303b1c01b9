"""The magics in an IPython shell of their own, without a kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("IPython")

import workbench as wb
from tests.pool.runs.workers import host
from workbench.notebook import extension
from workbench.notebook.hub import get_hub
from workbench.pool.runs.dispatch import start_run


@pytest.fixture
def shell(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)
    shell.user_ns.update(wb=wb, tf=wb)
    extension.load_ipython_extension(shell)
    yield shell
    extension.unload_ipython_extension(shell)
    InteractiveShell.clear_instance()


def run(shell: Any, code: str) -> Any:
    """Runs a cell that must succeed, and gives its value."""
    result = shell.run_cell(code)
    result.raise_error()
    return result.result


def refusal(shell: Any, capsys: pytest.CaptureFixture[str], code: str) -> str:
    """Runs a cell that must end in one line, and gives the line."""
    capsys.readouterr()
    result = shell.run_cell(code)
    assert type(result.error_in_exec).__name__ == "UsageError"
    shown = capsys.readouterr()
    text = shown.err + shown.out
    assert text.startswith("UsageError: ") and text.count("\n") == 1, text
    return text


def complete(shell: Any, text: str) -> list[str]:
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        return [found.text for found in shell.Completer.completions(text, len(text))]


def test_a_cell_is_a_graph(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(shell, "%%graph digits\nx = tf.placeholder(tf.float32, [None, 4], name='x')\ny = x * 2.0")
    graph = wb.graphs()["digits"]
    assert shell.user_ns["y"].graph is graph
    assert graph is not wb.get_default_graph()
    assert "Placeholder  float32[?,4]" in capsys.readouterr().out
    run(shell, "%%graph digits\nx = tf.placeholder(tf.float32, [None, 4], name='x')")
    assert wb.graphs()["digits"].version == 1


def test_a_cell_without_a_name_starts_the_default_graph_over(shell: Any) -> None:
    for _ in range(2):
        run(shell, "%%graph\nx = tf.placeholder(tf.float32, [3], name='x')")
    assert [op.name for op in wb.get_default_graph().get_operations()] == ["x"]


def test_a_cell_that_fails_leaves_the_graph_that_was_there(shell: Any) -> None:
    run(shell, "%%graph kept\na = tf.constant(1)")
    before = wb.graphs()["kept"]
    result = shell.run_cell("%%graph kept\nb = tf.constant(1)\nb / nothing")
    assert isinstance(result.error_in_exec, NameError)
    assert wb.graphs()["kept"] is before


def test_shows_and_compares_graphs(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(shell, "%%graph one\na = tf.constant(1, name='a')")
    run(shell, "%%graph two\na = tf.constant(1, name='a')\nb = tf.negative(a, name='b')")
    capsys.readouterr()
    run(shell, "%graph two --diff one")
    assert "+ b (Neg)" in capsys.readouterr().out
    run(shell, "%graph a --text")  # a variable of the notebook
    assert capsys.readouterr().out.startswith("Graph: 2 operations")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%graph digist", "there is no graph 'digist'; the nearest is digits"),
        ("%graph --txt", "%graph has no option --txt; did you mean --text?"),
        ("%graph a b", "unrecognized arguments: b"),
        ("%graph 'a", "a quote is not closed"),
        ("%%graph a b\nx = 1", "unrecognized arguments"),
    ],
)
def test_a_typing_error_is_one_line(
    shell: Any, capsys: pytest.CaptureFixture[str], code: str, words: str
) -> None:
    run(shell, "%%graph digits\nloss = tf.constant(1.0, name='loss')")
    assert words in refusal(shell, capsys, code)


@pytest.mark.parametrize("name", ["graph", "train", "tweak", "peek", "pool", "runs"])
def test_every_magic_has_help(shell: Any, name: str) -> None:
    found = shell.find_line_magic(name)
    assert found.__doc__ and len(found.__doc__) > 40
    assert name in shell.magics_manager.lsmagic()["line"]


def test_completes_names(shell: Any) -> None:
    run(shell, "%%graph digits\nloss = tf.constant(1.0, name='digits_loss')")
    assert "digits" in complete(shell, "%graph di")
    assert "--diff" in complete(shell, "%graph digits --d")
    assert "digits" in complete(shell, "%%graph d")


def test_unloading_takes_everything_back(shell: Any) -> None:
    extension.unload_ipython_extension(shell)
    assert shell.find_line_magic("train") is None
    assert "--diff" not in complete(shell, "%graph --d")
    extension.load_ipython_extension(shell)


def test_a_graph_is_text_in_a_terminal(shell: Any) -> None:
    run(shell, "import workbench.api.display as d; d.prepare_shell()")
    graph = run(shell, "tf.constant(1, name='one').graph")
    data, _ = shell.display_formatter.format(graph)
    assert data["text/plain"].startswith("Graph: 1 operation")
    assert get_hub().graphs.summaries()[0]["operations"] == 1


TRAINING = """
xs = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
x = tf.placeholder(tf.float32, [None, 2], name="x")
lr = wb.hyperparameter("lr", 0.01, low=1e-4, high=1.0, log=True)
w = tf.Variable([[1.0], [1.0]], name="w")
loss = tf.reduce_mean(tf.square(tf.matmul(x, w)), name="loss")
train_op = tf.train.GradientDescentOptimizer(lr).minimize(loss)
feed = wb.batches({x: xs}, 2, shuffle=True, seed=0)
"""


@pytest.fixture
def training(shell: Any) -> Iterator[Any]:
    """A shell with a graph that can be trained; its runs are closed."""
    from workbench.live.registry import registry

    run(shell, TRAINING)
    yield shell
    for each in registry.runs():
        each.close()


def test_trains_tweaks_peeks_and_lists(training: Any, capsys: pytest.CaptureFixture[str]) -> None:
    digits = run(
        training,
        "digits = %train train_op --steps 30 --feed feed --track loss,first=w[0][0] --name digits"
        "\ndigits",
    )
    digits.wait(30)
    assert digits.history.names == ("loss", "first") and digits.history.count == 30
    assert run(training, "%peek loss") == digits.peek("loss:0")
    assert run(training, "%peek w --run digits").shape == (2, 1)
    digits.rewind(10)
    capsys.readouterr()
    run(training, "%tweak lr=0.5")
    assert digits.hyperparameters["lr"] == 0.5
    assert capsys.readouterr().out == "digits: lr=0.5 from step 10 on\n"
    run(training, "%tweak digits")
    assert capsys.readouterr().out == "lr=0.5\n"
    other = run(training, "%train train_op --steps 5 --feed wb.batches({x: xs}, 1) --name other")
    other.wait(30)
    capsys.readouterr()
    run(training, "%runs")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["run", "other", "digits"]
    assert "10/30" in lines[2] and "lr=0.5" in lines[2]
    assert repr(run(training, "%runs --compare digits")) == "<wb.charts of digits>"
    run(training, "%runs --delete other")
    assert "other" not in [each.name for each in wb.runs()]


def test_magics_about_runs_of_a_pool(
    training: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with host(tmp_path / "worker") as training.user_ns["workers"]:
        far = run(
            training,
            "%train train_op --steps 30 --feed feed --track loss --name far --pool workers",
        )
        far.wait(30)
        assert far.worker_folder is not None and far.history.count == 30
        assert run(training, "%peek loss") == far.peek("loss:0")
        far.rewind(10)
        capsys.readouterr()
        run(training, "%tweak lr=0.5")
        run(training, "%tweak")
        assert capsys.readouterr().out == "far: lr=0.5 from step 10 on\nlr=0.5\n"
        run(training, "%runs")
        [line] = [each for each in capsys.readouterr().out.splitlines() if "10/30" in each]
        assert line.split()[0] == "far" and "lr=0.5" in line
        far.stop()
        run(training, "%runs --delete far")
        assert not list(wb.runs()) and not Path(far.worker_folder).exists()


class EmptyPool:
    """A pool without workers, which notes how it is asked to train."""

    def start_run(self, spec: Any, **options: Any) -> Any:
        self.asked = options
        return start_run([], spec, pool=self, **options)


def test_replicas_are_trained_as_the_line_says(
    training: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = training.user_ns["workers"] = EmptyPool()
    line = "%train train_op --feed feed --pool workers --replicas 2"
    for given, strategy, encoding in (
        ("", "sync", None),
        (" --encoding bfloat16", "sync", "bfloat16"),
        (" --strategy 'parameter server' --encoding=\"int8\"", "parameter server", "int8"),
    ):
        assert "it has no workers" in refusal(training, capsys, line + given)
        assert (pool.asked["strategy"], pool.asked["encoding"]) == (strategy, encoding)
        assert pool.asked["replicas"] == 2
    assert "There is no encoding 'int4': it is one of" in refusal(
        training, capsys, f"{line} --encoding int4"
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%train train_op --pool nowhere", "nowhere"),
        ("%train train_op --replicas 2", "2 replicas need a pool"),
        ("%train train_op --strategy lazy", "strategy must be one of"),
        ("%train train_op --encoding int8", "what replicas send each other: replicas is 1"),
        ("%train train_op --replicas 2 --encoding int8", "2 replicas need a pool"),
        ("%train train_op --strategy sync", "several that train together: replicas is 1"),
        ("%train train_op --encodings int8", "did you mean --encoding?"),
        ("%train train_po", "there is no tensor or operation 'train_po'; did you mean train_op"),
        ("%train xs", "xs is a list, not a tensor or operation"),
        ("%train", "the following arguments are required: target"),
        ("%train train_op --steps many", "argument --steps: invalid int value: 'many'"),
        ("%train train_op --feed fed", "there is no variable 'fed'; did you mean feed?"),
        ("%train train_op --feed wb.batches({x: xs},", "is not a Python expression"),
        ("%train train_op --feed wb.batches({x: xs}, 0)", "raised ValueError: The size of a batch"),
        ("%train train_op --track los", "did you mean loss"),
        ("%train train_op --track w", "w cannot be tracked"),
        ("%train train_op --trak loss", "did you mean --track?"),
        ("%train train_op --name a/b", "A run's name is made of letters"),
        ("%peek loss", "there is no run in this kernel yet"),
        ("%tweak", "there is no run in this kernel yet"),
        ("%runs --delete nothing", "there is no run 'nothing'"),
        ("%runs --delete", "needs the names of the runs to delete"),
    ],
)
def test_a_typing_error_about_runs_is_one_line(
    training: Any, capsys: pytest.CaptureFixture[str], code: str, words: str
) -> None:
    assert words in refusal(training, capsys, code)
    assert not list(wb.runs())


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%tweak rl=1", "has no hyperparameter 'rl'; did you mean lr?"),
        ("%tweak lr=7", "lr must be between 0.0001 and 1"),
        ("%tweak lr=fast", "there is no variable 'fast'"),
        ("%tweak digist", "there is no run 'digist'; did you mean digits?"),
        ("%peek los", "there is no tensor or operation 'los'"),
        ("%peek train_op", "is an operation with 0 results"),
    ],
)
def test_a_typing_error_about_a_run_changes_nothing(
    training: Any, capsys: pytest.CaptureFixture[str], code: str, words: str
) -> None:
    digits = run(training, "digits = %train train_op --steps 3 --feed feed --name digits\ndigits")
    digits.wait(30)
    digits.rewind(1)
    assert words in refusal(training, capsys, code)
    assert digits.hyperparameters["lr"] == 0.01 and digits.step_number == 1


def test_completes_what_runs_and_graphs_have(training: Any) -> None:
    run(training, "%train train_op --steps 3 --feed feed --name digits").wait(30)
    assert "train_op" in complete(training, "%train tr")
    assert "--steps" in complete(training, "%train train_op --st")
    assert "--steps" not in complete(training, "%train train_op --steps 3 --st")
    assert "loss" in complete(training, "%train train_op --track lo")
    assert "feed" in complete(training, "%train train_op --feed fe")
    assert "--encoding" in complete(training, "%train train_op --enc")
    assert {"bfloat16", "float16", "int8"} <= set(complete(training, "%train op --encoding "))
    assert "lr=" in complete(training, "%tweak l")
    assert "digits" in complete(training, "%peek loss --run di")
    assert "digits" in complete(training, "%runs --compare di")


def test_pools_are_listed(
    shell: Any, capsys: pytest.CaptureFixture[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    run(shell, "%pool")
    assert "There are no pools" in capsys.readouterr().out
    assert not (tmp_path / "home").exists()
    assert "scale" in complete(shell, "%pool sc")


@pytest.mark.parametrize(
    "code, words",
    [
        ("%pool begin", "cannot 'begin'"),
        ("%pool scale", "needs the number of workers"),
        ("%pool stop one two", "what is 'two'?"),
        ("%pool status", "There are no pools"),
        ("%pool start a/b", "no name for a pool"),
        ("%pool start --workers -1", "workers must be 0 to 10000"),
    ],
)
def test_a_wrong_pool_is_one_line(
    shell: Any,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    words: str,
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    assert words in refusal(shell, capsys, code)
