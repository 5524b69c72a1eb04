"""Rules of the promotion gate: metrics that there are, and of which it is known which way is better."""

from collections.abc import Iterator

from components.evaluation.consistency.catalogue import FRECHET
from components.parameters.rules.problem import Problem
from components.params import Params
from components.report.catalogue import metric_of


def check_promotion(params: Params) -> Iterator[Problem]:
    """A floor, a gain or a tolerance is on a metric that can be better or worse; paired ones are of single clips."""
    promotion = params.promotion
    named = {"floors": promotion.floors, "over_champion": promotion.over_champion}
    for field, metrics in (named | {"no_regression": promotion.no_regression}).items():
        for metric in metrics:
            if metric_of(metric).better == "unknown":
                yield Problem(
                    field=f"promotion.{field}",
                    message=f"{metric[:60]!r} is no metric that can be better or worse, expected one such as score, "
                    "chamfer, permanence: docs/metrics.md names them",
                )
            elif field != "floors" and metric == FRECHET:
                yield Problem(
                    field=f"promotion.{field}",
                    message=f"{metric!r} is a figure of all clips together, expected one that single clips have, such "
                    "as chamfer: the champion is compared clip by clip",
                )
    if len(set(promotion.over_champion)) < len(promotion.over_champion):
        yield Problem(field="promotion.over_champion", message="a metric stands there twice: write it once")
