"""Training: optimizers, checkpoints, summaries: `tf.train` and its friends."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.learning_rate": """
        exponential_decay natural_exp_decay inverse_time_decay polynomial_decay piecewise_constant
        cosine_decay cosine_decay_restarts linear_cosine_decay noisy_linear_cosine_decay
        """,
    "workbench.train.global_steps": """
        global_step get_global_step create_global_step get_or_create_global_step assert_global_step
        """,
    "workbench.train.moving_averages": "ExponentialMovingAverage",
    "workbench.train.optimizers.optimizer": "Optimizer",
    "workbench.train.optimizers.gradient_descent": "GradientDescentOptimizer",
    "workbench.train.optimizers.step_optimizer": """
        MomentumOptimizer ProximalGradientDescentOptimizer
        """,
    "workbench.train.optimizers.adaptive": """
        AdagradOptimizer ProximalAdagradOptimizer AdagradDAOptimizer AdadeltaOptimizer
        RMSPropOptimizer FtrlOptimizer
        """,
    "workbench.train.optimizers.adam": "AdamOptimizer",
    "workbench.train.checkpoint_state": """
        checkpoint_exists generate_checkpoint_state_proto get_checkpoint_mtimes
        get_checkpoint_state latest_checkpoint update_checkpoint_state
        """,
    "workbench.train.checkpoint_reader": """
        NewCheckpointReader list_variables load_checkpoint load_variable
        """,
    "workbench.train.saver": "Saver",
    "workbench.train.device_setter": "replica_device_setter",
    "workbench.train.optimizers.sync_replicas": "SyncReplicasOptimizer",
    # Built of the core alone, as training is; the two know nothing of each other.
    "workbench.cluster.spec": "ClusterSpec",
    "workbench.cluster.server": "Server",
    "workbench.train.initial_checkpoint": "init_from_checkpoint",
    "workbench.train.meta_graph_export": "export_meta_graph",
    "workbench.train.meta_graph_import": "import_meta_graph",
    "workbench.train.event_files": "summary_iterator",
    "workbench.train.sessions.run_hook": """
        SessionRunArgs SessionRunContext SessionRunHook SessionRunValues
        """,
    "workbench.train.sessions.timers": "SecondOrStepTimer",
    "workbench.train.sessions.stopping_hooks": """
        GlobalStepWaiterHook NanLossDuringTrainingError NanTensorHook StopAtStepHook
        """,
    "workbench.train.sessions.logging_hooks": "LoggingTensorHook StepCounterHook",
    "workbench.train.sessions.checkpoint_hook": "CheckpointSaverHook CheckpointSaverListener",
    "workbench.train.sessions.summary_hook": "SummarySaverHook",
    "workbench.train.sessions.plain_hooks": "FeedFnHook FinalOpsHook ProfilerHook",
    "workbench.train.sessions.scaffold": "Scaffold",
    "workbench.train.sessions.session_creators": """
        ChiefSessionCreator SessionCreator WorkerSessionCreator
        """,
    "workbench.train.sessions.session_manager": "SessionManager",
    "workbench.train.sessions.monitored_session": "MonitoredSession SingularMonitoredSession",
    "workbench.train.sessions.training_session": "MonitoredTrainingSession",
    "workbench.train.sessions.supervisor": "Supervisor",
    "workbench.train.sessions.basic_loop": "basic_train_loop",
    "workbench.train.summary_io": "SummaryWriter=FileWriter",
    "workbench.train.coordinator": "Coordinator LooperThread",
    "workbench.train.queue_runner": """
        QueueRunner add_queue_runner start_queue_runners queue_runner=
        """,
    "workbench.train.input.batch": "batch batch_join maybe_batch maybe_batch_join",
    "workbench.train.input.shuffle_batch": """
        maybe_shuffle_batch maybe_shuffle_batch_join shuffle_batch shuffle_batch_join
        """,
    "workbench.train.input.producers": """
        input_producer limit_epochs match_filenames_once range_input_producer slice_input_producer
        string_input_producer
        """,
    "workbench.core.graph.graph_files": "write_graph",
    "workbench.core.protos": """
        BytesList ClusterDef Example Feature FeatureList FeatureLists Features FloatList Int64List
        JobDef QueueRunnerDef SaverDef SequenceExample ServerDef
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
