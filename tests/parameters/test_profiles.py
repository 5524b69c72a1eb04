"""Profiles are written whole, compared field by field, and never over an edited file."""

import shutil
from pathlib import Path

import pytest

from components.errors import ParametersError
from components.parameters.loader import load_params, parse_params, parse_yaml, read_yaml
from components.parameters.profiles import (
    Difference,
    compare_with,
    differences,
    profile_names,
    profile_text,
    profile_values,
    use_profile,
)

COMMITTED = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree("profiles", tmp_path / "profiles")
    monkeypatch.chdir(tmp_path)


def test_use_writes_the_whole_profile_with_comments() -> None:
    use_profile("smoke", force=False)
    assert load_params().profile == "smoke"
    assert "# " in Path("params.yaml").read_text()


def test_an_untouched_file_is_replaced_without_a_backup() -> None:
    use_profile("smoke", force=False)
    assert use_profile("laptop", force=False) is None
    assert load_params().profile == "laptop"


def test_the_file_that_a_clone_begins_with_is_untouched() -> None:
    shutil.copy(COMMITTED, "params.yaml")
    assert use_profile("smoke", force=False) is None


def test_an_edited_file_is_refused_and_kept() -> None:
    use_profile("smoke", force=False)
    edited = Path("params.yaml").read_text().replace("seed: 0", "seed: 7")
    Path("params.yaml").write_text(edited)
    with pytest.raises(ParametersError, match=r"params\.yaml was edited, .* --force"):
        use_profile("laptop", force=False)
    assert Path("params.yaml").read_text() == edited


def test_force_keeps_the_edited_file_as_a_backup() -> None:
    Path("params.yaml").write_text("not: ours\n")
    assert use_profile("laptop", force=True) == Path("params.yaml.bak")
    assert Path("params.yaml.bak").read_text() == "not: ours\n"


def test_every_backup_is_kept() -> None:
    for number in range(3):
        Path("params.yaml").write_text(f"mine: {number}\n")
        use_profile("laptop", force=True)
    backups = ["params.yaml.bak", "params.yaml.bak.1", "params.yaml.bak.2"]
    assert [Path(name).read_text() for name in backups] == ["mine: 0\n", "mine: 1\n", "mine: 2\n"]


def test_a_comment_of_the_users_own_is_an_edit() -> None:
    use_profile("smoke", force=False)
    with Path("params.yaml").open("a") as file:
        file.write("# a note\n")
    with pytest.raises(ParametersError, match=r"was edited"):
        use_profile("laptop", force=False)
    assert "# a note" in Path("params.yaml").read_text()


def test_a_comparison_without_a_name_needs_the_profile_params_name() -> None:
    Path("params.yaml").write_text("seed: 1\n")
    with pytest.raises(ParametersError, match=r"params.yaml: profile: missing, expected one of laptop, .* diff laptop"):
        compare_with(None)
    assert Difference(field="seed", left=0, right=1) in compare_with("laptop")[1]


def test_a_comparison_names_what_cannot_be_compared() -> None:
    Path("params.yaml").write_text("profile: laptop\nseed: &a [*a]\n")
    with pytest.raises(ParametersError, match=r"params.yaml: seed.0: an anchor that holds itself"):
        compare_with(None)


def test_an_interruption_of_large_clips_loses_few() -> None:
    for name in ("gpu", "cluster"):
        assert profile_values(name)["simulation"]["clips_per_shard"] == 6


def test_the_large_profiles_draw_cameras_and_the_others_have_one() -> None:
    cameras = {name: parse_params(profile_values(name), source=name).simulation.camera for name in profile_names()}
    varies = {name: camera.varies for name, camera in cameras.items()}
    assert varies == {"laptop": False, "smoke": False, "gpu": True, "cluster": True}


def test_an_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(ParametersError, match="no profile 'lapdog', expected one of laptop, cluster, gpu, smoke"):
        use_profile("lapdog", force=False)


def test_differences_name_fields_on_either_side() -> None:
    found = list(differences({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 5, "e": 6}}))
    assert found == [
        Difference(field="b.c", left=2, right=5),
        Difference(field="b.d", left=3, right=None),
        Difference(field="b.e", left=None, right=6),
    ]


def test_a_profile_is_the_base_and_its_own_differences() -> None:
    changed = {change.field for change in differences(profile_values("laptop"), profile_values("smoke"))}
    overlay = read_yaml(Path("profiles/smoke.yaml"))
    assert "simulation.points_per_object" in changed
    assert {field.split(".")[0] for field in changed} <= set(overlay)


@pytest.mark.parametrize("name", profile_names())
def test_a_profiles_text_says_its_values(name: str) -> None:
    assert parse_yaml(profile_text(name)) == profile_values(name)


def test_values_are_the_callers_own() -> None:
    profile_values("laptop")["video"]["frames"] = 0
    assert profile_values("laptop")["video"]["frames"] > 0


def test_a_profile_with_an_unknown_key_is_refused() -> None:
    Path("profiles/smoke.yaml").write_text("profile: smoke\nvideo: {frame: 3}\n")
    with pytest.raises(ParametersError, match=r"profiles/smoke.yaml: video.frame: unknown key"):
        use_profile("smoke", force=False)
