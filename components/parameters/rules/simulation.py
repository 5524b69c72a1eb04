"""Rules of the simulation: what fits into memory, into the picture and into a shard, and what can move."""

from collections.abc import Iterator
from itertools import product
from math import atan, cos, degrees, hypot, radians, sin, tan

from components.parameters.rules.problem import Problem
from components.parameters.simulation import CameraParams
from components.params import Params

MOST_PIXELS = 2**28  # of a clip: with its annotation it then takes about 10 GB of memory
LEAST_OBJECT = 2  # pixels across
ROOM = {2: 0.52, 3: 0.33}  # most distance of so many objects, over their places' diagonal: none of 40,000 draws failed

# Constants of the simulation. It is not imported here, because its libraries take a second to load; a test holds them
# against their originals.
SOLVER_RATE = 960  # Hz: the solver's time step is accurate at this rate, and a frame is a whole number of steps
BALANCED = 2.0  # degrees around a column's point of balance that are left out
COLUMN_WIDTH = 1.2  # over the radius of a ball
RAMP_LENGTH = 2.8  # metres
DOMINO = 0.7  # metres, the highest
STACK, STACK_GAP = 5.0, 0.35  # of boxes: its height over the radius of a ball, and metres under the last
REACH = (1.3, 0.4)  # metres from the middle to an object in the air
GAP = 0.15  # metres between the bounding spheres of two objects
BOUNDING = 1.65  # radius of the largest box's bounding sphere, over the radius of a ball
BULLET_GRAINS = 1000  # asked for; a scene then holds at most what its family solves grain by grain


def check_rate(params: Params) -> Iterator[Problem]:
    """A frame is a whole number of solver steps."""
    if SOLVER_RATE % params.video.fps:
        rates = [rate for rate in range(1, SOLVER_RATE + 1) if SOLVER_RATE % rate == 0]
        nearest = min(rates, key=lambda rate: abs(rate - params.video.fps))
        yield Problem(
            field="video.fps",
            message=f"{params.video.fps} does not divide the solver's {SOLVER_RATE} steps a second: write {nearest}",
        )


def check_memory(params: Params) -> Iterator[Problem]:
    """A clip is made in memory."""
    video = params.video
    pixels = video.frames * video.height * video.width
    if pixels > MOST_PIXELS:
        yield Problem(
            field="video",
            message=f"{video.frames} frames of {video.height} x {video.width} are {pixels} pixels, expected at most "
            f"{MOST_PIXELS}: lower video.frames, video.height or video.width",
        )


def check_lean(params: Params) -> Iterator[Problem]:
    """A toppling column leaves balance within the clip, and stands on the edge it leans over."""
    low, high = params.simulation.rigid.lean
    if low >= -BALANCED and high <= BALANCED:
        yield Problem(
            field="simulation.rigid.lean",
            message=f"{[low, high]}, expected a low below -{BALANCED:g} or a high above {BALANCED:g}: nearer to "
            "balance a column is too slow to move within a clip",
        )
    slenderness = params.simulation.rigid.slenderness[1]
    upright = degrees(atan(1 / slenderness))
    if low <= -upright:
        yield Problem(
            field="simulation.rigid.lean",
            message=f"{[low, high]}, expected a low above -{upright:.1f}: a column of slenderness {slenderness:g} "
            f"stands upright {upright:.1f} degrees short of balance",
        )


def check_room(params: Params) -> Iterator[Problem]:
    """The objects of a drop find places apart from each other."""
    rigid = params.simulation.rigid
    apart = 2 * BOUNDING * rigid.radius[1] + GAP
    across = hypot(2 * REACH[0], 2 * REACH[1], rigid.drop_height[1] - rigid.drop_height[0])
    most = rigid.objects[1]
    if "drop" in rigid.families and most > 1 and apart > ROOM[most] * across:
        yield Problem(
            field="simulation.rigid.objects",
            message=f"{list(rigid.objects)}: no room for {most} objects of radius {rigid.radius[1]:g}: "
            "lower simulation.rigid.objects or simulation.rigid.radius",
        )


def check_view(params: Params) -> Iterator[Problem]:
    """Every camera sees the scene from the floor to its top and from side to side, and objects larger than dots."""
    camera, rigid, video = params.simulation.camera, params.simulation.rigid, params.video
    nearest, farthest = camera.distance
    slopes = [tan(radians(angle) / 2) for angle in camera.field_of_view]
    ramp = RAMP_LENGTH * sin(radians(rigid.ramp_angle[1]))
    tops = {
        "drop": rigid.drop_height[1] + 2 * rigid.radius[1],
        "ramp": ramp,
        "collide": ramp,
        "behind": ramp,
        "dominoes": DOMINO,
        "stack": STACK * rigid.radius[1] + STACK_GAP,
        "topple": COLUMN_WIDTH * rigid.radius[1] * rigid.slenderness[1],
    }
    top = max(tops.get(family, 0.0) for family in rigid.families)  # others see to it that they fit
    wide = nearest * min(slopes) * video.width / video.height
    if wide < REACH[0] or any(_is_out(camera, nearest, height) for height in (0.0, top)):
        yield Problem(
            field="simulation.camera.distance",
            message=f"{list(camera.distance)}: the scene, {2 * REACH[0]:g} m wide and {top:.2f} m high, does not fit "
            "every picture: raise simulation.camera.distance or field_of_view, or set target_height to "
            f"[{top / 2:.2f}, {top / 2:.2f}]",
        )
    across = video.height / max(slopes) * rigid.radius[0] / farthest
    if across < LEAST_OBJECT:
        yield Problem(
            field="simulation.camera.distance",
            message=f"{list(camera.distance)}: an object of radius {rigid.radius[0]:g} is {across:.2f} pixels across, "
            f"expected at least {LEAST_OBJECT}: lower simulation.camera.distance or raise simulation.rigid.radius",
        )


def _is_out(camera: CameraParams, distance: float, height: float) -> bool:
    """Whether some camera of these ranges, so far away, has a point at `height` above or below its picture.

    What a point lacks grows towards either end of the field of view and of the target's height; of the elevation also
    towards half the field of view, where the ray along the picture's edge is level.
    """
    low, high = camera.elevation
    for angle, target in product(camera.field_of_view, camera.target_height):
        slope, above = tan(radians(angle) / 2), height - target
        for rise in (radians(low), radians(high), radians(min(max(angle / 2, low), high))):
            if abs(above) * cos(rise) > slope * (distance - above * sin(rise)):
                return True
    return False


def check_orbit(params: Params) -> Iterator[Problem]:
    """Cameras that orbit move, and where they stand still there are clips for stage 3's reward and for second takes."""
    orbit = params.simulation.camera.orbit
    if orbit.share >= 1:
        yield Problem(
            field="simulation.camera.orbit.share",
            message=f"{orbit.share:g} leaves stage 3 no clip whose camera stands still: write 0.5 or less",
        )
    if orbit.share and params.simulation.splits.train.takes > 1:
        yield Problem(
            field="simulation.camera.orbit.share",
            message=f"{orbit.share:g}, expected 0: second takes are for scores, which want a camera that stands still: "
            "write share: 0, or takes: 1 for simulation.splits.train",
        )
    if orbit.share and not any(orbit.degrees):
        yield Problem(
            field="simulation.camera.orbit.degrees",
            message=f"{list(orbit.degrees)}, expected an angle: write [-40, 40], or share: 0",
        )


def check_shards(params: Params) -> Iterator[Problem]:
    """All views and takes of a configuration lie in one shard."""
    size = params.simulation.clips_per_shard
    for name, split in params.simulation.splits:
        if size % (split.views * split.takes):
            yield Problem(
                field="simulation.clips_per_shard",
                message=f"{size} is not a multiple of {split.views} views x {split.takes} takes of split {name}: "
                "write a multiple of 6",
            )


def check_grains(params: Params) -> Iterator[Problem]:
    """Sand, as which more grains than Bullet solves are moved, has no ball in it."""
    most = params.simulation.granular.grains[1]
    if most > BULLET_GRAINS and "impact" in params.simulation.granular.families:
        yield Problem(
            field="simulation.granular.grains",
            message=f"{most} is more than a ball may fall into, expected at most {BULLET_GRAINS} with the family "
            f"impact: write {BULLET_GRAINS}, or leave impact out of simulation.granular.families",
        )
