"""What the folder of a published Wan2.2-TI2V pipeline holds: diffusers' layout, read from its configurations alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from components.backbones.wan import CHUNK, TIME_UNITS
from components.errors import ParametersError

INDEX = "model_index.json"
PIPELINES = ("WanImageToVideoPipeline", "WanPipeline")
MODELS = {"transformer": "WanTransformer3DModel", "vae": "AutoencoderKLWan", "text_encoder": "UMT5EncoderModel"}
CONFIGS = {**dict.fromkeys(MODELS, "config.json"), "scheduler": "scheduler_config.json"}
PARTS = (*CONFIGS, "tokenizer")
SUFFIXES = (".json", ".safetensors", ".model", ".txt")  # .model: a sentencepiece vocabulary
ADVICE = "write Wan-AI/Wan2.2-TI2V-5B-Diffusers, or a folder of its layout, into backbones.wan22.source"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the adapter must know of the pipeline beside its weights."""

    time_shift: float


def is_pipeline_file(path: str) -> bool:
    """Whether the pipeline is loaded from this file: its index, or a part's configuration, weights or vocabulary."""
    place = PurePosixPath(path)
    if len(place.parts) == 1:
        return path == INDEX
    return len(place.parts) == 2 and place.parts[0] in PARTS and place.suffix in SUFFIXES


def check_files(files: Mapping[str, str], *, source: str) -> None:
    """ParametersError when a part of the pipeline, or its weights as safetensors, is not among the files."""
    if INDEX not in files:
        raise ParametersError(f"{source}: no {INDEX}, so it is not a pipeline in diffusers' layout: {ADVICE}")
    for part in PARTS:
        if not any(path.startswith(f"{part}/") for path in files):
            raise ParametersError(f"{source}: no {part}/, expected {', '.join(PARTS)}: {ADVICE}")
    for part in MODELS:
        if not any(path.startswith(f"{part}/") and path.endswith(".safetensors") for path in files):
            raise ParametersError(
                f"{source}: no safetensors in {part}/, and pickled weights are not read: save it with "
                "safe_serialization=True"
            )


def read_layout(folder: Path, *, source: str) -> Layout:
    """Read the configurations; ParametersError names the first thing that is not as in Wan2.2-TI2V."""
    index = _Config(folder, INDEX, source)
    index.expect("_class_name", PIPELINES)
    index.expect("expand_timesteps", (True,))  # the given frame's tokens have time 0: TI2V alone
    index.expect("transformer_2", (None, [None, None]))  # the 14B models' second expert
    for part, kind in MODELS.items():
        index.expect(part, (["diffusers", kind], ["transformers", kind]))
    transformer, vae, text, scheduler = (_Config(folder, f"{part}/{name}", source) for part, name in CONFIGS.items())
    channels = vae.values.get("z_dim")
    transformer.expect("patch_size", ([1, 2, 2],))
    transformer.expect("in_channels", (channels,))
    transformer.expect("out_channels", (channels,))
    transformer.expect("image_dim", (None,))
    transformer.expect("text_dim", (text.values.get("d_model"),))
    vae.expect("scale_factor_temporal", (CHUNK,))
    scheduler.expect("num_train_timesteps", (TIME_UNITS,))
    scheduler.expect("prediction_type", (None, "flow_prediction"))
    scheduler.expect("use_dynamic_shifting", (None, False))
    return Layout(time_shift=scheduler.number("flow_shift", "shift"))


class _Config:
    """One configuration file and where it came from."""

    def __init__(self, folder: Path, path: str, source: str) -> None:
        self._name = f"{source}: {path}"
        try:
            self.values: dict[str, Any] = dict(json.loads((folder / path).read_text()))
        except FileNotFoundError:
            raise ParametersError(f"{self._name} is not there: {ADVICE}") from None
        except (ValueError, TypeError) as error:
            raise ParametersError(f"{self._name} is not readable ({error}): download it again") from error

    def expect(self, field: str, allowed: tuple[object, ...]) -> None:
        """Raise when a field has none of the allowed values; one that is absent is None."""
        value = self.values.get(field)
        if value not in allowed:
            expected = " or ".join(str(one) for one in allowed if one is not None)
            raise ParametersError(f"{self._name} says {field}: {value}, expected {expected}: {ADVICE}")

    def number(self, *fields: str) -> float:
        """The first of the fields that is a number: schedulers name the same thing differently."""
        for field in fields:
            if isinstance(value := self.values.get(field), int | float):
                return float(value)
        raise ParametersError(f"{self._name} has no number in {' or '.join(fields)}: {ADVICE}")
