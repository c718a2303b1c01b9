"""The steps by which Binder makes and starts an image, in a clean environment of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
#: Binder's proxy puts something like this before every address.
PREFIX = "/user/somebody-workbench-4x1q2w3e/"
TOKEN = "secret"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform == "win32", reason="Binder runs Linux, and so do the scripts"),
]


def run(*command: str, cwd: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout[-5000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of what is committed, with what repo2docker does to it; and its environment."""
    scratch = tmp_path_factory.mktemp("binder")
    home = scratch / "home"
    repository = home / "repository"
    repository.mkdir(parents=True)
    environment = {
        "HOME": str(home),
        "PATH": f"{scratch / 'venv' / 'bin'}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
    }
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            target = repository / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    run(sys.executable, "-m", "venv", str(scratch / "venv"), cwd=scratch, environment=environment)
    requirements = ("-m", "pip", "install", "-q", "-r", "binder/requirements.txt")
    run("python", *requirements, cwd=repository, environment=environment)
    run("./binder/postBuild", cwd=repository, environment=environment)
    return repository, environment


@pytest.fixture(scope="module")
def server(
    image: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the server that the image starts, behind the proxy's prefix."""
    repository, environment = image
    port = free_port()
    command = ["./binder/start", "jupyter", "lab", "--no-browser", "--allow-root"]
    command += ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    command += [f"--ServerApp.base_url={PREFIX}", f"--IdentityProvider.token={TOKEN}"]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=repository, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}{PREFIX}"
    try:
        end = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{address}api/status?token={TOKEN}", timeout=5).close()
                break
            except OSError:
                alive = process.poll() is None and time.monotonic() < end
                assert alive, log.read_text(encoding="utf-8")
                time.sleep(0.2)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


def test_has_the_extension_and_the_kernel(image: tuple[Path, dict[str, str]]) -> None:
    repository, environment = image
    kernels = run("jupyter", "kernelspec", "list", cwd=repository, environment=environment)
    assert "workbench" in kernels
    listed = run("jupyter", "labextension", "list", cwd=repository, environment=environment)
    (ours,) = [line for line in listed.splitlines() if line.split()[:1] == ["workbench"]]
    assert "enabled" in ours and "OK" in ours


def test_opens_an_example_through_the_proxys_prefix(
    image: tuple[Path, dict[str, str]], server: str, tmp_path: Path
) -> None:
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("WORKBENCH_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI"):
            raise FileNotFoundError("chromium")
        pytest.skip("chromium is missing: the notebook was NOT opened")
    examples = sorted(path.name for path in (image[0] / "examples").glob("*.ipynb"))
    name = "quickstart.ipynb" if "quickstart.ipynb" in examples else examples[0]
    foreign: list[str] = []
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            page = browser.new_page()
            page.set_default_timeout(60_000)
            ours = (server, server.replace("http", "ws", 1), "data:", "blob:")
            page.on("request", lambda r: r.url.startswith(ours) or foreign.append(r.url))
            page.on("console", lambda m: m.type == "error" and errors.append(m.text))
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(f"{server}lab/tree/examples/{name}?token={TOKEN}")
            page.wait_for_selector("#jupyterlab-splash", state="detached")
            page.wait_for_selector(".jp-Notebook .jp-Cell")
            page.wait_for_selector("#jp-main-statusbar >> text=Idle")
            page.click("jp-button[data-command='workbench:open-graph']")
            page.wait_for_selector("#workbench-graph")
            page.wait_for_selector("#workbench-graph[data-state=open], .workbench-load")
            if page.is_visible(".workbench-load"):  # in a plain Python kernel
                page.click(".workbench-load")
            page.wait_for_selector("#workbench-graph[data-state=open]")
            page.screenshot(path=str(tmp_path / "binder.png"))
        finally:
            browser.close()
    assert foreign == []
    assert errors == []
