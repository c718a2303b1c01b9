"""The magics: each a few lines over the Python API.

A typing error of the user's ends in one line that says what was meant, never in a traceback. What
runs need is imported with the first magic that is about them, so that a kernel starts quickly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.notebook import graph_cell, lookup
from workbench.notebook.graph_text import graph_text
from workbench.notebook.magic_line import LineParser, unquoted, with_usage

#: Makes the magic of a shell: what is called with its line.
Line = Callable[[str], Any]


def graph_line(shell: Any) -> Line:
    """`%graph`."""
    parser = LineParser("%graph")
    parser.add_argument("name", nargs="?", help="a graph's name, or a variable")
    parser.add_argument("--diff", metavar="OTHER", help="what is different from OTHER")
    parser.add_argument("--text", action="store_true", help="print it, without the view")

    def graph(line: str) -> None:
        """Show a graph.

        %graph                     the default graph
        %graph digits              the graph that %%graph digits made, or of that variable
        %graph wide --diff digits  what was added, removed and changed in wide
        %graph --text              as text
        """
        from workbench.notebook.display import show

        options = parser.parse_line(line)
        value = lookup.graph(shell, options.name)
        other = lookup.graph(shell, options.diff) if options.diff else None
        if options.text:
            print(graph_text(value, other))
        else:
            show(value, against=other)

    return with_usage(graph, parser)


def graph_cell_magic(shell: Any) -> Callable[[str, str], None]:
    """`%%graph`."""
    parser = LineParser("%%graph")
    parser.add_argument("name", nargs="?", help="the graph's name")

    def graph(line: str, cell: str) -> None:
        """Build a graph with the code of this cell, and show it.

        %%graph digits
        x = tf.placeholder(tf.float32, [None, 784], name="x")

        Executing the cell again builds the graph anew; the variables of the cell stay in the
        notebook. Without a name the default graph starts over.
        """
        from workbench.notebook.display import show

        name = parser.parse_line(line).name
        show(graph_cell.build(shell, name, cell), name=name)

    return with_usage(graph, parser)


def train_line(shell: Any) -> Line:
    """`%train`."""
    parser = LineParser("%train")
    parser.add_argument("target", help="the operation that is one step, such as train_op")
    parser.add_argument("--steps", type=int, help="how many steps; until it is stopped if omitted")
    parser.expression("--feed", help="what each step is fed, such as wb.batches({x: xs}, 64)")
    parser.expression("--track", help="what is recorded: loss,accuracy or name=tensor,...")
    parser.add_argument("--name", type=unquoted, help="the run's name")
    parser.add_argument(
        "--pool", type=unquoted, help="the pool that it goes to: a variable, or a pool's name"
    )
    parser.add_argument("--replicas", type=int, help="how many workers of the pool train together")
    parser.add_argument(
        "--strategy", type=unquoted, help="how they do: sync, async or 'parameter server'"
    )
    parser.add_argument(
        "--encoding",
        type=unquoted,
        help="how they send each other what they learn: bfloat16, float16 or int8",
    )

    def train(line: str) -> Any:
        """Start a run and show it; the notebook stays free.

        %train train_op --steps 2000 --feed feed --track loss,accuracy --name digits
        run = %train train_op --steps 500 --feed wb.batches({x: xs, y: ys}, 64)
        %train train_op --feed feed --pool local --replicas 2 --encoding bfloat16

        The value is the run: pause, step, set, rewind and fork it from any cell.
        """
        from workbench.notebook import run_magics

        return run_magics.train(shell, parser.parse_line(line))

    return with_usage(train, parser)


def tweak_line(shell: Any) -> Line:
    """`%tweak`."""
    parser = LineParser("%tweak")
    parser.add_argument("words", nargs="*", metavar="[RUN] [NAME=VALUE ...]", help="new values")

    def tweak(line: str) -> Any:
        """Change hyperparameters of a run while it trains, or show sliders for them.

        %tweak                     sliders of the newest run
        %tweak lr=0.01 keep=0.5    new values for the newest run
        %tweak digits lr=0.01      for the run called digits
        """
        from workbench.notebook import run_magics

        return run_magics.tweak(shell, parser.parse_line(line).words)

    return with_usage(tweak, parser)


def peek_line(shell: Any) -> Line:
    """`%peek`."""
    parser = LineParser("%peek")
    parser.add_argument("tensor", help="a variable, or a tensor's name")
    parser.add_argument("--run", help="the run; the newest one if omitted")

    def peek(line: str) -> Any:
        """The value of a tensor in a run now, without any effect on the run.

        %peek loss
        %peek dense/kernel:0 --run digits
        """
        from workbench.notebook import run_magics

        options = parser.parse_line(line)
        return run_magics.peek(shell, options.tensor, options.run)

    return with_usage(peek, parser)


def runs_line(shell: Any) -> Line:
    """`%runs`."""
    parser = LineParser("%runs")
    parser.add_argument("names", nargs="*", help="runs; all of the project if omitted")
    parser.add_argument("--compare", action="store_true", help="draw their curves together")
    parser.add_argument("--delete", action="store_true", help="delete the runs of these names")

    def runs(line: str) -> Any:
        """List, compare or delete runs.

        %runs                          all of this project
        %runs --compare digits wider   their curves in one picture
        %runs --delete digits
        """
        from workbench.notebook import run_magics

        return run_magics.runs(shell, parser.parse_line(line))

    return with_usage(runs, parser)


def pool_line(shell: Any) -> Line:
    """`%pool`."""
    parser = LineParser("%pool")
    parser.add_argument("action", nargs="?", help="start, scale, stop or status; a list if omitted")
    parser.add_argument(
        "words", nargs="*", metavar="NAME", help="the pool; the only one if omitted"
    )
    parser.add_argument("--workers", type=int, help="how many a new pool has (default: 2)")

    def pool(line: str) -> Any:
        """Start, scale, stop and show pools of workers, which stay when this notebook ends.

        %pool                                the pools of this user
        pool = %pool start big --workers 4   processes of this machine
        %pool scale 8 big                    more or fewer workers
        %pool status big
        %pool stop big                       ends all of its processes
        %pool restart big                    starts a dead one again, and its runs go on
        """
        from workbench.notebook import pool_magic

        return pool_magic.pool(parser.parse_line(line))

    return with_usage(pool, parser)


LINES: dict[str, Callable[[Any], Line]] = {
    "graph": graph_line,
    "train": train_line,
    "tweak": tweak_line,
    "peek": peek_line,
    "runs": runs_line,
    "pool": pool_line,
}


def register(shell: Any) -> None:
    """Makes the magics known to a shell."""
    for name, make in LINES.items():
        shell.register_magic_function(make(shell), "line", name)
    shell.register_magic_function(graph_cell_magic(shell), "cell", "graph")


def unregister(shell: Any) -> None:
    """Takes the magics back."""
    for name in LINES:
        shell.magics_manager.magics["line"].pop(name, None)
    shell.magics_manager.magics["cell"].pop("graph", None)
