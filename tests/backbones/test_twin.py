"""A tiny twin of any family is written as diffusers reads it, and comes back as it was."""

from pathlib import Path

import pytest
import torch

from components.backbones.base import Condition
from components.backbones.family import VideoShape, family
from components.backbones.twin import load_twin, save_twin, twin_facts
from components.errors import Phys4dError
from components.parameters.backbones import FAMILIES, TINY
from tests.backbones.shapes import twin_shape

VIDEO = VideoShape(frames=17, height=32, width=48, fps=8.0)
SHAPE = twin_shape(video=VIDEO)
LATENTS = (2, SHAPE.channels, 5, 4, 6)


def output(name: str, folder: Path | None = None) -> torch.Tensor:
    backbone = load_twin(name, twin_facts(SHAPE), folder) if folder else family(name).make_twin(SHAPE, seed=3)
    backbone.transformer.eval()
    draw = torch.Generator().manual_seed(0)
    noisy = torch.randn(LATENTS, generator=draw)
    text = torch.randn(2, SHAPE.text_tokens, SHAPE.text_width, generator=draw)
    with torch.no_grad():
        return backbone.predict(noisy, torch.tensor([0.3, 0.9]), Condition(first=noisy[:, :, :1], text=text)).output


@pytest.mark.parametrize("name", FAMILIES)
def test_it_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    backbone = family(name).make_twin(SHAPE, seed=3)
    save_twin(backbone, tmp_path)
    assert torch.equal(output(name, tmp_path), output(name))
    assert (backbone.name, backbone.size, backbone.channels) == (name, TINY, SHAPE.channels)


@pytest.mark.parametrize("name", FAMILIES)
def test_its_transformer_is_read_by_its_own_class(name: str, tmp_path: Path) -> None:
    backbone = family(name).make_twin(SHAPE, seed=3)
    save_twin(backbone, tmp_path)
    kind = type(backbone.transformer)
    again = kind.from_pretrained(tmp_path / "transformer", local_files_only=True)  # type: ignore[attr-defined]
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in backbone.transformer.state_dict().items())


@pytest.mark.parametrize("name", FAMILIES)
def test_its_noise_is_shifted_by_its_factor(name: str) -> None:
    """Sigma over alpha at the middle of the sampler's way: 1 without a shift, the factor with it, for even times."""
    backbone, plain = (
        family(name).make_twin(twin_shape(video=VIDEO, time_shift=shift), seed=0) for shift in (3.0, 1.0)
    )
    ratios = [sigma / alpha for alpha, sigma in (each.path(each.schedule(2)[1:2]) for each in (backbone, plain))]
    assert (ratios[0] / ratios[1]).item() == pytest.approx(3.0, rel=0.02)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    save_twin(family("wan22").make_twin(twin_shape(video=VIDEO, layers=1), seed=3), tmp_path)
    with pytest.raises(Phys4dError, match=r"blocks\.1"):
        load_twin("wan22", twin_facts(SHAPE), tmp_path)
