"""Starts JupyterLab so that it reaches nothing but this machine."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from workbench.lab.examples import copy_examples, first_notebook

#: Settings of JupyterLab for everyone who starts it from here.
CONFIG = Path(__file__).parent / "config"


class LabProblem(Exception):
    """Why JupyterLab is not started, in words for a person."""


def open_lab(
    folder: str, port: int | None = None, browser: bool = True, arguments: Sequence[str] = ()
) -> int:
    """Copies the examples into `folder` and runs JupyterLab there until it is ended.

    `arguments` are JupyterLab's own. Returns the exit status: 1, with a message, where it cannot
    start.
    """
    try:
        place = Path(folder).expanduser().absolute()
        _check_installation()
        _check_port(port)
        _copy(place)
    except LabProblem as problem:
        print(f"workbench lab: {problem}", file=sys.stderr)
        return 1
    os.environ.update(environment(os.environ))
    from jupyterlab.labapp import main

    status = main([*options(place, port, browser), *arguments])
    return int(status or 0)


def options(folder: Path, port: int | None, browser: bool) -> list[str]:
    """JupyterLab's arguments.

    >>> options(Path("/examples"), 9999, browser=False)[-2:]
    ['--ServerApp.port=9999', '--ServerApp.port_retries=0']
    """
    chosen = [
        f"--ServerApp.root_dir={folder}",
        f"--ServerApp.open_browser={browser}",
        # None of these looks beyond this machine.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    notebook = first_notebook(folder)
    if notebook is not None:
        chosen.append(f"--LabApp.default_url=/lab/tree/{quote(notebook)}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # In a container everybody is root. The server listens on this machine alone, with a token;
        # without this it would end with the advice to say so.
        chosen.append("--ServerApp.allow_root=True")
    if port is not None:
        chosen += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    return chosen


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What JupyterLab and its kernels find in their environment, beside what is given.

    Bokeh then carries its scripts along instead of asking a network for them, and JupyterLab does
    not ask whether it may fetch news. Products of small matrices stay on one thread.
    """
    paths = [str(CONFIG), *filter(None, [given.get("JUPYTER_CONFIG_PATH")])]
    return {
        "BOKEH_RESOURCES": given.get("BOKEH_RESOURCES", "inline"),
        # Threads that wait for each other cost more than they save where matrices are small: a run
        # of 300 such steps took 23 s on a busy machine. NumPy reads this once, so it is set here.
        "OPENBLAS_NUM_THREADS": given.get("OPENBLAS_NUM_THREADS", "1"),
        "JUPYTER_CONFIG_PATH": os.pathsep.join(paths),
    }


def _check_installation() -> None:
    if importlib.util.find_spec("jupyterlab") is None:
        raise LabProblem(
            f"JupyterLab is not installed for {sys.executable}: "
            f"{sys.executable} -m pip install jupyterlab"
        )
    from jupyter_core.paths import jupyter_path

    described = [Path(p, "workbench", "package.json") for p in jupyter_path("labextensions")]
    if not any(path.is_file() for path in described):
        print(
            "workbench lab: this installation has no graph and run panels: install the package "
            "again with pip",
            file=sys.stderr,
        )


def _check_port(port: int | None) -> None:
    if not port:
        return
    if not 0 < port < 65536:
        raise LabProblem(f"--port takes a number from 1 to 65535, or 0 for a free one; got {port}")
    with socket.socket() as probe:
        # As the server binds: a port that was in use a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LabProblem(
                f"port {port} cannot be used ({error.strerror}): another program has it, such as "
                "another JupyterLab. Choose another with --port, or leave it to the server"
            ) from error


def _copy(folder: Path) -> None:
    try:
        copied = copy_examples(folder)
    except OSError as error:
        raise LabProblem(
            f"the examples cannot be copied to {folder} ({error.strerror}). "
            "Choose a folder that can be written with --folder"
        ) from error
    if copied:
        print(f"workbench lab: copied {len(copied)} files of examples to {folder}")
