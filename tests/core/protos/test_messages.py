"""The message classes against the declarations that other libraries ship."""

from __future__ import annotations

import copy
import importlib
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import descriptor_pool

from workbench.core import protos
from workbench.core.protos import pool

# Names that scripts import from TensorFlow's generated modules.
NAMES = re.findall(
    r"\w+",
    """
    AttrValue BytesList CallableOptions CheckpointState ClusterDef CollectionDef
    CondContextDef ConfigProto CostGraphDef DataType DebugOptions DeviceAttributes Event
    Example Feature FeatureList FeatureLists Features FloatList FunctionDef FunctionDefLibrary
    GPUOptions GraphDef GraphOptions HistogramProto Int64List JobDef LogMessage MetaGraphDef
    NameAttrList NodeDef NodeExecStats OpDef OpList OptimizerOptions QueueRunnerDef
    ResourceHandleProto RewriterConfig RunMetadata RunOptions SaveSliceInfoDef SavedModel
    SaverDef SequenceExample ServerDef SessionLog SignatureDef StepStats Summary
    SummaryDescription SummaryMetadata TaggedRunMetadata TensorInfo TensorProto
    TensorShapeProto ThreadPoolOptionProto ValuesDef VariableDef VersionDef WhileContextDef
    """,
)

MODULES = [
    *(
        f"tensorboardX.proto.{name}_pb2"
        for name in (
            "attr_value",
            "event",
            "graph",
            "node_def",
            "resource_handle",
            "summary",
            "tensor",
            "tensor_shape",
            "types",
            "versions",
        )
    ),
    *(
        f"tensorboard.compat.proto.{name}_pb2"
        for name in (
            "attr_value",
            "cluster",
            "config",
            "cost_graph",
            "event",
            "full_type",
            "function",
            "graph",
            "histogram",
            "meta_graph",
            "node_def",
            "op_def",
            "resource_handle",
            "rewriter_config",
            "saver",
            "step_stats",
            "summary",
            "tensor",
            "tensor_shape",
            "types",
            "variable",
            "versions",
        )
    ),
]


def fields(message: Any) -> Iterator[tuple[str, Any]]:
    """Every field of a message and of the messages declared inside it."""
    for field in message.fields:
        yield f"{message.name}.{field.name}", field
    for nested in message.nested_types:
        yield from fields(nested)


def facts(field: Any) -> tuple[Any, ...]:
    """What decides the wire and the text form of a field."""
    return (
        field.number,
        field.type,
        field.is_repeated,
        field.message_type.name if field.message_type else None,
        field.enum_type.name if field.enum_type else None,
        field.containing_oneof.name if field.containing_oneof else None,
        bool(field.message_type and field.message_type.GetOptions().map_entry),
        field.is_packed,
    )


@pytest.mark.parametrize("name", NAMES)
def test_name_exists(name: str) -> None:
    assert getattr(protos, name) is getattr(protos, name)
    assert name in dir(protos)


@pytest.mark.parametrize("module_name", MODULES)
def test_declarations_agree_with_other_readers(module_name: str) -> None:
    pytest.importorskip(module_name.partition(".")[0])
    module = importlib.import_module(module_name)
    compared = 0
    for name, theirs in module.DESCRIPTOR.message_types_by_name.items():
        if not hasattr(protos, name):
            continue
        their_fields = dict(fields(theirs))
        for label, ours in fields(getattr(protos, name).DESCRIPTOR):
            their_field = their_fields.get(label)
            if their_field is not None:
                assert facts(ours) == facts(their_field), label
                compared += 1
    for name, theirs in module.DESCRIPTOR.enum_types_by_name.items():
        if hasattr(protos, name):
            ours_by_name = dict(getattr(protos, name).items())
            shared = set(ours_by_name) & set(theirs.values_by_name)
            assert {each: ours_by_name[each] for each in shared} == {
                each: theirs.values_by_name[each].number for each in shared
            }
            compared += len(shared)
    assert compared > 0


def test_fields_of_no_other_reader() -> None:
    """Field numbers of the messages that neither reader above ships, from TensorFlow's files."""
    expected = {
        "Feature": {"bytes_list": 1, "float_list": 2, "int64_list": 3},
        "SequenceExample": {"context": 1, "feature_lists": 2},
        "CheckpointState": {
            "model_checkpoint_path": 1,
            "all_model_checkpoint_paths": 2,
            "all_model_checkpoint_timestamps": 3,
            "last_preserved_timestamp": 4,
        },
        "QueueRunnerDef": {
            "queue_name": 1,
            "enqueue_op_name": 2,
            "close_op_name": 3,
            "cancel_op_name": 4,
            "queue_closed_exception_types": 5,
        },
        "SavedModel": {"saved_model_schema_version": 1, "meta_graphs": 2},
        "ServerDef": {
            "cluster": 1,
            "job_name": 2,
            "task_index": 3,
            "default_session_config": 4,
            "protocol": 5,
            "port": 6,
            "replica": 8,
        },
    }
    for name, numbers in expected.items():
        found = {f.name: f.number for f in getattr(protos, name).DESCRIPTOR.fields}
        assert found == numbers, name


def test_enumerations() -> None:
    assert protos.DataType.DT_FLOAT == 1
    assert protos.DataType.Name(14) == "DT_BFLOAT16"
    assert protos.RunOptions.FULL_TRACE == 3
    assert protos.SessionLog.START == 1
    assert protos.LogMessage.WARN == 30
    assert protos.OptimizerOptions.L0 == -1
    assert protos.SaverDef.V2 == 2


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="GraphDefinition"):
        protos.GraphDefinition  # noqa: B018
    with pytest.raises(AttributeError):
        protos.graph_def  # noqa: B018


def test_the_pool_is_our_own() -> None:
    assert protos.GraphDef.DESCRIPTOR.full_name == "tensorflow.GraphDef"
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindFileByName("workbench/framework.proto")


def test_messages_copy_and_pickle() -> None:
    node = protos.NodeDef(name="x", op="NoOp")
    node.attr["T"].type = protos.DataType.DT_FLOAT
    assert copy.deepcopy(node) == node
    assert pickle.loads(pickle.dumps(node)) == node


def test_any_message_keeps_its_own_kind() -> None:
    collection = protos.CollectionDef()
    collection.any_list.value.add().Pack(protos.VersionDef(producer=3))
    version = protos.VersionDef()
    assert collection.any_list.value[0].Unpack(version)
    assert version.producer == 3
    assert collection.any_list.value[0].type_url.endswith("tensorflow.VersionDef")


def test_every_table_declares_each_name_once() -> None:
    seen: set[str] = set()
    for table in pool.TABLES:
        text = importlib.import_module(f"workbench.core.protos.{table}").TABLE
        for declaration in pool.declarations(text):
            assert declaration.name not in seen
            seen.add(declaration.name)


def test_importing_the_package_loads_no_protobuf() -> None:
    code = (
        "import sys; import workbench.core.protos, workbench.core.protos.reading;"
        "assert not any(name.startswith('google.protobuf') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
