"""A twin of the tiny world as the pipeline leaves it: small enough to be registered, loaded and drawn from in tests."""

from pathlib import Path

from tests.registry.models import PARAMS, make_metrics, record, write_samples
from tests.training.folders import write_adapters, write_base, write_blocks, write_heads_alone
from tests.training.twins import CAPTIONS, FRAMES, SIZE, make_world

TWIN_PARAMS = PARAMS.model_copy(
    update={
        "video": PARAMS.video.model_copy(update={"frames": FRAMES, "height": SIZE, "width": SIZE}),
        "evaluation": PARAMS.evaluation.model_copy(update={"sampler_steps": 3}),
    }
)


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
