"""How a session, a step, a cluster and a device are described.

The notation is that of ``pool.py``.
"""

from __future__ import annotations

TABLE = """
GPUOptions.Experimental.VirtualDevices
    memory_limit_mb float* 1, priority int32* 2, device_ordinal int32* 3
GPUOptions.Experimental
    virtual_devices GPUOptions.Experimental.VirtualDevices* 1, use_unified_memory bool 2,
    num_dev_to_dev_copy_streams int32 3, collective_ring_order string 4,
    timestamped_allocator bool 5, kernel_tracker_max_interval int32 7,
    kernel_tracker_max_bytes int32 8, kernel_tracker_max_pending int32 9,
    internal_fragmentation_fraction double 10, use_cuda_malloc_async bool 11,
    disallow_retry_on_allocation_failure bool 12, gpu_host_mem_limit_in_mb float 13,
    gpu_host_mem_disallow_growth bool 14, num_virtual_devices_per_gpu int32 15,
    gpu_system_memory_size_in_mb int32 16
GPUOptions
    per_process_gpu_memory_fraction double 1, allocator_type string 2,
    deferred_deletion_bytes int64 3, allow_growth bool 4, visible_device_list string 5,
    polling_active_delay_usecs int32 6, polling_inactive_delay_msecs int32 7,
    force_gpu_compatible bool 8, experimental GPUOptions.Experimental 9
enum OptimizerOptions.Level
    L1 0, L0 -1
enum OptimizerOptions.GlobalJitLevel
    DEFAULT 0, OFF -1, ON_1 1, ON_2 2
OptimizerOptions
    do_common_subexpression_elimination bool 1, do_constant_folding bool 2,
    opt_level OptimizerOptions.Level 3, do_function_inlining bool 4,
    global_jit_level OptimizerOptions.GlobalJitLevel 5, max_folded_constant_in_bytes int64 6,
    cpu_global_jit bool 7
AutoParallelOptions
    enable bool 1, num_replicas int32 2
ScopedAllocatorOptions
    enable_op string* 1
enum VerifierConfig.Toggle
    DEFAULT 0, ON 1, OFF 2
VerifierConfig
    verification_timeout_in_ms int64 1, structure_verifier VerifierConfig.Toggle 2
enum RewriterConfig.Toggle
    DEFAULT 0, ON 1, OFF 2, AGGRESSIVE 3, EXPERIMENTAL_MLIR 4, EXPERIMENTAL_BOTH 5
enum RewriterConfig.CpuLayout
    NO_CONVERSION_ON_CPU 0, NCHW_TO_NHWC 1, NHWC_TO_NCHW 2
enum RewriterConfig.NumIterationsType
    DEFAULT_NUM_ITERS 0, ONE 1, TWO 2
enum RewriterConfig.MemOptType
    DEFAULT_MEM_OPT 0, NO_MEM_OPT 1, MANUAL 2, SWAPPING_HEURISTICS 4, RECOMPUTATION_HEURISTICS 5,
    SCHEDULING_HEURISTICS 6, HEURISTICS 3
RewriterConfig.CustomGraphOptimizer
    name string 1, parameter_map string->AttrValue 2
RewriterConfig
    layout_optimizer RewriterConfig.Toggle 1, disable_model_pruning bool 2,
    constant_folding RewriterConfig.Toggle 3, memory_optimization RewriterConfig.MemOptType 4,
    auto_parallel AutoParallelOptions 5, memory_optimizer_target_node_name_scope string 6,
    arithmetic_optimization RewriterConfig.Toggle 7,
    dependency_optimization RewriterConfig.Toggle 8, loop_optimization RewriterConfig.Toggle 9,
    function_optimization RewriterConfig.Toggle 10, debug_stripper RewriterConfig.Toggle 11,
    meta_optimizer_iterations RewriterConfig.NumIterationsType 12,
    shape_optimization RewriterConfig.Toggle 13, remapping RewriterConfig.Toggle 14,
    scoped_allocator_optimization RewriterConfig.Toggle 15,
    scoped_allocator_opts ScopedAllocatorOptions 16, min_graph_nodes int32 17,
    pin_to_host_optimization RewriterConfig.Toggle 18, disable_meta_optimizer bool 19,
    meta_optimizer_timeout_ms int64 20, fail_on_optimizer_errors bool 21,
    implementation_selector RewriterConfig.Toggle 22,
    auto_mixed_precision RewriterConfig.Toggle 23,
    common_subgraph_elimination RewriterConfig.Toggle 24,
    auto_mixed_precision_mkl RewriterConfig.Toggle 25,
    experimental_disable_compressed_tensor_optimization bool 26,
    experimental_disable_folding_quantization_emulation bool 27,
    use_plugin_optimizers RewriterConfig.Toggle 28,
    auto_mixed_precision_cpu RewriterConfig.Toggle 29,
    experimental_conditional_code_motion RewriterConfig.Toggle 30,
    auto_mixed_precision_onednn_bfloat16 RewriterConfig.Toggle 31, disable_tfg_optimizer bool 32,
    cpu_layout_conversion RewriterConfig.CpuLayout 50, optimizers string* 100,
    custom_optimizers RewriterConfig.CustomGraphOptimizer* 200,
    inter_optimizer_verifier_config VerifierConfig 300,
    post_optimization_verifier_config VerifierConfig 301
GraphOptions
    enable_recv_scheduling bool 2, optimizer_options OptimizerOptions 3, build_cost_model int64 4,
    infer_shapes bool 5, place_pruned_graph bool 6, enable_bfloat16_sendrecv bool 7,
    timeline_step int32 8, build_cost_model_after int64 9, rewrite_options RewriterConfig 10,
    placer string 1000, wire_encoding string 1001
ThreadPoolOptionProto
    num_threads int32 1, global_name string 2
RPCOptions
    use_rpc_for_inprocess_master bool 1, compression_algorithm string 2,
    compression_level int32 3, cache_rpc_response bool 4,
    disable_session_connection_sharing bool 5, num_channels_per_target int32 6
JobDef
    name string 1, tasks int32->string 2
ClusterDef
    job JobDef* 1
ServerDef
    cluster ClusterDef 1, job_name string 2, task_index int32 3,
    default_session_config ConfigProto 4, protocol string 5, port int32 6, replica int32 8
SessionMetadata
    name string 1, version int64 2
enum ConfigProto.Experimental.MlirBridgeRollout
    MLIR_BRIDGE_ROLLOUT_UNSPECIFIED 0, MLIR_BRIDGE_ROLLOUT_ENABLED 1,
    MLIR_BRIDGE_ROLLOUT_DISABLED 2
ConfigProto.Experimental
    collective_group_leader string 1, executor_type string 3, recv_buf_max_chunk int32 4,
    use_numa_affinity bool 5, collective_deterministic_sequential_execution bool 6,
    collective_nccl bool 7, share_session_state_in_clusterspec_propagation bool 8,
    disable_thread_spinning bool 9, share_cluster_devices_in_session bool 10,
    session_metadata SessionMetadata 11, optimize_for_static_graph bool 12,
    enable_mlir_bridge bool 13, disable_output_partition_graphs bool 14,
    xla_fusion_autotuner_thresh int64 15, enable_mlir_graph_optimization bool 16,
    mlir_bridge_rollout ConfigProto.Experimental.MlirBridgeRollout 17, use_tfrt bool 18,
    disable_functional_ops_lowering bool 21, xla_prefer_single_graph_cluster bool 22,
    disable_optimize_for_static_graph bool 24, disable_eager_executor_streaming_enqueue bool 26
ConfigProto
    device_count string->int32 1, intra_op_parallelism_threads int32 2, placement_period int32 3,
    device_filters string* 4, inter_op_parallelism_threads int32 5, gpu_options GPUOptions 6,
    allow_soft_placement bool 7, log_device_placement bool 8, use_per_session_threads bool 9,
    graph_options GraphOptions 10, operation_timeout_in_ms int64 11,
    session_inter_op_thread_pool ThreadPoolOptionProto* 12, rpc_options RPCOptions 13,
    cluster_def ClusterDef 14, isolate_session_state bool 15,
    experimental ConfigProto.Experimental 16, share_cluster_devices_in_session bool 17
DebugTensorWatch
    node_name string 1, output_slot int32 2, debug_ops string* 3, debug_urls string* 4,
    tolerate_debug_op_creation_failures bool 5
DebugOptions
    debug_tensor_watch_opts DebugTensorWatch* 4, global_step int64 10,
    reset_disk_byte_usage bool 11
enum RunOptions.TraceLevel
    NO_TRACE 0, SOFTWARE_TRACE 1, HARDWARE_TRACE 2, FULL_TRACE 3
RunOptions.Experimental.RunHandlerPoolOptions
    priority int64 1
RunOptions.Experimental
    collective_graph_key int64 1, use_run_handler_pool bool 2,
    run_handler_pool_options RunOptions.Experimental.RunHandlerPoolOptions 3
RunOptions
    trace_level RunOptions.TraceLevel 1, timeout_in_ms int64 2, inter_op_thread_pool int32 3,
    output_partition_graphs bool 5, debug_options DebugOptions 6,
    report_tensor_allocations_upon_oom bool 7, experimental RunOptions.Experimental 8
TensorConnection
    from_tensor string 1, to_tensor string 2
CallableOptions
    feed string* 1, fetch string* 2, target string* 3, run_options RunOptions 4,
    tensor_connection TensorConnection* 5, feed_devices string->string 6,
    fetch_devices string->string 7, fetch_skip_sync bool 8
InterconnectLink
    device_id int32 1, type string 2, strength int32 3
LocalLinks
    link InterconnectLink* 1
DeviceLocality
    bus_id int32 1, numa_node int32 2, links LocalLinks 3
DeviceAttributes
    name string 1, device_type string 2, memory_limit int64 4, locality DeviceLocality 5,
    incarnation fixed64 6, physical_device_desc string 7, xla_global_id int64 8
"""
