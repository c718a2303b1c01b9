"""Finds the names of TensorFlow's inner modules among an engine's public names.

TensorFlow's own unit tests import `tensorflow.python.ops.array_ops` and the like. Nearly all they
take from there is public under some other path, so the name itself says where to look.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import sys
from types import ModuleType

from tests.peers import adapted, adapted_training, raw_operations, support

# Inner modules that have modules in them rather than names.
PACKAGES = {
    "core",
    "core.example",
    "core.framework",
    "core.lib",
    "core.lib.core",
    "core.protobuf",
    "core.util",
    "python",
    "python.autograph",
    "python.client",
    "python.compat",
    "python.data",
    "python.data.kernel_tests",
    "python.data.ops",
    "python.data.util",
    "python.eager",
    "python.framework",
    "python.kernel_tests",
    "python.layers",
    "python.lib",
    "python.lib.io",
    "python.ops",
    "python.ops.distributions",
    "python.ops.linalg",
    "python.ops.losses",
    "python.ops.ragged",
    "python.ops.signal",
    "python.platform",
    "python.saved_model",
    "python.summary",
    "python.summary.writer",
    "python.training",
    "python.util",
    "python.util.protobuf",
}

# Public namespaces, in the order in which they are searched when nothing better is known.
NAMESPACES = (
    "",
    "nn",
    "train",
    "layers",
    "losses",
    "metrics",
    "image",
    "linalg",
    "errors",
    "data",
    "summary",
    "initializers",
    "strings",
    "math",
    "random",
    "sets",
    "spectral",
    "bitwise",
    "test",
    "gfile",
    "logging",
    "app",
    "app.flags",
    "flags",
    "compat",
    "graph_util",
    "python_io",
    "lookup",
    "sysconfig",
    "resource_loader",
    "nn.rnn_cell",
    "train.queue_runner",
    "contrib.framework",
    "contrib.staging",
    "saved_model",
    "saved_model.builder",
    "saved_model.utils",
)

# Where to look first: the last part of the inner module's path, or one of the folders in it.
FIRST = {
    "app": "app",
    "bitwise_ops": "bitwise",
    "candidate_sampling_ops": "nn",
    "compat": "compat",
    "convolutional": "layers",
    "dataset_ops": "data",
    "embedding_ops": "nn",
    "errors": "errors",
    "errors_impl": "errors",
    "flags": "app.flags",
    "gfile": "gfile",
    "googletest": "test",
    "gradient_checker": "test",
    "image_ops": "image",
    "image_ops_impl": "image",
    "iterator_ops": "data",
    "layers": "layers",
    "linalg_impl": "linalg",
    "linalg_ns": "linalg",
    "losses": "losses",
    "losses_impl": "losses",
    "metrics": "metrics",
    "metrics_impl": "metrics",
    "nn": "nn",
    "nn_impl": "nn",
    "nn_ops": "nn",
    "readers": "data",
    "rnn_cell_impl": "nn.rnn_cell",
    "sets": "sets",
    "sets_impl": "sets",
    "spectral_ops": "spectral",
    "summary": "summary",
    "test": "test",
    "tf_logging": "logging",
    "tf_record": "python_io",
    "training": "train",
}


# The parts of the engine's package where names are looked for that are not public.
SEARCHED = ("core", "train")


class UnknownNameError(NotImplementedError):
    """A test used a name that the engine does not have."""


class UnknownName:
    """Stands for a name the engine lacks, until it is used."""

    def __init__(self, path: str, engine: str) -> None:
        self._path = path
        self._engine = engine

    def _fail(self) -> UnknownNameError:
        return UnknownNameError(f"{self._engine} has no name for {self._path}")

    def __call__(self, *arguments: object, **keywords: object) -> object:
        raise self._fail()

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return UnknownName(f"{self._path}.{name}", self._engine)

    def __iter__(self) -> object:
        raise self._fail()

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        failure = self._fail()

        class Unknown:
            """A base class the engine lacks."""

            def __init__(self, *arguments: object, **keywords: object) -> None:
                raise failure

        return (Unknown,)

    def __repr__(self) -> str:
        return f"<unknown {self._path}>"


class Names:
    """The names of one engine."""

    def __init__(self, engine: ModuleType) -> None:
        self.engine = engine
        self._walked = False

    def serves(self, inner: str) -> bool:
        """Whether an inner module is known well enough to be served by names."""
        last = inner.rpartition(".")[2]
        return last in FIRST or adapted.knows(last)

    def find(self, module: str, name: str) -> object:
        """What `module.name` is in this engine; LookupError where it has no such thing."""
        last = module.rpartition(".")[2]
        maker = adapted.maker(last, name) or adapted_training.maker(last, name)
        if maker is not None:
            try:
                return maker(self.engine)
            except (AttributeError, ImportError) as error:
                raise LookupError(str(error)) from None
        if last.endswith("_pb2"):
            message = raw_operations.message(self.engine, name)
            if message is not None:
                return message
        if last.startswith("gen_"):
            operation = raw_operations.find(self.engine, name)
            if operation is not None:
                return operation
            name = name.lstrip("_")
        # Functions on nested structures have the names of functions on tensors.
        for namespace in () if last == "nest" else self._order(module):
            owner = self._owner(namespace)
            if owner is not None and self._has(owner, name):
                return getattr(owner, name)
        try:
            return self._anywhere(last, name)
        except LookupError:
            # The modules of functions have the generated ones in them, too.
            operation = raw_operations.find(self.engine, name) if last.endswith("_ops") else None
            if operation is None:
                raise
            return operation

    def _order(self, module: str) -> list[str]:
        """The namespaces to search, the likeliest first."""
        parts = module.split(".")[::-1]
        likely = [FIRST[part] for part in parts if part in FIRST]
        if parts[-2:-1] == ["contrib"]:
            likely.insert(0, f"contrib.{parts[-3]}" if len(parts) > 2 else "contrib")
        return likely + [namespace for namespace in NAMESPACES if namespace not in likely]

    def _owner(self, namespace: str) -> object | None:
        found: object | None = self.engine
        for part in filter(None, namespace.split(".")):
            found = getattr(found, part, None)
        return found

    @staticmethod
    def _has(owner: object, name: str) -> bool:
        """A module within a module is no name that a test could mean."""
        try:
            value = getattr(owner, name, None)
        except ImportError:  # a lazy name without its module is no name
            return False
        return value is not None and not isinstance(value, ModuleType)

    def _anywhere(self, last: str, name: str) -> object:
        """Search all of the engine's modules, those of a like name first."""
        package = self.engine.__name__
        if package == "tensorflow":
            raise LookupError(f"TensorFlow has no {name!r} (asked for in {last!r})")
        if not self._walked and hasattr(self.engine, "__path__"):
            self._walked = True
            for found in pkgutil.walk_packages(
                self.engine.__path__, package + ".", onerror=lambda _: None
            ):
                if found.name.startswith(tuple(f"{package}.{part}" for part in SEARCHED)):
                    # A part that lacks a library has no names to offer.
                    with contextlib.suppress(ImportError):
                        importlib.import_module(found.name)
        candidates = [
            module
            for key, module in list(sys.modules.items())
            if key.startswith(package + ".")
            and ".kernels" not in key
            and name in vars(module)
            and not isinstance(vars(module)[name], ModuleType)
        ]
        if not candidates:
            raise LookupError(f"{package} has no {name!r} (asked for in {last!r})")
        stem = last.removeprefix("gen_").removesuffix("_ops").removesuffix("_impl")
        candidates.sort(key=lambda module: stem not in module.__name__)
        return getattr(candidates[0], name)


class OracleNames(Names):
    """The names of the real TensorFlow, whose inner modules exist but have moved on since 1.x."""

    # Folders whose modules still mean what they meant.
    FAITHFUL = ("framework", "platform", "util", "eager", "client", "lib")

    def find(self, module: str, name: str) -> object:
        """Public names of version 1 first where the inner ones now mean version 2."""
        parts = module.split(".")
        ours = {"test": ("main",), "googletest": ("main",), "test_util": tuple(support.HELPERS)}
        if name in ours.get(parts[-1], ()):
            return super().find(module, name)
        adapted_only = adapted.maker(parts[-1], name) is not None
        path = ".".join(["tensorflow", *parts[1:]])
        plain = name.lstrip("_") if parts[-1].startswith("gen_") else name
        faithful = parts[-1].startswith("gen_") or any(part in self.FAITHFUL for part in parts)
        if (faithful or adapted_only) and self._inner_has(path, plain):
            return getattr(sys.modules[path], plain)
        try:
            return super().find(module, name)
        except LookupError:
            if self._inner_has(path, plain):
                return getattr(sys.modules[path], plain)
            raise

    @staticmethod
    def _inner_has(path: str, name: str) -> bool:
        try:
            return hasattr(importlib.import_module(path), name)
        except ImportError:
            return False
