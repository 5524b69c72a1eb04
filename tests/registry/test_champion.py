"""The champion, fetched and loaded, draws the pipeline's own sample bit for bit."""

from pathlib import Path

import pytest

from components.generate import generate
from components.model import Model, load_model
from components.registry.promotion import promote
from components.registry.versions import fetch
from tests.registry.models import NAME, PARAMS, make_metrics, record
from tests.tracked import make_database
from tests.training.folders import write_adapters, write_base, write_blocks, write_heads_alone
from tests.training.twins import CAPTIONS, FRAMES, make_world


def sample(model: Model) -> tuple[bytes, ...]:
    made = generate(
        model,
        images=make_world(1).rgb[:, 0],
        captions=CAPTIONS[:1],
        frames=FRAMES,
        seeds=[7],
        steps=3,
        noise_level=0.05,
    )
    assert made.depth is not None
    assert made.flow is not None
    return made.latents.numpy().tobytes(), made.rgb.tobytes(), made.depth.tobytes(), made.flow.tobytes()


@pytest.mark.slow
def test_the_champion_reproduces_the_pipelines_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    make_database(tmp_path)
    folder = tmp_path / "models/wan22"
    write_base(folder / "base")
    write_heads_alone(folder / "stage1", folder / "base")
    write_blocks(folder / "stage2", folder / "base", folder / "stage1")
    write_adapters(folder / "stage3", folder / "base", folder / "stage2", "stage3")
    record(tmp_path, "trained")
    make_metrics(tmp_path)
    expected = sample(load_model(folder / "base", folder / "stage3"))
    assert sample(load_model(folder / "base", folder / "stage2")) != expected
    assert promote(tmp_path, PARAMS, backbone="wan22").promoted
    fetched = fetch(tmp_path, NAME, tmp_path / "champion")
    for path in (tmp_path / "models").rglob("*.safetensors"):
        path.write_bytes(b"")  # nothing of the pipeline's own files is read
    assert sample(load_model(fetched / "base", fetched / "stage3")) == expected
