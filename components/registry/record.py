"""What was decided, where people look: tags of the version, promotion.json in its run and in data/promotion."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from components.files import write_atomically
from components.registry.gate import Check
from components.registry.measured import Measurement
from components.registry.versions import Version
from components.tracking import log_metrics, metric_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

DECISIONS = Path("data/promotion")
FILE = "promotion.json"
LONGEST = 4000  # characters of a text in a tag: MLflow's bound is 5000
CHECK = "check."


def document(
    name: str, number: int | None, checks: Sequence[Check], measured: Measurement, *, champion: int | None
) -> dict[str, Any]:
    """A decision as JSON takes it; a number that is not defined is null."""
    return {
        "name": name,
        "version": number,
        "promoted": all(check.passed for check in checks),
        "champion": champion,
        "scenes": measured.scenes,
        "instruments": measured.instruments,
        "reasons": [f"{check.name}: {check.text}" for check in checks if not check.passed],
        "checks": [_plain(check) for check in checks],
    }


def record(
    client: "MlflowClient",
    version: Version,
    text: str,
    checks: Sequence[Check],
    measured: Measurement,
    *,
    champion: int | None,
) -> None:
    """Tags, promotion.json and figures where a person looks at the version; recorded again, they are the same."""
    from mlflow.entities import Metric

    name, number = version.name, str(version.number)
    promoted = all(check.passed for check in checks)
    tags = {"decision": "promoted" if promoted else "refused", "verdict": text[:LONGEST]}
    tags |= {metric_name(f"{CHECK}{check.name}"): json.dumps(_plain(check, longest=LONGEST)) for check in checks}
    before = client.get_model_version(name, number).tags
    for key in before:
        if key.startswith(CHECK) and key not in tags:
            client.delete_model_version_tag(name, number, key)
    for key, value in tags.items():
        if before.get(key) != value:
            client.set_model_version_tag(name, number, key, value)
    with TemporaryDirectory() as temporary:
        path = Path(temporary) / FILE
        path.write_bytes(_encode(document(name, version.number, checks, measured, champion=champion)))
        client.log_artifact(version.run, str(path))
    time = client.get_run(version.run).info.start_time
    numbers = {key: value for key, value in measured.metrics.items() if not isinstance(value, str)}
    log_metrics(
        client, version.run, [Metric(metric_name(key), float(value), time, 0) for key, value in numbers.items()]
    )


def write_locally(
    root: Path,
    name: str,
    number: int,
    checks: Sequence[Check],
    measured: Measurement,
    *,
    backbone: str,
    champion: int | None,
) -> None:
    """The same promotion.json as data/promotion/BACKBONE.json."""
    path = root / DECISIONS / f"{backbone}.json"
    write_atomically(path, _encode(document(name, number, checks, measured, champion=champion)))


def _plain(check: Check, longest: int | None = None) -> dict[str, Any]:
    values = asdict(check) | {"text": check.text[:longest]}
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in values.items()
    }


def _encode(values: dict[str, Any]) -> bytes:
    return json.dumps(values, indent=1, allow_nan=False).encode()
