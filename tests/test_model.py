"""A model's folders: what comes back is the same model, and what is not the same is refused by its name."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from components.backbones.adapters import own_tensors
from components.errors import Phys4dError
from components.generate import Generated, generate
from components.heads import Heads
from components.manifest import MANIFEST, manifest_hash, read_manifest, verify
from components.model import (
    HEADS_FILE,
    LOSSES_FILE,
    TRANSFORMER_FILE,
    Model,
    load_changes,
    load_heads,
    load_model,
    save_heads,
)
from tests.training.folders import write_adapters, write_base, write_blocks, write_heads_alone
from tests.training.twins import (
    CAPTIONS,
    FRAMES,
    assert_same,
    copies,
    make_backbone,
    make_heads,
    make_world,
    one_thread,
)


@pytest.fixture(autouse=True, scope="module")
def small_tensors() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base and its stages: heads, blocks, an adapter above the blocks; only to be read."""
    root = tmp_path_factory.mktemp("models")
    write_base(root / "base")
    write_heads_alone(root / "stage1", root / "base")
    write_blocks(root / "stage2", root / "base", root / "stage1")
    write_adapters(root / "stage3", root / "base", root / "stage2", "stage3")
    return root


def draw(model: Model) -> Generated:
    return generate(
        model,
        images=make_world(2).rgb[:, 0],
        captions=list(CAPTIONS),
        frames=FRAMES,
        seeds=[1, 2],
        steps=3,
        noise_level=0.05,
    )


def assert_equal(left: Generated, right: Generated) -> None:
    assert torch.equal(left.latents, right.latents)
    for field in ("rgb", "depth", "foreground", "flow", "depth_change", "visibility"):
        one, other = getattr(left, field), getattr(right, field)
        assert one is not None, field
        assert one.tobytes() == other.tobytes(), field


class TestRoundTrip:
    def test_blocks(self, models: Path, tmp_path: Path) -> None:
        folder, model = write_blocks(tmp_path / "stage2", models / "base", models / "stage1")
        assert_equal(draw(load_model(models / "base", folder)), draw(model))

    def test_an_adapter_above_blocks(self, models: Path, tmp_path: Path) -> None:
        """The folder of stage 3 is complete beside its base: it brings the blocks of stage 2 too."""
        folder, model = write_adapters(tmp_path / "stage3", models / "base", models / "stage2", "stage3")
        loaded = load_model(models / "base", folder)
        assert_equal(draw(loaded), draw(model))
        assert loaded.changed == load_model(models / "base", models / "stage2").changed != ()
        assert_same(load_file(folder / TRANSFORMER_FILE), load_file(models / "stage2" / TRANSFORMER_FILE))

    def test_an_adapter_above_an_adapter(self, models: Path, tmp_path: Path) -> None:
        folder, model = write_adapters(tmp_path / "x", models / "base", models / "stage1", "stage2", "stage3")
        assert_equal(draw(load_model(models / "base", folder)), draw(model))

    def test_every_stage_draws_another_video_but_the_first(self, models: Path) -> None:
        drawn = [draw(load_model(models / "base", models / stage)) for stage in ("stage1", "stage2", "stage3")]
        base = draw(load_model(models / "base"))
        assert torch.equal(base.latents, drawn[0].latents)
        assert base.depth is None
        for one, other in ((0, 1), (1, 2)):
            assert not torch.equal(drawn[one].latents, drawn[other].latents)

    def test_the_same_model_has_the_same_bytes(self, models: Path, tmp_path: Path) -> None:
        folder, _ = write_adapters(tmp_path / "stage3", models / "base", models / "stage2", "stage3")
        assert manifest_hash(folder) == manifest_hash(models / "stage3")

    def test_heads_have_the_same_bytes_whenever_they_are_written(self, tmp_path: Path) -> None:
        written = set()
        for _ in range(8):
            save_heads(make_heads(), tmp_path)
            written.add((tmp_path / HEADS_FILE).read_bytes())
        assert len(written) == 1

    def test_nothing_of_a_loaded_model_trains(self, models: Path) -> None:
        model = load_model(models / "base", models / "stage3")
        modules = (model.backbone.transformer, model.with_heads)
        assert not any(value.requires_grad for module in modules for value in module.parameters())
        assert not any(module.training for owner in modules for module in owner.modules())

    def test_loading_draws_nothing_from_the_global_generator(self, models: Path) -> None:
        before = torch.get_rng_state()
        load_model(models / "base", models / "stage3")
        assert torch.equal(torch.get_rng_state(), before)

    def test_two_models_share_no_weights(self, models: Path) -> None:
        one, other = (load_model(models / "base", models / "stage2") for _ in range(2))
        kept = copies(own_tensors(other.backbone))
        for value in own_tensors(one.backbone).values():
            value.zero_()
        assert_same(own_tensors(other.backbone), kept)


class TestManifest:
    def test_it_names_every_file_and_the_model_it_was_made_from(self, models: Path) -> None:
        manifest = read_manifest(models / "stage3")
        assert set(manifest.files) == {HEADS_FILE, TRANSFORMER_FILE, "adapter-stage3.safetensors", LOSSES_FILE}
        assert (manifest.backbone, manifest.size, manifest.stage) == ("wan22", "tiny", "stage3")
        assert manifest.parent == manifest_hash(models / "stage2")
        assert read_manifest(models / "base").parent is None

    @pytest.mark.parametrize(
        "name",
        ["heads.safetensors", "transformer.safetensors", "adapter-stage3.safetensors", "losses.csv"],
    )
    def test_a_changed_byte_is_found_in_its_file(self, models: Path, tmp_path: Path, name: str) -> None:
        folder = tmp_path / "stage3"
        shutil.copytree(models / "stage3", folder)
        content = bytearray((folder / name).read_bytes())
        content[-1] ^= 1
        (folder / name).write_bytes(content)
        with pytest.raises(Phys4dError, match=rf"stage3/{name}: not the file that model.json names: run dvc checkout"):
            load_model(models / "base", folder)

    def test_a_changed_byte_of_the_base_is_found_too(self, models: Path, tmp_path: Path) -> None:
        shutil.copytree(models / "base", tmp_path / "base")
        path = tmp_path / "base/transformer/diffusion_pytorch_model.safetensors"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        with pytest.raises(Phys4dError, match=r"base/transformer/diffusion_pytorch_model\.safetensors: not the file"):
            load_model(tmp_path / "base")

    @pytest.mark.parametrize("change", ["gone", "extra"])
    def test_a_missing_and_an_extra_file_are_found(self, models: Path, tmp_path: Path, change: str) -> None:
        folder = tmp_path / "stage3"
        shutil.copytree(models / "stage3", folder)
        if change == "gone":
            (folder / HEADS_FILE).unlink()
        else:
            (folder / "adapter-stage2.safetensors").write_bytes(b"")
        with pytest.raises(Phys4dError, match=HEADS_FILE if change == "gone" else "adapter-stage2"):
            verify(folder)

    def test_a_folder_that_is_no_model_says_what_to_run(self, tmp_path: Path) -> None:
        with pytest.raises(Phys4dError, match=r"model\.json: not found, expected a model's folder: run dvc repro"):
            load_model(tmp_path)

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"backbone": "wan22"}', "null"])
    def test_a_manifest_that_is_none_is_named(self, tmp_path: Path, text: str) -> None:
        (tmp_path / MANIFEST).write_text(text)
        with pytest.raises(Phys4dError, match=r"model\.json: not a model's manifest"):
            load_model(tmp_path)


class TestRefusal:
    def reseal(self, folder: Path, **changes: object) -> None:
        manifest = json.loads((folder / MANIFEST).read_text())
        (folder / MANIFEST).write_text(json.dumps({**manifest, **changes}))

    @pytest.mark.parametrize("change", [{"size": "5b"}, {"backbone": "cogvideox"}])
    def test_a_variant_of_another_size_or_backbone(self, models: Path, tmp_path: Path, change: dict[str, str]) -> None:
        shutil.copytree(models / "stage3", tmp_path / "stage3")
        self.reseal(tmp_path / "stage3", **change)
        found = " ".join(({"backbone": "wan22", "size": "tiny"} | change).values())
        with pytest.raises(Phys4dError, match=f"made for {found}, but .*base holds wan22 tiny: give the base it was"):
            load_model(models / "base", tmp_path / "stage3")

    def test_a_variant_of_a_base_of_the_same_shape(self, models: Path, tmp_path: Path) -> None:
        base = write_base(tmp_path / "base", seed=1)
        with pytest.raises(
            Phys4dError, match=r"stage3: made from the base [0-9a-f]{64}, but .*base is [0-9a-f]{64}: run"
        ):
            load_model(base, models / "stage3")

    def test_heads_for_a_wider_transformer(self, models: Path, tmp_path: Path) -> None:
        folder = write_heads_alone(tmp_path / "stage1", models / "base", tap_width=96)
        with pytest.raises(Phys4dError, match=r"heads\.safetensors: heads of tap_width 96, expected 64, the base's"):
            load_model(models / "base", folder)

    def test_heads_whose_tensors_are_not_of_their_shape(self, tmp_path: Path) -> None:
        save_heads(make_heads(width=12), tmp_path)
        path = tmp_path / HEADS_FILE
        save_file(load_file(path), path, {"shape": json.dumps(vars(make_heads(width=16).shape))})
        with pytest.raises(Phys4dError, match=r"heads\.safetensors: \S+ has shape \[12\S*.*\], expected \[16.*\]"):
            load_heads(tmp_path)

    def test_blocks_of_a_wider_transformer(self, models: Path, tmp_path: Path) -> None:
        base = write_base(tmp_path / "base", heads=3)
        backbone = load_model(base).backbone
        with pytest.raises(Phys4dError, match=r"transformer\.safetensors: \S+ has shape \[.*64.*\], expected \[.*96"):
            load_changes(backbone, models / "stage2")

    def test_blocks_of_a_deeper_transformer(self, models: Path) -> None:
        with pytest.raises(Phys4dError, match=r"transformer\.safetensors: blocks\.1\.\S+ is not in the model"):
            load_changes(make_backbone(layers=1), models / "stage2")

    def test_a_base_has_no_heads(self, models: Path) -> None:
        with pytest.raises(Phys4dError, match="this model is a base and has no heads: give a stage's folder"):
            _ = load_model(models / "base").with_heads


def test_heads_come_back_with_their_shape_and_are_frozen(tmp_path: Path) -> None:
    heads = make_heads(width=16, seed=4)
    save_heads(heads, tmp_path)
    loaded = load_heads(tmp_path)
    assert loaded.shape == heads.shape
    assert_same(loaded.state_dict(), heads.state_dict())
    assert not any(value.requires_grad for value in loaded.parameters())


def test_heads_of_four_slots_are_written_as_before_slots_were_a_number(tmp_path: Path) -> None:
    """The same bytes; and other numbers of slots come back."""
    save_heads(make_heads(), tmp_path)
    with safe_open(tmp_path / HEADS_FILE, "pt") as file:
        assert sorted(json.loads(file.metadata()["shape"])) == [
            "channels",
            "patch",
            "stride",
            "tap_width",
            "taps",
            "width",
        ]
    eight = Heads(replace(make_heads().shape, slots=8))
    save_heads(eight, tmp_path)
    assert load_heads(tmp_path).shape == eight.shape


def test_a_model_reads_as_many_blocks_as_its_heads_have_taps(models: Path) -> None:
    assert load_model(models / "base").taps == ()
    model = load_model(models / "base", models / "stage1")
    assert model.taps == (0, 1)
    assert replace(model, heads=None).taps == ()
