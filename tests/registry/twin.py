"""A twin of the tiny world as the pipeline leaves it: small enough to be registered, loaded and drawn from in tests."""

from pathlib import Path

from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from tests.dotted import set_fields
from tests.registry.models import make_metrics, record, write_samples
from tests.training.folders import write_adapters, write_base, write_blocks, write_heads_alone
from tests.training.twins import CAPTIONS, FRAMES, SIZE, make_world

CLIP: dict[str, object] = {
    "pipeline__backbones": ["wan22"],
    "video__frames": FRAMES,
    "video__height": SIZE,
    "video__width": SIZE,
    "evaluation__sampler_steps": 3,
}
TWIN_PARAMS = parse_params(set_fields(profile_values("laptop"), **CLIP), source="laptop")


def make_twin(root: Path) -> None:
    """models/wan22 with all its stages, and its evaluation."""
    folder = root / "models/wan22"
    write_base(folder / "base")
    write_heads_alone(folder / "stage1", folder / "base")
    write_blocks(folder / "stage2", folder / "base", folder / "stage1")
    write_adapters(folder / "stage3", folder / "base", folder / "stage2", "stage3")
    record(root, "trained")
    make_metrics(root)
    write_samples(root, make_world(1).rgb, CAPTIONS[:1])
