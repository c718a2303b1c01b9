"""Puts an engine in TensorFlow's place: afterwards `import tensorflow as tf` is that engine.

An engine is the name of a module: `workbench`, or any other that has TensorFlow 1's names. The
name `tensorflow` stands for the real one in its version-1 spelling, which is the oracle.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from tests.peers import mnist_reader, old_names
from tests.peers.names import PACKAGES, Names, OracleNames, UnknownName

TUTORIALS = "tensorflow.examples.tutorials.mnist"
READERS = {
    f"{TUTORIALS}.input_data",
    "tensorflow.contrib.learn.python.learn.datasets.mnist",
}


# Folders of contrib, which have modules in them as well as names.
CONTRIB_FOLDER = re.compile(r"contrib\.(\w+)\.python(?:\.\w+)?")


class ContribFolder(ModuleType):
    """A folder of contrib: it has the functions of that part of contrib, and its inner modules."""

    def __init__(self, name: str, public: ModuleType | None) -> None:
        super().__init__(name)
        self.__dict__["_public"] = public

    def __getattr__(self, name: str) -> object:
        found = None if name.startswith("__") else getattr(self._public, name, None)
        if callable(found):
            return found
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


class InnerModule(ModuleType):
    """One of TensorFlow's inner modules, whose names are looked up among the engine's public ones.

    Where `lenient`, a name that is nowhere to be found becomes an `UnknownName`, which fails only
    when it is used: one missing name must not hide a whole file of tests.
    """

    def __init__(self, name: str, names: Names, lenient: bool) -> None:
        super().__init__(name)
        self.__dict__["_names"] = names
        self.__dict__["_lenient"] = lenient

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        try:
            found = self._names.find(self.__name__, name)
        except LookupError as error:
            if not self._lenient:
                raise AttributeError(str(error)) from None
            return UnknownName(f"{self.__name__}.{name}", self._names.engine.__name__)
        self.__dict__[name] = found
        return found


class ReaderPackage(ModuleType):
    """A package on the way to the reader of digits; the rest of its names are the engine's."""

    def __init__(self, name: str, public: ModuleType | None) -> None:
        super().__init__(name)
        self.__dict__["_public"] = public

    def __getattr__(self, name: str) -> object:
        if f"{self.__name__}.{name}" in READERS:
            return importlib.import_module(f"{self.__name__}.{name}")
        if self._public is None or name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(self._public, name)


# Inner modules whose names tests replace: the engine itself must look them up there.
REPLACEABLE = {"tensorflow.python.platform.tf_logging": "logging"}

# Below this package the oracle answers as version 1 does: its own inner modules have changed.
ORACLE_INNER = "tensorflow_version_1"


class OracleFinder(MetaPathFinder, Loader):
    """Serves the inner modules of the oracle from its version-1 names."""

    def __init__(self, oracle: ModuleType) -> None:
        self.names = OracleNames(oracle)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """A spec for everything below `ORACLE_INNER`."""
        root, _, inner = fullname.partition(".")
        if root != ORACLE_INNER:
            return None
        return ModuleSpec(fullname, self, is_package=not inner or inner in PACKAGES)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A package, or a module of names."""
        if spec.submodule_search_locations is not None:
            return ModuleType(spec.name)
        return InnerModule(spec.name, self.names, lenient=True)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is executed."""


class TensorFlowFinder(MetaPathFinder, Loader):
    """Serves every module below `tensorflow` from the engine."""

    def __init__(self, engine: ModuleType, lenient: bool, folders: Sequence[Path]) -> None:
        self.engine = engine
        self.names = Names(engine)
        self.lenient = lenient
        self.folders = list(folders)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """A spec for what the engine, the reader of digits or a file beside the test can serve."""
        if not fullname.startswith("tensorflow."):
            return None
        inner = fullname.removeprefix("tensorflow.")
        if any(reader.startswith(fullname + ".") for reader in READERS):
            return ModuleSpec(fullname, self, is_package=True)
        if self.lenient and inner.partition(".")[0] == "contrib":
            return ModuleSpec(fullname, self, is_package=True)
        if fullname in READERS:
            return ModuleSpec(fullname, self)
        if self._public_module(inner) is not None:
            return ModuleSpec(fullname, self, is_package=True)
        if fullname.startswith(TUTORIALS + "."):
            return self._beside(fullname)
        if inner in PACKAGES:
            return ModuleSpec(fullname, self, is_package=True)
        root = inner.partition(".")[0]
        if root not in ("python", "core"):
            return None
        helper = None if self.names.serves(inner) else self._helper(fullname)
        return helper or ModuleSpec(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module to be filled by `exec_module`."""
        inner = spec.name.removeprefix("tensorflow.")
        if any(reader.startswith(f"{spec.name}.") for reader in READERS):
            return ReaderPackage(spec.name, self._public_module(inner))
        if inner in PACKAGES:
            return ModuleType(spec.name)
        folder = CONTRIB_FOLDER.fullmatch(inner)
        if folder:
            return ContribFolder(spec.name, getattr(self.engine.contrib, folder[1], None))
        return InnerModule(spec.name, self.names, self.lenient)

    def exec_module(self, module: ModuleType) -> None:
        """Put the engine's own module in the place of the one just made, where it has one."""
        name = module.__name__
        if name in READERS:
            sys.modules[name] = mnist_reader
            return
        public = self._public_module(REPLACEABLE.get(name, name.removeprefix("tensorflow.")))
        if public is not None and not isinstance(module, (ReaderPackage, ContribFolder)):
            sys.modules[name] = public
            if module.__spec__ is not None and module.__spec__.submodule_search_locations == []:
                # Unit tests ask for contrib.layers.python.layers and the like, too.
                vars(public).setdefault("__path__", [])

    def _public_module(self, path: str) -> ModuleType | None:
        """The engine's module at a dotted path of its public names."""
        found: object = self.engine
        if path.split(".")[0] == "core":
            return None
        for part in path.split("."):
            if isinstance(found, InnerModule):
                return None
            found = getattr(found, part, None)
        return found if isinstance(found, ModuleType) else None

    def _beside(self, fullname: str) -> ModuleSpec | None:
        """A tutorial that another one imports by its full name, though it is just beside it."""
        for folder in self.folders:
            path = folder / f"{fullname.rpartition('.')[2]}.py"
            if path.is_file():
                return importlib.util.spec_from_file_location(fullname, path)
        return None

    def _helper(self, fullname: str) -> ModuleSpec | None:
        """A helper of the tests that stands in their own tree."""
        for folder in self.folders:
            path = folder.joinpath(*fullname.split(".")).with_suffix(".py")
            if path.is_file():
                return importlib.util.spec_from_file_location(fullname, path)
        return None


class Facade(ModuleType):
    """The module `tensorflow`: the names of the modules behind it, the first that has one wins.

    It is a module of its own because importing `tensorflow.core` binds `core` in it, which must not
    replace what an engine itself calls so.
    """

    def __init__(self, *modules: ModuleType) -> None:
        super().__init__("tensorflow", modules[0].__doc__)
        self.__dict__["_modules"] = modules
        self.__path__ = list(getattr(modules[-1], "__path__", []))
        self.__spec__ = modules[-1].__spec__
        # Scripts ask which TensorFlow this is; an engine's own version is no answer.
        self.__version__ = getattr(modules[0], "VERSION", getattr(modules[0], "__version__", ""))

    def __getattr__(self, name: str) -> object:
        for module in self._modules:
            if hasattr(module, name):
                return getattr(module, name)
        # Let the engine say it in its own words.
        return getattr(self._modules[0], name)

    def __dir__(self) -> list[str]:
        return sorted({name for module in self._modules for name in dir(module)})


def install(engine: str, *, lenient: bool = False, folders: Sequence[Path] = ()) -> ModuleType:
    """Make `import tensorflow` mean `engine` in this process, and return the engine.

    `folders` have files that may be imported by a name below `tensorflow`. Where `lenient`, what an
    inner module lacks fails when it is used, not when it is imported.
    """
    old_names.restore_names()
    if engine == "tensorflow":
        return _install_oracle(folders)
    module = importlib.import_module(engine)
    sys.modules["tensorflow"] = Facade(module)
    sys.meta_path.insert(0, TensorFlowFinder(module, lenient, folders))
    return module


def _install_oracle(folders: Sequence[Path]) -> ModuleType:
    """The real TensorFlow, graphs and sessions as in version 1."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # The results of oneDNN depend on the number of threads.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    whole = importlib.import_module("tensorflow")
    version_1 = importlib.import_module("tensorflow.compat.v1")
    version_1.disable_v2_behavior()
    oracle = Facade(version_1, whole)
    sys.modules["tensorflow"] = oracle
    # Last: only what TensorFlow itself no longer has is served from its public names.
    sys.meta_path.append(TensorFlowFinder(oracle, True, folders))
    sys.meta_path.append(OracleFinder(oracle))
    return oracle
