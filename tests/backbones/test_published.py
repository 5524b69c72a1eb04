"""A base that names published weights: its manifest is all it holds, and a model of any family is loaded by it."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from components.backbones.family import VideoShape, family
from components.backbones.published import write_manifest
from components.errors import ParametersError, Phys4dError
from components.model import load_model
from components.parameters.backbones import BackboneParams, Tiny
from tests.backbones.cogvideox import tiny as cogvideox
from tests.backbones.ltx_video import tiny as ltx_video
from tests.backbones.open_sora.oracle import tiny as tiny_stdit3
from tests.backbones.open_sora.tiny_vae import tiny_vae

TINY = Tiny(layers=1, heads=1, head_width=16, time_shift=3.0)
VIDEOS = {
    "wan22": VideoShape(frames=9, height=32, width=64, fps=8.0),
    "cogvideox": VideoShape(frames=cogvideox.FRAMES, height=cogvideox.HEIGHT, width=cogvideox.WIDTH, fps=8.0),
    "open_sora": VideoShape(frames=17, height=32, width=48, fps=8.0),
    "ltx_video": ltx_video.VIDEO,
}
SIZES = {"wan22": "5b", "cogvideox": "5b", "open_sora": "1b", "ltx_video": "2b"}
FOLDERS = {"wan22": "pipeline_folder"} | {name: f"{name}_folder" for name in ("cogvideox", "open_sora", "ltx_video")}


@pytest.fixture(scope="module")
def open_sora_folder(cogvideox_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("open_sora")
    tiny_stdit3().save_pretrained(folder / "transformer")
    tiny_vae().save_pretrained(folder / "vae")
    for part in ("text_encoder", "tokenizer"):
        shutil.copytree(cogvideox_folder / part, folder / part)
    return folder


@pytest.fixture(params=list(VIDEOS))
def published(request: pytest.FixtureRequest) -> tuple[str, Path]:
    folder: Path = request.getfixturevalue(FOLDERS[request.param])
    return request.param, folder


def section(name: str, source: Path | None) -> BackboneParams:
    return BackboneParams(size=SIZES[name], source=str(source) if source else None, revision=None, tiny=TINY)


def write(folder: Path, name: str, source: Path) -> float:
    return write_manifest(folder, name=name, section=section(name, source), video=VIDEOS[name])["files"]


def test_it_is_loaded_as_a_model_of_its_family_and_size(published: tuple[str, Path], tmp_path: Path) -> None:
    name, source = published
    write(tmp_path, name, source)
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]
    model = load_model(tmp_path)
    assert (model.backbone.name, model.backbone.size) == (name, SIZES[name])
    assert model.codec.channels == model.backbone.channels
    assert model.backbone.transformer.dtype == torch.bfloat16
    assert not any(value.requires_grad for value in model.backbone.transformer.parameters())
    assert model.text.encode(["a red ball falls"]).isfinite().all()


def test_it_names_every_file_and_is_the_same_in_every_run(published: tuple[str, Path], tmp_path: Path) -> None:
    name, source = published
    parts = family(name).describe(str(source), None)
    for folder in ("one", "two"):
        assert write(tmp_path / folder, name, source) == sum(len(part.files) for part in parts.values())
    assert (tmp_path / "one/model.json").read_bytes() == (tmp_path / "two/model.json").read_bytes()
    facts = json.loads((tmp_path / "one/model.json").read_text())["facts"]
    assert {part: facts["parts"][part]["files"] for part in parts} == {
        part: dict(described.files) for part, described in parts.items()
    }


def test_weights_that_changed_since_are_refused(published: tuple[str, Path], tmp_path: Path) -> None:
    name, source = published
    copy = shutil.copytree(source, tmp_path / "source")
    write(tmp_path / "base", name, copy)
    weights = next((copy / "transformer").glob("*.safetensors"))
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(Phys4dError, match=f"{weights.name} is another file"):
        load_model(tmp_path / "base")


def test_pickled_weights_are_refused(published: tuple[str, Path], tmp_path: Path) -> None:
    name, source = published
    copy = shutil.copytree(source, tmp_path / "source")
    weights = next((copy / "transformer").glob("*.safetensors"))
    weights.rename(weights.with_name("diffusion_pytorch_model.bin"))
    with pytest.raises(
        ParametersError,
        match=r"no safetensors .* pickled weights are not read|expected weights as \*\.safetensors, only",
    ):
        write(tmp_path / "base", name, copy)


def test_videos_that_the_model_has_not_are_refused(published: tuple[str, Path], tmp_path: Path) -> None:
    name, source = published
    video = VideoShape(frames=8, height=32, width=48, fps=8.0)
    write_manifest(tmp_path, name=name, section=section(name, source), video=video)
    with pytest.raises(ParametersError, match=f"video.frames: 8 does not fit backbone {name}"):
        load_model(tmp_path)


def test_a_size_without_a_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match=r"backbones.wan22.source: empty, expected .* for size 5b"):
        write_manifest(tmp_path, name="wan22", section=section("wan22", None), video=VIDEOS["wan22"])


def test_a_manifest_of_an_earlier_version_is_refused(pipeline_folder: Path, tmp_path: Path) -> None:
    write(tmp_path, "wan22", pipeline_folder)
    path = tmp_path / "model.json"
    manifest = json.loads(path.read_text())
    del manifest["facts"]["parts"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(Phys4dError, match=r"does not name its files .*'parts'.*: run the stage prepare again"):
        load_model(tmp_path)


def test_a_part_of_another_family_is_refused(cogvideox_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match=r"UMT5EncoderModel|WanImageToVideoPipeline"):
        write(tmp_path, "wan22", cogvideox_folder)


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(Phys4dError, match="no backbone 'mochi'"):
        family("mochi")
