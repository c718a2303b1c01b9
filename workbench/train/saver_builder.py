"""Building the operations of a `Saver`: one that saves, one that restores, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core.graph.context import control_dependencies, get_default_graph, name_scope
from workbench.core.graph.dtypes import resource
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, checkpoint
from workbench.core.ops.constant import constant
from workbench.core.ops.control import group, with_dependencies
from workbench.core.ops.creation import create
from workbench.core.ops.saveable import SaveableObject, SaveSpec
from workbench.core.ops.state.assignment import assign
from workbench.train.saver_shards import sharded_restore, sharded_save, shards_of

#: The class under a name that the builder has no attribute of.
Saveable = SaveableObject

#: What variables are made of: their operation, by type.
_VARIABLES = ("Variable", "VariableV2", "AutoReloadVariable", "VarHandleOp")


def all_saveable_objects(scope: str | None = None) -> list[Any]:
    """The variables and other objects of the default graph that a `Saver` saves by default."""
    from workbench.core.graph.keys import GraphKeys

    graph = get_default_graph()
    return [
        *graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope),
        *graph.get_collection(GraphKeys.SAVEABLE_OBJECTS, scope),
    ]


class VariableSaveable(SaveableObject):
    """A variable, or the part of a partitioned one that `slice_spec` names."""

    def __init__(self, var: Any, slice_spec: str, name: str) -> None:
        self._reference = _reference(var)
        self._is_resource = self._reference.dtype is resource
        # A resource is read by an operation of its own, which the variable has already.
        value = var.value() if self._is_resource else self._reference
        super().__init__(var, [SaveSpec(value, slice_spec, name)], name)

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Any) -> Any:
        """An assignment of the restored tensor, reshaped first where shapes are given."""
        (tensor,) = restored_tensors
        if restored_shapes is not None:
            tensor = api.reshape(tensor, restored_shapes[0])
        if self._is_resource:
            return create("AssignVariableOp", None, resource=self._reference, value=tensor)
        checked = restored_shapes is None and self._reference.shape.is_fully_defined()
        return assign(self._reference, tensor, validate_shape=checked)


def _reference(variable: Any) -> Tensor:
    """The tensor that stands for a variable."""
    tensor: Tensor = variable._ref() if hasattr(variable, "_ref") else variable
    return tensor


def _is_variable(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.op.type in _VARIABLES and value.dtype._is_ref_dtype
    return hasattr(value, "_ref")


def _parts(variable: Any) -> list[Any] | None:
    """The parts of a partitioned variable, or None for anything else."""
    if hasattr(variable, "_get_variable_list"):
        return list(variable)
    return list(variable) if isinstance(variable, (list, tuple)) else None


def _slice_info(variable: Any) -> Any:
    return getattr(variable, "_save_slice_info", None)


class BaseSaverBuilder:
    """Makes the operations of a `Saver`; subclasses may make others."""

    SaveSpec = SaveSpec
    SaveableObject = SaveableObject
    VariableSaveable = VariableSaveable

    def __init__(self, write_version: int = 2) -> None:
        self._write_version = write_version

    # -- what is saved -----------------------------------------------------------------------

    @staticmethod
    def OpListToDict(op_list: Any) -> dict[str, Any]:
        """The variables by the names they have in a checkpoint; parts of one are a list.

        Raises:
          ValueError: two have one name.
          TypeError: an element is no variable.
        """
        if not isinstance(op_list, (list, tuple, set)):
            raise TypeError(f"Variables to save should be passed in a dict or a list: {op_list}")
        named: dict[str, Any] = {}
        for value in op_list:
            parts = _parts(value)
            item: Any = value
            if isinstance(value, SaveableObject):
                name = value.name
            elif parts is not None:
                name, item = value.name, parts
            else:
                if not _is_variable(value):
                    raise TypeError(f"Variable to save is not a Variable: {value}")
                info = _slice_info(value)
                if info is not None:
                    group_of_parts = named.setdefault(info.full_name, [])
                    if not isinstance(group_of_parts, list):
                        raise ValueError(
                            f"Mixing slices and non-slices with the same name: {info.full_name}"
                        )
                    group_of_parts.append(value)
                    continue
                name = value.op.name
            if name in named:
                raise ValueError(f"At least two variables have the same name: {name}")
            named[name] = item
        return named

    def saveables_of(self, names_to_saveables: Any) -> list[Saveable]:
        """The objects to save, in the order of their names.

        Raises:
          TypeError: a name or object is of the wrong type.
          ValueError: an object has two names, or parts do not belong together.
        """
        if not isinstance(names_to_saveables, Mapping):
            names_to_saveables = self.OpListToDict(names_to_saveables)
        found: list[Saveable] = []
        seen: set[Any] = set()
        for name in sorted(names_to_saveables, key=str):
            if not isinstance(name, str):
                raise TypeError(
                    "names_to_saveables must be a dict mapping string names to checkpointable "
                    f"operations. Name is not a string: {name}"
                )
            for saveable in self._saveables_named(name, names_to_saveables[name]):
                key = saveable.op.op if hasattr(saveable.op, "op") else saveable.op
                if key in seen:
                    raise ValueError(f"The same saveable will be restored with two names: {name}")
                seen.add(key)
                found.append(saveable)
        return found

    @staticmethod
    def _saveables_named(name: str, value: Any) -> list[Saveable]:
        if isinstance(value, SaveableObject):
            return [value]
        parts = _parts(value)
        if parts is None:
            if not _is_variable(value):
                raise TypeError(
                    f"names_to_saveables must be a dict mapping string names to "
                    f"Tensors/Variables. Not a variable: {value}"
                )
            info = _slice_info(value)
            return [VariableSaveable(value, info.spec if info is not None else "", name)]
        saveables: list[Saveable] = []
        full_name = None
        for part in parts:
            info = _slice_info(part)
            if info is None:
                raise ValueError(f"Slices must all be slices: {part}")
            if full_name not in (None, info.full_name):
                raise ValueError(
                    f"Slices must all be from the same tensor: {full_name} != {info.full_name}"
                )
            full_name = info.full_name
            saveables.append(VariableSaveable(part, info.spec, name))
        return saveables

    # -- operations --------------------------------------------------------------------------

    def save_op(self, filename_tensor: Tensor, saveables: Sequence[Saveable]) -> Operation:
        """An operation that saves the objects."""
        specs = [spec for saveable in saveables for spec in saveable.specs]
        return checkpoint.save_v2(
            filename_tensor,
            [spec.name for spec in specs],
            [spec.slice_spec for spec in specs],
            [spec.tensor for spec in specs],
        )

    def bulk_restore(
        self,
        filename_tensor: Tensor,
        saveables: Sequence[Saveable],
        preferred_shard: int = -1,
        restore_sequentially: bool = False,
    ) -> list[Tensor]:
        """The tensors of all objects, read by one operation: all of them, or none."""
        specs = [spec for saveable in saveables for spec in saveable.specs]
        return checkpoint.restore_v2(
            filename_tensor,
            [spec.name for spec in specs],
            [spec.slice_spec for spec in specs],
            [spec.dtype for spec in specs],
        )

    def _restored(
        self,
        filename_tensor: Tensor,
        saveables: Sequence[Saveable],
        reshape: bool,
        restore_sequentially: bool,
        preferred_shard: int = -1,
    ) -> list[Any]:
        """Operations that give the objects their values in the checkpoint."""
        tensors = iter(
            self.bulk_restore(filename_tensor, saveables, preferred_shard, restore_sequentially)
        )
        restored: list[Any] = []
        for saveable in saveables:
            waits = restored[-1:] if restore_sequentially else []
            with control_dependencies([_operation(value) for value in waits]):
                own = [next(tensors) for _ in saveable.specs]
                shapes = [_shape_of(spec.tensor) for spec in saveable.specs] if reshape else None
                restored.append(saveable.restore(own, shapes))
        return restored

    def build(
        self,
        names_to_saveables: Any,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        filename: str | None = "model",
    ) -> Any:
        """Adds the operations to the default graph; returns the `SaverDef` that names them."""
        from workbench.core.protos import SaverDef

        saveables = self.saveables_of(names_to_saveables)
        with name_scope(name, "save", [saveable.op for saveable in saveables]):
            filename_tensor = constant(filename or "model", name="Const")
            shards = shards_of(saveables) if sharded else []
            if len(shards) > 1:
                save = sharded_save(filename_tensor, shards, self.save_op)
            else:
                save = self.save_op(filename_tensor, saveables)
            saved = with_dependencies([save], filename_tensor)

            def restored(number: int, chosen: Sequence[Saveable]) -> list[Any]:
                return self._restored(
                    filename_tensor, chosen, reshape, restore_sequentially, number
                )

            if len(shards) > 1:
                restore = sharded_restore(shards, restored)
            else:
                restore = group(*restored(-1, saveables), name="restore_all")
        return SaverDef(
            filename_tensor_name=filename_tensor.name,
            save_tensor_name=saved.name,
            restore_op_name=restore.name,
            max_to_keep=max_to_keep or 0,
            sharded=sharded,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            version=self._write_version,
        )


def _operation(value: Any) -> Operation:
    return value if isinstance(value, Operation) else value.op


def _shape_of(tensor: Tensor) -> Any:
    """What to reshape to: the static shape, or the variable's own in the run."""
    return tensor.shape.as_list() if tensor.shape.is_fully_defined() else api.shape(tensor)
