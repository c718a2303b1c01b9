"""Messages from bytes and text, and back: what is damaged or foreign is named, never half read."""

from __future__ import annotations

import os
from typing import Any

from workbench.core import protos
from workbench.core.errors import DataLossError, InvalidArgumentError
from workbench.core.files import read_bytes


def parse_message(message_class: Any, content: bytes | str, source: str) -> Any:
    """A new message from ``content``: bytes are the binary form, a string is the text form.

    Args:
      message_class: such as ``protos.GraphDef``.
      content: all of the message.
      source: what to call the content in an error, usually the file's name.

    Raises:
      DataLossError: the bytes are truncated, damaged or of another kind.
      InvalidArgumentError: the text is not such a message; the error names the line.

    >>> parse_message(protos.VersionDef, "producer: 24", "versions.txt").producer
    24
    """
    from google.protobuf import message as protobuf_message
    from google.protobuf import text_format

    kind = message_class.DESCRIPTOR.name
    message = message_class()
    if isinstance(content, str):
        try:
            text_format.Parse(content, message)
        except text_format.ParseError as error:
            raise InvalidArgumentError(
                None, None, f"{source}: expected a {kind} in text form, but {error}"
            ) from None
        return message
    try:
        message.ParseFromString(bytes(content))
    except protobuf_message.DecodeError:
        raise DataLossError(
            None,
            None,
            f"{source}: expected a {kind} in binary form, but its {len(content)} bytes are "
            f"truncated, damaged or something else",
        ) from None
    if content and not message.ListFields():
        # Protobuf keeps what it does not know, so a foreign file can pass for an empty message.
        raise DataLossError(
            None,
            None,
            f"{source}: expected a {kind} in binary form, but none of its {len(content)} bytes "
            f"belong to one",
        )
    return message


def _looks_like_text(content: bytes) -> str | None:
    """The content as a string if it could be a message in text form."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if all(character.isprintable() or character in "\t\r\n" for character in text[:4096]):
        return text
    return None


def _check_graph_def(graph_def: Any, source: str) -> None:
    for index, node in enumerate(graph_def.node):
        if not node.name or not node.op:
            what = "name" if not node.name else "operation"
            raise DataLossError(
                None,
                None,
                f"{source}: expected a GraphDef, but node {index} "
                f"({node.name or node.op or 'empty'}) has no {what}; the content is damaged or "
                f"something else",
            )


def _other_kinds(content: bytes) -> str:
    """What else the bytes can be read as, as advice for the end of an error."""
    from google.protobuf import message as protobuf_message

    candidates = (
        ("MetaGraphDef", "meta_info_def", "a MetaGraphDef (use tf.train.import_meta_graph)"),
        ("SavedModel", "meta_graphs", "a SavedModel"),
        ("CheckpointState", "model_checkpoint_path", "a checkpoint state file"),
    )
    for name, field, advice in candidates:
        message = getattr(protos, name)()
        try:
            message.ParseFromString(content)
        except protobuf_message.DecodeError:
            continue
        if any(descriptor.name == field for descriptor, _ in message.ListFields()):
            return f". It looks like {advice}"
    return ""


def parse_graph_def(content: bytes | str, source: str = "the graph definition") -> Any:
    """A ``GraphDef`` from its binary form (bytes) or its text form (bytes or a string).

    Raises:
      DataLossError: the bytes are truncated, damaged or something else than a graph.
      InvalidArgumentError: the text is not a ``GraphDef``.

    >>> parse_graph_def('node { name: "x" op: "NoOp" }').node[0].op
    'NoOp'
    """
    if not content:
        raise DataLossError(None, None, f"{source}: expected a GraphDef, but it is empty")
    try:
        graph_def = parse_message(protos.GraphDef, content, source)
        _check_graph_def(graph_def, source)
    except DataLossError as error:
        if isinstance(content, str):
            raise
        text = _looks_like_text(content)
        if text is None:
            raise DataLossError(None, None, error.message + _other_kinds(content)) from None
        graph_def = parse_message(protos.GraphDef, text, source)
        _check_graph_def(graph_def, source)
    return graph_def


def parse_meta_graph_def(content: bytes | str, source: str = "the meta graph") -> Any:
    """A ``MetaGraphDef`` from its binary form (bytes) or its text form (bytes or a string).

    Raises:
      DataLossError: the bytes are truncated, damaged or something else than a meta graph.
      InvalidArgumentError: the text is not a ``MetaGraphDef``.

    >>> parse_meta_graph_def('graph_def { node { name: "x" op: "NoOp" } }').graph_def.node[0].op
    'NoOp'
    """
    if not content:
        raise DataLossError(None, None, f"{source}: expected a MetaGraphDef, but it is empty")
    try:
        meta_graph = parse_message(protos.MetaGraphDef, content, source)
    except DataLossError:
        text = _looks_like_text(bytes(content)) if not isinstance(content, str) else None
        if text is None:
            raise
        meta_graph = parse_message(protos.MetaGraphDef, text, source)
    _check_graph_def(meta_graph.graph_def, source)
    return meta_graph


def read_graph_def(path: str | os.PathLike[str]) -> Any:
    """The ``GraphDef`` in the file ``path``, in binary or text form.

    Raises:
      NotFoundError: there is no such file.
      DataLossError, InvalidArgumentError: as :func:`parse_graph_def`; the error names the file.
    """
    return parse_graph_def(read_bytes(path), os.fspath(path))


def read_meta_graph_def(path: str | os.PathLike[str]) -> Any:
    """The ``MetaGraphDef`` in the file ``path``, in binary or text form.

    Raises:
      NotFoundError: there is no such file.
      DataLossError, InvalidArgumentError: as :func:`parse_meta_graph_def`.
    """
    return parse_meta_graph_def(read_bytes(path), os.fspath(path))


def serialize(message: Any) -> bytes:
    """The binary form; equal messages give equal bytes (maps are written in key order).

    >>> serialize(protos.VersionDef(producer=24))
    b'\\x08\\x18'
    """
    content: bytes = message.SerializeToString(deterministic=True)
    return content


def to_text(message: Any) -> str:
    """The text form, as in ``.pbtxt`` files.

    >>> print(to_text(protos.VersionDef(producer=24)), end="")
    producer: 24
    """
    from google.protobuf import text_format

    text: str = text_format.MessageToString(message)
    return text


def as_message(message_class: Any, value: Any, argument: str) -> Any:
    """``value`` as a message of our class: one of ours, another library's of the kind, or bytes.

    Args:
      message_class: such as ``protos.GraphDef``.
      value: a message (TensorFlow's or TensorBoard's own class will do) or its binary form.
      argument: how the user calls the value, for the error.

    Raises:
      TypeError: ``value`` is neither bytes nor such a message.
      DataLossError: the bytes are not such a message.

    >>> as_message(protos.VersionDef, b"\\x08\\x18", "versions").producer
    24
    """
    if isinstance(value, message_class):
        return value
    kind = message_class.DESCRIPTOR.full_name
    if isinstance(value, bytes):
        return (
            message_class.FromString(b"")
            if not value
            else parse_message(message_class, value, argument)
        )
    descriptor = getattr(value, "DESCRIPTOR", None)
    if descriptor is None or descriptor.name != message_class.DESCRIPTOR.name:
        raise TypeError(
            f"{argument} must be a {kind} or its bytes, not {type(value).__name__}: {value!r:.80}"
        )
    return message_class.FromString(value.SerializeToString())
