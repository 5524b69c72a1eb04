"""Checkpoints are read whole or not at all, and what is wrong with one is named."""

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from components.backbones import hub
from components.backbones.open_sora import published
from components.backbones.open_sora.stdit3 import STDiT3
from components.backbones.pretrained import load_pretrained, no_progress_bars
from components.errors import ParametersError
from tests.backbones.open_sora.oracle import TINY, inputs, latents, text, tiny
from tests.backbones.test_hub import MODEL, Hub

Tensors = dict[str, Tensor]


def load_transformer(source: str, revision: str | None = None, *, dtype: torch.dtype = torch.bfloat16) -> STDiT3:
    """Described and loaded, as `prepare` and the stages after it do."""
    return published.load_transformer(published.describe_part("transformer", source, revision), dtype=dtype)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint in the published layout: its configuration, with fields about training too, and one file."""
    published = {
        "model_type": "STDiT3",
        "architectures": ["STDiT3"],
        "class_dropout_prob": 0.1,
        "drop_path": 0.0,
        "enable_flash_attn": True,
        "freeze_y_embedder": True,
        "input_size": [None, None, None],
        "patch_size": [1, 2, 2],
    }
    (tmp_path / "config.json").write_text(json.dumps({**published, **TINY}))
    save_file(tiny().state_dict(), tmp_path / "model.safetensors")
    return tmp_path


def change(folder: Path, edit: Callable[[Tensors], object]) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path)


@torch.no_grad()
def test_a_loaded_model_is_the_saved_one_frozen_and_in_evaluation_mode(folder: Path) -> None:
    model = load_transformer(str(folder), dtype=torch.float32)
    assert not model.training
    assert not any(value.requires_grad for value in model.parameters())
    given = {"text": text(), **inputs()}
    assert torch.equal(model(latents(), **given).sample, tiny()(latents(), **given).sample)


def test_weights_are_kept_in_the_type_asked_for_and_frequencies_in_float32(folder: Path) -> None:
    tensors = load_transformer(str(folder), dtype=torch.bfloat16).state_dict()
    assert tensors.pop("rope.freqs").dtype == torch.float32
    assert {value.dtype for value in tensors.values()} == {torch.bfloat16}


def test_weights_may_be_spread_over_files(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    names = sorted(tensors)
    (folder / "model.safetensors").unlink()
    for number, part in enumerate((names[:40], names[40:])):
        save_file({name: tensors[name] for name in part}, folder / f"model-0000{number}-of-00002.safetensors")
    found = load_transformer(str(folder), dtype=torch.float32).state_dict()
    assert all(torch.equal(found[name], tensors[name]) for name in names)


def test_what_diffusers_saves_is_read_here_and_by_diffusers(tmp_path: Path) -> None:
    model = tiny()
    with no_progress_bars():
        model.save_pretrained(tmp_path)
    for loaded in (load_transformer(str(tmp_path), dtype=torch.float32), load_pretrained(type(model), tmp_path)):
        assert {name: tuple(value.shape) for name, value in loaded.state_dict().items()} == {
            name: tuple(value.shape) for name, value in model.state_dict().items()
        }
        assert all(torch.equal(value, model.state_dict()[name]) for name, value in loaded.state_dict().items())


def test_missing_tensors_are_counted_and_the_first_are_named(folder: Path) -> None:
    def drop(tensors: Tensors) -> None:
        for name in [name for name in tensors if name.startswith("fps_embedder")]:
            del tensors[name]

    change(folder, drop)
    named = "fps_embedder.mlp.0.bias, fps_embedder.mlp.0.weight, fps_embedder.mlp.2.bias, ..."
    with pytest.raises(ParametersError, match=re.escape(f"not the weights of this STDiT3: 4 missing, {named}: give")):
        load_transformer(str(folder))


def test_tensors_that_are_not_expected_are_named(folder: Path) -> None:
    change(folder, lambda tensors: tensors.update({"pos_embed.inv_freq": torch.zeros(3)}))
    with pytest.raises(ParametersError, match=r"1 not expected, pos_embed.inv_freq: give"):
        load_transformer(str(folder))


def test_tensors_of_another_shape_are_named_with_both_shapes(folder: Path) -> None:
    change(folder, lambda tensors: tensors.update({"t_block.1.bias": torch.zeros(5)}))
    with pytest.raises(ParametersError, match=re.escape("1 of another shape, t_block.1.bias [5] for [576]: give")):
        load_transformer(str(folder))


def test_everything_that_is_wrong_is_said_at_once(folder: Path) -> None:
    def edit(tensors: Tensors) -> None:
        tensors["old"] = tensors.pop("final_layer.linear.bias")
        tensors["rope.freqs"] = torch.ones(3)

    change(folder, edit)
    expected = "1 missing, final_layer.linear.bias; 1 not expected, old; 1 of another shape, rope.freqs [3] for [12]"
    with pytest.raises(ParametersError, match=re.escape(expected)):
        load_transformer(str(folder))


def test_other_frequencies_than_the_networks_are_refused(folder: Path) -> None:
    change(folder, lambda tensors: tensors.update({"rope.freqs": tensors["rope.freqs"] / 2}))
    with pytest.raises(ParametersError, match=r"rope.freqs is \[0.5, "):
        load_transformer(str(folder))


def test_pickles_are_not_read_and_named(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(tiny().state_dict(), folder / "model.pth")
    with pytest.raises(ParametersError, match=r"only model.pth, which may be a pickle .* download model.safetensors"):
        load_transformer(str(folder))


def test_a_pickle_under_a_safe_name_is_not_read(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(pickle.dumps(Trap(folder / "sprung")))
    with pytest.raises(ParametersError, match=r"model.safetensors: not readable as safetensors"):
        load_transformer(str(folder))
    assert not (folder / "sprung").exists()


class Trap:
    """What leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_tensor_in_two_files_is_refused(folder: Path) -> None:
    save_file({"t_block.1.bias": torch.zeros(576)}, folder / "other.safetensors")
    with pytest.raises(ParametersError, match=r"other.safetensors: t_block.1.bias is in another file of the folder"):
        load_transformer(str(folder))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("model_type", "STDiT2", "config.json says model_type: STDiT2, expected STDiT3"),
        ("qk_norm_legacy", True, "config.json says qk_norm_legacy: True, expected False"),
        ("depth", 3, "17 missing|34 missing"),
        ("patch_size", [2, 2, 2], r"patch_size: \[2, 2, 2\] is wrong"),
    ],
)
def test_a_configuration_of_another_model_is_refused(folder: Path, field: str, value: object, message: str) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(ParametersError, match=message):
        load_transformer(str(folder))


def test_a_folder_without_a_configuration_is_refused(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(ParametersError, match=r"config.json is not there: give hpcai-tech/OpenSora-STDiT-v3"):
        load_transformer(str(folder))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match=r"expected weights as \*.safetensors, none is there"):
        load_transformer(str(tmp_path))


@pytest.mark.parametrize("large", [0, 2**30])
def test_a_model_on_the_hub_is_pinned_and_loaded_without_its_pickles(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    """Whether its files are large or small: their sha256 comes from the hub, or is computed."""
    (folder / "model.pth").write_bytes(b"pickled")
    served = serve(folder, tmp_path_factory.mktemp("cache"), monkeypatch)
    monkeypatch.setattr(hub, "SMALL", large)
    model = load_transformer(MODEL, dtype=torch.float32)
    found, expected = model.state_dict(), tiny().state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in found.items())
    assert set(served.downloaded) == {"config.json", "model.safetensors"}


def test_a_model_on_the_hub_with_pickles_alone_is_refused_before_a_download(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "model.safetensors").rename(folder / "model.pth")
    served = serve(folder, tmp_path_factory.mktemp("cache"), monkeypatch)
    with pytest.raises(ParametersError, match=rf"{MODEL}: expected weights as \*.safetensors"):
        load_transformer(MODEL)
    assert served.downloaded == ["config.json"]


def serve(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The folder on a hub."""
    served = Hub(folder, cache)
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda _, *args, **named: served.model_info(*args, **named))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", served.download)
    monkeypatch.setattr("huggingface_hub.snapshot_download", served.download_all)
    return served


def test_a_folder_has_no_revision(folder: Path) -> None:
    with pytest.raises(ParametersError, match="a folder has no revision, but main was given"):
        load_transformer(str(folder), "main")
