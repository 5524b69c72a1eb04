"""What the folder of a published Wan2.2-TI2V pipeline holds, read from its configurations alone."""

from dataclasses import dataclass
from pathlib import Path

from components.backbones.pipeline_files import PipelineKind
from components.backbones.wan22.backbone import CHUNK, TIME_UNITS

PIPELINE = PipelineKind(
    names=("WanImageToVideoPipeline", "WanPipeline"),
    models={"transformer": "WanTransformer3DModel", "vae": "AutoencoderKLWan", "text_encoder": "UMT5EncoderModel"},
    advice="write Wan-AI/Wan2.2-TI2V-5B-Diffusers, or a folder of its layout, into backbones.wan22.source",
)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the adapter must know of the pipeline beside its weights."""

    time_shift: float


def read_layout(folder: Path, *, source: str) -> Layout:
    """Read the configurations; ParametersError names the first thing that is not as in Wan2.2-TI2V."""
    index, transformer, vae, text, scheduler = PIPELINE.configurations(folder, source=source)
    index.expect("expand_timesteps", (True,))  # the given frame's tokens have time 0: TI2V alone
    index.expect("transformer_2", (None, [None, None]))  # the 14B models' second expert
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
