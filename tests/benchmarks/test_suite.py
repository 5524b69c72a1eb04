"""What is measured: not the easiest scene."""

from pathlib import Path

from components.benchmarks.suite import busiest, train_scene, triangles
from components.parameters.loader import load_params
from components.simulation.families import load_category
from components.simulation.scene import Shape, rigid_bodies

LAPTOP = load_params(Path(__file__).parents[2] / "profiles" / "laptop.yaml")


def test_the_renderer_is_timed_on_two_objects_one_of_which_is_a_ball() -> None:
    scene = train_scene(LAPTOP, busiest(LAPTOP))
    shapes = [body.shape for body in rigid_bodies(scene) if body.dynamic]
    assert len(shapes) == 2
    assert Shape.SPHERE in shapes


def test_triangles_are_those_that_are_drawn() -> None:
    scene = train_scene(LAPTOP, busiest(LAPTOP))
    assert triangles(scene) == len(load_category("rigid").simulate(scene).faces) > 1000
