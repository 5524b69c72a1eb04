"""Every family over the whole allowed ranges of its category: a valid clip or a counted reject, and nothing else."""

import typing
import warnings
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from components.clip import BETWEEN
from components.errors import ParametersError
from components.parameters.fields import Section, Within
from components.parameters.rules import broken_rules
from components.parameters.simulation import Physics, PhysicsByName, Simulation
from components.params import Params
from components.simulation.catalogue import CATEGORY_NAMES, family_names
from components.simulation.clips import configuration_clips
from components.simulation.guard import Cause
from tests.simulation.families.chain import LAPTOP, with_section

pytestmark = pytest.mark.slow

SIZE = 32  # pixels
FRAMES = (5, 9)
SPLITS = ("train", "dev", "appearance")  # real, real in two takes, unknown
CAMERAS = ((5.2, 1.05), (9.0, 2.0), (14.0, 4.0), (30.0, 10.0))  # metres: distance and target height, for high scenes
TRIES = 20  # draws of ranges until the rules that join fields let one through
MOST = {"grains": 300, "motes": 3000, "particles": 3000}  # more of the same take longer, up to half a minute a clip
EXAMPLES = {"deformable": 5, "fluid": 4, "granular": 5, "thermodynamics": 5}  # of a family, where its solver is slow
USUALLY = 10


def bounds(kind: type[Section], name: str) -> tuple[type, Within]:
    """Of a field of ranges: the kind of number, and between which two it lies."""
    field = kind.model_fields[name]
    (checked,) = [getattr(one, "func", None) for one in field.metadata]
    number, _ = typing.get_args(field.annotation)
    assert isinstance(checked, Within), f"{name} has no bounds that this test knows to draw from"
    return number, checked


def ranges(number: type, least: float, most: float) -> st.SearchStrategy[tuple[float, float]]:
    """low <= high anywhere between two numbers, a third of them at either."""
    inside = st.integers(int(least), int(most)) if number is int else st.floats(least, most)
    end = st.just(number(least)) | st.just(number(most)) | inside
    return st.tuples(end, end).map(lambda pair: (min(pair), max(pair)))


def drawn_ranges(kind: type[Section]) -> st.SearchStrategy[dict[str, tuple[float, float]]]:
    """Every range of a section, whatever there is."""
    drawn = {}
    for name in sorted(set(kind.model_fields) - {"families"}):
        number, allowed = bounds(kind, name)
        drawn[name] = ranges(number, allowed.least, min(allowed.most, MOST.get(name, allowed.most)))
    return st.fixed_dictionaries(drawn)


def sections(category: str, family: str) -> st.SearchStrategy[Section]:
    """The section of a category with one family."""
    kind = Simulation.model_fields[category].annotation
    assert isinstance(kind, type)
    assert issubclass(kind, Section)
    return drawn_ranges(kind).map(lambda values: kind.model_validate({"families": {family: 1.0}, **values}))


def beliefs(usual: PhysicsByName) -> st.SearchStrategy[PhysicsByName]:
    """Physics as the profile has it, or any."""
    one = drawn_ranges(Physics).map(Physics.model_validate)
    return st.just(usual) | st.builds(PhysicsByName, real=one, unknown=one)


def seen_whole(params: Params) -> Params | None:
    """The same from a camera that sees all of it; None where other rules refuse it."""
    for distance, height in CAMERAS:
        place = {"distance": (distance, distance), "target_height": (height, height)}
        camera = params.simulation.camera.model_copy(update=place)
        simulation = params.simulation.model_copy(update={"camera": camera})
        there = params.model_copy(update={"simulation": simulation})
        if not broken_rules(there):
            return there
    return None


@st.composite
def allowed_params(draw: st.DrawFn, category: str, family: str) -> Params:
    """Parameters of one family that no rule refuses, with small pictures that are cheap to render."""
    frames, seed = draw(st.sampled_from(FRAMES)), draw(st.integers(0, 2**31))
    spread = draw(st.sampled_from((0.001, 0.1)))
    physics = draw(beliefs(LAPTOP.simulation.physics))
    common = {"physics": physics, "points_per_object": 8, "max_attempts": 2, "take_perturbation": spread}
    params = with_section(category, family, {}, frames=frames, size=SIZE).model_copy(update={"seed": seed})
    for _ in range(TRIES):
        changes = {**common, category: draw(sections(category, family))}
        drawn = params.model_copy(update={"simulation": params.simulation.model_copy(update=changes)})
        allowed = seen_whole(drawn)
        if allowed is not None:
            return allowed
    return reject()  # seldom


def outcome(params: Params, *, split: str, category: str) -> str:
    """'clips', or why the guard rejected every draw; whatever else happens is raised."""
    try:
        clips = list(configuration_clips(params, split=split, category=category, index=0))
    except ParametersError as error:
        causes = [cause for cause in Cause if f"passed the guard, the last: {cause}: " in str(error)]
        assert causes, f"not of the guard: {error}"
        return causes[0]
    assert len(clips) == getattr(params.simulation.splits, split).takes
    for clip in clips:
        clip.validate()
        clip.description()
        counted = [one.split(": ")[1] for one in clip.meta.rejections.split(BETWEEN) if one]
        assert clip.meta.attempts == len(counted) + 1
        assert set(counted) <= set(Cause)
    return "clips"


@pytest.mark.parametrize(
    ("category", "family"), [(category, family) for category in CATEGORY_NAMES for family in family_names(category)]
)
def test_whatever_is_allowed_becomes_a_valid_clip_or_a_counted_reject(category: str, family: str) -> None:
    outcomes: Counter[str] = Counter()
    examples = EXAMPLES.get(category, USUALLY)

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(params=allowed_params(category, family), split=st.sampled_from(SPLITS))
    def check(params: Params, split: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # NumPy's, of what is not a number
            outcomes[outcome(params, split=split, category=category)] += 1

    check()
    assert outcomes.total() == examples  # the rules let through what was drawn
    assert outcomes["clips"], f"every draw was rejected: {dict(outcomes)}"
