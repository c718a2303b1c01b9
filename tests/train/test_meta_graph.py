"""Meta graphs: what is exported comes back with its collections, or nothing comes at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.train.meta_graph_export import export_scoped_meta_graph, stripped_op_list_for_graph
from workbench.train.meta_graph_import import copy_scoped_meta_graph, import_scoped_meta_graph
from workbench.train.scoped_graph import prepend_scope, strip_scope

pytestmark = pytest.mark.usefixtures("graph")


def model() -> Any:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    w = tf.Variable([[1.0], [2.0]], name="w")
    y = tf.matmul(x, w, name="y")
    tf.add_to_collection("outputs", y)
    tf.add_to_collection("operations", y.op)
    tf.add_to_collection("sizes", 3)
    tf.add_to_collection("sizes", 5)
    tf.add_to_collection("rates", 0.5)
    tf.add_to_collection("texts", b"one")
    tf.add_to_collection("texts", "two")
    return x, w, y


@pytest.mark.parametrize("as_text", [False, True])
def test_a_graph_comes_back_with_its_collections(tmp_path: Path, as_text: bool) -> None:
    _, w, _ = model()
    saver = tf.train.Saver()
    file = str(tmp_path / "graph.meta")
    meta = saver.export_meta_graph(file, as_text=as_text)
    assert meta.saver_def == saver.saver_def
    assert meta.meta_info_def.tensorflow_version == tf.VERSION
    assert "MatMul" in [op.name for op in meta.meta_info_def.stripped_op_list.op]
    with tf.Session() as session:
        session.run(w.initializer)
        path = saver.save(session, str(tmp_path / "m"), write_meta_graph=False)
    with tf.Graph().as_default() as again, tf.Session() as session:
        restorer = tf.train.import_meta_graph(file)
        restorer.restore(session, path)
        found = session.run("y:0", {"x:0": [[3.0, 4.0]]})
        assert found.tolist() == [[11.0]]
        (output,) = tf.get_collection("outputs")
        assert output is again.get_tensor_by_name("y:0")
        assert tf.get_collection("operations") == [output.op]
        assert tf.get_collection("sizes") == [3, 5]
        assert tf.get_collection("rates") == [0.5]
        assert tf.get_collection("texts") == [b"one", b"two"]
        (variable,) = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
        assert tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES) == [variable]
        assert variable.name == "w:0"
        session.run(variable.initializer)
        assert session.run(variable).tolist() == [[1.0], [2.0]]
        # The saver that was imported goes on saving.
        assert restorer.save(session, str(tmp_path / "n")) == str(tmp_path / "n")


def test_a_graph_comes_into_a_scope(tmp_path: Path) -> None:
    x, w, y = model()
    saver = tf.train.Saver()
    file = str(tmp_path / "graph.meta")
    saver.export_meta_graph(file)
    with tf.Session() as session:
        session.run(w.initializer)
        path = saver.save(session, str(tmp_path / "m"))
        for scope in ("copy", "copy_1"):
            # The second time the scope's name is taken, and the next free one is used.
            restorer = tf.train.import_meta_graph(file, import_scope="copy")
            assert restorer.saver_def.restore_op_name == f"{scope}/save/restore_all"
            restorer.restore(session, path)
            assert session.run(f"{scope}/w:0").tolist() == [[1.0], [2.0]]
            assert f"{scope}/y:0" in [t.name for t in tf.get_collection("outputs")]
        replaced = tf.constant([[1.0, 1.0]])
        tf.train.import_meta_graph(file, import_scope="fed", input_map={"x:0": replaced})
        assert tf.get_default_graph().get_operation_by_name("fed/y").inputs[0] is replaced


def test_a_scope_of_a_graph(tmp_path: Path) -> None:
    with tf.name_scope("tower"):
        a = tf.Variable(2.0, name="a")
        with tf.control_dependencies([tf.no_op("start")]), tf.colocate_with(a.op):
            tf.multiply(a.value(), 3.0, name="b")
    tf.Variable(1.0, name="outside")
    meta = tf.train.export_meta_graph(export_scope="tower")
    names = [node.name for node in meta.graph_def.node]
    assert "b" in names and "a" in names and not any("outside" in name for name in names)
    b, y = (node for name in ("b", "b/y") for node in meta.graph_def.node if node.name == name)
    assert list(b.input) == ["a/read", "b/y"] and list(y.input) == ["^start"]
    assert list(b.attr["_class"].list.s) == [b"loc:@a"]
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(meta, import_scope="other")
        (variable,) = tf.global_variables()
        session.run(variable.initializer)
        assert variable.name == "other/a:0"
        assert session.run("other/b:0") == 6.0


def test_inputs_from_outside_of_a_scope_must_be_given() -> None:
    x = tf.constant(2.0, name="x")
    with tf.name_scope("tower"):
        tf.multiply(x, 3.0, name="b")
    meta = tf.train.export_meta_graph(export_scope="tower")
    assert meta.collection_def["unbound_inputs"].bytes_list.value == [b"$unbound_inputs_x"]
    with tf.Graph().as_default(), tf.Session() as session:
        with pytest.raises(ValueError, match=r"unbound inputs: \$unbound_inputs_x\."):
            tf.train.import_meta_graph(meta)
        five = tf.constant(5.0)
        tf.train.import_meta_graph(meta, input_map={"$unbound_inputs_x": five})
        assert session.run("b:0") == 15.0


def test_inputs_from_outside_of_a_scope_need_not_be_listed() -> None:
    x = tf.constant(2.0, name="x")
    with tf.name_scope("tower"):
        tf.multiply(x, 3.0, name="b")
    meta, _ = export_scoped_meta_graph(export_scope="tower", unbound_inputs_col_name=None)
    assert "unbound_inputs" not in meta.collection_def
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = {"$unbound_inputs_x": tf.constant(5.0)}
        import_scoped_meta_graph(meta, input_map=inputs, unbound_inputs_col_name=None)
        assert session.run("b:0") == 15.0


def test_devices_are_cleared() -> None:
    with tf.device("/gpu:0"):
        tf.Variable(1.0, name="v")
    kept = tf.train.export_meta_graph()
    assert any(node.device for node in kept.graph_def.node)
    cleared = tf.train.export_meta_graph(clear_devices=True)
    assert not any(node.device for node in cleared.graph_def.node)
    with tf.Graph().as_default() as again:
        assert tf.train.import_meta_graph(kept, clear_devices=True) is not None
        assert not any(op.device for op in again.get_operations())


def test_chosen_collections_and_graphs() -> None:
    model()
    graph_def = tf.get_default_graph().as_graph_def()
    other = tf.Graph()
    assert list(tf.train.export_meta_graph(collection_list=["sizes"]).collection_def) == ["sizes"]
    assert not tf.train.export_meta_graph(graph=other).graph_def.node
    assert len(tf.train.export_meta_graph(graph_def=graph_def).graph_def.node) > 0
    info = tf.MetaGraphDef.MetaInfoDef(tags=["serve"])
    assert tf.train.export_meta_graph(meta_info_def=info).meta_info_def.tags == ["serve"]


def test_members_that_cannot_be_written_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    tf.add_to_collection("things", object())
    tf.add_to_collection("mixed", 1)
    tf.add_to_collection("mixed", "text")
    tf.add_to_collection(("private",), 1)
    meta = tf.train.export_meta_graph()
    assert not meta.collection_def
    warnings = caplog.text
    assert "The collection 'things' is not in the meta graph" in warnings
    assert "The collection 'mixed' is not in the meta graph" in warnings


def test_savers_are_members_too() -> None:
    tf.Variable(1.0, name="v")
    saver = tf.train.Saver()
    tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
    meta = tf.train.export_meta_graph()
    with tf.Graph().as_default():
        # Without a saver of its own, a meta graph gets a new one for its variables.
        made = tf.train.import_meta_graph(meta)
        assert made.saver_def.restore_op_name not in ("", saver.saver_def.restore_op_name)
        (found,) = tf.get_collection(tf.GraphKeys.SAVERS)
        assert found.saver_def == saver.saver_def


def test_a_graph_without_variables_has_no_saver() -> None:
    tf.constant(1.0)
    meta = tf.train.export_meta_graph()
    with tf.Graph().as_default():
        assert tf.train.import_meta_graph(meta) is None


def test_chosen_collections_come_back() -> None:
    model()
    meta = tf.train.export_meta_graph()
    with tf.Graph().as_default() as again:
        import_scoped_meta_graph(meta, restore_collections_predicate=lambda key: key == "sizes")
        assert again.collections == ["sizes"]


def test_a_scope_is_copied() -> None:
    with tf.name_scope("a"):
        v = tf.Variable(2.0, name="v")
        tf.multiply(v, 3.0, name="y")
    copied = copy_scoped_meta_graph("a", "b")
    assert [variable.name for variable in copied.values()] == ["b/v:0"]
    with tf.Session() as session:
        session.run([variable.initializer for variable in copied.values()])
        assert session.run("b/y:0") == 6.0
    with pytest.raises(ValueError, match="need to be different"):
        copy_scoped_meta_graph("a", "a")
    other = tf.Graph()
    assert list(copy_scoped_meta_graph("a", "a", to_graph=other)) == ["v:0"]


def test_parts_of_variables_leave_a_scope_and_come_into_another_one(tmp_path: Path) -> None:
    value = np.arange(12.0, dtype=np.float32).reshape(6, 2)
    with tf.variable_scope("outer/inner"):
        cut = tf.fixed_size_partitioner(3)
        tf.get_variable("w", initializer=tf.constant(value), partitioner=cut)
    exported = tf.train.export_meta_graph(export_scope="outer")
    for scope, name in ((None, "inner/w"), ("other", "other/inner/w")):
        path = str(tmp_path / name.replace("/", "_"))
        with tf.Graph().as_default(), tf.Session() as session:
            tf.train.import_meta_graph(exported, import_scope=scope)
            session.run(tf.global_variables_initializer())
            tf.train.Saver().save(session, path)
        np.testing.assert_array_equal(tf.train.load_variable(path, name), value)


def test_other_savers_are_left_out() -> None:
    tf.Variable(1.0, name="v")
    savers = [tf.train.Saver(name=name) for name in ("first", "second")]
    for saver in savers:
        tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
    meta = savers[1].export_meta_graph(clear_extraneous_savers=True)
    scopes = {node.name.partition("/")[0] for node in meta.graph_def.node}
    assert "second" in scopes and "first" not in scopes
    with tf.Graph().as_default():
        assert tf.train.import_meta_graph(meta).saver_def == savers[1].saver_def
        (kept,) = tf.get_collection(tf.GraphKeys.SAVERS)
        assert kept.saver_def == savers[1].saver_def


def test_operations_that_a_graph_uses(graph: tf.Graph) -> None:
    model()
    definition = graph.as_graph_def()
    used = stripped_op_list_for_graph(definition)
    assert [op.name for op in used.op] == sorted({node.op for node in definition.node})
    outer, inner = (definition.library.function.add() for _ in range(2))
    outer.signature.name, inner.signature.name = "Outer", "Inner"
    outer.node_def.add(op="Inner")
    inner.node_def.add(op="Outer")
    inner.node_def.add(op="Sub")
    definition.node.add(name="call", op="Outer")
    assert "Sub" in [op.name for op in stripped_op_list_for_graph(definition).op]
    definition.node.add(name="other", op="Unheard")
    with pytest.raises(ValueError, match="Op Unheard is used by the graph"):
        stripped_op_list_for_graph(definition)


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_cut, ["MetaGraphDef", "truncated, damaged or something else"]),
        (lambda content: b"", ["expected a MetaGraphDef, but it is empty"]),
        (lambda content: b"\x89PNG\r\n\x1a\n" + bytes(64), ["MetaGraphDef", "something else"]),
    ],
)
def test_damaged_files_add_nothing(tmp_path: Path, change: Any, words: list[str]) -> None:
    model()
    file = tmp_path / "graph.meta"
    tf.train.export_meta_graph(str(file))
    file.write_bytes(change(file.read_bytes()))
    with tf.Graph().as_default() as again:
        with pytest.raises(tf.errors.DataLossError, match="Cannot parse file") as caught:
            tf.train.import_meta_graph(str(file))
        assert isinstance(caught.value, IOError)
        assert all(word in str(caught.value) for word in [*words, str(file)]), str(caught.value)
        assert again.version == 0 and not again.collections
    for kind in (tf.errors.NotFoundError, IOError):
        with pytest.raises(kind, match="nothing.meta does not exist"):
            tf.train.import_meta_graph(str(tmp_path / "nothing.meta"))


def test_inconsistent_meta_graphs_add_nothing(graph: tf.Graph) -> None:
    model()
    tf.train.Saver()
    meta = tf.train.export_meta_graph()
    meta.collection_def["outputs"].node_list.value.append("z:0")
    with tf.Graph().as_default() as again:
        before = tf.constant(1.0, name="before")
        tf.add_to_collection("outputs", before)
        with pytest.raises(ValueError, match="not consistent: The name 'z:0' refers to a Tensor"):
            tf.train.import_meta_graph(meta)
        assert [op.name for op in again.get_operations()] == ["before"]
        assert tf.get_collection("outputs") == [before]
        assert not tf.global_variables() and not again.variable_initializers
    meta = tf.train.export_meta_graph()
    meta.graph_def.node[1].input.append("nowhere")
    with tf.Graph().as_default() as again:
        with pytest.raises(ValueError, match="Input tensor 'nowhere' not found"):
            tf.train.import_meta_graph(meta)
        assert again.version == 0
    with pytest.raises(TypeError, match="must be a tensorflow.MetaGraphDef"):
        tf.train.import_meta_graph(graph.as_graph_def())


def test_restores_by_several_operations_are_all_or_nothing(tmp_path: Path) -> None:
    """Graphs of TensorFlow itself have an operation that reads for each variable."""
    from workbench.core.checkpoints.files import write_tensors
    from workbench.core.ops.checkpoint import restore_v2, save_v2

    v, w = (tf.Variable(np.float32(0.0), name=name) for name in "vw")
    path = tf.constant("model", name="path")
    save_v2(path, ["v", "w"], ["", ""], [v, w], name="save")
    read = [restore_v2(path, [x.op.name], [""], [tf.float32])[0] for x in (v, w)]
    tf.group(v.assign(read[0]), w.assign(read[1]), name="restore")
    names = tf.train.SaverDef(
        filename_tensor_name="path:0", save_tensor_name="path:0", restore_op_name="restore"
    )
    saver = tf.train.Saver(saver_def=names)
    prefix = str(tmp_path / "m")
    with tf.Session() as session:
        session.run([v.initializer, w.initializer])
        write_tensors(prefix, {"v": np.float32(1.0)})
        with pytest.raises(tf.errors.NotFoundError, match="Key w not found"):
            saver.restore(session, prefix)
        assert session.run([v, w]) == [0.0, 0.0]
        write_tensors(prefix, {"v": np.float32(1.0), "w": np.float32(2.0)})
        saver.restore(session, prefix)
        assert session.run([v, w]) == [1.0, 2.0]


def test_names_and_scopes() -> None:
    assert strip_scope("loc:@a/b/c", "a/b/") == "loc:@c"
    assert strip_scope("ab/c", "a") == "ab/c"
    assert prepend_scope("loc:@c", "a/b/") == "loc:@a/b/c"
    assert prepend_scope("c", None) == strip_scope("c", None) == "c"
