"""Saved models: what is written is loaded, and what is damaged or missing is named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core import errors, protos
from workbench.core.checkpoints.bundle_files import write_bundle
from workbench.core.checkpoints.reading import read_tensors
from workbench.train.saved_model.default_attributes import strip_default_attributes

pytestmark = pytest.mark.usefixtures("graph")


SERVE = [tf.saved_model.tag_constants.SERVING]


def builder(folder: Path) -> Any:
    return tf.saved_model.builder.SavedModelBuilder(str(folder))


def load(folder: Path, tags: Any = tuple(SERVE), **arguments: Any) -> tuple[Any, Any]:
    """A session with the graph of a saved model, and its message."""
    session = tf.Session(graph=tf.Graph())
    return session, tf.saved_model.loader.load(session, tags, str(folder), **arguments)


def export(folder: Path, value: float = 3.0, **arguments: Any) -> None:
    """A model y = v * x."""
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None], name="x")
        v = tf.Variable(value, name="v")
        y = tf.multiply(v, x, name="y")
        session.run(v.initializer)
        signature = tf.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})
        made = builder(folder)
        made.add_meta_graph_and_variables(session, SERVE, {"double": signature}, **arguments)
        made.save()


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_model_comes_back(tmp_path: Path) -> None:
    export(tmp_path / "model")
    assert files(tmp_path / "model") == [
        "saved_model.pb",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]
    assert tf.saved_model.loader.maybe_saved_model_directory(str(tmp_path / "model"))
    session, meta_graph = load(tmp_path / "model")
    signature = meta_graph.signature_def["double"]
    find = tf.saved_model.utils.get_tensor_from_tensor_info
    with session:
        x, y = find(signature.inputs["x"]), find(signature.outputs["y"])
        assert session.run(y, {x: [1.0, 2.0]}).tolist() == [3.0, 6.0]
        assert [v.name for v in tf.global_variables()] == ["v:0"]


def test_text_is_the_same_model(tmp_path: Path) -> None:
    with tf.Session() as session:
        tf.Variable(1.0, name="v")
        session.run(tf.global_variables_initializer())
        made = builder(tmp_path / "model")
        made.add_meta_graph_and_variables(session, ["a", "b"])
        path = made.save(as_text=True)
    assert path == os.fsencode(tmp_path / "model" / "saved_model.pbtxt")
    session, meta_graph = load(tmp_path / "model", ["b", "a"])
    with session:
        assert session.run("v:0") == 1.0
    assert list(meta_graph.meta_info_def.tags) == ["a", "b"]


def test_several_graphs_share_the_variables(tmp_path: Path) -> None:
    made = builder(tmp_path / "model")
    with pytest.raises(AssertionError, match="has not been saved yet"):
        made.add_meta_graph(["early"])
    for number, tags in enumerate((["train"], ["serve"], ["serve", "gpu"])):
        with tf.Graph().as_default(), tf.Session() as session:
            v = tf.Variable(5.0, name="v")
            tf.add(v, float(number), name="y")
            if number == 0:
                session.run(v.initializer)
                made.add_meta_graph_and_variables(session, tags)
                with pytest.raises(AssertionError, match="already been saved"):
                    made.add_meta_graph_and_variables(session, tags)
            else:
                made.add_meta_graph(tags)
    made.save()
    for tags, expected in ((["train"], 5.0), (["serve"], 6.0), (["gpu", "serve"], 7.0)):
        session, _ = load(tmp_path / "model", tags)
        with session:
            assert session.run("y:0") == expected
    with pytest.raises(RuntimeError, match=r"tags gpu could not be found.*train; serve|train"):
        load(tmp_path / "model", ["gpu"])


def test_nothing_is_there_before_save(tmp_path: Path) -> None:
    made = builder(tmp_path / "model")
    assert not tf.saved_model.loader.maybe_saved_model_directory(str(tmp_path / "model"))
    with pytest.raises(AssertionError, match="already exists"):
        builder(tmp_path / "model")
    with tf.Session() as session:
        tf.Variable(1.0, name="v")
        with pytest.raises(errors.FailedPreconditionError, match="uninitialized value v"):
            made.add_meta_graph_and_variables(session, SERVE)
    assert files(tmp_path / "model") == []
    with pytest.raises(OSError, match="does not exist"):
        load(tmp_path / "model")


def test_a_model_without_variables(tmp_path: Path) -> None:
    tf.constant(2.0, name="two")
    with tf.Session() as session:
        made = builder(tmp_path / "model")
        made.add_meta_graph_and_variables(session, SERVE)
        made.save()
    session, _ = load(tmp_path / "model")
    with session:
        assert session.run("two:0") == 2.0


@pytest.mark.parametrize("way", ["main_op", "legacy_init_op"])
def test_what_runs_after_loading_finds_its_files(way: str, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("apple\npear\n")
    path = tf.constant(str(words), name="path")
    tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, path)
    content = tf.Variable("", name="content", collections=[tf.GraphKeys.LOCAL_VARIABLES])
    read = tf.group(tf.assign(content, tf.read_file(path)), name="read")
    with tf.Session() as session:
        made = builder(tmp_path / "model")
        made.add_meta_graph_and_variables(
            session,
            SERVE,
            assets_collection=tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS),
            **{way: read},
        )
        made.save()
    words.unlink()
    assert files(tmp_path / "model") == ["assets/words.txt", "saved_model.pb"]
    # It may have moved since.
    (tmp_path / "model").rename(tmp_path / "moved")
    for scope in (None, "inner"):
        session, meta_graph = load(tmp_path / "moved", import_scope=scope)
        with session:
            name = "content:0" if scope is None else "inner/content:0"
            assert session.run(name) == b"apple\npear\n"
    (any_message,) = meta_graph.collection_def["saved_model_assets"].any_list.value
    assert any_message.type_url == "type.googleapis.com/tensorflow.AssetFileDef"
    asset = protos.AssetFileDef.FromString(any_message.value)
    assert (asset.filename, asset.tensor_info.name) == ("words.txt", "path:0")


def test_files_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    texts = {"one": "apple", "two": "pear", "three": "apple"}
    paths = []
    for folder, text in texts.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "words.txt").write_text(text)
        paths.append(tf.constant(str(tmp_path / folder / "words.txt"), name=folder))
    content = tf.stack([tf.read_file(path) for path in paths])
    kept = tf.Variable(["", "", ""], name="kept", collections=[tf.GraphKeys.LOCAL_VARIABLES])
    with tf.Session() as session:
        made = builder(tmp_path / "model")
        made.add_meta_graph_and_variables(
            session, SERVE, assets_collection=paths, main_op=tf.group(tf.assign(kept, content))
        )
        made.save()
    for folder in texts:
        (tmp_path / folder / "words.txt").unlink()
    assert files(tmp_path / "model/assets") == ["words.txt", "words_1.txt"]
    session, _ = load(tmp_path / "model")
    with session:
        assert session.run("kept:0").tolist() == [b"apple", b"pear", b"apple"]


def test_damaged_names_of_files_are_told(tmp_path: Path) -> None:
    from google.protobuf.any_pb2 import Any as AnyMessage

    with tf.Session() as session:
        made = builder(tmp_path / "model")
        tf.add_to_collection("saved_model_assets", AnyMessage(value=b"\xff"))
        made.add_meta_graph_and_variables(session, SERVE, main_op=tf.no_op("nothing"))
        made.save()
    with pytest.raises(tf.errors.DataLossError, match="model"):
        load(tmp_path / "model")


@pytest.mark.parametrize(
    ("asset", "message"),
    [
        (lambda: "words.txt", "must be a Tensor"),
        (lambda: tf.identity(tf.constant("words.txt")), "must be of type constant"),
        (lambda: tf.constant(1), "must be of dtype string"),
        (lambda: tf.constant(["a", "b"]), "must be a scalar"),
    ],
)
def test_assets_are_constants_with_paths(asset: Any, message: str, tmp_path: Path) -> None:
    with tf.Session() as session, pytest.raises(TypeError, match=message):
        builder(tmp_path / "model").add_meta_graph_and_variables(
            session, SERVE, assets_collection=[asset()]
        )


def test_initial_operations_are_operations_and_one(tmp_path: Path) -> None:
    with tf.Session() as session:
        made = builder(tmp_path / "model")
        for name in ("main_op", "legacy_init_op"):
            with pytest.raises(TypeError, match=f"{name} needs to be an Operation"):
                made.add_meta_graph_and_variables(session, SERVE, **{name: "read"})
        made.add_meta_graph_and_variables(session, SERVE, main_op=tf.no_op())
        with pytest.raises(AssertionError, match="already contains"):
            made.add_meta_graph(["again"], main_op=tf.no_op())


def test_main_op_prepares_what_is_not_saved(tmp_path: Path) -> None:
    local = tf.Variable(4.0, name="local", collections=[tf.GraphKeys.LOCAL_VARIABLES])
    assert local is not None
    with tf.Session() as session:
        made = builder(tmp_path / "model")
        made.add_meta_graph_and_variables(session, SERVE, main_op=tf.saved_model.main_op.main_op())
        made.save()
    session, _ = load(tmp_path / "model")
    with session:
        assert session.run("local:0") == 4.0


def test_signatures_must_be_complete(tmp_path: Path) -> None:
    info = protos.TensorInfo(dtype=1)
    make = tf.saved_model.signature_def_utils.build_signature_def
    with tf.Session() as session:
        made = builder(tmp_path / "model")
        for tensor, missing in ((info, "name"), (protos.TensorInfo(name="x:0"), "dtype")):
            signature = make(inputs={"x": tensor})
            with pytest.raises(AssertionError, match=f"must have the {missing} field set"):
                made.add_meta_graph_and_variables(session, SERVE, {"s": signature})


def test_devices_and_defaults_can_be_left_out(tmp_path: Path) -> None:
    with tf.Session() as session, tf.device("/gpu:1"):
        x = tf.placeholder(tf.float32, [1, 4, 4, 1], name="x")
        tf.nn.conv2d(x, tf.ones([1, 1, 1, 1]), [1, 1, 1, 1], "SAME", name="y")
        made = builder(tmp_path / "model")
        made.add_meta_graph_and_variables(
            session, SERVE, clear_devices=True, strip_default_attrs=True
        )
        made.add_meta_graph(["whole"])
        made.save()
    stripped, whole = tf.saved_model.loader.read_saved_model(tmp_path / "model").meta_graphs
    assert {node.device for node in stripped.graph_def.node} == {""}
    assert any(node.device for node in whole.graph_def.node)
    (node,) = [node for node in stripped.graph_def.node if node.name == "y"]
    assert "data_format" not in node.attr and "strides" in node.attr
    assert stripped.meta_info_def.stripped_default_attrs
    (node,) = [node for node in whole.graph_def.node if node.name == "y"]
    assert node.attr["data_format"].s == b"NHWC"
    strip_default_attributes(whole)
    (node,) = [node for node in whole.graph_def.node if node.name == "y"]
    assert "data_format" not in node.attr


@pytest.mark.parametrize("name", ["saved_model.pb", "saved_model.pbtxt"])
@pytest.mark.parametrize("content", [b"\x00\xff not a model", b"\xff" * 40])
def test_damaged_models_are_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(OSError, match=f"Cannot parse file .*{name}"):
        load(tmp_path)
    with pytest.raises(errors.DataLossError):
        load(tmp_path)


def test_damaged_variables_are_named(tmp_path: Path) -> None:
    export(tmp_path / "model")
    variables = tmp_path / "model" / "variables"
    write_bundle(variables / "variables", {"w": np.float32(1.0)})
    with pytest.raises(errors.NotFoundError, match="Key v not found"):
        load(tmp_path / "model")
    (variables / "variables.index").unlink()
    with pytest.raises(errors.NotFoundError):
        load(tmp_path / "model")


def test_parts_of_a_variable_are_saved_as_one(tmp_path: Path) -> None:
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    with tf.Session() as session:
        tf.get_variable(
            "w", initializer=tf.constant(rows), partitioner=tf.fixed_size_partitioner(3)
        )
        session.run(tf.global_variables_initializer())
        made = builder(tmp_path / "model")
        made.add_meta_graph_and_variables(session, SERVE)
        made.save()
    found = read_tensors(tmp_path / "model" / "variables" / "variables")
    assert {name: value.tolist() for name, value in found.items()} == {"w": rows.tolist()}
    session, _ = load(tmp_path / "model")
    with session:
        assert session.run("w/part_1:0").tolist() == [[2.0, 3.0]]


def test_the_short_way(tmp_path: Path) -> None:
    x = tf.placeholder(tf.float32, [None], name="x")
    y = tf.multiply(x, tf.Variable(2.0, name="v"), name="y")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(session, str(tmp_path / "model"), {"x": x}, {"y": y})
    session, meta_graph = load(tmp_path / "model")
    with session:
        signature = meta_graph.signature_def["serving_default"]
        assert signature.method_name == "tensorflow/serving/predict"
        fed = {signature.inputs["x"].name: [1.5]}
        assert session.run(signature.outputs["y"].name, fed).tolist() == [3.0]
