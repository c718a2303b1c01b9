"""A graph with all that belongs to it: collections, signatures, variables, checkpoints.

The notation is that of ``pool.py``.
"""

from __future__ import annotations

TABLE = """
CollectionDef.NodeList
    value string* 1
CollectionDef.BytesList
    value bytes* 1
CollectionDef.Int64List
    value int64* 1
CollectionDef.FloatList
    value float* 1
CollectionDef.AnyList
    value google.protobuf.Any* 1
CollectionDef
    node_list CollectionDef.NodeList 1 @kind, bytes_list CollectionDef.BytesList 2 @kind,
    int64_list CollectionDef.Int64List 3 @kind, float_list CollectionDef.FloatList 4 @kind,
    any_list CollectionDef.AnyList 5 @kind
TensorInfo.CooSparse
    values_tensor_name string 1, indices_tensor_name string 2, dense_shape_tensor_name string 3
TensorInfo.CompositeTensor
    components TensorInfo* 2
TensorInfo
    name string 1 @encoding, dtype DataType 2, tensor_shape TensorShapeProto 3,
    coo_sparse TensorInfo.CooSparse 4 @encoding,
    composite_tensor TensorInfo.CompositeTensor 5 @encoding
SignatureDef
    inputs string->TensorInfo 1, outputs string->TensorInfo 2, method_name string 3,
    defaults string->TensorProto 4
AssetFileDef
    tensor_info TensorInfo 1, filename string 2
enum SaverDef.CheckpointFormatVersion
    LEGACY 0, V1 1, V2 2
SaverDef
    filename_tensor_name string 1, save_tensor_name string 2, restore_op_name string 3,
    max_to_keep int32 4, sharded bool 5, keep_checkpoint_every_n_hours float 6,
    version SaverDef.CheckpointFormatVersion 7
MetaGraphDef.MetaInfoDef
    meta_graph_version string 1, stripped_op_list OpList 2, any_info google.protobuf.Any 3,
    tags string* 4, tensorflow_version string 5, tensorflow_git_version string 6,
    stripped_default_attrs bool 7, function_aliases string->string 8
MetaGraphDef
    meta_info_def MetaGraphDef.MetaInfoDef 1, graph_def GraphDef 2, saver_def SaverDef 3,
    collection_def string->CollectionDef 4, signature_def string->SignatureDef 5,
    asset_file_def AssetFileDef* 6
SavedModel
    saved_model_schema_version int64 1, meta_graphs MetaGraphDef* 2
enum VariableSynchronization
    VARIABLE_SYNCHRONIZATION_AUTO 0, VARIABLE_SYNCHRONIZATION_NONE 1,
    VARIABLE_SYNCHRONIZATION_ON_WRITE 2, VARIABLE_SYNCHRONIZATION_ON_READ 3
enum VariableAggregation
    VARIABLE_AGGREGATION_NONE 0, VARIABLE_AGGREGATION_SUM 1, VARIABLE_AGGREGATION_MEAN 2,
    VARIABLE_AGGREGATION_ONLY_FIRST_REPLICA 3
SaveSliceInfoDef
    full_name string 1, full_shape int64* 2, var_offset int64* 3, var_shape int64* 4
VariableDef
    variable_name string 1, initializer_name string 2, snapshot_name string 3,
    save_slice_info_def SaveSliceInfoDef 4, is_resource bool 5, initial_value_name string 6,
    trainable bool 7, synchronization VariableSynchronization 8, aggregation VariableAggregation 9
enum Code
    OK 0, CANCELLED 1, UNKNOWN 2, INVALID_ARGUMENT 3, DEADLINE_EXCEEDED 4, NOT_FOUND 5,
    ALREADY_EXISTS 6, PERMISSION_DENIED 7, RESOURCE_EXHAUSTED 8, FAILED_PRECONDITION 9,
    ABORTED 10, OUT_OF_RANGE 11, UNIMPLEMENTED 12, INTERNAL 13, UNAVAILABLE 14, DATA_LOSS 15,
    UNAUTHENTICATED 16
QueueRunnerDef
    queue_name string 1, enqueue_op_name string* 2, close_op_name string 3,
    cancel_op_name string 4, queue_closed_exception_types Code* 5
TensorSliceProto.Extent
    start int64 1, length int64 2 @has_length
TensorSliceProto
    extent TensorSliceProto.Extent* 1
enum BundleHeaderProto.Endianness
    LITTLE 0, BIG 1
BundleHeaderProto
    num_shards int32 1, endianness BundleHeaderProto.Endianness 2, version VersionDef 3
BundleEntryProto
    dtype DataType 1, shape TensorShapeProto 2, shard_id int32 3, offset int64 4, size int64 5,
    crc32c fixed32 6, slices TensorSliceProto* 7
ValuesDef
    values string* 1, external_values string->string 2
CondContextDef
    context_name string 1, pred_name string 2, pivot_name string 3, branch int32 4,
    values_def ValuesDef 5, nested_contexts ControlFlowContextDef* 6
WhileContextDef
    context_name string 1, parallel_iterations int32 2, back_prop bool 3, swap_memory bool 4,
    pivot_name string 5, pivot_for_pred_name string 6, pivot_for_body_name string 7,
    loop_exit_names string* 8, values_def ValuesDef 9, loop_enter_names string* 10,
    maximum_iterations_name string 11, nested_contexts ControlFlowContextDef* 12
ControlFlowContextDef
    cond_ctxt CondContextDef 1 @ctxt, while_ctxt WhileContextDef 2 @ctxt
CheckpointState
    model_checkpoint_path string 1, all_model_checkpoint_paths string* 2,
    all_model_checkpoint_timestamps double* 3, last_preserved_timestamp double 4
"""
