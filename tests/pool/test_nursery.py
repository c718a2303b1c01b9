"""Where copies of a ready worker come from."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

from workbench.pool import nursery

PROGRAM = """
import multiprocessing, tempfile
from multiprocessing import forkserver, util
from workbench.pool import nursery
nursery._READY = "json"
before = tempfile.gettempdir()
nursery.open_for("local")
assert tempfile.gettempdir() == before
print(util.get_temp_dir())
context = multiprocessing.get_context("forkserver")
process = context.Process(target=print, args=("copied",))
process.start()
process.join(60)
"""


@pytest.mark.skipif(not nursery.is_used("local"), reason="workers are no copies here")
@pytest.mark.parametrize("is_long", [False, True])
def test_names_of_sockets_fit_however_long_the_folder_of_temporary_files_is(is_long):
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="short") as short:
        folder = os.path.join(short, "long" * 30) if is_long else short
        os.makedirs(folder, exist_ok=True)
        found = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert found.returncode == 0, found.stderr
        where, said = found.stdout.split()
        assert said == "copied"
        assert where.startswith("/tmp/pymp-" if is_long else folder)
        # It goes with the process.
        assert not os.path.exists(where)
