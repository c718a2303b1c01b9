"""`workbench lab`: the folder of examples, the refusals, and a server that really starts."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from workbench.cli import main
from workbench.lab import launch
from workbench.lab.examples import copy_examples, examples_folder, first_notebook

DEADLINE = 60.0


def test_copies_the_examples_once_and_never_over_the_users_work(tmp_path: Path) -> None:
    names = sorted(path.name for path in copy_examples(tmp_path))
    assert names == sorted(p.name for p in examples_folder().iterdir() if p.is_file())
    changed = tmp_path / names[0]
    changed.write_text("mine", encoding="utf-8")
    (tmp_path / names[1]).unlink()
    assert [path.name for path in copy_examples(tmp_path)] == [names[1]]
    assert changed.read_text(encoding="utf-8") == "mine"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_opens_the_quickstart_else_the_first_notebook(tmp_path: Path) -> None:
    assert first_notebook(tmp_path) is None
    for name in ("b.ipynb", "a.ipynb"):
        (tmp_path / name).touch()
    assert first_notebook(tmp_path) == "a.ipynb"
    (tmp_path / "quickstart.ipynb").touch()
    assert first_notebook(tmp_path) == "quickstart.ipynb"


def test_keeps_what_the_user_chose_in_the_environment() -> None:
    given = {"BOKEH_RESOURCES": "server", "JUPYTER_CONFIG_PATH": "/mine"}
    made = launch.environment(given)
    assert made["BOKEH_RESOURCES"] == "server"
    assert made["JUPYTER_CONFIG_PATH"].split(os.pathsep) == [str(launch.CONFIG), "/mine"]
    assert launch.environment({})["JUPYTER_CONFIG_PATH"] == str(launch.CONFIG)
    assert launch.environment({})["OPENBLAS_NUM_THREADS"] == "1"
    assert launch.environment({"OPENBLAS_NUM_THREADS": "4"})["OPENBLAS_NUM_THREADS"] == "4"


def test_says_that_a_port_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["lab", "--folder", str(tmp_path), "--port", str(port)]) == 1
    message = capsys.readouterr().err
    assert f"port {port} cannot be used" in message
    assert "--port" in message
    assert list(tmp_path.iterdir()) == []


def test_says_that_a_port_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "--folder", str(tmp_path), "--port", "70000"]) == 1
    assert "1 to 65535" in capsys.readouterr().err


def test_says_where_jupyterlabs_own_arguments_go(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["lab", "--allow-root", "--no-browser"])
    assert "go after --: workbench lab -- --allow-root\n" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["demo", "--allow-root"])
    assert capsys.readouterr().err.endswith("unrecognized arguments: --allow-root\n")


def test_says_that_the_folder_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["lab", "--folder", str(tmp_path / "file" / "deep")]) == 1
    message = capsys.readouterr().err
    assert "cannot be copied" in message
    assert "--folder" in message


def test_says_that_jupyterlab_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None)
    assert main(["lab", "--folder", str(tmp_path)]) == 1
    assert "pip install jupyterlab" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="ends the server with SIGTERM")
def test_starts_a_server_that_opens_an_example(tmp_path: Path) -> None:
    pytest.importorskip("jupyterlab")
    folder = tmp_path / "examples"
    own = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "RUNTIME", "DATA")}
    command = [sys.executable, "-m", "workbench.cli", "lab", "--no-browser", "--port", "0"]
    command += ["--folder", str(folder), "--", "--IdentityProvider.token=secret"]
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **own}
        )
    try:
        address = _address(log, server)
        notebook = first_notebook(folder)
        assert address.endswith(f"/lab/tree/{notebook}")
        page = _get(f"{address}?token=secret")
        found = re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)
        assert found
        config = json.loads(found[1])
        assert config["news"]["disabled"] is True
        assert "workbench" in [one["name"] for one in config["federated_extensions"]]
        settings = address.split("/lab/")[0] + "/lab/api/settings/"
        plugin = "@jupyterlab/apputils-extension:notification"
        schema = json.loads(_get(f"{settings}{plugin}?token=secret"))["schema"]
        assert schema["properties"]["fetchNews"]["default"] == "false"
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(DEADLINE) is not None


def _address(log: Path, server: subprocess.Popen[bytes]) -> str:
    """The address that the server prints, without its token."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and server.poll() is None:
        found = re.search(r"(http://127\.0\.0\.1:\d+\S*)\?token=", log.read_text(encoding="utf-8"))
        if found:
            return found[1]
        time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8"))


def _get(address: str) -> str:
    """What the server answers, which says where it is a moment before it listens there."""
    end = time.monotonic() + DEADLINE
    while True:
        try:
            with urllib.request.urlopen(address, timeout=DEADLINE) as answer:
                return str(answer.read(), "utf-8")
        except urllib.error.URLError as error:
            refused = isinstance(error.reason, ConnectionRefusedError)
            if not refused or time.monotonic() > end:
                raise
            time.sleep(0.1)
