"""From a place in a split to a scene. Everything is drawn from the seed and that place, in no order."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from components.canonical import canonical_json
from components.simulation.camera import Viewpoint, orbit_camera, view_azimuth
from components.simulation.captions import with_orbit
from components.simulation.environment import Surroundings
from components.simulation.families import load_category
from components.simulation.scene import Scene, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Orbit, Physics
    from components.params import Params

STANDARD_GRAVITY = 9.81  # m/s^2
ORBITING = "train"  # its stage 2 alone learns from moving cameras: all that is scored or rewarded wants them still


def build_scene(
    params: "Params", *, split: str, category: str, index: int, view: int, take: int, attempt: int
) -> Scene:
    """The scene of configuration `index` of a split.

    Views differ in the camera's azimuth and in the directions their captions name, takes in the initial state only:
    captions tell of take 1's. `attempt` counts new draws of a configuration whose clip was rejected.
    """
    simulation = params.simulation
    section = getattr(simulation.splits, split)
    physics = getattr(simulation.physics, section.physics)
    place = (params.seed, split, category, index, attempt)
    rng = _generator(*place, "world")
    family = _draw_family(rng, getattr(simulation, category).families)
    gravity = _draw_gravity(rng, physics)
    surroundings = Surroundings.draw(_generator(*place, "surroundings"), simulation.environment)
    configuration = load_category(category).families[family].draw(_generator(*place, family), simulation, physics)
    first_take = configuration
    if take > 0:
        configuration = configuration.perturbed(_generator(*place, "take", take), simulation.take_perturbation)
    bodies = configuration.bodies()
    azimuth = view_azimuth(view, section.views, simulation.camera.azimuth_between_views)
    orbit = _draw_orbit(_generator(*place, "orbit"), simulation.camera.orbit) if split == ORBITING else 0.0
    viewpoint = Viewpoint.draw(_generator(*place, "camera"), simulation.camera)
    camera = orbit_camera(viewpoint, params.video, azimuth=azimuth, orbit=orbit)
    captions = first_take.captions(_generator(*place, "captions"), camera.extrinsics[0])
    at_rest = not any(any(body.velocity) or any(body.angular_velocity) for body in bodies)
    return Scene(
        category=category,
        family=family,
        bodies=(surroundings.floor(), *bodies),
        environment=surroundings.environment(),
        camera=camera,
        captions=with_orbit(_generator(*place, "orbit caption"), captions, orbit) if orbit else captions,
        frames=params.video.frames,
        fps=params.video.fps,
        gravity=gravity,
        future_determined=at_rest and gravity == (0.0, 0.0, -STANDARD_GRAVITY),
        parameters={
            "category": category,
            "family": family,
            "gravity": list(gravity),
            "configuration": json.loads(canonical_json(asdict(first_take))),
            "surroundings": asdict(surroundings),
            **({"camera": asdict(viewpoint)} if simulation.camera.varies else {}),
            **({"orbit": orbit} if orbit else {}),  # degrees
        },
    )


def configuration_hash(parameters: Mapping[str, object]) -> str:
    """sha256 of what was drawn; it knows nothing of split, view and take."""
    return hashlib.sha256(canonical_json(parameters).encode()).hexdigest()


def _generator(*place: str | int) -> np.random.Generator:
    """A generator of its own for every place: no draw depends on how many were made elsewhere."""
    digest = hashlib.sha256(canonical_json(place).encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int.from_bytes(digest, "big"))))


def _draw_family(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    names = sorted(shares)
    weights = np.array([shares[name] for name in names])
    return str(rng.choice(names, p=weights / weights.sum()))


def _draw_orbit(rng: np.random.Generator, orbit: "Orbit") -> float:
    """Degrees of a camera's way around the scene, to its right; 0 where it stands still."""
    moves = rng.random() < orbit.share
    return float(rng.uniform(*orbit.degrees)) if moves else 0.0


def _draw_gravity(rng: np.random.Generator, physics: "Physics") -> Vec3:
    """Gravity in m/s^2, tilted away from -z towards a direction uniform around z."""
    size = STANDARD_GRAVITY * float(rng.uniform(*physics.gravity))
    tilt, turn = np.radians(float(rng.uniform(*physics.tilt))), float(rng.uniform(0.0, 2 * np.pi))
    return (
        float(size * np.sin(tilt) * np.cos(turn)) + 0.0,
        float(size * np.sin(tilt) * np.sin(turn)) + 0.0,
        float(-size * np.cos(tilt)),
    )
