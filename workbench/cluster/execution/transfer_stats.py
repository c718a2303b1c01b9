"""What is recorded of a transfer between tasks, for the trace of a step."""

from __future__ import annotations

from workbench.cluster.execution.part_run import SendValues
from workbench.cluster.wire.peers import Sent


def transfer_stats(
    device: str, instruction: SendValues, sent: Sent, began: float, ended: float
) -> bytes:
    """The `StepStats` of a transfer from a device, serialised. Times are seconds since 1970."""
    from workbench.core.protos import StepStats

    stats = StepStats()
    node = stats.dev_stats.add(device=device).node_stats.add()
    names = ", ".join(name for name, _ in instruction.values)
    through, shared, saved = sent
    node.node_name = f"_Send to {instruction.task}"
    node.timeline_label = (
        f"{node.node_name} = _Send({names}): {through} bytes, {shared} by shared memory, "
        f"{saved} saved by encodings"
    )
    node.all_start_micros = int(began * 1e6)
    node.op_end_rel_micros = node.all_end_rel_micros = max(int((ended - began) * 1e6), 1)
    told: bytes = stats.SerializeToString()
    return told
