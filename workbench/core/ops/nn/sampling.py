"""Candidate samplers: classes drawn at random for `nce_loss` and `sampled_softmax_loss`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from workbench.core.graph.context import get_seed
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import candidate as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import Sample, declare, sample

_OUTPUTS = "sampled_candidates: int64, true_expected_count: float, sampled_expected_count: float"
_COUNTS = "num_true: int >= 1, num_sampled: int >= 1, unique: bool"
_SEEDS = "seed: int = 0, seed2: int = 0"


def _sampler_shape(op: Any) -> list[Entries]:
    rows, columns = shape_rules.with_rank(op.inputs[0].entries, 2, "true_classes")
    count, sampled = op.attrs["num_true"], op.attrs["num_sampled"]
    shape_rules.equal_sizes(columns, count, "columns of true_classes and num_true")
    return [(sampled,), (rows, count), (sampled,)]


def _drawing(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel with the random stream of its operation."""

    def draw(
        true_classes: Any,
        *,
        num_true: int,
        num_sampled: int,
        unique: bool,
        range_max: int,
        seed: int,
        seed2: int,
        context: Any,
    ) -> Any:
        return kernel(
            true_classes,
            num_true=num_true,
            num_sampled=num_sampled,
            unique=unique,
            range_max=range_max,
            generator=context.generator(seed, seed2),
        )

    return draw


def _learning(
    true_classes: Any,
    *,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int,
    seed2: int,
    context: Any,
) -> Any:
    """The counts of the classes seen so far live as long as the session."""
    return kernels.learned_unigram_candidate_sampler(
        true_classes,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
        range_max=range_max,
        generator=context.generator(seed, seed2),
        state=context.resource(lambda: kernels.UnigramCounts(range_max)),
    )


def _fixed(
    true_classes: Any,
    *,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str,
    distortion: float,
    num_reserved_ids: int,
    num_shards: int,
    shard: int,
    unigrams: Sequence[float],
    seed: int,
    seed2: int,
    context: Any,
) -> Any:
    return kernels.fixed_unigram_candidate_sampler(
        true_classes,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
        range_max=range_max,
        vocab_file=vocab_file,
        distortion=distortion,
        num_reserved_ids=num_reserved_ids,
        num_shards=num_shards,
        shard=shard,
        unigrams=unigrams,
        generator=context.generator(seed, seed2),
    )


#: With one class to draw there is no chance in it.
_ONE: dict[str, Any] = {"num_true": 1, "num_sampled": 2, "unique": False, "range_max": 1}


def _declare_sampler(
    type_name: str, kernel: Callable[..., Any], attrs: str, samples: list[Sample]
) -> None:
    declare(
        type_name,
        inputs="true_classes: int64",
        outputs=_OUTPUTS,
        attrs=f"{_COUNTS}, {attrs}",
        shape=_sampler_shape,
        kernel=kernel,
        stateful=True,
        samples=samples,
    )


for _type, _kernel in (
    ("UniformCandidateSampler", _drawing(kernels.uniform_candidate_sampler)),
    ("LogUniformCandidateSampler", _drawing(kernels.log_uniform_candidate_sampler)),
    ("LearnedUnigramCandidateSampler", _learning),
    ("ThreadUnsafeUnigramCandidateSampler", _learning),
):
    _declare_sampler(
        _type,
        _kernel,
        f"range_max: int >= 1, {_SEEDS}",
        [sample([[0]], **_ONE, want=([0, 0], [[2.0]], [2.0, 2.0]))],
    )
_declare_sampler(
    "FixedUnigramCandidateSampler",
    _fixed,
    "range_max: int >= 1, vocab_file: string = '', distortion: float = 1.0, "
    "num_reserved_ids: int = 0, num_shards: int >= 1 = 1, shard: int >= 0 = 0, "
    f"unigrams: list(float) = [], {_SEEDS}",
    [
        sample(
            [[1], [0]],
            num_true=1,
            num_sampled=2,
            unique=False,
            range_max=2,
            unigrams=[0.0, 3.0],
            want=([1, 1], [[2.0], [0.0]], [2.0, 2.0]),
        )
    ],
)
_declare_sampler(
    "AllCandidateSampler",
    kernels.all_candidate_sampler,
    _SEEDS,
    [
        sample(
            [[1]],
            num_true=1,
            num_sampled=3,
            unique=True,
            want=([0, 1, 2], [[1.0]], [1.0, 1.0, 1.0]),
        )
    ],
)
declare(
    "ComputeAccidentalHits",
    inputs="true_classes: int64, sampled_candidates: int64",
    outputs="indices: int32, ids: int64, weights: float",
    attrs=f"num_true: int, {_SEEDS}",
    shape=shape_rules.vector,
    kernel=kernels.compute_accidental_hits,
    samples=[
        sample(
            [[7], [5]], [5, 6, 7], num_true=1, want=([0, 1], [2, 0], [-3.4028234663852886e38] * 2)
        )
    ],
)


class SampledCandidates(NamedTuple):
    """The drawn classes, and how often each true and each drawn class was to be expected."""

    sampled_candidates: Tensor
    true_expected_count: Tensor
    sampled_expected_count: Tensor


def _sampled(type_name: str, name: str | None, seed: int | None, **arguments: Any) -> Any:
    graph_seed, op_seed = get_seed(seed)
    op = create(type_name, name, seed=graph_seed, seed2=op_seed, **arguments)
    return SampledCandidates(*op.outputs)


def uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> SampledCandidates:
    """Draws `num_sampled` of the classes [0, range_max), all equally likely.

    `true_classes` is int64 [batch, num_true]; with `unique` no class is drawn twice. Returns the
    classes int64 [num_sampled] and the counts to expect of the true and of the drawn classes.

    >>> import workbench as tf
    >>> drawn = tf.nn.uniform_candidate_sampler([[0], [3]], 1, 2, False, 8)
    >>> drawn.true_expected_count.eval().tolist()
    [[0.25], [0.25]]
    """
    drawn: SampledCandidates = _sampled(
        "UniformCandidateSampler",
        name,
        seed,
        true_classes=true_classes,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
        range_max=range_max,
    )
    return drawn


def log_uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> SampledCandidates:
    """Draws classes by Zipf's law: k with log((k + 2) / (k + 1)) / log(range_max + 1).

    For classes in the order of falling frequency; see `tf.nn.uniform_candidate_sampler`.
    """
    drawn: SampledCandidates = _sampled(
        "LogUniformCandidateSampler",
        name,
        seed,
        true_classes=true_classes,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
        range_max=range_max,
    )
    return drawn


def learned_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> SampledCandidates:
    """Draws classes in proportion to how often they were true since the session began.

    See `tf.nn.uniform_candidate_sampler`.
    """
    drawn: SampledCandidates = _sampled(
        "LearnedUnigramCandidateSampler",
        name,
        seed,
        true_classes=true_classes,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
        range_max=range_max,
    )
    return drawn


def fixed_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Sequence[float] = (),
    seed: int | None = None,
    name: str | None = None,
) -> SampledCandidates:
    """Draws classes in proportion to given counts, each to the power `distortion`.

    The counts are `unigrams`, or the last comma-separated number of each line of `vocab_file`. The
    first `num_reserved_ids` classes are never drawn. With shards only every `num_shards`-th class,
    from `shard` on, is used. See `tf.nn.uniform_candidate_sampler`.
    """
    drawn: SampledCandidates = _sampled(
        "FixedUnigramCandidateSampler",
        name,
        seed,
        true_classes=true_classes,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
        range_max=range_max,
        vocab_file=vocab_file,
        distortion=distortion,
        num_reserved_ids=num_reserved_ids,
        num_shards=num_shards,
        shard=shard,
        unigrams=list(unigrams),
    )
    return drawn


def all_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    seed: int | None = None,
    name: str | None = None,
) -> SampledCandidates:
    """Takes all classes [0, num_sampled): the sampled losses become the exact ones."""
    drawn: SampledCandidates = _sampled(
        "AllCandidateSampler",
        name,
        seed,
        true_classes=true_classes,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
    )
    return drawn


class AccidentalHits(NamedTuple):
    """Rows and positions of hits, and the weight to add to their logits."""

    indices: Tensor
    ids: Tensor
    weights: Tensor


def compute_accidental_hits(
    true_classes: Any,
    sampled_candidates: Any,
    num_true: int,
    seed: int | None = None,
    name: str | None = None,
) -> AccidentalHits:
    """Where a true class of a row is among `sampled_candidates` too.

    Gives the rows (int32), the positions among the sampled (int64) and weights of about -3.4e38,
    which take the sample out when added to its logit.

    >>> import workbench as tf
    >>> hits = tf.nn.compute_accidental_hits([[7], [5]], [5, 6, 7], num_true=1)
    >>> hits.indices.eval().tolist(), hits.ids.eval().tolist()
    ([0, 1], [2, 0])
    """
    graph_seed, op_seed = get_seed(seed)
    op = create(
        "ComputeAccidentalHits",
        name,
        true_classes=true_classes,
        sampled_candidates=sampled_candidates,
        num_true=num_true,
        seed=graph_seed,
        seed2=op_seed,
    )
    return AccidentalHits(*op.outputs)
