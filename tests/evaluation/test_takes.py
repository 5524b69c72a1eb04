"""Takes are found in pairs."""

from dataclasses import replace
from pathlib import Path

import pytest

from components.errors import ClipError
from components.evaluation.takes import TakePlace, scenes_of, take_places
from components.index import read_index
from components.shards import Extent
from tests.evaluation.splits import write_split


def test_every_configuration_comes_with_both_takes(tmp_path: Path) -> None:
    folder = write_split(tmp_path, configurations=3)
    places = take_places(folder, read_index(folder))
    pairs = [place.read() for place in places]
    assert [(pair.take1.meta.take, pair.take2.meta.take) for pair in pairs] == [(0, 1)] * 3
    assert [pair.take1.meta.configuration for pair in pairs] == [place.configuration for place in places]
    assert all(pair.take1.meta.configuration == pair.take2.meta.configuration for pair in pairs)


def test_a_missing_second_take_is_named(tmp_path: Path) -> None:
    folder = write_split(tmp_path, configurations=2, takes=1)
    with pytest.raises(ClipError, match=r"test-rigid-000000-v0-t0 .* has no take 2"):
        take_places(folder, read_index(folder))


def place(configuration: str) -> TakePlace:
    extent = Extent(shard="a.tar", offset=0, size=1, clip_id="a", sha256="b")
    return TakePlace(folder=Path("test"), configuration=configuration, take1=extent, take2=extent)


def test_scenes_are_known_by_their_configurations_wherever_they_lie() -> None:
    places = [place("a"), place("b")]
    moved = [replace(one, folder=Path("elsewhere")) for one in places]
    assert scenes_of(places) == scenes_of(moved)
    assert len({scenes_of(places), scenes_of(places[:1]), scenes_of([place("a"), place("c")])}) == 3
