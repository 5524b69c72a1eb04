"""Every family over the whole allowed ranges of its category: a valid clip or a counted reject, and nothing else."""

import typing
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

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

Ends: TypeAlias = Mapping[str, tuple[float, float]]  # of fields of ranges that are drawn from less than is allowed

SIZE = 32  # pixels
CAMERAS = ((5.2, 1.05), (9.0, 2.0), (14.0, 4.0), (30.0, 10.0))  # metres: distance and target height, for high scenes
TRIES = 20  # draws of ranges until the rules that join fields let one through
# Of what is allowed: more of the same take longer, up to half a minute a clip, and smaller objects are dots to the
# cameras above, which no rule lets through.
WITHIN: Mapping[str, Ends] = {
    "fluid": {"particles": (500, 1500)},
    "granular": {"grains": (100, 300)},
    "rigid": {"radius": (0.15, 1.0)},
    "thermodynamics": {"motes": (100, 600), "particles": (500, 1500)},
}
EXAMPLES = {  # of a family, where its solver is slow
    "deformable": 5,
    "fluid": 4,
    "garment": 8,
    "granular": 5,
    "inflatable": 8,
    "rope": 8,
    "thermodynamics": 5,
}
USUALLY = 10
LONGER = {"articulated": (2, 33), "rigid": (3, 33), "rope": (2, 21)}  # examples, and their frames, of fast solvers


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is drawn of a family: so many examples, some fields from less than is allowed, any physics or the usual."""

    category: str
    family: str
    examples: int
    narrowed: Ends = field(default_factory=dict)
    frames: tuple[int, ...] = (5, 9)
    splits: tuple[str, ...] = ("train", "dev", "appearance")  # real, real in two takes, unknown
    any_physics: bool = True


def bounds(kind: type[Section], name: str) -> tuple[type, Within]:
    """Of a field of ranges: the kind of number, and between which two it lies."""
    info = kind.model_fields[name]
    (checked,) = [getattr(one, "func", None) for one in info.metadata]
    number, _ = typing.get_args(info.annotation)
    assert isinstance(checked, Within), f"{name} has no bounds that this test knows to draw from"
    return number, checked


def ranges(number: type, least: float, most: float) -> st.SearchStrategy[tuple[float, float]]:
    """low <= high anywhere between two numbers, a third of them at either."""
    inside = st.integers(int(least), int(most)) if number is int else st.floats(least, most)
    end = st.just(number(least)) | st.just(number(most)) | inside
    return st.tuples(end, end).map(lambda pair: (min(pair), max(pair)))


def drawn_ranges(kind: type[Section], narrowed: Ends) -> st.SearchStrategy[dict[str, tuple[float, float]]]:
    """Every range of a section, whatever there is."""
    drawn = {}
    for name in sorted(set(kind.model_fields) - {"families"}):
        number, allowed = bounds(kind, name)
        least, most = narrowed.get(name, (allowed.least, allowed.most))
        assert allowed.least <= least < most <= allowed.most
        drawn[name] = ranges(number, least, most)
    return st.fixed_dictionaries(drawn)


def sections(case: Case) -> st.SearchStrategy[Section]:
    """The section of a category with one family."""
    kind = Simulation.model_fields[case.category].annotation
    assert isinstance(kind, type)
    assert issubclass(kind, Section)
    narrowed = {**WITHIN.get(case.category, {}), **case.narrowed}
    families = {case.family: 1.0}
    return drawn_ranges(kind, narrowed).map(lambda values: kind.model_validate({"families": families, **values}))


def beliefs(usual: PhysicsByName) -> st.SearchStrategy[PhysicsByName]:
    """Physics as the profile has it, or any."""
    one = drawn_ranges(Physics, {}).map(Physics.model_validate)
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
def allowed_params(draw: st.DrawFn, case: Case, drawn_section: st.SearchStrategy[Section]) -> Params:
    """Parameters of one family that no rule refuses, with small pictures that are cheap to render."""
    frames, seed = draw(st.sampled_from(case.frames)), draw(st.integers(0, 2**31))
    spread = draw(st.sampled_from((0.001, 0.1)))
    usual = LAPTOP.simulation.physics
    physics = draw(beliefs(usual)) if case.any_physics else usual
    common = {"physics": physics, "points_per_object": 8, "max_attempts": 2, "take_perturbation": spread}
    params = with_section(case.category, case.family, {}, frames=frames, size=SIZE).model_copy(update={"seed": seed})
    for _ in range(TRIES):
        changes = {**common, case.category: draw(drawn_section)}
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


def check_examples(case: Case) -> None:
    """Every example becomes clips or rejects, and some of them clips."""
    outcomes: Counter[str] = Counter()

    @settings(
        max_examples=case.examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(params=allowed_params(case, sections(case)), split=st.sampled_from(case.splits))
    def check(params: Params, split: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # NumPy's, of what is not a number
            outcomes[outcome(params, split=split, category=case.category)] += 1

    check()
    assert outcomes.total() == case.examples  # the rules let through what was drawn
    assert outcomes["clips"], f"every draw was rejected: {dict(outcomes)}"


@pytest.mark.parametrize(
    ("category", "family"), [(category, family) for category in CATEGORY_NAMES for family in family_names(category)]
)
def test_whatever_is_allowed_becomes_a_valid_clip_or_a_counted_reject(category: str, family: str) -> None:
    check_examples(Case(category=category, family=family, examples=EXAMPLES.get(category, USUALLY)))


@pytest.mark.parametrize("family", ["avalanche", "collapse", "hopper"])
def test_so_many_grains_that_they_are_sand_do_too(family: str) -> None:
    sand = {"grains": (1800, 2000)}  # asked for: no packing has so few that Bullet solves them
    check_examples(
        Case(category="granular", family=family, examples=3, narrowed=sand, frames=(5,), splits=("train", "appearance"))
    )


@pytest.mark.parametrize(
    ("category", "family"), [(category, family) for category in LONGER for family in family_names(category)]
)
def test_longer_clips_do_too(category: str, family: str) -> None:
    examples, frames = LONGER[category]
    check_examples(
        Case(
            category=category,
            family=family,
            examples=examples,
            frames=(frames,),
            splits=("train", "appearance"),
            any_physics=False,  # in any, much leaves the world
        )
    )
