"""Which version is the champion: the gate's verdict decides, a person can take it back.

Aliases: `challenger` is the newest version that is not promoted, `champion` the one to use, `previous` the champion
before it. A version that a rollback withdrew is not promoted again by itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import Phys4dError
from components.evaluation.verdict import Verdict, decide
from components.manifest import MANIFEST, manifest_hash, read_manifest
from components.pipeline.recorded import recorded_hashes
from components.registry.contents import VARIANT
from components.registry.versions import Version, aliases_of, register, registry
from components.tracking import log_metrics, metric_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from components.params import Promotion

METRICS = Path("data/evaluation")
CHAMPION, PREVIOUS, CHALLENGER = "champion", "previous", "challenger"
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The gate's verdict on a version, whether it is the champion now, and who the champion is (none: nobody).

    text: verdict and consequence in one line.
    """

    version: Version
    verdict: Verdict
    promoted: bool
    champion: int | None
    text: str


def promote(root: Path, *, backbone: str, profile: str, promotion: "Promotion", again: bool = False) -> Decision:
    """Register the pipeline's model, once, and make it the champion if it passes the gate.

    again: also a version that a rollback withdrew. A version that is refused stays challenger; a champion that is
    refused later, by a stricter gate, stays champion until a person takes it back.
    """
    metrics = read_metrics(root, backbone)
    verdict = decide(metrics, promotion)
    version = register(root, backbone=backbone, profile=profile)
    with registry(root) as client:
        _record(client, version, verdict, metrics)
        champion = aliases_of(client, version.name).get(CHAMPION)
        number = str(version.number)
        withdrawn = WITHDRAWN in client.get_model_version(version.name, number).tags and not again
        promoted = verdict.promoted and not withdrawn
        if champion != number:
            if promoted:
                _crown(client, version.name, number, champion)
            else:
                client.set_registered_model_alias(version.name, CHALLENGER, number)
        champion = aliases_of(client, version.name).get(CHAMPION)
    text = f"{version.name} version {version.number}: {verdict.text}"
    if verdict.promoted and withdrawn:
        remedy = f"phys4d registry promote --backbone {backbone} --again"
        text += f"; not made champion, because a rollback withdrew it: {remedy}"
    return Decision(
        version=version,
        verdict=verdict,
        promoted=promoted,
        champion=int(champion) if champion else None,
        text=text,
    )


def rollback(root: Path, name: str) -> int:
    """Make the previous champion the champion again, and withdraw the one there is; the new champion's number."""
    with registry(root) as client:
        aliases = aliases_of(client, name)
        champion, previous = aliases.get(CHAMPION), aliases.get(PREVIOUS)
        if champion is None or previous is None:
            raise Phys4dError(f"{name} has no previous champion to go back to")
        client.set_model_version_tag(name, champion, WITHDRAWN, "true")
        client.set_registered_model_alias(name, CHAMPION, previous)
        client.set_registered_model_alias(name, PREVIOUS, champion)
        _readmit(client, name, previous)
    return int(previous)


def read_metrics(root: Path, backbone: str) -> dict[str, float | str]:
    """The figures of the pipeline's model; Phys4dError when they are of another model than the one that is there."""
    path = root / METRICS / backbone / "metrics.json"
    try:
        metrics = json.loads(path.read_text())
    except FileNotFoundError:
        raise Phys4dError(f"{path}: not there: run phys4d stage evaluate@{backbone}, or dvc pull") from None
    model = f"models/{backbone}/{VARIANT}"
    measured = recorded_hashes(root, f"evaluate@{backbone}", "deps").get(model)
    if measured is None or measured != recorded_hashes(root, f"{VARIANT}@{backbone}", "outs").get(model):
        raise Phys4dError(f"{path} measured another model than {model}: run phys4d stage evaluate@{backbone}")
    read_manifest(root / model)
    named, there = metrics.get("evaluation.model"), manifest_hash(root / model)
    if named != there:  # a stage that ran without DVC left dvc.lock as it was
        raise Phys4dError(
            f"{path}: evaluation.model is {named!r}, expected {there!r}, the sha256 of {model}/{MANIFEST}: it measured "
            f"another model: run phys4d stage evaluate@{backbone}"
        )
    return {str(key): value for key, value in metrics.items()}


def _crown(client: "MlflowClient", name: str, number: str, champion: str | None) -> None:
    """Make a version the champion; after each step the champion there was is still to be found."""
    if champion:
        client.set_registered_model_alias(name, PREVIOUS, champion)
    client.set_registered_model_alias(name, CHAMPION, number)
    if aliases_of(client, name).get(CHALLENGER) == number:
        client.delete_registered_model_alias(name, CHALLENGER)
    _readmit(client, name, number)


def _readmit(client: "MlflowClient", name: str, number: str) -> None:
    if WITHDRAWN in client.get_model_version(name, number).tags:
        client.delete_model_version_tag(name, number, WITHDRAWN)


def _record(client: "MlflowClient", version: Version, verdict: Verdict, metrics: Mapping[str, float | str]) -> None:
    """Verdict and figures where a person looks at the version; recorded again, they are the same."""
    from mlflow.entities import Metric

    client.set_model_version_tag(version.name, str(version.number), "verdict", verdict.text)
    time = client.get_run(version.run).info.start_time
    numbers = {key: value for key, value in metrics.items() if not isinstance(value, str)}
    log_metrics(
        client, version.run, [Metric(metric_name(key), float(value), time, 0) for key, value in numbers.items()]
    )
