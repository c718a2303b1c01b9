"""Machine code that is loaded once it is worthwhile."""

from __future__ import annotations

import threading

import pytest

from workbench.core.codegen.unsupported import Unsupported
from workbench.core.platform.machine_code import MachineCode


def test_it_is_loaded_once() -> None:
    loads: list[int] = []
    code = MachineCode(lambda: loads.append(1) or "code", 100)
    assert [code.after(40) for _ in range(4)] == [None, None, "code", "code"]
    assert loads == [1]


@pytest.mark.parametrize("error", [ImportError, OSError, Unsupported])
def test_where_there_is_none_it_is_asked_for_once(error: type[Exception]) -> None:
    tries: list[int] = []

    def load() -> str:
        tries.append(1)
        raise error("none here")

    code = MachineCode(load, 0)
    assert [code.after(1) for _ in range(3)] == [None] * 3
    assert tries == [1]


def test_a_mistake_is_not_hidden() -> None:
    def load() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        MachineCode(load, 0).after(1)


def test_other_threads_go_on_while_one_loads_it() -> None:
    begun, end = threading.Event(), threading.Event()

    def load() -> str:
        begun.set()
        assert end.wait(30)
        return "code"

    code = MachineCode(load, 0)
    found: list[str | None] = []
    thread = threading.Thread(target=lambda: found.append(code.after(1)))
    thread.start()
    assert begun.wait(30)
    assert code.after(1) is None
    end.set()
    thread.join(30)
    assert found == ["code"]
    assert code.after(1) == "code"
