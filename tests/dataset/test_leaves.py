"""Nested parameters become leaves with names and units that a person reads."""

from components.dataset.leaves import leaves, unit_of


def test_numbers_and_words_are_leaves_and_nothing_else_is() -> None:
    drawn = {"radius": 0.4, "floor_pattern": "noise", "sealed": True, "count": 3, "parent": None}
    assert list(leaves("", drawn)) == [
        ("radius", 0.4),
        ("floor pattern", "noise"),
        ("sealed", "true"),
        ("count", 3.0),
    ]


def test_a_vector_has_its_axes_and_other_lists_are_numbered() -> None:
    drawn = {"gravity": [0.0, 0.0, -9.81], "size": [0.1, 0.2], "ball": {"velocity": (1, 2, 3)}}
    assert dict(leaves("", drawn)) == {
        "gravity x": 0.0,
        "gravity y": 0.0,
        "gravity z": -9.81,
        "size 1": 0.1,
        "size 2": 0.2,
        "ball velocity x": 1.0,
        "ball velocity y": 2.0,
        "ball velocity z": 3.0,
    }


def test_things_of_a_list_are_pooled() -> None:
    drawn = {"objects": [{"density": 1.0}, {"density": 2.0}], "positions": [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]}
    found = list(leaves("", drawn))
    assert [value for name, value in found if name == "object density"] == [1.0, 2.0]
    assert [value for name, value in found if name == "position z"] == [2.0, 5.0]


def test_a_long_list_of_numbers_is_pooled() -> None:
    assert list(leaves("", {"angles": [1.0, 2.0, 3.0, 4.0, 5.0]})) == [("angle", float(n)) for n in range(1, 6)]


def test_units_follow_the_name() -> None:
    assert unit_of("object density") == "kg/m³"
    assert unit_of("gravity z") == "m/s²"
    assert unit_of("light azimuth") == unit_of("orbit") == unit_of("camera field of view") == "°"
    assert unit_of("floor scale") == "m"
    assert unit_of("size 2") == "m"
    assert unit_of("fabric density") == "kg/m²"
    assert unit_of("x") == unit_of("half extent 3") == "m"
    assert unit_of("friction") == ""


def test_a_seed_is_no_parameter() -> None:
    assert list(leaves("", {"seed": 7, "pile": {"seed": 8, "lip": 0.5}})) == [("pile lip", 0.5)]
