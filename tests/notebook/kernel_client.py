"""A real kernel, and a view that speaks to it as JupyterLab does."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

DEADLINE = 60.0


class Kernel:
    """A kernel with a client that collects whatever it publishes."""

    def __init__(self, folder: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.blocking_client()
        self.published: list[dict[str, Any]] = []

    def start(self) -> None:
        self.client.start_channels()
        self.client.wait_for_ready(timeout=DEADLINE)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    def submit(self, code: str) -> str:
        """Starts a cell and returns the id of its request."""
        identity: str = self.client.execute(code)
        return identity

    def execute(self, code: str, fails: bool = False) -> list[dict[str, Any]]:
        """Executes a cell; everything that it published."""
        identity = self.submit(code)
        return self.finish(identity, fails)

    def finish(self, identity: str, fails: bool = False) -> list[dict[str, Any]]:
        """Waits for a cell; everything that it published."""
        reply = self.client.get_shell_msg(timeout=DEADLINE)
        while reply["parent_header"].get("msg_id") != identity:
            reply = self.client.get_shell_msg(timeout=DEADLINE)
        failed = reply["content"]["status"] != "ok"
        assert failed == fails, reply["content"]

        def idle(message: dict[str, Any]) -> bool:
            return (
                message["msg_type"] == "status"
                and message["content"]["execution_state"] == "idle"
                and message["parent_header"].get("msg_id") == identity
            )

        self.wait(idle)
        return [m for m in self.published if m["parent_header"].get("msg_id") == identity]

    def wait(self, wanted: Any, seconds: float = DEADLINE, start: int = 0) -> dict[str, Any]:
        """The first published message that `wanted` accepts, from number `start` on."""
        deadline = time.monotonic() + seconds
        seen = start
        while True:
            for message in self.published[seen:]:
                if wanted(message):
                    return message
            seen = len(self.published)
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("nothing of the kind was published")
            try:
                self.published.append(self.client.get_iopub_msg(timeout=min(left, 0.5)))
            except Exception as error:
                if type(error).__name__ != "Empty":
                    raise

    def subshell(self) -> str | None:
        """A new subshell, None where this kernel has none."""
        self.client.kernel_info()
        info = self.client.get_shell_msg(timeout=DEADLINE)
        if "kernel subshells" not in info["content"].get("supported_features", []):
            return None
        request = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(request)
        reply = self.client.get_control_msg(timeout=DEADLINE)
        identity: str = reply["content"]["subshell_id"]
        return identity


class View:
    """A view with its control comm, on a subshell where there are any."""

    def __init__(self, kernel: Kernel, subshell: str | None = None, data: Any = None) -> None:
        self.kernel = kernel
        self.subshell = subshell
        self.view = str(uuid.uuid4())
        self.control = uuid.uuid4().hex
        self.ids = 0
        self.start = len(kernel.published)
        self._shell_message(
            "comm_open",
            {
                "comm_id": self.control,
                "target_name": "workbench.control",
                "data": {"view": self.view, "protocol": 1} if data is None else data,
            },
        )

    def find_data_comm(self) -> None:
        """Waits until the kernel has opened the comm on which it tells."""
        opened = self.kernel.wait(
            lambda m: (
                m["msg_type"] == "comm_open"
                and m["content"]["target_name"] == "workbench.data"
                and m["content"]["data"] == {"view": self.view}
            ),
            start=self.start,
        )
        self.data = opened["content"]["comm_id"]

    def send(self, message: Any) -> None:
        self._shell_message("comm_msg", {"comm_id": self.control, "data": message})

    def request(self, method: str, **params: Any) -> int:
        self.ids += 1
        self.send({"id": self.ids, "method": method, "params": params})
        return self.ids

    def receive(self, accept: Any, seconds: float = DEADLINE) -> dict[str, Any]:
        """The first message of the data comm that `accept` takes, with its buffers."""
        return self.kernel.wait(
            lambda m: (
                m["msg_type"] == "comm_msg"
                and m["content"]["comm_id"] == self.data
                and accept(m["content"]["data"])
            ),
            seconds,
            self.start,
        )

    def ask(self, method: str, seconds: float = DEADLINE, **params: Any) -> Any:
        """The answer to a request: the message whose content has result or error."""
        identity = self.request(method, **params)
        return self.receive(lambda data: data.get("id") == identity, seconds)

    def result(self, method: str, **params: Any) -> Any:
        """The result of a request, which must not be refused."""
        data = self.ask(method, **params)["content"]["data"]
        assert "error" not in data, data
        return data["result"]

    def error(self, method: str, **params: Any) -> Any:
        """The error of a request, which must be refused."""
        return self.ask(method, **params)["content"]["data"]["error"]

    def close(self) -> None:
        self._shell_message("comm_close", {"comm_id": self.control, "data": {}})

    def _shell_message(self, kind: str, content: dict[str, Any]) -> None:
        session = self.kernel.client.session
        message = session.msg(kind, content)
        message["header"]["subshell_id"] = self.subshell
        self.kernel.client.shell_channel.send(message)
