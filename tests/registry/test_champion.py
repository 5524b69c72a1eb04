"""The champion, fetched or loaded by MLflow, draws the pipeline's own sample bit for bit."""

import base64
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.generate import Generated, generate
from components.model import Model, load_model
from components.registry.contents import PICKLES, refuse_pickles
from components.registry.promotion import promote
from components.registry.versions import fetch
from components.tracking import tracking_uri
from tests.registry.models import NAME
from tests.registry.twin import TWIN_PARAMS, make_twin
from tests.tracked import make_database
from tests.training.twins import CAPTIONS, FRAMES, make_world

pytestmark = pytest.mark.slow
STEPS, SEED = 3, 7


def sample(model: Model) -> Generated:
    return generate(
        model,
        images=make_world(1).rgb[:, 0],
        captions=CAPTIONS[:1],
        frames=FRAMES,
        seeds=[SEED],
        steps=STEPS,
        noise_level=0.05,
    )


def bytes_of(made: Generated) -> tuple[bytes, ...]:
    assert made.depth is not None
    assert made.flow is not None
    return made.latents.numpy().tobytes(), made.rgb.tobytes(), made.depth.tobytes(), made.flow.tobytes()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose twin was promoted; nothing stands in for its sample."""
    root = tmp_path_factory.mktemp("project")
    make_database(root)
    make_twin(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        decision = promote(root, TWIN_PARAMS, backbone="wan22")
    assert decision.promoted, decision.text
    assert {check.name: check for check in decision.checks}["sample"].value
    return root


@pytest.fixture(scope="module")
def champion(project: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return fetch(project, NAME, project / "fetched")


def test_the_champion_reproduces_the_pipelines_sample(project: Path, champion: Path) -> None:
    models = project / "models/wan22"
    expected = bytes_of(sample(load_model(models / "base", models / "stage3")))
    assert bytes_of(sample(load_model(models / "base", models / "stage2"))) != expected
    fetched = champion / "artifacts"
    assert bytes_of(sample(load_model(fetched / "base", fetched / "stage3"))) == expected


def test_mlflow_loads_the_champion_far_from_this_code_and_predicts_from_prompt_and_image(
    project: Path, champion: Path, tmp_path: Path
) -> None:
    """In a folder and a process that know nothing of the project: the version brings its code."""
    picture = io.BytesIO()
    Image.fromarray(make_world(1).rgb[0, 0]).save(picture, "PNG")
    (tmp_path / "image.txt").write_text(base64.b64encode(picture.getvalue()).decode())
    script = f"""
import sys
sys.path = [path for path in sys.path if path not in ("", {str(Path.cwd())!r})]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
import mlflow, numpy, pandas
mlflow.set_tracking_uri({tracking_uri(project)!r})
model = mlflow.pyfunc.load_model("models:/{NAME}@champion")
import components
assert "code" in components.__file__, components.__file__
image = open("image.txt").read()
lines = {{"prompt": [{CAPTIONS[0]!r}] * 2, "image": [image] * 2, "seed": [{SEED}, 8]}}
one, two = model.predict(pandas.DataFrame(lines))
assert (one["rgb"] != two["rgb"]).any()
numpy.savez("made.npz", **one)
few = model.predict({{"prompt": {CAPTIONS[0]!r}, "image": image}}, params={{"steps": 1}})[0]
assert few["rgb"].shape == one["rgb"].shape and (few["rgb"] != one["rgb"]).any()
"""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
    expected = sample(load_model(champion / "artifacts/base", champion / "artifacts/stage3"))
    with np.load(tmp_path / "made.npz") as made:
        assert (made["rgb"] == expected.rgb[0]).all()
        assert made["rgb"].dtype == np.uint8
        for name in ("depth", "foreground", "flow", "depth_change", "visibility"):
            assert np.allclose(made[name], getattr(expected, name)[0], atol=1e-5)


def test_no_file_of_a_version_is_a_pickle(champion: Path) -> None:
    found = [path for path in champion.rglob("*") if path.is_file()]
    assert any(path.suffix == ".safetensors" for path in found)
    assert [path for path in found if path.read_bytes().startswith(PICKLES)] == []
    assert [path for path in found if path.suffix in (".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt")] == []
    assert "python_model.pkl" not in (champion / "MLmodel").read_text()
    refuse_pickles(champion)
