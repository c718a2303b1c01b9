"""What a traced step reports: times, sizes and costs per operation.

The notation is that of ``pool.py``.
"""

from __future__ import annotations

TABLE = """
AllocationDescription
    requested_bytes int64 1, allocated_bytes int64 2, allocator_name string 3,
    allocation_id int64 4, has_single_reference bool 5, ptr uint64 6
TensorDescription
    dtype DataType 1, shape TensorShapeProto 2, allocation_description AllocationDescription 4
AllocationRecord
    alloc_micros int64 1, alloc_bytes int64 2
AllocatorMemoryUsed
    allocator_name string 1, total_bytes int64 2, peak_bytes int64 3, live_bytes int64 4,
    allocator_bytes_in_use int64 5, allocation_records AllocationRecord* 6
NodeOutput
    slot int32 1, tensor_description TensorDescription 3
MemoryStats
    temp_memory_size int64 1, device_temp_memory_size int64 2, persistent_memory_size int64 3,
    device_persistent_memory_size int64 4, persistent_tensor_alloc_ids int64* 5,
    device_persistent_tensor_alloc_ids int64* 6
NodeExecStats
    node_name string 1, all_start_micros int64 2, op_start_rel_micros int64 3,
    op_end_rel_micros int64 4, all_end_rel_micros int64 5, memory AllocatorMemoryUsed* 6,
    output NodeOutput* 7, timeline_label string 8, scheduled_micros int64 9, thread_id uint32 10,
    referenced_tensor AllocationDescription* 11, memory_stats MemoryStats 12,
    all_start_nanos int64 13, op_start_rel_nanos int64 14, op_end_rel_nanos int64 15,
    all_end_rel_nanos int64 16, scheduled_nanos int64 17
DeviceStepStats
    device string 1, node_stats NodeExecStats* 2, thread_names uint32->string 3
StepStats
    dev_stats DeviceStepStats* 1
CostGraphDef.Node.InputInfo
    preceding_node int32 1, preceding_port int32 2
CostGraphDef.Node.OutputInfo
    size int64 1, alias_input_port int64 2, shape TensorShapeProto 3, dtype DataType 4
CostGraphDef.Node
    name string 1, device string 2, id int32 3, input_info CostGraphDef.Node.InputInfo* 4,
    output_info CostGraphDef.Node.OutputInfo* 5, temporary_memory_size int64 6, is_final bool 7,
    control_input int32* 8, compute_cost int64 9, host_temp_memory_size int64 10,
    device_temp_memory_size int64 11, persistent_memory_size int64 12, compute_time int64 14,
    memory_time int64 15, device_persistent_memory_size int64 16, inaccurate bool 17
CostGraphDef.AggregatedCost
    cost float 1, dimension string 2
CostGraphDef
    node CostGraphDef.Node* 1, cost CostGraphDef.AggregatedCost* 2
RunMetadata.FunctionGraphs
    partition_graphs GraphDef* 1, pre_optimization_graph GraphDef 2,
    post_optimization_graph GraphDef 3
RunMetadata
    step_stats StepStats 1, cost_graph CostGraphDef 2, partition_graphs GraphDef* 3,
    function_graphs RunMetadata.FunctionGraphs* 4, session_metadata SessionMetadata 5
"""
