"""Rules that join fields of params.yaml: each returns what is wrong, where, and what to write instead."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import atan, ceil, cos, degrees, hypot, radians, sin, tan

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
TINY_POSITIONS = 256  # along each axis of the tiny twin's rotary embedding, rope_max_seq_len
SPATIAL_FACTOR = {("wan22", "tiny"): 8 * 2, ("wan22", "5b"): 16 * 2}  # spatial stride of the VAE x patch of the DiT


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One wrong value: its dotted field and what to do."""

    field: str
    message: str

    def __str__(self) -> str:
        """The field and the message in one line."""
        return " ".join(f"{self.field}: {self.message}".split())


def broken_rules(params: Params) -> list[Problem]:
    """Every rule that `params` breaks, in the order of params.yaml."""
    return [problem for rule in RULES for problem in rule(params)]


def check_frames(params: Params) -> Iterator[Problem]:
    """Wan2.2's VAE covers 4 frames by a latent, and the first frame alone: T = 4 k + 1."""
    frames = params.video.frames
    if frames % 4 != 1:
        nearest = max(5, 4 * round((frames - 1) / 4) + 1)
        yield Problem(
            field="video.frames",
            message=f"{frames} does not fit backbone wan22, expected 4 k + 1: write {nearest}",
        )


def check_size(params: Params) -> Iterator[Problem]:
    """Height and width are whole numbers of latent patches."""
    size = params.backbones.wan22.size
    factor = SPATIAL_FACTOR["wan22", size]
    for field, value in (("video.height", params.video.height), ("video.width", params.video.width)):
        if value % factor or value < 2 * factor:
            yield Problem(
                field=field,
                message=f"{value} does not fit backbone wan22 ({size}), expected a multiple of {factor} (VAE stride x "
                f"patch), at least {2 * factor}: write {max(2 * factor, factor * ceil(value / factor))}",
            )


def check_positions(params: Params) -> Iterator[Problem]:
    """The tiny twin's rotary embedding has a position for every latent frame, row and column of patches."""
    if params.backbones.wan22.size != "tiny":
        return
    video, factor = params.video, SPATIAL_FACTOR["wan22", "tiny"]
    most_frames, most_pixels = 4 * (TINY_POSITIONS - 1) + 1, factor * TINY_POSITIONS
    for name, value, most in (
        ("frames", video.frames, most_frames),
        ("height", video.height, most_pixels),
        ("width", video.width, most_pixels),
    ):
        if value > most:
            yield Problem(
                field=f"video.{name}",
                message=f"{value} is more than backbone wan22 (tiny) has positions for: write {most} at most",
            )


def check_source(params: Params) -> Iterator[Problem]:
    """A published backbone comes from somewhere; a tiny twin comes from the graph."""
    section = params.backbones.wan22
    if section.size == "5b" and not section.source:
        yield Problem(
            field="backbones.wan22.source",
            message="nothing, expected a hub id or a folder: write Wan-AI/Wan2.2-TI2V-5B-Diffusers",
        )
    if section.size == "tiny" and (section.source or section.revision):
        yield Problem(
            field="backbones.wan22.source",
            message=f"{section.source or section.revision!r} is of no use to size tiny, which the pipeline trains: "
            "leave source and revision empty, or write size: 5b",
        )


def check_labels(params: Params) -> Iterator[Problem]:
    """A published depth estimator comes from somewhere; the laptop's own comes from the graph."""
    section = params.pseudo_labels
    remedies = {
        "depth_anything": "write depth-anything/Depth-Anything-V2-Small-hf",
        "video_depth_anything": "write a folder of its weights as safetensors",
    }
    if section.depth in remedies and not section.depth_source:
        yield Problem(
            field="pseudo_labels.depth_source",
            message=f"nothing, expected a hub id or a folder: {remedies[section.depth]}",
        )
    if section.depth == "labeler" and (section.depth_source or section.depth_revision):
        yield Problem(
            field="pseudo_labels.depth_source",
            message=f"{section.depth_source or section.depth_revision!r} is of no use to depth labeler, which the "
            f"pipeline trains: leave depth_source and depth_revision empty, or write depth: {' or '.join(remedies)}",
        )


def check_taps(params: Params) -> Iterator[Problem]:
    """The heads read a block each."""
    section = params.backbones.wan22
    if section.size == "tiny" and params.heads.taps > section.tiny.layers:
        yield Problem(
            field="heads.taps",
            message=f"{params.heads.taps} is more than the {section.tiny.layers} layers of backbones.wan22.tiny: "
            f"write {section.tiny.layers} at most",
        )


def check_stage2(params: Params) -> Iterator[Problem]:
    """Stage 2 trains blocks that there are, on clips that there are, with a loss."""
    tiny, stage2 = params.backbones.wan22, params.stage2
    if stage2.heads_batch_size > stage2.batch_size:
        yield Problem(
            field="stage2.heads_batch_size",
            message=f"{stage2.heads_batch_size} is more than stage2.batch_size, of whose clips it takes the first: "
            f"write {stage2.batch_size} at most",
        )
    if tiny.size == "tiny" and stage2.trainable == "blocks" and stage2.blocks > tiny.tiny.layers:
        yield Problem(
            field="stage2.blocks",
            message=f"{stage2.blocks} is more than the {tiny.tiny.layers} layers of backbones.wan22.tiny: "
            f"write {tiny.tiny.layers} at most",
        )
    if not any(weight for _, weight in stage2.weights):
        yield Problem(
            field="stage2.weights",
            message="all are 0, expected at least one above 0, else nothing is learned: write diffusion: 1.0",
        )


def check_stage3(params: Params) -> Iterator[Problem]:
    """Stage 3 has a group of samples for every optimiser step, noisy steps to train on, and a reward."""
    stage3 = params.stage3
    if stage3.updates > stage3.prompts:
        yield Problem(
            field="stage3.updates",
            message=f"{stage3.updates} is more than the {stage3.prompts} prompts of an iteration, whose samples an "
            "optimiser step takes together: write that at most",
        )
    if stage3.algorithm == "grpo" and stage3.sampler_steps < 2:
        yield Problem(
            field="stage3.sampler_steps",
            message=f"{stage3.sampler_steps} leaves grpo no step with noise, for the last has none: write 2 or more",
        )
    elif stage3.algorithm == "grpo" and stage3.window > stage3.sampler_steps - 1:
        yield Problem(
            field="stage3.window",
            message=f"{stage3.window} is more than the {stage3.sampler_steps - 1} of {stage3.sampler_steps} "
            f"sampler_steps that can have noise: write {stage3.sampler_steps - 1} at most, or 0 for all of them",
        )
    elif stage3.algorithm == "grpo" and stage3.window and stage3.times > stage3.window:
        yield Problem(
            field="stage3.times",
            message=f"{stage3.times} is more than the {stage3.window} steps of the window, which alone have noise and "
            f"are trained on: write {stage3.window} at most",
        )
    elif stage3.algorithm == "grpo" and stage3.times > stage3.sampler_steps - 1:
        yield Problem(
            field="stage3.times",
            message=f"{stage3.times} is more than the {stage3.sampler_steps - 1} of {stage3.sampler_steps} "
            f"sampler_steps that have noise and grpo trains on: write {stage3.sampler_steps - 1} at most",
        )
    if not any(weight for _, weight in stage3.reward):
        yield Problem(
            field="stage3.reward",
            message="all are 0, expected at least one above 0, else nothing is rewarded: write chamfer: 1.0",
        )


def check_watch(params: Params) -> Iterator[Problem]:
    """The watch over stage 3 has scenes of the true world to look at, and looks often enough to end it."""
    watch, dev, iterations = params.stage3.watch, params.simulation.splits.dev, params.stage3.iterations
    scenes, most = sum(dev.configurations.values()), iterations // watch.patience
    if watch.every and watch.scenes > scenes:
        message = (
            f"{watch.scenes} is more than the {scenes} configurations of simulation.splits.dev: write that at most"
        )
        yield Problem(field="stage3.watch.scenes", message=message)
    if watch.every > most:
        remedy = f"write {most} at most" if most else "lower stage3.watch.patience, or write 0 for no watch"
        message = f"{watch.every} is too seldom to end {iterations} iterations by {watch.patience} looks: {remedy}"
        yield Problem(field="stage3.watch.every", message=message)
    if watch.every and dev.physics != "real":
        message = f"{dev.physics!r}, expected 'real': the watch over stage 3 holds its videos against true physics"
        yield Problem(field="simulation.splits.dev.physics", message=message)


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
    """The camera sees the scene from the floor to its top and from side to side, and objects are larger than dots."""
    camera, rigid, video = params.simulation.camera, params.simulation.rigid, params.video
    slope, rise = tan(radians(camera.field_of_view) / 2), radians(camera.elevation)
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
    wide = camera.distance * slope * video.width / video.height
    for height in (0.0, top):
        above = height - camera.target_height
        if abs(above) * cos(rise) > slope * (camera.distance - above * sin(rise)) or wide < REACH[0]:
            yield Problem(
                field="simulation.camera.distance",
                message=f"{camera.distance:g}: the scene, {2 * REACH[0]:g} m wide and {top:.2f} m high, does not fit "
                "the picture: raise simulation.camera.distance or field_of_view, or set target_height to "
                f"{top / 2:.2f}",
            )
            break
    across = video.height / slope * rigid.radius[0] / camera.distance
    if across < LEAST_OBJECT:
        yield Problem(
            field="simulation.camera.distance",
            message=f"{camera.distance:g}: an object of radius {rigid.radius[0]:g} is {across:.2f} pixels across, "
            f"expected at least {LEAST_OBJECT}: lower simulation.camera.distance or raise simulation.rigid.radius",
        )


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


def check_train(params: Params) -> Iterator[Problem]:
    """The first frame decides the future that reinforcement learning rewards."""
    physics = params.simulation.splits.train.physics
    if physics != "real":
        yield Problem(
            field="simulation.splits.train.physics",
            message=f"{physics!r}, expected 'real': a first frame does not tell which gravity or speed is meant, and "
            "stages 2 and 3 learn the one future that follows from it",
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


def check_evaluation(params: Params) -> Iterator[Problem]:
    """A score needs two takes of the real world."""
    name = params.evaluation.split
    split = params.simulation.splits.test if name == "test" else params.simulation.splits.dev
    if split.takes != 2:
        yield Problem(
            field=f"simulation.splits.{name}.takes",
            message=f"{split.takes}, expected 2: the score of evaluation.split measures against both takes",
        )
    if split.physics != "real":
        yield Problem(
            field=f"simulation.splits.{name}.physics",
            message=f"{split.physics!r}, expected 'real': models are scored on true physics",
        )


RULES: tuple[Callable[[Params], Iterator[Problem]], ...] = (
    check_frames,
    check_size,
    check_positions,
    check_source,
    check_labels,
    check_taps,
    check_stage2,
    check_stage3,
    check_watch,
    check_rate,
    check_memory,
    check_lean,
    check_room,
    check_view,
    check_orbit,
    check_shards,
    check_train,
    check_grains,
    check_evaluation,
)
