"""The entry point of a script: ``tf.app.run``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from workbench.core.platform import flags


def run(
    main: Callable[[list[str]], Any] | None = None, argv: Sequence[str] | None = None
) -> NoReturn:
    """Parse the flags, call ``main`` with what is left of the command line, and exit.

    Args:
      main: what to call; the script's own ``main`` where it is None. It gets the program's name
        and the arguments that are no flags, and its result is the exit code.
      argv: the command line, starting with the program's name; ``sys.argv`` where it is None.

    Raises:
      SystemExit: always.
      AttributeError: there is no ``main``, or a required flag has no value.
    """
    arguments = list(sys.argv if argv is None else argv)
    left = flags.FLAGS(arguments)
    if main is None:
        main = getattr(sys.modules["__main__"], "main", None)
        if main is None:
            raise AttributeError("tf.app.run() needs a function: the script defines no 'main'")
    sys.exit(main(left))
