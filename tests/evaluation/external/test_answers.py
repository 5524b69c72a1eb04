"""Which file answers which prompt, by names alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from components.errors import ParametersError
from components.evaluation.external.answers import Answers, find_answers
from components.evaluation.external.prompts import Prompt, read_prompts
from tests.evaluation.splits import write_split

Touch = Callable[..., Path]


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> list[Prompt]:
    return read_prompts(write_split(tmp_path_factory.mktemp("data") / "test", configurations=3))


def touch(folder: Path, names: Sequence[str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def find(folder: Path, prompts: Sequence[Prompt], *, allow_missing: bool = False) -> Answers:
    return find_answers(folder, prompts, allow_missing=allow_missing)


def test_one_video_each_of_any_kind(prompts: list[Prompt], tmp_path: Path) -> None:
    names = [f"{prompt.id}{suffix}" for prompt, suffix in zip(prompts, (".mp4", ".GIF", ".webm"), strict=True)]
    found = find(touch(tmp_path, names), prompts)
    assert [answer.prompt for answer in found.answers] == prompts
    assert [[path.name for path in answer.files] for answer in found.answers] == [[name] for name in names]
    assert (found.samples, found.missing, found.unknown) == (1, (), ())


def test_samples_come_by_their_seed(prompts: list[Prompt], tmp_path: Path) -> None:
    folder = touch(tmp_path, [f"{prompt.id}{end}" for prompt in prompts for end in ("-s10.mp4", "-s2.mp4", ".mp4")])
    found = find(folder, prompts)
    assert found.samples == 3
    first = prompts[0].id
    assert [path.name for path in found.answers[0].files] == [f"{first}.mp4", f"{first}-s2.mp4", f"{first}-s10.mp4"]


def test_other_files_are_told_and_hidden_ones_are_not(prompts: list[Prompt], tmp_path: Path) -> None:
    names = [f"{prompt.id}.mp4" for prompt in prompts]
    folder = touch(tmp_path, [*names, "prompts.csv", ".hidden", f"{prompts[0].id}.txt", "cat.mp4"])
    (folder / "below").mkdir()
    assert find(folder, prompts).unknown == ("below", "cat.mp4", "prompts.csv", f"{prompts[0].id}.txt")


def test_missing_ids_are_named(prompts: list[Prompt], tmp_path: Path) -> None:
    folder = touch(tmp_path, [*(f"{prompt.id}.mp4" for prompt in prompts[1:]), "cat.mp4"])
    with pytest.raises(ParametersError) as caught:
        find(folder, prompts)
    message = str(caught.value)
    assert f"1 of 3 prompts have no video: {prompts[0].id}; 1 other files answer none: cat.mp4" in message
    assert "--allow-missing" in message
    found = find(folder, prompts, allow_missing=True)
    assert found.missing == (prompts[0].id,)
    assert [answer.prompt for answer in found.answers] == prompts[1:]


@pytest.mark.parametrize("names", [(), ("cat.mp4", "dog.mp4")])
def test_no_answer_at_all_says_how_videos_are_named(
    prompts: list[Prompt], tmp_path: Path, names: Sequence[str]
) -> None:
    with pytest.raises(ParametersError, match=f"answers no prompt, expected videos named as {prompts[0].id}.mp4"):
        find(touch(tmp_path, names), prompts, allow_missing=True)


def test_a_path_that_is_no_folder(prompts: list[Prompt], tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match="is no folder"):
        find(tmp_path / "absent", prompts)


def test_videos_of_one_scene_have_no_interval(prompts: list[Prompt], tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match="prompts of 1 scene, expected 2 or more"):
        find(touch(tmp_path, [f"{prompts[0].id}.mp4"]), prompts, allow_missing=True)


@pytest.mark.parametrize("other", ["{}.mov", "{}-s0.mp4", "{}-s00.webm"])
def test_two_files_of_one_sample_are_refused(prompts: list[Prompt], tmp_path: Path, other: str) -> None:
    folder = touch(tmp_path, [*(f"{prompt.id}.mp4" for prompt in prompts), other.format(prompts[1].id)])
    with pytest.raises(ParametersError, match="are both sample 0 of one prompt"):
        find(folder, prompts)


def test_unequal_numbers_of_samples_are_refused(prompts: list[Prompt], tmp_path: Path) -> None:
    folder = touch(tmp_path, [f"{prompt.id}-s{seed}.mp4" for prompt in prompts for seed in (0, 1)])
    (folder / f"{prompts[2].id}-s1.mp4").unlink()
    with pytest.raises(ParametersError, match=f"most have 2, but {prompts[2].id} has 1; expected the same number"):
        find(folder, prompts)


@pytest.mark.parametrize("end", [".mp4", "-s4.mp4"])
def test_answers_to_what_is_asked_no_longer_are_refused(prompts: list[Prompt], tmp_path: Path, end: str) -> None:
    folder = touch(tmp_path, [f"{prompt.id}{end}" for prompt in prompts])
    place = replace(prompts[1].place, configuration="f" * 64)
    now = [prompts[0], replace(prompts[1], place=place), prompts[2]]
    with pytest.raises(ParametersError) as caught:
        find(folder, now, allow_missing=True)
    assert f"1 videos answer prompts that this split no longer has: {prompts[1].id}{end}" in str(caught.value)
    assert f"where {now[1].id} is asked now" in str(caught.value)
    assert "export the prompts again" in str(caught.value)
