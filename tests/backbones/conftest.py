"""Models that several files look at: a saved pipeline, a fitted codec, a tiny twin."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from components.backbones import laptop_latents
from components.backbones.base import Frames
from components.backbones.laptop_latents import LaptopLatents
from components.backbones.wan22.backbone import Wan, make_twin
from tests.backbones.cogvideox import tiny as tiny_cogvideox
from tests.backbones.ltx_video import tiny as tiny_ltx_video
from tests.backbones.shapes import twin_shape
from tests.backbones.tiny_pipeline import save_pipeline
from tests.backbones.videos import make_videos

TEXT_WIDTH = 16


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """For such small tensors more threads only wait for each other, and for other processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def pipeline_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved pipeline, for tests that only read it."""
    folder = tmp_path_factory.mktemp("published")
    save_pipeline(folder)
    return folder


@pytest.fixture(scope="session")
def cogvideox_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved CogVideoX pipeline, for tests that only read it."""
    folder = tmp_path_factory.mktemp("cogvideox")
    tiny_cogvideox.save_pipeline(folder)
    return folder


@pytest.fixture(scope="session")
def ltx_video_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved LTX-Video pipeline, for tests that only read it."""
    folder = tmp_path_factory.mktemp("ltx_video")
    tiny_ltx_video.save_pipeline(folder)
    return folder


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """float32 throughout: bfloat16 would hide a difference in the third digit."""
    monkeypatch.setattr("components.compute.has_fast_bfloat16", lambda: False)


@pytest.fixture(scope="session")
def videos() -> Frames:
    """Six videos (6,9,32,32,3)."""
    return make_videos(6, frames=9, side=32, seed=0)


@pytest.fixture(scope="session")
def codec(videos: Frames) -> LaptopLatents:
    """A codec with few channels."""
    return laptop_latents.fit(videos, channels=8)


@pytest.fixture
def wan(codec: LaptopLatents) -> Wan:
    """A tiny twin whose weights no one has trained."""
    backbone = make_twin(twin_shape(layers=3, channels=codec.channels, text_width=TEXT_WIDTH), seed=0)
    backbone.transformer.eval().requires_grad_(False)
    return backbone


@pytest.fixture
def generator() -> torch.Generator:
    """A source of random tensors that starts the same in every test."""
    return torch.Generator().manual_seed(0)


@pytest.fixture
def rng() -> np.random.Generator:
    """A source of random arrays that starts the same in every test."""
    return np.random.default_rng(0)
