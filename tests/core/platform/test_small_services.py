"""Text and bytes, files beside a script, and where the package lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench
from workbench.core.errors import NotFoundError
from workbench.core.platform import compat, resource_loader, sysconfig


def test_text_and_bytes() -> None:
    assert compat.as_bytes("é") == compat.as_bytes("é".encode()) == b"\xc3\xa9"
    assert compat.as_text(b"\xc3\xa9") == compat.as_str("é") == "é"
    assert compat.as_str_any(b"x") == compat.as_str_any("x") == "x"
    assert compat.as_str_any(1.5) == "1.5"
    assert compat.path_to_str(Path("a/b")) == os.path.join("a", "b")
    assert compat.path_to_str(None) is None


@pytest.mark.parametrize("convert", [compat.as_bytes, compat.as_text])
@pytest.mark.parametrize("value", [3, None, ["x"]])
def test_other_values_are_no_text(convert: Any, value: Any) -> None:
    with pytest.raises(TypeError, match="Expected binary or unicode string, got"):
        convert(value)


def test_number_types() -> None:
    assert isinstance(np.int8(1), compat.integral_types)
    assert isinstance(1, compat.integral_types)
    assert not isinstance(1.0, compat.integral_types)
    assert isinstance(np.float32(1), compat.real_types)
    assert not isinstance(1j, compat.real_types)
    assert isinstance(np.complex64(1), compat.complex_types)
    assert isinstance("x", compat.bytes_or_text_types)


def test_files_beside_the_caller() -> None:
    here = Path(__file__).resolve()
    assert Path(resource_loader.get_data_files_path()) == here.parent
    assert Path(resource_loader.get_path_to_datafile("x.txt")) == here.parent / "x.txt"
    assert resource_loader.load_resource(here.name) == here.read_bytes()
    with pytest.raises(NotFoundError, match="nothing"):
        resource_loader.load_resource("nothing")
    assert resource_loader.readahead_file_path("x") == "x"


def test_where_the_package_lies() -> None:
    package = Path(workbench.__path__[0]).resolve()
    assert Path(sysconfig.get_lib()) == package
    assert Path(sysconfig.get_include()).parent == package
    assert Path(resource_loader.get_root_dir_with_all_resources()) == package.parent


@pytest.mark.parametrize("load", [workbench.load_op_library, workbench.load_file_system_library])
def test_libraries_of_machine_code(load: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="cannot open shared object file"):
        load(str(tmp_path / "missing.so"))
    (tmp_path / "there.so").write_bytes(b"\x7fELF")
    with pytest.raises(workbench.errors.UnimplementedError, match="machine code for TensorFlow's"):
        load(str(tmp_path / "there.so"))


def test_names_for_public_scripts() -> None:
    reader = workbench.pywrap_tensorflow.NewCheckpointReader
    assert reader is workbench.train.NewCheckpointReader
    with workbench.Graph().as_default(), workbench.Session() as session:
        assert session.run(workbench.user_ops.my_fact()) == b"0! == 1"
