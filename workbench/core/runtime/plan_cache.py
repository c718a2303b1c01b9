"""Planned programs on disk, each with all of its machine code: a second process runs them at once.

An entry has the name that `plan_key` says. It holds data and an image of machine code, in the
folder of `CodeCache`, which says what a file is worth; what does not fit is ignored, and the
program is planned and compiled anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.codegen import host
from workbench.core.codegen.compiler import KernelLibrary, Source
from workbench.core.codegen.fingerprint import package
from workbench.core.codegen.image import Image
from workbench.core.codegen.llvm import exclusive
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.plan import Plan
from workbench.core.runtime.plan_key import frame_key

if TYPE_CHECKING:
    from workbench.core.fusion.compiled_plan import CompiledPlan

_LENGTH = 8


class PlanCache:
    """The programs that processes of this machine have made, by the plans they are of."""

    _shared: PlanCache | None = None

    def __init__(self, library: KernelLibrary) -> None:
        self._library = library
        self._has_frame = False

    @classmethod
    def shared(cls) -> PlanCache:
        """That of the process's machine code."""
        with exclusive:
            if cls._shared is None:
                cls._shared = PlanCache(KernelLibrary.shared())
            return cls._shared

    def load(self, plan: Plan, key: str) -> CompiledPlan | None:
        """The program of a plan, with its functions in the process; None where nobody made it."""
        if host.obstacle_to_kept_code() is not None:
            return None
        entry = self._library.cache.load(key)
        if entry is None:
            return None
        try:
            data, image = _unpacked(entry)
            from workbench.core.fusion.restoring import restore_plan

            restored = restore_plan(plan, data["plan"])
            if image is not None:
                self._bring_frame()
                self._library.adopt(image)
        except Exception:  # whatever is wrong with it, it is no entry
            return None
        names = (
            record.code.name
            for region in restored.regions
            if region.program is not None
            for record in region.program.records
        )
        return restored if self._library.has(names) else None

    def store(self, plan: Plan, compiled: CompiledPlan, key: str) -> None:
        """Keeps a program for other processes, where everything in it is of a kind that can be."""
        if not self._library.cache.keeps:
            # The machine code of all kernels would be made a second time, for nobody.
            return
        from workbench.core.codegen.linking import link
        from workbench.core.codegen.module import module_text
        from workbench.core.fusion.saving import save_plan

        programs = [r.program for r in compiled.regions if r.program is not None]
        codes = {record.code.name: record.code for p in programs for record in p.records}
        sources = [Source(module_text([code]), (name,)) for name, code in sorted(codes.items())]
        try:
            data = save_plan(plan, compiled)
            image = link([self._library.object_of(s) for s in sources]) if sources else None
            entry = _packed({"plan": data}, image)
            if image is not None:
                self._store_frame()
        except Unsupported:
            return
        self._library.cache.store(key, entry)
        self._library.cache.tidy_if_due()

    # -- what all programs share: the driver and the entry -----------------------------------

    def _bring_frame(self) -> None:
        """Brings the functions that run programs, if they are on disk."""
        if not self._has_frame:
            self._has_frame = True
            image = self._frame()
            if image is not None:
                self._library.adopt(image)

    def _store_frame(self) -> None:
        from workbench.core.codegen.driver import driver_source
        from workbench.core.codegen.entry import entry_source
        from workbench.core.codegen.linking import link

        if self._frame() is None:
            image = link([self._library.object_of(s) for s in (driver_source(), entry_source())])
            self._library.cache.store(frame_key(), _packed({}, image))

    def _frame(self) -> Image | None:
        entry = self._library.cache.load(frame_key())
        try:
            return None if entry is None else _unpacked(entry)[1]
        except Exception:
            return None


def _packed(data: dict[str, Any], image: Image | None) -> bytes:
    """Data and an image as bytes: the length of the data, the data, the image."""
    import json

    data = {**data, "package": package()}
    if image is not None:
        data = {**data, "functions": image.functions, "table": image.table}
    text = json.dumps(data, separators=(",", ":")).encode()
    return len(text).to_bytes(_LENGTH, "little") + text + (image.content if image else b"")


def _unpacked(entry: bytes) -> tuple[Any, Image | None]:
    import json

    end = _LENGTH + int.from_bytes(entry[:_LENGTH], "little")
    data = json.loads(entry[_LENGTH:end])
    if data["package"] != package():
        raise ValueError("another state of the package made it")
    if "functions" not in data:
        return data, None
    return data, Image(entry[end:], data["functions"], tuple(data["table"]))
