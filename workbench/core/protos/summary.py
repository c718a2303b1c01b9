"""What an event file holds: summaries, logs, graphs and traced steps.

The notation is that of ``pool.py``.
"""

from __future__ import annotations

TABLE = """
SummaryDescription
    type_hint string 1
enum DataClass
    DATA_CLASS_UNKNOWN 0, DATA_CLASS_SCALAR 1, DATA_CLASS_TENSOR 2, DATA_CLASS_BLOB_SEQUENCE 3
SummaryMetadata.PluginData
    plugin_name string 1, content bytes 2
SummaryMetadata
    plugin_data SummaryMetadata.PluginData 1, display_name string 2, summary_description string 3,
    data_class DataClass 4
HistogramProto
    min double 1, max double 2, num double 3, sum double 4, sum_squares double 5,
    bucket_limit double* 6, bucket double* 7
Summary.Image
    height int32 1, width int32 2, colorspace int32 3, encoded_image_string bytes 4
Summary.Audio
    sample_rate float 1, num_channels int64 2, length_frames int64 3,
    encoded_audio_string bytes 4, content_type string 5
Summary.Value
    tag string 1, simple_value float 2 @value, obsolete_old_style_histogram bytes 3 @value,
    image Summary.Image 4 @value, histo HistogramProto 5 @value, audio Summary.Audio 6 @value,
    node_name string 7, tensor TensorProto 8 @value, metadata SummaryMetadata 9
Summary
    value Summary.Value* 1
enum LogMessage.Level
    UNKNOWN 0, DEBUGGING 10, INFO 20, WARN 30, ERROR 40, FATAL 50
LogMessage
    level LogMessage.Level 1, message string 2
enum SessionLog.SessionStatus
    STATUS_UNSPECIFIED 0, START 1, STOP 2, CHECKPOINT 3
SessionLog
    status SessionLog.SessionStatus 1, checkpoint_path string 2, msg string 3
TaggedRunMetadata
    tag string 1, run_metadata bytes 2
Event
    wall_time double 1, step int64 2, file_version string 3 @what, graph_def bytes 4 @what,
    summary Summary 5 @what, log_message LogMessage 6 @what, session_log SessionLog 7 @what,
    tagged_run_metadata TaggedRunMetadata 8 @what, meta_graph_def bytes 9 @what
"""
