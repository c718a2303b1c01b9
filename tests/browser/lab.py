"""A JupyterLab of its own for each test session, and a page in it as a person uses it.

Nothing of the machine's own Jupyter configuration is read, nothing is left behind, and whatever the
page asks of another host, or complains about on its console, is kept for the test to look at.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.ports import free_port

#: Seconds for the server, for the page and for a kernel to be there, on a machine that is busy.
SERVER_DEADLINE = 90
PAGE_DEADLINE = 60


#: The notebook in front.
_VISIBLE = ".jp-NotebookPanel:not(.lm-mod-hidden)"

#: `window.workbench_view(cell)`: what the first view below a cell of that notebook shows.
_VIEW_SCRIPT = f"""
window.workbench_view = index => {{
  const cell = document.querySelectorAll('{_VISIBLE} .jp-Cell')[index];
  const host = [...(cell?.querySelectorAll('.workbench-cell-host') ?? [])]
    .find(element => element.workbench);
  return host?.workbench.snapshot() ?? null;
}};
"""


class Lab:
    """A running JupyterLab: where it is, and the folder that it shows."""

    def __init__(self, address: str, token: str, folder: Path, home: Path) -> None:
        #: With the base URL, ending in a slash.
        self.address = address
        self.token = token
        self.folder = folder
        #: Where all of its own files are.
        self.home = home

    def url(self, path: str, workspace: str) -> str:
        """The address of a notebook, or of the launcher, in the workspace of that name."""
        tree = f"/tree/{path}" if path else ""
        return f"{self.address}lab/workspaces/{workspace}{tree}?token={self.token}"

    def ask(self, path: str, method: str = "GET") -> Any:
        """What the server's own interface answers, None where that is nothing."""
        request = Request(f"{self.address}api/{path}?token={self.token}", method=method)
        with urlopen(request, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content else None


@contextmanager
def running_lab(folder: Path, home: Path, base_url: str = "/") -> Iterator[Lab]:
    """JupyterLab on the notebooks of `folder`, with all its own files in `home`."""
    port = free_port()
    token = secrets.token_hex(16)
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "WORKBENCH_HOME": str(home / "workbench"),
        "OPENBLAS_NUM_THREADS": "1",
    }
    log = home / "server.log"
    # Else it asks in a corner whether it may look for news.
    quiet = home / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
                *(f"--IdentityProvider.token={token}", f"--ServerApp.base_url={base_url}"),
                *(f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"),
                *("--LabApp.news_url=None", "--LabApp.extension_manager=readonly"),
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_tests if sys.platform == "linux" else None,
        )
        address = f"http://127.0.0.1:{port}{base_url}"
        try:
            _wait_for_server(address, token, server, log)
            yield Lab(address, token, folder, home)
        finally:
            _stop(server)


def _end_with_tests() -> None:
    """Has the server told to end when the tests are killed: nobody else would end it then."""
    set_death_signal = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


def write_notebook(path: Path, cells: list[str], kernel: str = "python3") -> Path:
    """Writes a notebook of code cells for the kernel of that name."""
    import nbformat

    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
    )
    nbformat.write(notebook, path)
    return path


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ends the server, which ends its kernels; what is left of its group after that goes too."""
    for number, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 5)):
        try:
            os.killpg(server.pid, number)
        except ProcessLookupError:
            return
        with suppress(subprocess.TimeoutExpired):
            server.wait(seconds)


def _wait_for_server(address: str, token: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SERVER_DEADLINE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urlopen(f"{address}api/status?token={token}", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("JupyterLab did not start:\n" + log.read_text(errors="replace")[-4000:])


class LabPage:
    """A page with JupyterLab in it."""

    def __init__(self, browser: Any, lab: Lab, theme: str = "light", **options: Any) -> None:
        self.lab = lab
        #: What is open in it is nobody else's.
        self._workspace = f"test-{secrets.token_hex(4)}"
        self._opened: set[str] = set()
        viewport = options.pop("viewport", {"width": 1400, "height": 900})
        self.context = browser.new_context(viewport=viewport, color_scheme=theme, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PAGE_DEADLINE * 1000)
        self.page.add_init_script(_VIEW_SCRIPT)
        #: What the page reported as an error, and what it asked of other hosts.
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, request: Any) -> None:
        host = self.lab.address.split("/")[2]
        if not request.url.startswith((f"http://{host}/", f"ws://{host}/", "data:", "blob:")):
            self.outside.append(request.url)

    def close(self) -> None:
        """Closes the page, and ends the kernels of its notebooks: a run would go on in them."""
        self.context.close()
        for session in self.lab.ask("sessions"):
            if session["path"] in self._opened:
                self.lab.ask(f"sessions/{session['id']}", "DELETE")

    # -- the application ---------------------------------------------------------------------

    def open(self, path: str = "") -> None:
        """Opens a notebook (or the launcher) and waits until its kernel is idle."""
        self._opened.add(path)
        self.page.goto(self.lab.url(path, self._workspace))
        self.wait_until_ready(path)

    def reload(self, path: str = "") -> None:
        """Reloads the page, as a person does with F5."""
        self.page.reload()
        self.wait_until_ready(path)

    def wait_until_ready(self, path: str = "") -> None:
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        if path:
            self.page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell")
            self.wait_until_idle()

    def set_theme(self, dark: bool) -> None:
        """Changes JupyterLab's theme."""
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.command("apputils:change-theme", {"theme": name})
        light = "false" if dark else "true"
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Executes a command of JupyterLab without waiting for what it returns."""
        self.page.evaluate(
            "([name, args]) => { void window.jupyterapp.commands.execute(name, args); }",
            [name, arguments or {}],
        )

    def run_notebook(self, name: str) -> None:
        """Opens a notebook and runs its cells, one after the other."""
        self.open(name)
        for index in range(self.cell_count):
            self.run_cell(index)

    # -- notebooks ---------------------------------------------------------------------------

    @property
    def _notebook(self) -> str:
        return (
            "[...window.jupyterapp.shell.widgets('main')]"
            ".find(w => w.context?.contentsModel?.type === 'notebook' && w.isVisible)"
        )

    def wait_until_idle(self, seconds: float = PAGE_DEADLINE) -> None:
        """Waits until the notebook's kernel has nothing to do."""
        self.page.wait_for_function(
            f"() => {self._notebook}?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=seconds * 1000,
        )

    @property
    def cell_count(self) -> int:
        """How many cells the notebook has."""
        return int(self.page.evaluate(f"() => {self._notebook}.content.widgets.length"))

    def save(self) -> None:
        """Saves the notebook, outputs included, and waits until it is."""
        self.command("docmanager:save")
        self.page.wait_for_function(f"() => !{self._notebook}.context.model.dirty")

    def find_cell(self, text: str) -> int:
        """The first code cell that has this text in it."""
        found = self.page.evaluate(
            f"text => {self._notebook}.content.widgets.findIndex(c => c.model.type === 'code'"
            " && c.model.sharedModel.getSource().includes(text))",
            text,
        )
        assert found >= 0, f"no cell has {text!r} in it"
        return int(found)

    def start_cell(self, index: int) -> None:
        """Runs a cell and does not wait for it."""
        self.page.evaluate(
            f"index => {{ const n = {self._notebook}; n.content.activeCellIndex = index;"
            " n.content.deselectAll(); }",
            index,
        )
        self.command("notebook:run-cell")

    def run_cell(self, index: int, seconds: float = PAGE_DEADLINE) -> None:
        """Runs a cell and waits until it has ended; AssertionError where it ends with an error."""
        # The count of an earlier run, or of a kernel before this one, must not pass for this run's.
        self.page.evaluate(
            f"index => {{ const m = {self._notebook}.content.widgets[index].model;"
            " if (m.type === 'code') m.executionCount = null; }",
            index,
        )
        self.start_cell(index)
        self.page.wait_for_function(
            f"index => {{ const m = {self._notebook}.content.widgets[index].model;"
            " return m.type !== 'code' || m.executionCount !== null; }",
            arg=index,
            timeout=seconds * 1000,
        )
        self.wait_until_idle(seconds)
        outputs = self.outputs(index)
        failed = [o for o in outputs if o["output_type"] == "error"]
        assert not failed, f"cell {index}: {json.dumps(failed)[:2000]}"

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """What a cell has printed and shown."""
        found: list[dict[str, Any]] = self.page.evaluate(
            f"index => {self._notebook}.content.widgets[index].model.toJSON().outputs ?? []", index
        )
        return found

    def insert_cell(self, source: str) -> int:
        """Adds a code cell at the end; gives its index."""
        return int(
            self.page.evaluate(
                f"source => {{ const m = {self._notebook}.content.model.sharedModel;"
                " m.addCell({cell_type: 'code', source}); return m.cells.length - 1; }",
                source,
            )
        )

    def evaluate(self, expression: str, seconds: float = PAGE_DEADLINE) -> Any:
        """The value of a Python expression in the notebook's kernel, which must be idle."""
        found = self.page.evaluate(
            f"""async expression => {{
              const kernel = {self._notebook}.sessionContext.session.kernel;
              const future = kernel.requestExecute({{
                code: '', silent: true, store_history: false,
                user_expressions: {{value: '__import__("json").dumps(' + expression + ')'}},
              }});
              const reply = await future.done;
              return reply.content.user_expressions?.value ?? reply.content;
            }}""",
            expression,
        )
        assert found.get("status") == "ok" and "data" in found, found
        return json.loads(_unquoted(found["data"]["text/plain"]))

    def scroll_to(self, index: int) -> None:
        """Brings a cell into view."""
        self.page.evaluate(f"index => {self._notebook}.content.scrollToItem(index, 'start')", index)

    # -- views -------------------------------------------------------------------------------

    def cell(self, index: int) -> Any:
        """The element of a cell."""
        return self.page.locator(f"{_VISIBLE} .jp-Cell").nth(index)

    def view(self, cell: int) -> dict[str, Any] | None:
        """What the graph or run view below a cell shows, None before it shows something."""
        found: dict[str, Any] | None = self.page.evaluate(
            "cell => window.workbench_view(cell)", cell
        )
        return found

    def wait_for_view(self, cell: int, seconds: float = PAGE_DEADLINE) -> dict[str, Any]:
        """What the view below a cell shows, once it shows something."""
        self.page.wait_for_function(
            "cell => { const v = window.workbench_view(cell);"
            " return v && (v.picture ? v.picture.settled : v.status); }",
            arg=cell,
            timeout=seconds * 1000,
        )
        found = self.view(cell)
        assert found is not None
        return found

    def snapshot(self, selector: str) -> dict[str, Any] | None:
        """What the graph or run view on the first such element shows; None where there is none."""
        found: dict[str, Any] | None = self.page.evaluate(
            "selector => document.querySelector(selector)?.workbench?.snapshot() ?? null", selector
        )
        return found


@contextmanager
def watched_page(browser: Any, lab: Lab, **options: Any) -> Iterator[LabPage]:
    """A page that must not have complained, nor asked another host, by its end; it is closed."""
    page = LabPage(browser, lab, **options)
    try:
        yield page
        errors = list(dict.fromkeys(page.errors))
        assert not errors, errors
        assert not page.outside, page.outside
    finally:
        page.close()


@contextmanager
def notebook_page(browser: Any, lab: Lab, name: str, cells: list[str]) -> Iterator[LabPage]:
    """A watched page with a notebook of these cells, which are run."""
    write_notebook(lab.folder / f"{name}.ipynb", cells, "workbench")
    with watched_page(browser, lab) as page:
        page.run_notebook(f"{name}.ipynb")
        yield page


def _unquoted(text: str) -> str:
    """The string whose repr is `text`."""
    import ast

    return str(ast.literal_eval(text))
