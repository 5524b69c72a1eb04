"""Which version is the champion: the gate decides, a person can take it back.

Aliases: `challenger` is the newest version that is not promoted, `champion` the one to use, `previous` the champion
before it. A version that a rollback withdrew is not promoted again by itself.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from components.errors import Phys4dError
from components.registry.aliases import CHAMPION, aliases_of, challenge, crown, is_withdrawn, swap_back
from components.registry.contents import Contents, Settings, describe
from components.registry.gate import Check, Evidence, Rival, examine
from components.registry.lock import turn
from components.registry.measured import Measurement, compare, read_measurement
from components.registry.packaging import build
from components.registry.record import record, write_locally
from components.registry.trial import Sample, draw_sample, prompt_of_test
from components.registry.versions import (
    Version,
    download,
    find,
    kept_measurements,
    kept_table,
    refuse_unregistered,
    register,
    registry,
)
from components.tracking import UnreachableError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from components.params import Params


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The gate's checks on a model. version: None when a dry run found it unregistered; champion: who it is now.

    text: verdict and reasons in one line.
    """

    contents: Contents
    version: Version | None
    checks: tuple[Check, ...]
    champion: int | None

    @property
    def promoted(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def reasons(self) -> list[str]:
        """What refused it."""
        return [check.text for check in self.checks if not check.passed]

    @property
    def text(self) -> str:
        """Verdict and reasons in one line."""
        number = f"version {self.version.number}" if self.version else "not registered yet"
        gains = [check.text for check in self.checks if check.low is not None]
        found = f"promoted: {'; '.join(gains)}" if self.promoted else f"not promoted: {'; '.join(self.reasons)}"
        return f"{self.contents.name} {number}: {found}"


@dataclass(frozen=True, kw_only=True)
class _Tried:
    """What a version's files are worth: what is wrong with them, and the sample drawn from them."""

    files: str
    sample: Sample


def promote(root: Path, params: "Params", *, backbone: str, again: bool = False) -> Decision:
    """Register the pipeline's model, once, and make it the champion if it passes the gate.

    again: also a version that a rollback withdrew. A version that is refused stays challenger; a champion that is
    refused later, by a stricter gate, stays champion until a person takes it back. The same command goes on after
    whatever interrupted it.
    """
    measured = read_measurement(root, backbone)
    version = register(root, params, measured, backbone=backbone)
    contents, number = describe(root, backbone), str(version.number)
    tried = _try(root, params, contents, version)
    with registry(root) as client, turn(client, root, version.name) as held:
        withdrawn = is_withdrawn(client, version.name, number) and not again
        champion = aliases_of(client, version.name).get(CHAMPION)
        rival = _rival(client, params, measured, name=version.name, champion=champion, number=number)
        checks = examine(_evidence(measured, tried, rival, withdrawn=withdrawn), params.promotion)
        promoted = all(check.passed for check in checks)
        after = number if promoted else champion
        decision = Decision(contents=contents, version=version, checks=checks, champion=int(after) if after else None)
        record(client, version, decision.text, checks, measured, champion=decision.champion)
        if promoted:
            crown(held, number)
        else:
            challenge(held, number)
    write_locally(root, version.name, version.number, checks, measured, backbone=backbone, champion=decision.champion)
    return decision


def consider(root: Path, params: "Params", *, backbone: str, again: bool = False) -> Decision:
    """What `promote` would decide; nothing is registered, moved, tagged or written."""
    refuse_unregistered(params.profile)
    measured = read_measurement(root, backbone)
    contents = describe(root, backbone)
    with registry(root) as client:
        found = find(client, contents)
        number = str(found.version) if found else None
        champion = aliases_of(client, contents.name).get(CHAMPION)
        rival = _rival(client, params, measured, name=contents.name, champion=champion, number=number)
        withdrawn = number is not None and is_withdrawn(client, contents.name, number) and not again
    version = None
    if found and number:
        run = str(found.run_id)
        version = Version(name=contents.name, number=int(number), model=contents.model, run=run, created=False)
    tried = _try(root, params, contents, version)
    checks = examine(_evidence(measured, tried, rival, withdrawn=withdrawn), params.promotion)
    return Decision(contents=contents, version=version, checks=checks, champion=int(champion) if champion else None)


def rollback(root: Path, name: str) -> int:
    """Make the previous champion the champion again, and withdraw the one there is; the new champion's number."""
    with registry(root) as client, turn(client, root, name) as held:
        return swap_back(held)


def _evidence(measured: Measurement, tried: _Tried, rival: Rival | None, *, withdrawn: bool) -> Evidence:
    return Evidence(
        metrics=measured.metrics,
        files=tried.files,
        sample=tried.sample.wrong,
        motion=tried.sample.motion,
        rival=rival,
        withdrawn=withdrawn,
    )


def _try(root: Path, params: "Params", contents: Contents, version: Version | None) -> _Tried:
    """Fetch the version, or build it where there is none yet, hold its files against their hashes, and draw from it."""
    prompt = prompt_of_test(root, contents.backbone)
    settings = Settings.of(params)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "version"
        if version is None:
            build(root, folder, contents=contents, settings=settings, evaluation={}, artifacts="")
        else:
            try:
                with registry(root) as client:
                    download(root, client.get_model_version(version.name, str(version.number)), folder)
            except UnreachableError:
                raise
            except Phys4dError as error:
                unread = "a sample was not drawn: the registered files are not what they should be"
                return _Tried(files=str(error), sample=Sample(wrong=unread, motion=None))
        return _Tried(files="", sample=draw_sample(folder, prompt, settings, steps=params.promotion.sample_steps))


def _rival(
    client: "MlflowClient",
    params: "Params",
    measured: Measurement,
    *,
    name: str,
    champion: str | None,
    number: str | None,
) -> Rival | None:
    """The champion beside the challenger; None when there is none, or it is the challenger itself."""
    if champion is None or champion == number:
        return None
    version = client.get_model_version(name, champion)
    try:
        table = kept_table(client, version, measured.key)
        if table is None:
            return Rival(number=int(champion), figures={}, incomparable=_incomparable(version, measured))
        seed, resamples = params.seed, params.evaluation.bootstrap_samples
        figures = compare(table, measured.table, seed=seed, resamples=resamples)
    except UnreachableError:
        raise
    except Phys4dError as error:
        return Rival(number=int(champion), figures={}, incomparable=f"the champion, version {champion}: {error}")
    return Rival(number=int(champion), figures=figures)


def _incomparable(version: "ModelVersion", measured: Measurement) -> str:
    """Why a champion has no figures to compare with, and what to do."""
    kept = kept_measurements(version)
    champion = f"the champion, version {version.version},"
    remedy = (
        "measure the champion on the same scenes: in a checkout of its commit with these scenes and this judge, run "
        "phys4d stage evaluate and phys4d promote, or take it back with phys4d rollback"
    )
    if not kept:
        return f"{champion} keeps no figures clip by clip: {remedy}"
    if all(one["scenes"] != measured.scenes for one in kept):
        return (
            f"{champion} was measured on scenes {kept[-1]['scenes'][:12]}, this one on {measured.scenes[:12]}: {remedy}"
        )
    return f"{champion} was measured by another judge or with other samples of the same scenes: {remedy}"
