"""Parts of a variable in checkpoints."""

from __future__ import annotations

from typing import Any


class SaveSliceInfo:
    """Which part of a partitioned variable this one is."""

    def __init__(
        self,
        full_name: str | None = None,
        full_shape: Any = None,
        var_offset: Any = None,
        var_shape: Any = None,
        save_slice_info_def: Any = None,
        import_scope: str | None = None,
    ) -> None:
        if save_slice_info_def is not None:
            full_name = save_slice_info_def.full_name
            if import_scope:
                full_name = f"{import_scope}/{full_name}"
            full_shape = list(save_slice_info_def.full_shape)
            var_offset = list(save_slice_info_def.var_offset)
            var_shape = list(save_slice_info_def.var_shape)
        self.full_name = full_name
        self.full_shape = full_shape
        self.var_offset = var_offset
        self.var_shape = var_shape

    @property
    def spec(self) -> str:
        """The part as checkpoints write it: "full shape offset,size:..."."""
        full = " ".join(str(d) for d in self.full_shape)
        parts = ":".join(f"{o},{s}" for o, s in zip(self.var_offset, self.var_shape, strict=True))
        return f"{full} {parts}"

    def to_proto(self, export_scope: str | None = None) -> Any:
        """A SaveSliceInfoDef protocol buffer."""
        from workbench.core.protos import SaveSliceInfoDef

        name = self.full_name or ""
        if export_scope:
            name = name.removeprefix(f"{export_scope}/")
        return SaveSliceInfoDef(
            full_name=name,
            full_shape=[int(d) for d in self.full_shape],
            var_offset=[int(d) for d in self.var_offset],
            var_shape=[int(d) for d in self.var_shape],
        )
