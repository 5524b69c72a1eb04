import base64
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.errors import ExitCode

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "very/secret+key",
    "PHYS4D_STORAGE": "s3://bucket/p",
}
CHOSEN = "p'w\"$x"
# A kubectl that keeps what is applied in files, and every command line that it was given.
KUBECTL = """#!/bin/sh
printf '%s\\n' "$*" >> "$STATE/commands"
case " $* " in
  *" get "*)
    [ -z "${BROKEN:-}" ] || { echo "no route to host" >&2; exit 1; }
    [ ! -e "$STATE/$5" ] || echo "$4/$5" ;;
  *" --filename - "*)
    cat > "$STATE/new"
    mv "$STATE/new" "$STATE/$(sed -n 's/^metadata: {name: \\(.*\\)}$/\\1/p' "$STATE/new")" ;;
esac
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/kubectl").write_text(KUBECTL)
    (tmp_path / "bin/kubectl").chmod(0o755)
    return tmp_path


def create(state: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{state / 'bin'}:{os.environ['PATH']}", "STATE": str(state), **variables}
    return subprocess.run(["k8s/create-secrets.sh"], env=environment, capture_output=True, text=True, check=False)


def made(state: Path, name: str) -> dict[str, str]:
    document: dict[str, Any] = yaml.safe_load((state / name).read_text())
    data: dict[str, str] = document["data"]
    if document["kind"] == "Secret":
        data = {key: base64.b64decode(value, validate=True).decode() for key, value in data.items()}
    return data


def test_secrets_are_made_from_nothing(state: Path) -> None:
    result = create(state, **KEYS)
    assert result.returncode == 0, result.stderr
    passwords = [made(state, f"postgres-{name}")["password"] for name in ("admin", "mlflow", "prefect")]
    assert all(len(password) == 48 for password in passwords) and len(set(passwords)) == 3
    assert made(state, "s3") == {
        "credentials": "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = very/secret+key\n",
        "config": "[default]\nregion = us-east-1\n",
    }
    assert made(state, "storage") == {"uri": "s3://bucket/p"}


def test_boto3_reads_the_files(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.session import Session

    more = {"AWS_ENDPOINT_URL": "https://s3.example:7443", "AWS_REGION": "eu-1", "AWS_SESSION_TOKEN": "token"}
    create(state, **KEYS, **more)
    for variable, key in (("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")):
        (state / key).write_text(made(state, "s3")[key])
        monkeypatch.setenv(variable, str(state / key))
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(variable, raising=False)
    session = Session()
    keys = session.get_credentials()
    assert keys is not None
    assert (keys.access_key, keys.secret_key, keys.token) == ("AKIDEXAMPLE", "very/secret+key", "token")
    client = session.create_client("s3")
    assert (client.meta.endpoint_url, client.meta.region_name) == ("https://s3.example:7443", "eu-1")


def test_a_second_run_changes_no_password(state: Path) -> None:
    create(state, **KEYS)
    before = {path.name: path.read_text() for path in state.glob("postgres-*")}
    again = create(state, **{"POSTGRES_PASSWORD": "another"})
    assert again.returncode == 0
    assert "postgres-admin is there and stays" in again.stderr
    assert {path.name: path.read_text() for path in state.glob("postgres-*")} == before


def test_keys_of_storage_can_be_changed(state: Path) -> None:
    create(state, **KEYS)
    create(state, **{**KEYS, "AWS_ACCESS_KEY_ID": "NEW"})
    assert "aws_access_key_id = NEW\n" in made(state, "s3")["credentials"]


def test_no_secret_is_on_a_command_line(state: Path) -> None:
    create(state, **KEYS, **{"POSTGRES_PASSWORD": CHOSEN})
    commands = (state / "commands").read_text()
    assert made(state, "postgres-admin")["password"] == CHOSEN
    values = [value for name in ("s3", "postgres-mlflow") for value in made(state, name).values()]
    values += [KEYS["AWS_SECRET_ACCESS_KEY"], CHOSEN]
    for secret in (*values, *(base64.b64encode(value.encode()).decode() for value in values)):
        assert secret not in commands


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({}, "PHYS4D_STORAGE"),
        ({**KEYS, "PHYS4D_STORAGE": "bucket"}, "PHYS4D_STORAGE"),
        ({"PHYS4D_STORAGE": "s3://bucket"}, "AWS_ACCESS_KEY_ID"),
        ({**KEYS, "AWS_SECRET_ACCESS_KEY": "a\nb"}, "AWS_SECRET_ACCESS_KEY"),
    ],
    ids=["nothing", "no address", "no keys", "two lines"],
)
def test_what_is_missing_or_wrong_is_named(state: Path, variables: dict[str, str], field: str) -> None:
    result = create(state, **variables)
    assert result.returncode == ExitCode.BAD_PARAMETERS
    assert field in result.stderr
    assert not (state / "s3").exists()


def test_a_cluster_that_does_not_answer_is_no_empty_cluster(state: Path) -> None:
    result = create(state, **KEYS, BROKEN="1")
    assert result.returncode == 1
    assert not (state / "postgres-admin").exists()


def test_the_image_is_written_wherever_it_stands(tmp_path: Path) -> None:
    shutil.copytree("k8s", tmp_path / "k8s")
    image = f"localhost:5000/team/phys4d@sha256:{'a' * 64}"
    subprocess.run([tmp_path / "k8s/set-image.sh", image], check=True)
    for path in sorted((tmp_path / "k8s").glob("*.yaml")):
        old, new = Path("k8s", path.name).read_text(), path.read_text()
        assert new == old.replace("registry.example/phys4d:0.1.0", image)
    subprocess.run([tmp_path / "k8s/set-image.sh", "registry.example/phys4d:0.1.0"], check=True)
    assert all(path.read_text() == Path("k8s", path.name).read_text() for path in (tmp_path / "k8s").glob("*.yaml"))


@pytest.mark.parametrize("image", ["", "phys4d", "phys4d:latest", "a|b:1", "x:1; rm"])
def test_an_image_without_a_version_is_refused(image: str, tmp_path: Path) -> None:
    shutil.copytree("k8s", tmp_path / "k8s")
    result = subprocess.run([tmp_path / "k8s/set-image.sh", image], capture_output=True, text=True, check=False)
    assert result.returncode == ExitCode.BAD_PARAMETERS
    assert repr(image) in result.stderr
