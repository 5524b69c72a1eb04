"""What MLflow runs when it loads a version: a prompt and a picture become video, depth and motion.

MLflow keeps this file as code beside the model and runs it when the model is loaded: there is no pickle. It needs the
modules of `components` that stand in the version's folder `code`, and the packages of its requirements.txt.

Input: a dict for one video, or a pandas table with a line for each
    prompt   what is in the first frame
    image    the first frame, any picture file's bytes (PNG, JPEG, WebP, TIFF) as base64 text
    seed     another seed, another future; 0 when it is not given
Parameter `steps`: of the sampler; 0 is those the model was evaluated with.

Output: a list with a dict of arrays for each line, T frames of HxW
    rgb           uint8 T,H,W,3
    depth         float32 T,H,W metres             foreground  float32 T,H,W in 0..1
    flow          float32 T-1,H,W,2 pixels         visibility  float32 T-1,H,W in 0..1
    depth_change  float32 T-1,H,W metres
"""

import base64
import binascii
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

from components.errors import ParametersError
from components.generate import generate
from components.input_image import load_image
from components.model import load_model

FIELDS = ("depth", "foreground", "flow", "depth_change", "visibility")


class Served(PythonModel):  # type: ignore[misc]  # mlflow has no types
    """A version's model."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model; every file is held against the sha256 of its manifest."""
        base, variant = (Path(context.artifacts[name]) for name in ("base", "stage3"))
        self.model = load_model(base, variant)
        self.settings: dict[str, Any] = dict(context.model_config)

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: Any = None) -> Any:  # noqa: ANN401 -- MLflow reads the types
        """The lines' videos; ParametersError for an image that is none."""
        steps = int((params or {}).get("steps") or self.settings["sampler_steps"])
        return [self._generate(line, steps) for line in model_input.to_dict("records")]

    def _generate(self, line: dict[str, Any], steps: int) -> dict[str, Any]:
        for name in ("prompt", "image"):
            if not isinstance(line[name], str):
                kind = type(line[name]).__name__
                raise ParametersError(f"{name}: a {kind}, expected text: give several lines as a pandas table")
        seed = line.get("seed")
        image = _picture(line["image"], height=self.settings["height"], width=self.settings["width"])
        made = generate(
            self.model,
            images=image[None],
            captions=[line["prompt"]],
            frames=self.settings["frames"],
            seeds=[0 if seed is None or seed != seed else int(seed)],  # noqa: PLR0124 -- NaN is what pandas has for none
            steps=steps,
            noise_level=self.settings["noise_level"],
        )
        arrays = {name: np.asarray(getattr(made, name)[0], np.float32) for name in FIELDS}
        return {"rgb": made.rgb[0], **arrays}


def _picture(text: str, *, height: int, width: int) -> Any:  # noqa: ANN401 -- an array
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ParametersError(
            f"image: not base64 ({error}), expected the bytes of a picture file as base64 text"
        ) from error
    with TemporaryDirectory() as folder:
        path = Path(folder) / "image"
        path.write_bytes(content)
        return np.array(load_image(path, height=height, width=width))  # one that can be written to


mlflow.models.set_model(Served())
