"""What another model is given: first frames and what is said of them, and nothing of what happens."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from components.clip import Clip
from components.errors import ParametersError, Phys4dError
from components.evaluation.external import export as module
from components.evaluation.external.export import export_prompts
from components.evaluation.external.prompts import Prompt, read_prompts
from tests.clips import make_clip
from tests.evaluation.scenes import Disc, disc_clip
from tests.evaluation.splits import write_split


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_split(tmp_path_factory.mktemp("data") / "test", configurations=3)


def export(split: Path, out: Path) -> module.Exported:
    return export_prompts(split, out, progress=lambda done, total: None)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_prompt_has_its_first_frame_and_its_line(split: Path, tmp_path: Path) -> None:
    exported = export(split, tmp_path / "out")
    prompts = read_prompts(split)
    assert (exported.prompts, exported.replaced) == (3, False)
    lines = [json.loads(line) for line in (tmp_path / "out/prompts.jsonl").read_text().splitlines()]
    with (tmp_path / "out/prompts.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{key: str(value) for key, value in line.items()} for line in lines]
    for prompt, line in zip(prompts, lines, strict=True):
        clip = prompt.place.read().take1
        assert line == {
            "id": prompt.id,
            "video": f"{prompt.id}.mp4",
            "first_frame": f"first_frames/{prompt.id}.png",
            "caption_initial": clip.meta.caption_initial,
            "seconds": 0.5625,
            "fps": 16,
            "frames": 9,
            "width": 64,
            "height": 64,
            "view": 0,
        }
        picture = cv2.imread(str(tmp_path / "out" / line["first_frame"]))
        assert picture is not None
        np.testing.assert_array_equal(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), clip.rgb[0])
    assert f"{prompts[0].id}-s0.mp4" in (tmp_path / "out/README.md").read_text()


def test_nothing_says_what_happens(split: Path, tmp_path: Path) -> None:
    export(split, tmp_path / "out")
    written = files(tmp_path / "out")
    pictures = {f"first_frames/{prompt.id}.png" for prompt in read_prompts(split)}
    assert set(written) == {"README.md", "prompts.csv", "prompts.jsonl", "export.json", *pictures}
    whole = make_clip().meta.caption
    assert whole != make_clip().meta.caption_initial
    assert not any(whole.encode() in content for content in written.values())


def test_the_export_says_which_configurations_it_asks_for(split: Path, tmp_path: Path) -> None:
    export(split, tmp_path / "out")
    manifest = json.loads((tmp_path / "out/export.json").read_text())
    assert manifest["split"] == "test"
    assert manifest["configurations"] == {prompt.id: prompt.place.configuration for prompt in read_prompts(split)}


def test_the_same_prompts_give_the_same_bytes_and_replace_an_earlier_export(split: Path, tmp_path: Path) -> None:
    export(split, tmp_path / "out")
    first = files(tmp_path / "out")
    (tmp_path / "out/README.md").write_text("edited")
    assert export(split, tmp_path / "out").replaced
    assert files(tmp_path / "out") == first
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_export_of_another_split_replaces_it_whole(split: Path, tmp_path: Path) -> None:
    export(write_split(tmp_path / "large/test", configurations=5), tmp_path / "out")
    export(split, tmp_path / "out")
    assert len(list((tmp_path / "out/first_frames").iterdir())) == 3


def test_a_folder_that_holds_anything_else_is_left_alone(split: Path, tmp_path: Path) -> None:
    export(split, tmp_path / "out")
    (tmp_path / "out/answer.mp4").write_bytes(b"mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    (tmp_path / "folders/below").mkdir(parents=True)
    before = files(tmp_path)
    for out, found in {"out": "answer.mp4", "mine": "notes.txt", "folders": "folders"}.items():
        with pytest.raises(ParametersError, match=f"holds {found}, which is of no export"):
            export(split, tmp_path / out)
    with pytest.raises(ParametersError, match="is a file, expected a folder"):
        export(split, tmp_path / "mine/notes.txt/below")
    assert files(tmp_path) == before


def test_an_export_that_fails_leaves_the_earlier_one(
    split: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(split, tmp_path / "out")
    first = files(tmp_path)

    def fail(_: Prompt) -> bytes:
        raise Phys4dError("damaged")

    monkeypatch.setattr(module, "_first_frame", fail)
    with pytest.raises(Phys4dError):
        export(split, tmp_path / "out")
    assert files(tmp_path) == first


def test_an_id_stands_for_all_that_is_asked(split: Path) -> None:
    prompt = read_prompts(split)[0]
    assert prompt.id.startswith(f"{prompt.clip_id}-")
    others = [
        replace(prompt, place=replace(prompt.place, configuration="0" * 64)),
        replace(prompt, caption_initial="A ball."),
        replace(prompt, view=1),
        replace(prompt, camera=(*prompt.camera[:-5], 1.5, *prompt.camera[-4:])),  # 1.5 m further away
        replace(prompt, frames=17),
        replace(prompt, fps=24),
        replace(prompt, width=128),
    ]
    assert len({prompt.id, *(other.id for other in others)}) == 1 + len(others)
    assert replace(prompt).id == prompt.id


def test_another_camera_asks_something_else_and_a_trembling_digit_does_not(split: Path, tmp_path: Path) -> None:
    ids = [prompt.id for prompt in read_prompts(split)]

    def seen(*, focal: float) -> list[str]:
        def clip_of(*discs: Disc, configuration: int, take: int) -> Clip:
            clip = disc_clip(*discs, configuration=configuration, take=take)
            scale = np.array([[focal, 1, 1], [1, focal, 1], [1, 1, 1]], np.float32)
            return replace(clip, intrinsics=clip.intrinsics * scale)

        folder = write_split(tmp_path / f"{focal}", configurations=3, clip_of=clip_of)
        return [prompt.id for prompt in read_prompts(folder)]

    assert seen(focal=1 + 1e-7) == ids
    assert set(seen(focal=1.1)) & set(ids) == set()
