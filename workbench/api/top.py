"""The names of `workbench` itself (`tf.*`)."""

from __future__ import annotations

NAMES = {
    "workbench.live.start": "run",
    "workbench.live.run": "Run",
    "workbench.live.runs": "runs",
    "workbench.live.resume": "resume",
    "workbench.live.batches": "batches",
    "workbench.live.hyperparameters": "hyperparameter",
    "workbench.cluster.execution.edge_encodings": "wire_encoding",
    "workbench.core.plan.placement.costs": "CostModel",
    "workbench.core.plan.placement.machine": "Machine Link",
    "workbench.pool.listing": "pools",
    "workbench.core.graph.dtypes": """
        DType as_dtype QUANTIZED_DTYPES float16 float32 float64 half double bfloat16 complex64
        complex128 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool string resource variant
        qint8 qint16 qint32 quint8 quint16
        """,
    "workbench.core.graph.shapes": "TensorShape Dimension broadcast_static_shape",
    "workbench.core.graph.device": "DeviceSpec",
    "workbench.core.graph.tensor": "Tensor",
    "workbench.core.graph.operation": "Operation",
    "workbench.core.graph.graph": "Graph",
    "workbench.core.graph.keys": "GraphKeys",
    "workbench.core.graph.composite": "IndexedSlices SparseTensor SparseTensorValue",
    "workbench.core.graph.convert": """
        convert_to_tensor convert_n_to_tensor convert_to_tensor_or_indexed_slices
        convert_to_tensor_or_sparse_tensor register_tensor_conversion_function
        """,
    "workbench.core.graph.context": """
        get_default_graph reset_default_graph name_scope op_scope control_dependencies device
        colocate_with container add_to_collection get_collection get_collection_ref
        set_random_seed get_seed
        """,
    "workbench.core.ops.constant": "constant",
    "workbench.core.gradients.gradients": "gradients hessians UnconnectedGradients",
    "workbench.core.gradients.aggregation": "AggregationMethod",
    "workbench.core.gradients.custom": "custom_gradient",
    "workbench.core.gradients.registry": """
        RegisterGradient NoGradient NotDifferentiable=NotDifferentiable_
        """,
    "workbench.core.ops.state.variables": "Variable",
    "workbench.core.ops.initializers": """
        zeros_initializer ones_initializer constant_initializer random_uniform_initializer
        random_normal_initializer truncated_normal_initializer orthogonal_initializer
        """,
    "workbench.core.ops.scaled_initializers": """
        uniform_unit_scaling_initializer variance_scaling_initializer glorot_uniform_initializer
        glorot_normal_initializer
        """,
    "workbench.core.ops.state.scopes": "VariableScope get_variable_scope",
    "workbench.core.ops.state.variable_store": "AUTO_REUSE",
    "workbench.core.ops.state.variable_scope": "variable_scope variable_op_scope",
    "workbench.core.ops.state.shared_variables": """
        get_variable get_local_variable no_regularizer create_partitioned_variables
        """,
    "workbench.core.ops.state.partitions": """
        fixed_size_partitioner variable_axis_size_partitioner min_max_variable_partitioner
        """,
    "workbench.core.ops.state.template": "make_template",
    "workbench.core.ops.state.variable_collections": """
        global_variables all_variables local_variables model_variables trainable_variables
        moving_average_variables variables_initializer global_variables_initializer
        local_variables_initializer initialize_variables initialize_all_variables
        initialize_local_variables report_uninitialized_variables assert_variables_initialized
        """,
    "workbench.core.ops.state.assignment": """
        assign assign_add assign_sub count_up_to is_variable_initialized
        """,
    "workbench.core.ops.state.scatter": """
        scatter_update scatter_add scatter_sub scatter_mul scatter_div scatter_min scatter_max
        scatter_nd_update scatter_nd_add scatter_nd_sub
        """,
    "workbench.core.ops.matmul": "matmul sparse_matmul",
    "workbench.core.ops.control": "no_op group tuple=tuple_",
    "workbench.core.ops.control_flow.case": "case",
    "workbench.core.ops.control_flow.cond": "cond",
    "workbench.core.ops.control_flow.while_loop": "while_loop",
    "workbench.core.runtime.session": "Session InteractiveSession get_default_session",
    "workbench.core.ops.arithmetic": """
        add subtract multiply pow maximum minimum squared_difference atan2
        """,
    "workbench.core.ops.division": """
        divide div truediv realdiv floordiv floor_div floormod mod truncatediv truncatemod
        """,
    "workbench.core.ops.queues.accumulators": """
        ConditionalAccumulator ConditionalAccumulatorBase SparseConditionalAccumulator
        """,
    "workbench.core.ops.queues.queue_base": "QueueBase",
    "workbench.core.ops.queues.queue_types": """
        FIFOQueue PaddingFIFOQueue PriorityQueue RandomShuffleQueue
        """,
    "workbench.core.ops.placeholders": "placeholder placeholder_with_default",
    "workbench.core.ops.identity": "identity identity_n stop_gradient",
    "workbench.core.ops.array_basics": "shape shape_n size rank",
    "workbench.core.ops.reshaping": "reshape expand_dims squeeze",
    "workbench.core.ops.transposition": "transpose matrix_transpose",
    "workbench.core.ops.filling": "fill zeros ones zeros_like ones_like",
    "workbench.core.ops.concatenation": "concat",
    "workbench.core.ops.splitting": "split",
    "workbench.core.ops.stacking": "stack unstack parallel_stack",
    "workbench.core.ops.slicing": "strided_slice slice",
    "workbench.core.ops.indexing": "newaxis",
    "workbench.core.ops.unary": "negative abs sign square sqrt rsqrt reciprocal scalar_mul",
    "workbench.core.ops.exponential": "exp expm1 log log1p sigmoid log_sigmoid",
    "workbench.core.ops.trigonometric": """
        sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh
        """,
    "workbench.core.ops.rounding": "floor ceil rint round is_nan is_inf is_finite",
    "workbench.core.ops.complex_numbers": "complex real imag angle conj",
    "workbench.core.ops.special_functions": """
        erf erfc lgamma digamma zeta polygamma igamma igammac betainc lbeta
        """,
    "workbench.core.ops.scan": "cumsum cumprod",
    "workbench.core.ops.tensor_array": "TensorArray",
    "workbench.core.ops.functional": "map_fn foldl foldr scan",
    "workbench.core.ops.addition": "add_n accumulate_n",
    "workbench.core.ops.gathering": "gather gather_nd scatter_nd",
    "workbench.core.ops.one_hot": "one_hot",
    "workbench.core.ops.partitioning": "dynamic_partition dynamic_stitch",
    "workbench.core.ops.selection": "where boolean_mask sequence_mask",
    "workbench.core.ops.sequences": "range linspace lin_space meshgrid",
    "workbench.core.ops.rolling": "roll",
    "workbench.core.ops.reversal": "reverse reverse_v2 reverse_sequence invert_permutation",
    "workbench.core.ops.uniqueness": "unique unique_with_counts setdiff1d",
    "workbench.core.ops.segment": "segment_sum segment_mean segment_prod segment_min segment_max",
    "workbench.core.ops.unsorted_segment": """
        unsorted_segment_sum unsorted_segment_max unsorted_segment_min unsorted_segment_prod
        unsorted_segment_mean unsorted_segment_sqrt_n
        """,
    "workbench.core.ops.sparse_segment": """
        sparse_segment_sum sparse_segment_mean sparse_segment_sqrt_n
        """,
    "workbench.core.ops.reduction": """
        reduce_sum reduce_mean reduce_prod reduce_max reduce_min reduce_all reduce_any
        reduce_logsumexp
        """,
    "workbench.core.ops.arg_extremes": "argmax argmin arg_max arg_min",
    "workbench.core.ops.comparison": """
        equal not_equal less less_equal greater greater_equal logical_and logical_or
        logical_not logical_xor
        """,
    "workbench.core.ops.casting": """
        cast saturate_cast to_float to_double to_complex64 to_complex128 to_int32 to_int64
        to_bfloat16 bitcast
        """,
    "workbench.core.ops.broadcasting": "broadcast_to",
    "workbench.core.ops.padding": "pad tile",
    "workbench.core.ops.blocks": """
        space_to_batch_nd batch_to_space_nd space_to_batch batch_to_space space_to_depth
        depth_to_space required_space_to_batch_paddings
        """,
    "workbench.core.ops.image_patches": "extract_image_patches",
    "workbench.core.ops.diagonal": """
        matrix_band_part diag diag_part matrix_diag matrix_diag_part matrix_set_diag eye trace
        """,
    "workbench.core.ops.random": "random_normal truncated_normal random_uniform random_crop",
    "workbench.core.ops.random_distributions": """
        random_gamma random_poisson random_shuffle multinomial
        """,
    "workbench.core.graph.versions": """
        VERSION GIT_VERSION COMPILER_VERSION GRAPH_DEF_VERSION GRAPH_DEF_VERSION_MIN_CONSUMER
        GRAPH_DEF_VERSION_MIN_PRODUCER
        """,
    "workbench.core.errors": "OpError",
    "workbench.core.protos": """
        AttrValue ConfigProto Event GPUOptions GraphDef GraphOptions HistogramProto LogMessage
        MetaGraphDef NameAttrList NodeDef OptimizerOptions RunMetadata RunOptions SessionLog
        Summary SummaryMetadata TensorInfo
        """,
    "workbench.core.graph.tensor_proto": "make_ndarray make_tensor_proto",
    "workbench.core.graph.importer": "import_graph_def",
    "workbench.core.ops.clip": """
        clip_by_value clip_by_norm clip_by_average_norm clip_by_global_norm global_norm
        """,
    "workbench.core.ops.numerics": """
        check_numerics verify_tensor_all_finite add_check_numerics_ops
        """,
    "workbench.core.ops.printing": "Print Assert",
    "workbench.core.ops.checks": """
        assert_equal assert_none_equal assert_less assert_less_equal assert_greater
        assert_greater_equal assert_negative assert_positive assert_non_negative
        assert_non_positive assert_near is_non_decreasing is_strictly_increasing
        """,
    "workbench.core.ops.static_checks": """
        assert_rank assert_rank_at_least assert_rank_in assert_integer assert_type
        assert_scalar assert_proper_iterable is_numeric_tensor assert_same_float_dtype
        """,
    "workbench.core.ops.confusion": "confusion_matrix",
    "workbench.core.ops.defined_functions": "Defun",
    "workbench.core.ops.python_functions": "py_func",
    "workbench.core.ops.counting": """
        count_nonzero bincount histogram_fixed_width histogram_fixed_width_bins
        """,
    "workbench.core.ops.vectors": "cross norm",
    "workbench.core.ops.matrix_solving": """
        matrix_inverse matrix_determinant matrix_solve matrix_triangular_solve cholesky_solve
        matrix_solve_ls
        """,
    "workbench.core.ops.decomposition": "cholesky qr self_adjoint_eig self_adjoint_eigvals svd",
    "workbench.core.ops.contraction": "tensordot",
    "workbench.core.ops.einsum": "einsum",
    "workbench.core.ops.broadcast_shapes": "broadcast_dynamic_shape",
    "workbench.core.ops.spectral": "fft ifft fft2d ifft2d fft3d ifft3d",
    "workbench.core.ops.sparse.conversion": """
        sparse_to_dense sparse_tensor_to_dense sparse_placeholder sparse_to_indicator sparse_merge
        sparse_mask
        """,
    "workbench.core.ops.sparse.arithmetic": "sparse_add sparse_maximum sparse_minimum",
    "workbench.core.ops.sparse.product": "sparse_tensor_dense_matmul",
    "workbench.core.ops.sparse.layout": """
        sparse_reorder sparse_reshape sparse_concat sparse_transpose
        sparse_reset_shape
        """,
    "workbench.core.ops.sparse.reduction": """
        sparse_reduce_sum sparse_reduce_max sparse_reduce_sum_sparse sparse_reduce_max_sparse
        sparse_softmax
        """,
    "workbench.core.ops.sparse.rows": "sparse_fill_empty_rows sparse_retain edit_distance",
    "workbench.core.ops.sparse.cutting": "sparse_split sparse_slice",
    "workbench.core.ops.sparse.serialization": """
        serialize_sparse serialize_many_sparse deserialize_many_sparse
        """,
    "workbench.core.ops.old_summary": """
        audio_summary histogram_summary image_summary merge_all_summaries merge_summary
        scalar_summary
        """,
    "workbench.core.platform.behavior": """
        disable_eager_execution disable_v2_behavior executing_eagerly
        """,
    "workbench.core.platform.libraries": "load_op_library load_file_system_library",
    "workbench.core.ops.session_tensors": """
        get_session_handle get_session_tensor delete_session_tensor
        """,
    "workbench.core.ops.quantization.conversion": """
        quantize quantize_v2 dequantize quantized_concat
        """,
    "workbench.core.ops.quantization.fake_quant": """
        fake_quant_with_min_max_args fake_quant_with_min_max_args_gradient
        fake_quant_with_min_max_vars fake_quant_with_min_max_vars_gradient
        fake_quant_with_min_max_vars_per_channel fake_quant_with_min_max_vars_per_channel_gradient
        """,
    "workbench.core.ops.strings": "string_join reduce_join string_split substr",
    "workbench.core.ops.string_conversion": """
        as_string string_to_number encode_base64 decode_base64 decode_raw
        """,
    "workbench.core.ops.string_hashing": """
        string_to_hash_bucket_fast string_to_hash_bucket_strong string_to_hash_bucket
        """,
    "workbench.core.ops.file_contents": """
        read_file write_file matching_files serialize_tensor parse_tensor
        """,
    "workbench.core.ops.parsing.features": """
        FixedLenFeature FixedLenSequenceFeature SparseFeature VarLenFeature
        """,
    "workbench.core.ops.parsing.examples": """
        decode_json_example parse_example parse_single_example
        """,
    "workbench.core.ops.parsing.sequence_examples": "parse_single_sequence_example",
    "workbench.core.ops.parsing.csv": "decode_csv",
    "workbench.core.ops.readers.readers": """
        FixedLengthRecordReader IdentityReader ReaderBase TFRecordReader TextLineReader
        WholeFileReader
        """,
    "workbench.core.ops.lookup": "initialize_all_tables tables_initializer",
    "workbench.notebook.display": "show graphs",
    "workbench.notebook.charts": "charts",
    "workbench.notebook.pictures": "picture",
    "workbench.notebook.extension": "load_ipython_extension unload_ipython_extension",
}

#: Public namespaces and the modules behind them.
NAMESPACES: dict[str, str] = {
    "contrib": "workbench.api.contrib",
    "losses": "workbench.api.losses",
    "metrics": "workbench.api.metrics",
    "data": "workbench.api.data",
    "test": "workbench.api.test",
    "errors": "workbench.core.errors",
    "nn": "workbench.api.nn",
    "image": "workbench.api.image",
    "bitwise": "workbench.api.bitwise",
    "app": "workbench.api.app",
    "compat": "workbench.api.compat",
    "flags": "workbench.core.platform.flags",
    "gfile": "workbench.core.platform.gfile",
    "linalg": "workbench.api.linalg",
    "spectral": "workbench.api.spectral",
    "graph_util": "workbench.core.graph.graph_util",
    "logging": "workbench.core.platform.logging",
    "python_io": "workbench.core.platform.python_io",
    "resource_loader": "workbench.core.platform.resource_loader",
    "sets": "workbench.api.sets",
    "distributions": "workbench.api.distributions",
    "user_ops": "workbench.api.user_ops",
    "pywrap_tensorflow": "workbench.api.pywrap_tensorflow",
    "summary": "workbench.api.summary",
    "saved_model": "workbench.api.saved_model",
    "sysconfig": "workbench.core.platform.sysconfig",
    "train": "workbench.train",
    "pool": "workbench.pool",
    "initializers": "workbench.api.initializers",
    "layers": "workbench.api.layers",
    "manip": "workbench.api.manip",
    "math": "workbench.api.math",
    "random": "workbench.api.random",
    "io": "workbench.api.io",
    "strings": "workbench.api.strings",
    "sparse": "workbench.api.sparse",
    "debugging": "workbench.api.debugging",
    "dtypes": "workbench.api.dtypes",
    "quantization": "workbench.api.quantization",
    "signal": "workbench.api.signal",
    "queue": "workbench.api.queue",
    "version": "workbench.api.version",
}
