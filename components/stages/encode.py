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

UNIT = "clips"


def run(params: "Params", context: "StageContext", *, backbone: str) -> Mapping[str, float]:
    """Write data/encoded/BACKBONE."""
    use_cores(params.resources, beside=params.resources.trainings)
    model = load_model(Path("models") / backbone / "base")
    folder = new_folder(context.work / "encoded")
    train, labelled = Path("data/simulation/train"), Path("data/pseudo_labels")
    sets = {
        PSEUDO_FILE: (rgb_of(labelled), [row.caption for row in read_rows(labelled, LabelRow)]),
        TRAIN_FILE: (videos_of(train), captions_of(train)),
    }
    count = sum(len(captions) for _, captions in sets.values())
    with context.progress(count) as display:

        def advance(clips: int) -> None:
            display.advance(clips)
            if context.stopped():
                raise StoppedError(f"encode@{backbone}: stopped after {display.done} clips; the same command goes on")

        for name, (videos, captions) in sets.items():
            kept = context.work / "kept" / name
            encoded = encode_clips(videos, captions, codec=model.codec, text=model.text, kept=kept, advance=advance)
            save_encoded(encoded, folder / name)
    move_folder(folder, Path("data/encoded") / backbone)
    return {"clips": count}
