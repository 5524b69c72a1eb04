import re
from pathlib import Path

import pytest

from tests.cluster.objects import manifests, pods


def stages(text: str) -> dict[str, list[str]]:
    """The instructions of each stage; those before the first one under ""."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.startswith("FROM "):
            name = line.split(" AS ")[1]
            found[name] = []
        found[name].append(line)
    return found


def problems(text: str) -> list[str]:
    """What an image of ours must not have."""
    parts = stages(text)
    lines = [line for part in parts.values() for line in part]
    said = []
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    if [base for base in bases if base != "${BASE}" and base not in parts]:
        said.append("a base that is not BASE")
    if not re.search(r"^ARG BASE=\S+:[\w.-]+@sha256:[0-9a-f]{64}$", text, re.MULTILINE) or ":latest" in text:
        said.append("BASE is not one version")
    if [line for line in lines if line.startswith("ADD ")]:
        said.append("ADD")
    for target in ("cpu", "cuda"):
        users = [line.split()[1] for line in parts[target] if line.startswith("USER ")]
        if not users or users[-1] != "10001:10001":
            said.append(f"{target} ends as {users}")
    if re.search(r"index-url|PIP_INDEX|https?://", "\n".join(lines)):
        said.append("an address of an index")
    if re.search(r"pip install (?!-c constraints\.txt )", "\n".join(lines)):
        said.append("packages of any version")
    if re.search(r"^(ARG|ENV) .*(PASSWORD|SECRET|TOKEN|KEY)", text, re.MULTILINE):
        said.append("a secret")
    if 'org.opencontainers.image.revision="${COMMIT}"' not in "\n".join(parts["cpu"]):
        said.append("no commit")
    return said


TEXT = Path("Dockerfile").read_text()
FAULTS = {
    "a base that is not BASE": TEXT.replace("FROM ${BASE} AS cpu", "FROM python:3.11 AS cpu"),
    "BASE is not one version": re.sub(r"@sha256:[0-9a-f]{64}", "", TEXT),
    "ADD": TEXT.replace("COPY . ", "ADD . "),
    "cuda ends as ['0:0']": TEXT[: TEXT.rindex("USER ")],
    "an address of an index": TEXT.replace("-c constraints.txt", "-c constraints.txt --index-url https://x", 1),
    "packages of any version": TEXT.replace("pip install -c constraints.txt setuptools", "pip install setuptools"),
    "a secret": TEXT.replace("ARG COMMIT", "ARG AWS_SECRET_ACCESS_KEY"),
    "no commit": TEXT.replace("revision", "version"),
}


def test_the_image_is_as_it_should_be() -> None:
    assert problems(TEXT) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_image_is_found(fault: str) -> None:
    assert any(fault in said for said in problems(FAULTS[fault]))


def test_the_base_stands_in_one_place() -> None:
    assert TEXT.count("@sha256:") == 1


def test_pods_of_ours_run_as_the_images_user() -> None:
    ours = [pod for pod in pods(manifests()) if any("phys4d" in container["image"] for container in pod.containers)]
    assert {pod.spec["securityContext"]["runAsUser"] for pod in ours} == {10001}


def test_the_image_gets_what_is_named_and_nothing_else() -> None:
    lines = [line for line in Path(".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    named = {line[1:] for line in lines if line.startswith("!")}
    assert {"components", "flows", "dvc.yaml", "dvc.lock", "params.yaml", "k8s", "profiles", ".dvc/config"} <= named
    assert not named & {".git", ".dvc", ".env", "data", "models", ".phys4d", ".", "*"}
