"""The table of errors: classes, codes, messages and what crosses a process boundary."""

from __future__ import annotations

import pickle

import pytest

from workbench.core import errors

# TensorFlow's numbers, which are those of gRPC.
TABLE = {
    "CancelledError": 1,
    "UnknownError": 2,
    "InvalidArgumentError": 3,
    "DeadlineExceededError": 4,
    "NotFoundError": 5,
    "AlreadyExistsError": 6,
    "PermissionDeniedError": 7,
    "ResourceExhaustedError": 8,
    "FailedPreconditionError": 9,
    "AbortedError": 10,
    "OutOfRangeError": 11,
    "UnimplementedError": 12,
    "InternalError": 13,
    "UnavailableError": 14,
    "DataLossError": 15,
    "UnauthenticatedError": 16,
}


@pytest.mark.parametrize(("name", "code"), TABLE.items())
def test_class_and_code_say_the_same(name: str, code: int) -> None:
    error_class = getattr(errors, name)
    error = error_class("the definition", "the operation", "the message")
    assert isinstance(error, errors.OpError)
    assert (error.node_def, error.op, error.message) == (
        "the definition",
        "the operation",
        "the message",
    )
    assert error.error_code == code
    assert str(error) == "the message"
    assert errors.exception_type_from_error_code(code) is error_class
    assert errors.error_code_from_exception_type(error_class) == code


@pytest.mark.parametrize("name", TABLE)
def test_errors_cross_processes_without_their_graph(name: str) -> None:
    error = getattr(errors, name)(None, object(), "the message")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (copy.message, copy.error_code, copy.op) == ("the message", error.error_code, None)


def test_every_constant_names_its_class() -> None:
    for name, code in TABLE.items():
        words = name.removesuffix("Error")
        constant = "".join(f"_{c}" if c.isupper() else c for c in words).strip("_").upper()
        assert getattr(errors, constant) == code
    assert errors.OK == 0


def test_a_base_error_carries_any_code() -> None:
    error = errors.OpError(None, None, "odd", 77)
    assert error.error_code == 77
    assert pickle.loads(pickle.dumps(error)).error_code == 77


def test_the_definition_comes_from_the_operation_when_asked_for() -> None:
    class Operation:
        node_def = "name: 'x'"

    error = errors.NotFoundError(None, Operation(), "gone")
    assert error.node_def == "name: 'x'"


def test_unknown_codes() -> None:
    with pytest.raises(KeyError):
        errors.exception_type_from_error_code(0)
    with pytest.raises(KeyError):
        errors.error_code_from_exception_type(errors.OpError)


def test_status_raises_on_leaving() -> None:
    with errors.raise_exception_on_not_ok_status() as status:
        assert status.code == errors.OK
    with (
        pytest.raises(errors.DataLossError, match="torn"),
        errors.raise_exception_on_not_ok_status() as status,
    ):
        status.set(errors.DATA_LOSS, "torn")
    with (
        pytest.raises(errors.UnknownError) as raised,
        errors.raise_exception_on_not_ok_status() as status,
    ):
        status.set(99, "elsewhere")
    assert raised.value.error_code == 99


def test_an_error_inside_the_status_block_wins() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        errors.raise_exception_on_not_ok_status() as status,
    ):
        status.set(errors.INTERNAL, "hidden")
        raise ZeroDivisionError
