"""Where CogVideoX's tokens stand: which grids a checkpoint has positions for, and their rotary embedding."""

from typing import Any

from torch import Tensor, device

from components.errors import ParametersError

STRIDE = 8  # pixels that a latent pixel covers along height and width
CHUNK = 4  # frames a latent frame covers, the first alone excepted
PAIR = 2  # latent frames that the autoencoder decodes together, the first three excepted

Config = Any  # of the transformer: diffusers' configurations have no types


def check_frames(config: Config, frames: int) -> None:
    """Raise ParametersError when the autoencoder, or a learned table, has no videos of so many frames."""
    wrong = f"video.frames: {frames} does not fit backbone cogvideox, expected"
    if config.use_learned_positional_embeddings:
        if frames != config.sample_frames:
            raise ParametersError(
                f"{wrong} {config.sample_frames}, the only number its learned positions know: write that"
            )
    elif frames < 1 or frames % (CHUNK * PAIR) != 1:
        nearest = CHUNK * PAIR * max(1, round((frames - 1) / (CHUNK * PAIR))) + 1
        raise ParametersError(f"{wrong} {CHUNK * PAIR} k + 1: write {nearest}")


def check_grid(config: Config, *, frames: int, height: int, width: int, tokens: int) -> None:
    """Raise ParametersError when latents (frames, height, width) or so many text tokens are not the checkpoint's.

    diffusers itself takes other positions than the learned ones for another number of frames, without a word.
    """
    check_frames(config, CHUNK * (frames - 1) + 1)
    if config.use_learned_positional_embeddings:
        native = (config.sample_height, config.sample_width)
        if (height, width) != native:
            raise ParametersError(
                f"latents of {height}x{width} do not fit backbone cogvideox, expected {native[0]}x{native[1]}, the "
                f"only size its learned positions know: write video.height {native[0] * STRIDE} and video.width "
                f"{native[1] * STRIDE}"
            )
    elif height % config.patch_size or width % config.patch_size:
        raise ParametersError(
            f"latents of {height}x{width} do not fit backbone cogvideox, expected multiples of {config.patch_size}: "
            f"write multiples of {STRIDE * config.patch_size} into video.height and video.width"
        )
    if tokens != config.max_text_seq_length:
        raise ParametersError(
            f"text of {tokens} tokens does not fit backbone cogvideox, expected {config.max_text_seq_length}: encode "
            "the captions with its own text encoder"
        )


def rotary(config: Config, *, frames: int, height: int, width: int, place: device) -> tuple[Tensor, Tensor] | None:
    """Cosines and sines (frames height width, head width) of a grid of tokens; None for a checkpoint without rotation.

    Rows and columns of another size than the native one lie within the native grid, in its middle, and keep their
    shape: the published pipeline's own choice.
    """
    from diffusers.models.embeddings import get_3d_rotary_pos_embed

    if not config.use_rotary_positional_embeddings:
        return None
    native_height, native_width = (side // config.patch_size for side in (config.sample_height, config.sample_width))
    scale = min(native_height / height, native_width / width)
    within = round(height * scale), round(width * scale)
    start = round((native_height - within[0]) / 2), round((native_width - within[1]) / 2)
    crop = (start, (start[0] + within[0], start[1] + within[1]))
    cosines, sines = get_3d_rotary_pos_embed(
        config.attention_head_dim, crop, (height, width), temporal_size=frames, device=place
    )
    return cosines, sines
