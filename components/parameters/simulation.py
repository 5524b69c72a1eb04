"""The section `simulation` of params.yaml: what every simulated clip shares, and the splits."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from components.parameters.categories.articulated import Articulated
from components.parameters.categories.deformable import Deformable
from components.parameters.categories.fluid import Fluid
from components.parameters.categories.garment import Garment
from components.parameters.categories.granular import Granular
from components.parameters.categories.inflatable import Inflatable
from components.parameters.categories.rigid import Rigid
from components.parameters.categories.rope import Ropes
from components.parameters.categories.thermodynamics import Thermodynamics
from components.parameters.fields import Range, Section, Share, UnitRange, device, square, within

CategoryName = Literal[
    "articulated", "deformable", "fluid", "garment", "granular", "inflatable", "rigid", "rope", "thermodynamics"
]


class Orbit(Section):
    """Cameras that circle the scene. share: of train's configurations; degrees: over a clip, above 0 to the right.

    Other splits' cameras stand still: what is scored on their clips, or learned for a score, is defined so.
    """

    share: Share
    degrees: Annotated[Range, within(-180, 180)]


class CameraParams(Section):
    """Ranges of a camera that looks at the scene's centre; degrees and metres."""

    field_of_view: Annotated[Range, within(5, 120)]
    distance: Annotated[Range, within(3, 50)]  # outside the scene, and well before the renderer's far plane
    elevation: Annotated[Range, within(0, 89)]
    target_height: Annotated[Range, within(0.1, 20)]
    azimuth_between_views: Annotated[float, Field(ge=1, le=120)]  # of three views at most: no two are the same
    orbit: Orbit

    @property
    def varies(self) -> bool:
        """Whether configurations differ in more than azimuth and orbit."""
        return any(low < high for low, high in (self.field_of_view, self.distance, self.elevation, self.target_height))


class EnvironmentParams(Section):
    """Ranges of light, sky and floor."""

    ambient: UnitRange
    light_elevation: Annotated[Range, within(5, 90)]
    light_azimuth: Annotated[Range, within(-360, 360)]
    floor_patterns: Annotated[tuple[Literal["checker", "stripes", "noise"], ...], Field(min_length=1, max_length=3)]
    floor_grey: UnitRange
    floor_contrast: UnitRange
    floor_scale: Annotated[Range, within(0.05, 50)]
    sky: UnitRange


class Physics(Section):
    """What a split believes: gravity in g and its tilt in degrees, initial speed in m/s, restitution of objects."""

    gravity: Annotated[Range, within(0, 5)]
    tilt: Annotated[Range, within(0, 90)]
    initial_speed: Annotated[Range, within(0, 20)]
    restitution: UnitRange


class PhysicsByName(Section):
    """`real` is the world; `unknown` is what video from the internet does to a motion prior."""

    real: Physics
    unknown: Physics


class Split(Section):
    """One split: how many configurations of each category, seen from how many views, in how many takes."""

    physics: Literal["real", "unknown"]
    configurations: Annotated[dict[CategoryName, Annotated[int, Field(ge=1, le=1_000_000)]], Field(min_length=1)]
    views: Annotated[int, Field(ge=1, le=3)]
    takes: Annotated[int, Field(ge=1, le=2)]


class Splits(Section):
    """The splits of the design; disjoint by configuration hash."""

    appearance: Split
    labeler: Split
    judge: Split
    train: Split
    dev: Split
    test: Split


class Simulation(Section):
    """Everything that makes the simulated clips.

    device: of Warp's solvers and of the renderer; what rests on other libraries is solved on the processor. Sums round
    otherwise on another device, so that it is a part of what clips are.
    """

    device: Annotated[str, AfterValidator(device)]
    clips_per_shard: Annotated[int, Field(ge=1, le=10_000)]
    points_per_object: Annotated[int, Field(ge=1, le=65_536)]
    samples_per_pixel: Annotated[int, AfterValidator(square)]
    max_attempts: Annotated[int, Field(ge=1, le=1000)]
    camera: CameraParams
    take_perturbation: Annotated[float, Field(gt=0, le=0.1)]
    environment: EnvironmentParams
    physics: PhysicsByName
    articulated: Articulated
    deformable: Deformable
    fluid: Fluid
    garment: Garment
    granular: Granular
    inflatable: Inflatable
    rigid: Rigid
    rope: Ropes
    thermodynamics: Thermodynamics
    splits: Splits
