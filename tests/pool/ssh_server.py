"""`python -m tests.pool.ssh_server FOLDER`: an SSH server on this machine that runs commands.

It prints its port; who may log in has FOLDER/id. Commands run in FOLDER. As of a real server, a
command whose connection is gone is left alone: its input ends, and nothing else.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any


def serve(folder: Path) -> None:
    """Serves until this process is killed."""
    import asyncssh

    async def perform(process: Any) -> None:
        child = await asyncio.create_subprocess_shell(
            process.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            start_new_session=True,
        )
        await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
        process.exit(await child.wait())

    async def listen() -> None:
        own, user = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        user.write_private_key(folder / "id")
        user.write_public_key(folder / "id.pub")
        server = await asyncssh.create_server(
            asyncssh.SSHServer,
            "127.0.0.1",
            0,
            server_host_keys=[own],
            authorized_client_keys=str(folder / "id.pub"),
            process_factory=perform,
            encoding=None,
        )
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.sleep(600)

    asyncio.run(listen())


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
