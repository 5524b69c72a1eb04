"""Tracking and registry through a real MLflow server: on PostgreSQL where there is one, else on sqlite."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components.registry import promotion, versions
from components.registry.aliases import aliases_of
from components.registry.contents import VERSION
from components.registry.lock import OWNER, SUFFIX, TOKEN
from components.registry.promotion import consider, promote, rollback
from components.registry.trial import Sample
from components.registry.versions import DESTINATION, fetch, registry
from components.tracked_run import stage_run
from components.tracking import UnreachableError, sync
from components.tracking_buffer import buffers
from tests.registry.models import PARAMS, make_metrics, make_model
from tests.registry.twin import TWIN_PARAMS, make_twin
from tests.servers.mlflow_server import HAS_POSTGRES, MlflowServer, mlflow_server

NAME = "phys4d-wan22-tiny"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with mlflow_server(tmp_path_factory.mktemp("server")) as server:
        assert ("postgresql" in server.database) == HAS_POSTGRES
        yield server


@pytest.fixture
def server(running: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> MlflowServer:
    """The server, with an empty registry."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", running.address)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with registry(Path()) as client:
        for model in client.search_registered_models():
            client.delete_registered_model(model.name)
    return running


def aliases_there() -> dict[str, str]:
    with registry(Path()) as client:
        return aliases_of(client, NAME)


def good_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "draw_sample", lambda *_, **__: Sample(wrong="", motion=2.0))


@pytest.mark.slow
def test_a_run_and_a_real_model_from_registration_to_prediction(
    server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DESTINATION, str(server.folder / "artifacts"))
    with stage_run(tmp_path, name="s", profile="laptop", params={"seed": 0}, key="k", work=tmp_path / "work") as run:
        for step in range(3):
            run.log({"loss": 1.0 / (step + 1)}, step)
    assert buffers(tmp_path) == []
    make_twin(tmp_path)
    assert promote(tmp_path, TWIN_PARAMS, backbone="wan22").champion == 1
    fetched = fetch(tmp_path, NAME, tmp_path / "champion")
    heads = (fetched / "artifacts/stage3/heads.safetensors").read_bytes()
    place = Path(json.loads((fetched / VERSION).read_bytes())["artifacts"])  # behind the server
    assert (place / "artifacts/stage3/heads.safetensors").read_bytes() == heads
    script = f"""
import base64, io, mlflow, numpy
from PIL import Image
picture = io.BytesIO()
Image.fromarray(numpy.full((32, 32, 3), 90, numpy.uint8)).save(picture, "PNG")
image = base64.b64encode(picture.getvalue()).decode()
model = mlflow.pyfunc.load_model("models:/{NAME}@champion")
made = model.predict({{"prompt": "A square moves before a wall.", "image": image}})[0]
assert made["rgb"].shape == (9, 32, 32, 3) and made["flow"].shape == (8, 32, 32, 2), made["rgb"].shape
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)


@pytest.mark.slow
def test_promote_refuse_and_roll_back(server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good_sample(monkeypatch)
    for number, chamfer in enumerate((0.5, 0.4, 0.6)):
        make_model(tmp_path, weights=f"number {number}")
        make_metrics(tmp_path, chamfer=chamfer)
        promote(tmp_path, PARAMS, backbone="wan22")
    assert aliases_there() == {"champion": "2", "previous": "1", "challenger": "3"}
    assert consider(tmp_path, PARAMS, backbone="wan22").reasons[0].startswith("chamfer gain over the champion -0.2")
    assert rollback(tmp_path, NAME) == 1
    assert aliases_there() == {"champion": "1", "previous": "2", "challenger": "3"}
    with registry(tmp_path) as client:
        decisions = [client.get_model_version(NAME, number).tags["decision"] for number in "123"]
    assert decisions == ["promoted", "promoted", "refused"]


PROMOTE = """
import sys
from pathlib import Path
from components.registry import promotion
from components.registry.trial import Sample
from tests.registry.models import PARAMS
promotion.draw_sample = lambda *_, **__: Sample(wrong="", motion=2.0)
print("ready", flush=True)
sys.stdin.readline()
print(promotion.promote(Path(sys.argv[1]), PARAMS, backbone="wan22").text)
"""


@pytest.mark.slow
def test_of_two_promotions_at_once_the_better_model_is_champion(server: MlflowServer, tmp_path: Path) -> None:
    """Two clones, as on two machines: whichever comes first, the worse one never takes the place of the better."""
    running = []
    for name, chamfer in (("better", 0.4), ("worse", 0.5)):
        root = tmp_path / name
        make_model(root, weights=name)
        make_metrics(root, chamfer=chamfer)
        command = [sys.executable, "-c", PROMOTE, str(root)]
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert ": promoted: " in said[0]
    decided = {
        name: json.loads((tmp_path / name / "data/promotion/wan22.json").read_text()) for name in ("better", "worse")
    }
    number = str(decided["better"]["version"])
    found = aliases_there()
    assert found["champion"] == number
    if decided["worse"]["promoted"]:  # it came first, and had nobody to gain over
        assert found["previous"] == str(decided["worse"]["version"])
        assert any("champion" in check["name"] for check in decided["better"]["checks"])
    else:
        assert "chamfer gain over the champion" in decided["worse"]["reasons"][0]
    with registry(tmp_path) as client:
        assert [model.name for model in client.search_registered_models()] == [NAME]  # and no lock


@pytest.mark.slow
def test_a_promotion_waits_for_that_of_another_machine(
    server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_sample(monkeypatch)
    make_model(tmp_path)
    make_metrics(tmp_path)
    with registry(tmp_path) as client:
        client.create_registered_model(NAME + SUFFIX, tags={OWNER: "pod-7:work", TOKEN: "theirs"})
        looks: list[float] = []

        def pause(seconds: float) -> None:
            looks.append(seconds)
            assert aliases_of(client, NAME) == {}
            if len(looks) == 3:
                client.delete_registered_model(NAME + SUFFIX)

        monkeypatch.setattr(time, "sleep", pause)
        assert promote(tmp_path, PARAMS, backbone="wan22").champion == 1
    assert len(looks) == 3


MOMENTS = [  # nothing there; files; the lock held; tags but no alias
    pytest.param("register", marks=pytest.mark.slow),
    pytest.param("keep_measurement", marks=pytest.mark.long),
    pytest.param("record", marks=pytest.mark.long),
    pytest.param("crown", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_outage_at_any_moment_is_said_and_the_same_command_goes_on(
    server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    good_sample(monkeypatch)
    make_model(tmp_path)
    make_metrics(tmp_path)
    promote(tmp_path, PARAMS, backbone="wan22")
    make_model(tmp_path, weights="second")
    make_metrics(tmp_path, chamfer=0.4)
    with monkeypatch.context() as patch:
        patch.setattr(place := _home(moment), moment, _after_the_end_of(server, getattr(place, moment)))
        with pytest.raises(UnreachableError, match=r"the registry at http://127\.0\.0\.1") as caught:
            promote(tmp_path, PARAMS, backbone="wan22")
    assert "\n" not in str(caught.value)
    server.start()
    assert aliases_there()["champion"] in ("1", "2")
    assert promote(tmp_path, PARAMS, backbone="wan22").champion == 2
    assert aliases_there() == {"champion": "2", "previous": "1"}
    with registry(tmp_path) as client:
        assert [model.name for model in client.search_registered_models()] == [NAME]
        assert len(client.search_model_versions(f"name = '{NAME}'")) == 2


@pytest.mark.slow
def test_an_outage_of_half_a_minute_in_the_middle_of_a_run_loses_no_figure(
    server: MlflowServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = 0

    def log_for(seconds: float) -> None:
        nonlocal steps
        ended = time.monotonic() + seconds
        while time.monotonic() < ended:
            run.log({"outlived": 1.0 / (steps + 1)}, steps)
            steps += 1
            time.sleep(0.1)

    with stage_run(tmp_path, name="long", profile="o", params={}, key="k", work=tmp_path / "work") as run:
        log_for(3)
        server.stop()
        log_for(30)
        server.start()
        log_for(3)
    sync(tmp_path)
    assert capsys.readouterr().err.count("warning:") == 1
    assert buffers(tmp_path) == []
    with registry(tmp_path) as client:
        experiment = client.get_experiment_by_name("phys4d/o")
        assert experiment
        (found,) = client.search_runs([experiment.experiment_id])
        assert found.info.status == "FINISHED"
        history = client.get_metric_history(found.info.run_id, "outlived")
    assert steps > 100
    assert [(one.step, one.value) for one in history] == [(step, 1.0 / (step + 1)) for step in range(steps)]


def _home(moment: str) -> object:
    """The module that calls it."""
    return versions if moment == "keep_measurement" else promotion


def _after_the_end_of(server: MlflowServer, call: Callable[..., object]) -> Callable[..., object]:
    def late(*arguments: object, **named: object) -> object:
        server.stop()
        return call(*arguments, **named)

    return late
