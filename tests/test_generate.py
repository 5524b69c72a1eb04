"""Generation: the first frame, the caption and the seed decide, and nothing else does."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from components import compute as compute_module
from components import generate as generate_module
from components.backbones.laptop_latents import psnr
from components.compute import has_fast_bfloat16
from components.errors import ParametersError
from components.generate import Generated, condition_on, generate, read_4d, read_frames
from components.heads import Read4D
from components.model import Model
from components.training import diffusion
from tests.training.twins import CAPTIONS, FRAMES, SIZE, make_codec, make_model, make_world, one_thread

pytestmark = pytest.mark.usefixtures("in_float32")

NOISE_LEVEL = 0.05
READINGS = ("depth", "foreground", "flow", "depth_change", "visibility")


@pytest.fixture(autouse=True, scope="module")
def small_tensors() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def model() -> Model:
    return make_model()


def draw(
    model: Model,
    seeds: tuple[int, ...] = (1, 2, 3),
    *,
    clips: tuple[int, ...] | None = None,
    captions: tuple[str, ...] | None = None,
    frames: int = FRAMES,
) -> Generated:
    clips = clips or tuple(range(len(seeds)))
    return generate(
        model,
        images=make_world(4).rgb[list(clips), 0],
        captions=captions or (CAPTIONS[0],) * len(seeds),
        frames=frames,
        seeds=seeds,
        steps=3,
        noise_level=NOISE_LEVEL,
    )


def test_all_between_pictures_and_pictures_is_computed_on_the_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device `meta` stands for one: its tensors have no values, and those of two devices do not mix."""
    fetched: list[torch.device] = []

    def cpu(values: Tensor) -> Tensor:
        fetched.append(values.device)
        return torch.zeros(values.shape, dtype=values.dtype)

    model = make_model()
    for module in (compute_module, generate_module):
        monkeypatch.setattr(module, "device", lambda: torch.device("meta"))
    monkeypatch.setattr(Tensor, "cpu", cpu)
    made = draw(model)
    assert {device.type for device in fetched[-6:]} == {"meta"}  # latents, and five readings
    assert made.latents.is_meta
    assert made.depth is not None
    assert made.depth.shape == (3, FRAMES, SIZE, SIZE)


def same(left: Generated, right: Generated, one: int, other: int) -> bool:
    """Whether a sample of one result is bit for bit a sample of another."""
    return all(np.array_equal(a, b) for a, b in samples(left, right, one, other))


def alike(left: Generated, right: Generated, one: int, other: int) -> bool:
    """`same`, where products of matrices do not sum in another order for another batch: bfloat16's on AMX do not.

    In float32 they do, by the last bits: then rgb may differ by a grey level, all else by the rounding of float32.
    """
    if has_fast_bfloat16():
        return same(left, right, one, other)
    return all(
        np.allclose(a.astype(np.float64), b.astype(np.float64), rtol=1e-4, atol=1.0 if a.dtype == np.uint8 else 1e-4)
        for a, b in samples(left, right, one, other)
    )


def samples(left: Generated, right: Generated, one: int, other: int) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Each field of a sample of one result beside that of a sample of another."""
    for field in fields(Generated):
        yield np.asarray(getattr(left, field.name)[one]), np.asarray(getattr(right, field.name)[other])


class TestGenerate:
    def test_what_comes_out_has_the_shape_and_kind_it_says(self, model: Model) -> None:
        made = draw(model)
        assert made.latents.shape == (3, 8, 3, 4, 4)
        assert made.rgb.shape == (3, FRAMES, SIZE, SIZE, 3)
        assert made.rgb.dtype == np.uint8
        shapes = {field: getattr(made, field).shape for field in READINGS}
        frames, steps = (3, FRAMES, SIZE, SIZE), (3, FRAMES - 1, SIZE, SIZE)
        assert shapes == {
            "depth": frames,
            "foreground": frames,
            "flow": (*steps, 2),
            "depth_change": steps,
            "visibility": steps,
        }
        assert {getattr(made, field).dtype for field in READINGS} == {np.dtype(np.float32)}

    def test_readings_are_metres_and_probabilities(self, model: Model) -> None:
        made = draw(model)
        assert made.depth is not None
        assert (made.depth > 0).all()
        for chance in (made.foreground, made.visibility):
            assert chance is not None
            assert ((chance >= 0) & (chance <= 1)).all()
            assert chance.std() > 0

    def test_a_base_gives_video_alone(self, model: Model) -> None:
        made, base = draw(model), draw(replace(model, heads=None))
        assert torch.equal(base.latents, made.latents)
        assert [getattr(base, field) for field in READINGS] == [None] * 5

    def test_the_same_twice(self, model: Model) -> None:
        one, other = draw(model), draw(model)
        assert all(same(one, other, number, number) for number in range(3))

    def test_neither_order_nor_size_of_the_batch_matters(self, model: Model) -> None:
        """No kernel mixes samples."""
        whole = draw(model, (1, 2, 3), clips=(0, 1, 2))
        turned = draw(model, (3, 1, 2), clips=(2, 0, 1))
        for number in range(3):
            assert same(whole, turned, number, (number + 1) % 3)
            assert alike(whole, draw(model, (number + 1,), clips=(number,)), number, 0)

    def test_chunks_do_not_matter(self, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = draw(model)
        monkeypatch.setattr(diffusion, "CHUNK", 2)
        parts = draw(model)
        assert all(alike(whole, parts, number, number) for number in range(3))

    def test_another_seed_another_video(self, model: Model) -> None:
        made = draw(model, (1, 2), clips=(0, 0))
        assert not torch.equal(made.latents[0], made.latents[1])
        assert torch.equal(made.latents[0, :, 0], made.latents[1, :, 0])

    def test_another_caption_another_video(self, model: Model) -> None:
        made = draw(model, (1, 1, 1), clips=(0, 0, 0), captions=(CAPTIONS[0], CAPTIONS[1], ""))
        assert len({tuple(latents[:, 1:].flatten().tolist()) for latents in made.latents}) == 3

    def test_another_image_another_video(self, model: Model) -> None:
        made = draw(model, (1, 1), clips=(0, 1))
        assert not torch.equal(made.latents[0, :, 1:], made.latents[1, :, 1:])

    def test_the_first_frame_is_the_image(self, model: Model) -> None:
        """As good as the codec keeps it: the video's first frame is the image's round trip."""
        images = make_world(4).rgb[:3, :1]
        np.testing.assert_array_equal(draw(model).rgb[:, :1], make_codec().decode(make_codec().encode(images)))
        assert psnr(make_codec(), images) > 20

    def test_the_global_generator_has_no_part(self, model: Model) -> None:
        before = torch.get_rng_state()
        one = draw(model)
        assert torch.equal(torch.get_rng_state(), before)
        torch.rand(7)
        assert same(one, draw(model), 0, 0)

    @pytest.mark.parametrize("frames", [0, 2, 8, 10])
    def test_frames_that_do_not_fit_are_refused(self, model: Model, frames: int) -> None:
        with pytest.raises(
            ParametersError, match=rf"video\.frames: {frames} does not fit backbone wan22, expected 4 k"
        ):
            draw(model, frames=frames)

    @pytest.mark.parametrize("frames", [1, 5, 13])
    def test_other_lengths_that_fit_are_made(self, model: Model, frames: int) -> None:
        made = draw(model, frames=frames)
        assert made.rgb.shape[1] == frames
        assert made.flow is not None
        assert made.flow.shape[1] == frames - 1

    def test_an_image_of_a_size_that_does_not_fit_is_refused(self, model: Model) -> None:
        with pytest.raises(ParametersError, match=r"1 frames, 30x32: expected .* multiples of 8 pixels"):
            generate(
                model,
                images=np.zeros((1, 30, 32, 3), np.uint8),
                captions=["wall"],
                frames=FRAMES,
                seeds=[0],
                steps=1,
                noise_level=NOISE_LEVEL,
            )

    @pytest.mark.parametrize(("captions", "seeds"), [(("a",), (1, 2)), (("a", "b"), (1,))])
    def test_as_many_captions_and_seeds_as_images(
        self, model: Model, captions: tuple[str, ...], seeds: tuple[int, ...]
    ) -> None:
        with pytest.raises(ParametersError, match=r"2 images, . captions, . seeds: expected as many of each"):
            draw(model, seeds, clips=(0, 1), captions=captions)


class TestReading:
    def test_given_videos_are_read_and_shown_as_the_codec_keeps_them(self, model: Model) -> None:
        world = make_world(3)
        read = read_frames(model, frames=world.rgb, captions=[CAPTIONS[0]] * 3, noise_level=NOISE_LEVEL)
        assert torch.equal(read.latents, make_codec().encode(world.rgb))
        np.testing.assert_array_equal(read.rgb, make_codec().decode(read.latents))
        assert read.depth is not None
        assert read.depth.shape == (3, FRAMES, SIZE, SIZE)

    def test_what_a_model_made_is_read_as_it_was_when_it_was_made(self, model: Model) -> None:
        made = draw(model)
        condition = condition_on(model, make_world(4).rgb[:3, 0], [CAPTIONS[0]] * 3)
        read = read_4d(model, made.latents, condition, frames=FRAMES, noise_level=NOISE_LEVEL)
        np.testing.assert_array_equal(read.depth.numpy(), made.depth)
        np.testing.assert_array_equal(read.flow.movedim(2, -1).numpy(), made.flow)

    def test_a_video_is_read_without_regard_to_its_neighbours(self, model: Model) -> None:
        world = make_world(4)
        captions = [CAPTIONS[0]] * 4
        together = read_frames(model, frames=world.rgb, captions=captions, noise_level=NOISE_LEVEL)
        turned = read_frames(model, frames=world.rgb[::-1], captions=captions, noise_level=NOISE_LEVEL)
        alone = read_frames(model, frames=world.rgb[2:3], captions=captions[:1], noise_level=NOISE_LEVEL)
        assert same(together, turned, 2, 1)
        assert alike(together, alone, 2, 0)

    def test_without_noise_the_seed_does_not_matter_and_with_noise_it_does(self, model: Model) -> None:
        condition = condition_on(model, make_world(4).rgb[:, 0], [CAPTIONS[0]] * 4)
        latents = make_codec().encode(make_world(4).rgb)

        def depth(level: float, seed: int) -> torch.Tensor:
            return read_4d(model, latents, condition, frames=FRAMES, noise_level=level, seed=seed).depth

        assert torch.equal(depth(0.0, 0), depth(0.0, 1))
        assert torch.equal(depth(0.05, 0), depth(0.05, 0))
        assert not torch.equal(depth(0.05, 0), depth(0.05, 1))

    def test_a_reading_has_no_gradient(self, model: Model) -> None:
        condition = condition_on(model, make_world(4).rgb[:, 0], [CAPTIONS[0]] * 4)
        latents = make_codec().encode(make_world(4).rgb).requires_grad_(True)
        read = read_4d(model, latents, condition, frames=FRAMES, noise_level=NOISE_LEVEL)
        assert not any(getattr(read, field.name).requires_grad for field in fields(Read4D))

    def test_videos_of_frames_that_do_not_fit_are_refused(self, model: Model) -> None:
        with pytest.raises(ParametersError, match="8 frames"):
            read_frames(model, frames=make_world(2).rgb[:, :8], captions=["", ""], noise_level=NOISE_LEVEL)
