from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.live.hyperparameters import checked_values, hyperparameters_of
from workbench.live.run_controls import RunControls


@pytest.mark.parametrize(
    ("value", "options", "dtype", "kind", "fetched"),
    [
        (0.5, {"low": 0.0, "high": 1.0}, wb.float32, "float", 0.5),
        (3, {}, wb.int32, "int", 3),
        (1, {"low": 0.5}, wb.float32, "float", 1.0),
        (np.float64(0.25), {}, wb.float32, "float", 0.25),
        (True, {}, wb.bool, "bool", True),
        (16, {"choices": [8, 16]}, wb.int32, "choice", 16),
        (0.5, {"choices": [1, 0.5]}, wb.float32, "choice", 0.5),
        ("adam", {"choices": ["adam", "sgd"]}, wb.string, "choice", b"adam"),
    ],
)
def test_type_and_default(
    value: Any, options: dict[str, Any], dtype: Any, kind: str, fetched: Any
) -> None:
    tensor = wb.hyperparameter("h", value, **options)
    assert tensor.dtype is dtype and tensor.shape == []
    assert tensor.eval() == fetched
    (known,) = hyperparameters_of(wb.get_default_graph()).values()
    assert (known.name, known.tensor, known.type) == ("h", "h:0", kind)
    assert tensor.eval({tensor: known.fed(known.value)}) == fetched


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("lr", 2.0, 0.0, 1.0), ValueError, "lr must be between 0 and 1, but got 2.0"),
        (("lr", float("nan")), ValueError, "finite"),
        (("lr", 0.1, 0.0, 1.0, True), ValueError, "logarithmic scale needs a positive low"),
        (("lr", 0.1, 1.0, 0.0), ValueError, "low must be below high"),
        (("lr", "high"), TypeError, "strings need choices"),
        (("lr", None), TypeError, "must be a number"),
        (("lr", 1 << 40), ValueError, "32 bits"),
        (("not a name", 1), ValueError, "name of Python"),
        (("step", 1), ValueError, "another name"),
        (("n", 3, None, None, False, [1, 2]), ValueError, "must be one of 1, 2, but got 3"),
        (("n", True, None, None, False, [1, 2]), ValueError, "must be one of"),
        (("n", 1, None, None, False, [1, "two"]), TypeError, "all numbers"),
        (("n", 1, None, None, False, []), ValueError, "must be some"),
        (("n", 1, 0, None, False, [1]), ValueError, "neither low nor high"),
        (("b", True, 0), ValueError, "neither low nor high"),
    ],
)
def test_wrong_arguments(arguments: tuple[Any, ...], error: type[Exception], words: str) -> None:
    before = len(wb.get_default_graph().get_operations())
    with pytest.raises(error, match=words):
        wb.hyperparameter(*arguments)
    assert len(wb.get_default_graph().get_operations()) == before


def test_second_of_a_name() -> None:
    wb.hyperparameter("lr", 0.1)
    with pytest.raises(ValueError, match="has a hyperparameter 'lr' already, the tensor 'lr:0'"):
        wb.hyperparameter("lr", 0.2)
    with wb.Graph().as_default():
        wb.hyperparameter("lr", 0.2)


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"lr": 5.0}, ValueError, "between 0.1 and 1"),
        ({"lr": True}, TypeError, "lr is a number"),
        ({"lr": "0.5"}, TypeError, "lr is a number"),
        ({"n": 1.5}, TypeError, "n is an integer"),
        ({"momentum": 1}, ValueError, "no hyperparameter 'momentum'; the graph has lr, n"),
        ({"lr": 0.5, "n": "x"}, TypeError, "n is an integer"),
    ],
)
def test_wrong_new_values(values: dict[str, Any], error: type[Exception], words: str) -> None:
    wb.hyperparameter("lr", 0.5, low=0.1, high=1.0)
    wb.hyperparameter("n", 2)
    with pytest.raises(error, match=words):
        checked_values(hyperparameters_of(wb.get_default_graph()), values)


def test_gradients_and_savers_pass_it_by(tmp_path: Path) -> None:
    lr = wb.hyperparameter("lr", 0.5)
    v = wb.Variable(1.0)
    assert wb.gradients(v * lr, [v])[0].eval() == 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with wb.Session() as session:
            session.run(wb.global_variables_initializer())
            path = wb.train.Saver().save(session, str(tmp_path / "model"))
    with wb.Graph().as_default() as graph:
        wb.train.import_meta_graph(path + ".meta")
        assert hyperparameters_of(graph)["lr"].value == 0.5


def test_no_hyperparameter_hides_an_argument_of_a_fork(graph: wb.Graph) -> None:
    parameters = inspect.signature(RunControls.fork).parameters
    assert "encoding" in parameters
    for name in parameters:
        with pytest.raises(ValueError, match=f"cannot be called '{name}'"):
            wb.hyperparameter(name, 0.5)
