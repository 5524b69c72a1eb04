"""The contract accepts what it describes and names what it does not."""

from dataclasses import replace

import numpy as np
import pytest

from components.canonical import canonical_json
from components.clip import SPECIFICATION, parse_description, quantise
from components.errors import ClipError
from tests.clips import make_clip


def test_a_clip_by_the_contract_is_valid() -> None:
    make_clip().validate()


@pytest.mark.parametrize("name", list(SPECIFICATION))
def test_a_wrong_dtype_is_named(name: str) -> None:
    clip = make_clip()
    wrong = getattr(clip, name).astype(np.complex128)
    with pytest.raises(ClipError, match=f"{name} has dtype complex128, expected"):
        replace(clip, **{name: wrong}).validate()


@pytest.mark.parametrize("name", [name for name in SPECIFICATION if name != "rgb"])
def test_a_missing_frame_or_point_is_named(name: str) -> None:
    clip = make_clip()
    with pytest.raises(ClipError, match=r"axis \d of \w+ is \d+, expected \d+"):
        replace(clip, **{name: getattr(clip, name)[1:]}).validate()


def test_nan_in_depth_is_named_with_its_place() -> None:
    depth = make_clip().depth.copy()
    depth[3, 2, 1] = np.nan
    with pytest.raises(ClipError, match=r"depth\[3, 2, 1\] is nan, expected a finite number; 1 of 240"):
        make_clip(depth=depth).validate()


def test_an_id_that_no_object_has_is_named() -> None:
    segmentation = make_clip().segmentation.copy()
    segmentation[0, 0, 0] = 9
    with pytest.raises(ClipError, match=r"segmentation holds ids \[9\]"):
        make_clip(segmentation=segmentation).validate()


def test_description_survives_the_round_trip() -> None:
    clip = make_clip()
    assert parse_description(clip.description()) == (clip.objects, clip.meta)


def test_a_description_of_another_contract_is_refused() -> None:
    with pytest.raises(ClipError, match="not readable"):
        parse_description('{"objects": [], "meta": {"clip_id": "a"}}')


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical_json({"b": 1, "a": [1, 2]}) == canonical_json({"a": [1, 2], "b": 1}) == '{"a":[1,2],"b":1}'


def test_quantised_values_are_the_nearest_multiples() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    rounded = quantise(values, 1 / 256)
    assert np.abs(rounded - values).max() <= 1 / 512 + 1e-7
    assert np.all(rounded * 256 == np.round(rounded * 256))
