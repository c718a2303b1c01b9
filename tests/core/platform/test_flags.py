"""Flags: kinds, spellings on the command line, and when it is parsed."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest

from workbench.core.platform import app, flags
from workbench.core.platform.flag_values import FlagValues


@pytest.fixture
def values() -> FlagValues:
    return FlagValues()


def define_all(values: FlagValues) -> None:
    flags.DEFINE_string("name", "model", "The name.", flag_values=values)
    flags.DEFINE_integer("steps", 100, "How many 100% steps.", flag_values=values)
    flags.DEFINE_float("rate", 0.5, "The rate.", flag_values=values)
    flags.DEFINE_boolean("train", True, "Whether to train.", flag_values=values)
    flags.DEFINE_enum("mode", "fast", ["fast", "slow"], "The mode.", flag_values=values)
    flags.DEFINE_list("layers", "a,b", "The layers.", flag_values=values)
    flags.DEFINE_spaceseplist("words", None, "Words.", flag_values=values)
    flags.DEFINE_multi_string("path", None, "Paths.", flag_values=values)
    flags.DEFINE_multi_integer("size", [1, 2], "Sizes.", flag_values=values)
    flags.DEFINE_multi_float("decay", 0.5, "Decays.", flag_values=values)
    flags.DEFINE_multi_enum("color", ["red"], ["red", "blue"], "Colors.", flag_values=values)


DEFAULTS = {
    "name": "model",
    "steps": 100,
    "rate": 0.5,
    "train": True,
    "mode": "fast",
    "layers": ["a", "b"],
    "words": None,
    "path": None,
    "size": [1, 2],
    "decay": [0.5],
    "color": ["red"],
}


def test_defaults(values: FlagValues) -> None:
    define_all(values)
    assert values(["program"]) == ["program"]
    assert values.flag_values_dict() == DEFAULTS
    assert values.__flags == DEFAULTS
    assert {name: getattr(values, name) for name in values} == DEFAULTS
    assert len(values) == len(DEFAULTS)


@pytest.mark.parametrize(
    ("arguments", "name", "expected"),
    [
        (["--name=x y"], "name", "x y"),
        (["--name", "x"], "name", "x"),
        (["--name="], "name", ""),
        (["--steps", "-3"], "steps", -3),
        (["--rate=1e-3"], "rate", 1e-3),
        (["--train"], "train", True),
        (["--notrain"], "train", False),
        (["--train=false"], "train", False),
        (["--train", "False"], "train", False),
        (["--train=0"], "train", False),
        (["--train=T"], "train", True),
        (["--mode", "slow"], "mode", "slow"),
        (["--layers=c, d,e"], "layers", ["c", "d", "e"]),
        (["--layers="], "layers", []),
        (["--words=c d"], "words", ["c", "d"]),
        (["--path=a", "--path=b"], "path", ["a", "b"]),
        (["--size=7"], "size", [7]),
        (["--decay=7", "--decay=8"], "decay", [7.0, 8.0]),
        (["--color=blue"], "color", ["blue"]),
        (["--steps=1", "--steps=2"], "steps", 2),
    ],
)
def test_command_line(values: FlagValues, arguments: list[str], name: str, expected: Any) -> None:
    define_all(values)
    assert values(["program", *arguments]) == ["program"]
    assert values.flag_values_dict() == DEFAULTS | {name: expected}
    assert values[name].value == expected
    assert values[name].default == DEFAULTS[name]


def test_unknown_arguments_are_left_alone(values: FlagValues) -> None:
    define_all(values)
    left = values(["program", "-f", "kernel.json", "--other=1", "--steps=5", "file"])
    assert left == ["program", "-f", "kernel.json", "--other=1", "file"]
    assert values.steps == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps=many"], "invalid int value: 'many'"),
        (["--rate=x"], "invalid float value: 'x'"),
        (["--train=maybe"], "'maybe' is neither true nor false"),
        (["--mode=other"], "'other' is none of: fast, slow"),
        (["--name"], "expected one argument"),
    ],
)
def test_bad_values_end_the_program_with_a_message(
    values: FlagValues,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    define_all(values)
    with pytest.raises(SystemExit) as raised:
        values(["program", *arguments])
    assert raised.value.code == 2
    assert message in capsys.readouterr().err


def test_help(values: FlagValues, capsys: pytest.CaptureFixture[str]) -> None:
    define_all(values)
    with pytest.raises(SystemExit) as raised:
        values(["program", "--help"])
    assert raised.value.code == 0
    assert "How many 100% steps." in capsys.readouterr().out


def test_bounds(values: FlagValues, capsys: pytest.CaptureFixture[str]) -> None:
    flags.DEFINE_integer("n", 1, "", 0, 10, flag_values=values)
    flags.DEFINE_float("x", 1.0, "", lower_bound=0.5, flag_values=values)
    values(["program", "--n=10", "--x=0.5"])
    for argument in ("--n=11", "--n=-1", "--x=0.4"):
        with pytest.raises(SystemExit):
            values(["program", argument])
    assert "11 is not within 0..10" in capsys.readouterr().err


def test_the_first_access_parses(values: FlagValues, monkeypatch: pytest.MonkeyPatch) -> None:
    flags.DEFINE_integer("steps", 100, "", flag_values=values)
    monkeypatch.setattr(sys, "argv", ["program", "--steps=7", "--late=8"])
    assert not values.is_parsed()
    assert values.steps == 7
    assert values.is_parsed()
    flags.DEFINE_integer("late", 0, "", flag_values=values)
    assert (values.late, values.steps) == (8, 7)


def test_assignment_wins_and_lasts(values: FlagValues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["program", "--steps=7"])
    flags.DEFINE_integer("steps", 100, "", flag_values=values)
    values.steps = 9
    values.extra = "anything"
    flags.DEFINE_integer("late", 0, "", flag_values=values)
    assert (values.steps, values.late, values.extra) == (9, 0, "anything")


def test_a_cell_may_run_again(values: FlagValues) -> None:
    for default in (1, 2):
        flags.DEFINE_integer("steps", default, "", flag_values=values)
        values(["program"])
        assert values.steps == default
    with pytest.raises(ValueError, match="--steps is defined twice: as integer and as string"):
        flags.DEFINE_string("steps", "1", "", flag_values=values)


def test_argument_names_of_both_times(values: FlagValues) -> None:
    flags.DEFINE_integer(flag_name="a", default_value=1, docstring="A.", flag_values=values)
    flags.DEFINE_integer(name="b", default=2, help="B.", flag_values=values)
    flags.DEFINE_integer("c", "3", flag_values=values)
    values(["program"])
    assert (values.a, values.b, values.c) == (1, 2, 3)
    with pytest.raises(ValueError, match="default of the flag --d"):
        flags.DEFINE_integer("d", "three", flag_values=values)
    with pytest.raises(TypeError):
        flags.DEFINE_integer("e", 1, "", nonsense=True, flag_values=values)


def test_required_flags(values: FlagValues) -> None:
    flags.DEFINE_string("data", None, "", flag_values=values)
    flags.mark_flags_as_required(["data"], values)
    with pytest.raises(AttributeError, match="Flag --data must be specified"):
        values(["program"])
    assert values(["program", "--data=x"]) == ["program"]
    with pytest.raises(AttributeError, match="must be specified"):
        values.data = None
    with pytest.raises(AttributeError, match="no flag --other"):
        flags.mark_flag_as_required("other", values)
    flags.DEFINE_string("more", None, "", flag_values=values, required=True)
    with pytest.raises(AttributeError, match="Flag --more"):
        values(["program", "--data=x"])


def test_unknown_flags(values: FlagValues) -> None:
    flags.DEFINE_integer("steps", 1, "", flag_values=values)
    values.mark_as_parsed()
    with pytest.raises(AttributeError, match="There is no flag --step; defined are: steps"):
        values.step  # noqa: B018
    assert not hasattr(values, "step")
    assert "steps" in values
    assert "steps" in dir(values)
    with pytest.raises(KeyError):
        values["step"]
    del values.steps
    assert "steps" not in values
    with pytest.raises(AttributeError):
        del values.steps


def test_defaults_can_be_changed(values: FlagValues) -> None:
    flags.DEFINE_integer("steps", 1, "", flag_values=values)
    values.set_default("steps", 2)
    values(["program"])
    assert values.steps == 2
    values(["program", "--steps=3"])
    assert values.steps == 3


def test_copies(values: FlagValues) -> None:
    flags.DEFINE_integer("steps", 1, "", flag_values=values)
    values(["program", "--steps=4"])
    assert copy.copy(values).steps == 4


def test_app_run_gives_main_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def main(argv: list[str]) -> int:
        seen.append(argv)
        return 3

    with pytest.raises(SystemExit) as raised:
        app.run(main, ["program", "rest", "--unknown"])
    assert raised.value.code == 3
    monkeypatch.setattr(sys, "argv", ["script", "x"])
    with pytest.raises(SystemExit) as raised:
        app.run(main=main)
    assert seen == [["program", "rest", "--unknown"], ["script", "x"]]


def test_app_run_finds_the_script_s_own_main() -> None:
    script = (
        "from workbench.core.platform import app, flags\n"
        "flags.DEFINE_integer('steps', 1, 'Steps.')\n"
        "def main(_):\n"
        "    print(flags.FLAGS.steps + 1)\n"
        "app.run()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--steps=41"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "42\n"


def test_app_run_without_a_main(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys.modules["__main__"], "main", raising=False)
    with pytest.raises(AttributeError, match="defines no 'main'"):
        app.run(argv=["program"])
