"""What MLflow knows at a glance: the last whole runs, and every model with the versions its aliases name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from components.registry.lock import SUFFIX
from components.registry.versions import registry

LAST = 5  # runs


@dataclass(frozen=True, kw_only=True)
class WholeRun:
    """A run of the pipeline. status: MLflow's word; began: UTC; verdicts by backbone."""

    pipeline: str
    profile: str
    status: str
    began: datetime
    verdicts: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RegisteredModel:
    """A model by its registered name, and version numbers by alias."""

    name: str
    aliases: Mapping[str, int]


def last_runs(root: Path) -> list[WholeRun]:
    """The last whole runs of every profile, the newest first."""
    with registry(root) as client:
        profiles = {
            one.experiment_id: one.name.removeprefix("phys4d/")
            for one in client.search_experiments()
            if one.name.startswith("phys4d/")
        }
        if not profiles:
            return []
        found = client.search_runs(
            list(profiles),
            filter_string="tags.kind = 'pipeline'",
            order_by=["attributes.start_time DESC"],
            max_results=LAST,
        )
    prefix = "verdict_"
    return [
        WholeRun(
            pipeline=one.data.tags.get("pipeline_id", one.info.run_name),
            profile=profiles[one.info.experiment_id],
            status=one.info.status,
            began=datetime.fromtimestamp(one.info.start_time / 1000, UTC),
            verdicts={
                name.removeprefix(prefix): text for name, text in one.data.tags.items() if name.startswith(prefix)
            },
        )
        for one in found
    ]


def models(root: Path) -> list[RegisteredModel]:
    """Every registered model of ours, by name."""
    with registry(root) as client:
        found = client.search_registered_models(filter_string="name LIKE 'phys4d-%'")
    return sorted(
        (
            RegisteredModel(name=one.name, aliases={alias: int(number) for alias, number in one.aliases.items()})
            for one in found
            if not one.name.endswith(SUFFIX)  # the lock of a promotion
        ),
        key=lambda model: model.name,
    )
