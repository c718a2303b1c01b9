"""Object files become an image that does what LLVM's own loader has them do, or are refused."""

from __future__ import annotations

import ctypes
import struct
from pathlib import Path
from typing import Any

import pytest

from workbench.core.codegen import host
from workbench.core.codegen.compiler import emit
from workbench.core.codegen.fingerprint import system
from workbench.core.codegen.image import Image, bring
from workbench.core.codegen.linking import link
from workbench.core.codegen.unsupported import CompileError, Unsupported

pytestmark = pytest.mark.skipif(system() is None, reason="no images on this system")

#: Calls another function of its own, reads constants, a table of labels and one of addresses.
SUMS = """
@numbers = private unnamed_addr constant [4 x i64] [i64 3, i64 5, i64 7, i64 11]

define i64 @inner(i64 %x) #0 {
  %at = getelementptr [4 x i64], ptr @numbers, i64 0, i64 %x
  %value = load i64, ptr %at
  ret i64 %value
}

define internal i64 @hidden(i64 %x) #0 {
  %twice = mul i64 %x, 2
  ret i64 %twice
}

define i64 @outer(i64 %x) nounwind {
  %a = call i64 @inner(i64 %x)
  %b = call i64 @hidden(i64 %a)
  switch i64 %x, label %other [i64 0, label %zero i64 1, label %one i64 2, label %two
                               i64 3, label %three]
zero:
  ret i64 %b
one:
  %c = add i64 %b, 100
  ret i64 %c
two:
  %d = mul i64 %b, 1000
  ret i64 %d
three:
  %e = sub i64 0, %b
  ret i64 %e
other:
  ret i64 -1
}

attributes #0 = { noinline nounwind }
"""

MATHEMATICS = """
declare double @fmod(double, double) nounwind

define double @rest(double %x) nounwind {
  %scaled = fmul double %x, 3.25
  %r = call double @fmod(double %scaled, double 0x4001000000000000)
  ret double %r
}
"""


def made(text: str, model: str = "jitdefault") -> bytes:
    """LLVM's object file of a text, in one of its models of where code stands."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, features = host.processor()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=name, features=features, opt=3, reloc="pic", codemodel=model
    )
    return emit(text, machine)


def function(address: int, kind: Any) -> Any:
    return ctypes.CFUNCTYPE(kind, kind)(address)


@pytest.mark.parametrize("model", ["jitdefault", "small", "large"])
def test_code_and_constants_find_each_other(model: str) -> None:
    image = link([made(SUMS, model)])
    addresses = bring(image)
    assert addresses.keys() == {"inner", "outer"}
    outer = function(addresses["outer"], ctypes.c_int64)
    assert [outer(x) for x in range(4)] == [6, 110, 14000, -22]


def test_functions_outside_are_called() -> None:
    image = link([made(MATHEMATICS), made(SUMS)])
    assert "fmod" in image.table
    rest = function(bring(image)["rest"], ctypes.c_double)
    assert rest(2.0) == 6.5 % 2.125


def test_an_image_stands_anywhere() -> None:
    image = link([made(SUMS)])
    addresses = [bring(image)["outer"] for _ in range(3)]
    assert len(set(addresses)) == 3
    results = [[function(a, ctypes.c_int64)(x) for x in range(4)] for a in addresses]
    assert results == [[6, 110, 14000, -22]] * 3


def test_nobody_can_write_to_what_is_executed() -> None:
    address = bring(link([made(SUMS)]))["outer"]
    for line in Path("/proc/self/maps").read_text().splitlines():
        first, last = (int(part, 16) for part in line.split()[0].split("-"))
        if first <= address < last:
            assert line.split()[1] == "r-xp"
            return
    raise AssertionError("the image is not in memory")


@pytest.mark.parametrize(
    "text, what",
    [
        ("@at = global i64 3 define ptr @f() #0 { ret ptr @at }", "has flags"),
        ("@at = global i64 0 define ptr @f() #0 { ret ptr @at }", "a section of type 8"),
        ("@at = thread_local global i64 1 define ptr @f() #0 { ret ptr @at }", "has flags"),
        ("@at = constant ptr @f define void @f() #0 { ret void }", "has flags"),
        ("declare void @system() define void @f() #0 { call void @system() ret void }", "system"),
        ("define void @f() { ret void }", "a section of type"),
    ],
)
def test_what_is_not_known_is_refused(text: str, what: str) -> None:
    with pytest.raises(Unsupported, match=what):
        link([made(f"{text} attributes #0 = {{ nounwind }}")])


def test_functions_of_the_same_name_are_refused() -> None:
    with pytest.raises(Unsupported, match="two object files have"):
        link([made(SUMS), made(SUMS)])


def test_other_files_are_refused() -> None:
    whole = made(SUMS)
    other_machine = whole[:18] + struct.pack("<H", 183) + whole[20:]
    for data in (b"", b"\x7fELF", b"x" * 1000, other_machine):
        with pytest.raises(Unsupported, match="no object file"):
            link([data])


def test_incomplete_files_are_refused_or_mean_the_same() -> None:
    whole = made(SUMS)
    image = link([whole])
    for length in range(0, len(whole), 7):
        try:
            assert link([whole[:length]]) == image
        except Unsupported:
            continue


@pytest.mark.parametrize(
    "image, what",
    [
        (Image(b"", {}, ()), "incomplete"),
        (Image(bytes(63), {}, ()), "incomplete"),
        (Image(bytes(64), {"f": 64}, ()), "outside of it"),
        (Image(bytes(64), {"f": -1}, ()), "outside of it"),
        (Image(bytes(64), {"f": 0}, ("system",)), "nothing here provides system"),
        (Image(bytes(64), {"f": 0}, (64,)), "points outside"),
    ],
)
def test_images_that_are_none_are_refused(image: Image, what: str) -> None:
    with pytest.raises(CompileError, match=what):
        bring(image)
