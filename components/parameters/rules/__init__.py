"""Rules that join fields of params.yaml: each returns what is wrong, where, and what to write instead."""

from collections.abc import Callable, Iterator

from components.parameters.rules.backbones import check_frames, check_native, check_sides, check_sizes, check_source
from components.parameters.rules.cluster import check_device, check_image, check_pods, check_travel
from components.parameters.rules.problem import Problem
from components.parameters.rules.promotion import check_promotion
from components.parameters.rules.simulation import (
    check_grains,
    check_lean,
    check_memory,
    check_orbit,
    check_rate,
    check_room,
    check_shards,
    check_view,
)
from components.parameters.rules.storage import check_bucket, check_endpoint, check_prefix
from components.parameters.rules.training import (
    check_evaluation,
    check_labels,
    check_stage2,
    check_stage3,
    check_taps,
    check_train,
    check_watch,
)
from components.params import Params

__all__ = ("Problem", "broken_rules")


def broken_rules(params: Params) -> list[Problem]:
    """Every rule that `params` breaks, in the order of params.yaml."""
    return [problem for rule in RULES for problem in rule(params)]


RULES: tuple[Callable[[Params], Iterator[Problem]], ...] = (
    check_endpoint,
    check_bucket,
    check_prefix,
    check_image,
    check_travel,
    check_pods,
    check_device,
    check_sizes,
    check_frames,
    check_sides,
    check_native,
    check_source,
    check_labels,
    check_taps,
    check_stage2,
    check_stage3,
    check_watch,
    check_rate,
    check_memory,
    check_lean,
    check_room,
    check_view,
    check_orbit,
    check_shards,
    check_train,
    check_grains,
    check_evaluation,
    check_promotion,
)
