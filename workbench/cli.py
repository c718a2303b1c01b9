"""The `workbench` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    from workbench import __version__
    from workbench.pool.command import add_arguments

    command = argparse.ArgumentParser(
        prog="workbench", description="An interactive machine-learning workbench."
    )
    command.add_argument("--version", action="version", version=f"workbench {__version__}")
    commands = command.add_subparsers(dest="command", metavar="COMMAND", required=True)
    demo = commands.add_parser(
        "demo",
        help="train a convolutional network on handwritten digits",
        description=(
            "Trains a convolutional network on handwritten digits, writes the run's folder (graph, "
            "events, checkpoints), and checks in a fresh process that the checkpoint predicts the "
            "same. Ctrl-C at any moment leaves a checkpoint that can be loaded."
        ),
    )
    demo.add_argument(
        "--folder", default=None, help="the run's folder (default: runs/digits-DATE-TIME)"
    )
    demo.add_argument("--epochs", type=int, default=12, help="passes over the data (default: 12)")
    demo.add_argument("--seed", type=int, default=0, help="the run's random seed (default: 0)")
    demo.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    predict = commands.add_parser(
        "demo-predict",
        help="load a demonstration's checkpoint and print its held-out accuracy",
        description="Loads the newest checkpoint of a demonstration's folder and predicts.",
    )
    predict.add_argument("folder", help="the run's folder")
    predict.add_argument("--output", help="write the predictions there, as JSON")
    lab = commands.add_parser(
        "lab",
        help="open JupyterLab on the quickstart",
        description=(
            "Copies the example notebooks to a folder, where they may be changed, and opens "
            "JupyterLab on the quickstart. Arguments after -- are JupyterLab's own."
        ),
    )
    lab.add_argument(
        "--folder",
        default="workbench-examples",
        help="where the examples are copied to (default: workbench-examples)",
    )
    lab.add_argument("--port", type=int, help="the server's port (default: 8888, or the next free)")
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.add_argument("arguments", nargs="*", metavar="-- ARGUMENT", help="for JupyterLab")
    add_arguments(commands)
    return command


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    command = parser()
    options, unknown = command.parse_known_args(argv)
    if unknown:
        found = " ".join(unknown)
        own = f"; JupyterLab's own go after --: workbench lab -- {found}"
        command.error(f"unrecognized arguments: {found}{own if options.command == 'lab' else ''}")
    if options.command == "lab":
        from workbench.lab.launch import open_lab

        return open_lab(options.folder, options.port, not options.no_browser, options.arguments)
    if options.command == "pool":
        from workbench.pool.command import run

        return run(options)
    # The demonstration's matrices are small: threads that wait for each other would cost more than
    # they save, above all where other programs use the processors too. NumPy reads this once.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if options.command == "demo":
        from workbench.demo.training import train

        return train(options.folder, options.epochs, options.seed, options.resume)
    from workbench.demo.prediction import predict_held_out

    return predict_held_out(options.folder, options.output)


if __name__ == "__main__":
    sys.exit(main())
