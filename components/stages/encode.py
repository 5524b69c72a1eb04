"""Stage encode@BACKBONE: latents and text embeddings of all training clips, computed once."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.compute import use_cores
from components.errors import StoppedError
from components.files import move_folder, new_folder
from components.model import load_model
from components.pseudo_labels.storage import LabelRow, read_rows, rgb_of
from components.training.encoded import PSEUDO_FILE, TRAIN_FILE, encode_clips, save_encoded
from components.training.simulated import captions_of, videos_of

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "sets"


def run(params: "Params", context: "StageContext", *, backbone: str) -> Mapping[str, float]:
    """Write data/encoded/BACKBONE."""
    use_cores(params.resources)
    model = load_model(Path("models") / backbone / "base")
    folder = new_folder(context.work / "encoded")
    train = Path("data/simulation/train")
    labelled = Path("data/pseudo_labels")
    with context.progress(2) as display:
        captions = [row.caption for row in read_rows(labelled, LabelRow)]
        encoded = encode_clips(rgb_of(labelled), captions, codec=model.codec, text=model.text)
        save_encoded(encoded, folder / PSEUDO_FILE)
        display.advance()
        if context.stopped():
            raise StoppedError(f"encode@{backbone}: stopped; the same command starts it again")
        save_encoded(
            encode_clips(videos_of(train), captions_of(train), codec=model.codec, text=model.text),
            folder / TRAIN_FILE,
        )
        display.advance()
    move_folder(folder, Path("data/encoded") / backbone)
    return {"clips": len(encoded)}
