"""Captions say what is there at frame 0 and how it moves; never what will come of it."""

import re
from pathlib import Path

import numpy as np
import pytest

from components.parameters.loader import load_params
from components.simulation.captions import direction, write_captions
from components.simulation.configuration import build_scene
from components.simulation.families.rigid.objects import COLOURS
from components.simulation.scene import Scene, Vec3

LAPTOP = load_params(Path(__file__).parents[2] / "profiles" / "laptop.yaml")
OUTCOME = re.compile(
    r"\b(fall|topple|tip|bounce|roll|slide|land|hit|collide|crash|meet|drop|come to rest|will|until|then|stay)"
    r"(s|es|ing|ped)?\b"
)


def scenes(split: str, count: int = 80) -> list[Scene]:
    return [
        build_scene(LAPTOP, split=split, category="rigid", index=index, view=0, take=0, attempt=0)
        for index in range(count)
    ]


@pytest.mark.parametrize("split", ["train", "appearance"])
def test_captions_tell_no_outcome(split: str) -> None:
    for scene in scenes(split):
        assert not OUTCOME.search(scene.captions.caption_initial.lower()), scene.captions.caption_initial


@pytest.mark.parametrize("split", ["train", "appearance"])
def test_captions_name_colour_material_and_shape_of_every_object(split: str) -> None:
    for scene in scenes(split):
        for body in (body for body in scene.bodies if body.dynamic):
            colour, noun = body.name.split()
            assert f"{colour} {body.material} {noun}" in scene.captions.caption
            assert colour in COLOURS


def test_captions_vary_and_are_sentences() -> None:
    texts = [scene.captions.caption for scene in scenes("train")]
    assert len(set(texts)) > 0.9 * len(texts)
    assert all(text[0].isupper() or text[0].isdigit() for text in texts)
    assert all(text.endswith(".") and "{" not in text for text in texts)


def test_the_initial_caption_says_that_all_is_at_rest() -> None:
    for scene in scenes("train", 20):
        added = scene.captions.caption_initial.removeprefix(scene.captions.caption)
        assert re.search("rest|still|nothing moves", added)


def test_the_initial_caption_gives_direction_and_speed_of_what_moves() -> None:
    for scene in scenes("appearance", 20):
        for body in (body for body in scene.bodies if body.dynamic):
            speed = f"{np.linalg.norm(body.velocity):.2f} m/s {direction(body.velocity)}"
            assert speed in scene.captions.caption_initial


@pytest.mark.parametrize(
    ("velocity", "words"),
    [
        ((1.0, 0.0, 0.0), "to the right"),
        ((-2.0, 0.1, 0.0), "to the left"),
        ((0.0, 1.0, 1.0), "away from the camera and up"),
        ((0.1, -1.0, -0.5), "towards the camera and down"),
    ],
)
def test_directions_are_those_of_the_front_camera(velocity: Vec3, words: str) -> None:
    assert direction(velocity) == words


def test_the_same_generator_gives_the_same_words() -> None:
    first, second = (
        write_captions(np.random.default_rng(3), sentences=["a ball."], moving=[("ball", (0.0, 0.0, 0.0))])
        for _ in "ab"
    )
    assert first == second
    assert first.caption == "A ball."
