"""The measurement of shifts: models as the project trains them, on scenes made for each shift, by the judge."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components import depth_network
from components.ablation.sampling import sample_videos
from components.ablation.shifts import (
    GAINS,
    MODELS,
    SPLIT,
    STILL,
    Shift,
    is_finished,
    lines_of,
    read_lines,
    shifted,
    write_lines,
)
from components.ablation.workspace import Workspace
from components.evaluation.evaluate import sampling_plan
from components.evaluation.ledger import note_look
from components.evaluation.measure import measure_rows
from components.evaluation.sampling import sample_reference
from components.evaluation.summary import summarise
from components.evaluation.table import Table
from components.evaluation.takes import scenes_of, take_places
from components.files import new_folder
from components.index import read_index
from components.manifest import manifest_hash
from components.model import load_model

if TYPE_CHECKING:
    from components.params import Params


@dataclass(frozen=True, kw_only=True)
class Generalisation:
    """What all shifts share. params: the project's, with which models are trained; scenes: of each shift."""

    workspace: Workspace
    params: "Params"
    scenes: int
    commit: str
    stopped: Callable[[], bool]

    def is_finished(self, backbone: str, shift: Shift) -> bool:
        """Whether it was measured with the parameters as they are now."""
        return is_finished(backbone, shift, shifted(shift, self.params, scenes=self.scenes), read_lines())

    def train(self, backbone: str) -> Path:
        """The folder of a backbone's models; before any shift, as stage 3 watches the split that shifts change."""
        self.workspace.make_data(self.params)
        return self.workspace.train(self.params, backbone=backbone, judged=MODELS[-1])

    def run(self, backbone: str, shift: Shift, models: Path) -> None:
        """Make the scenes of a shift, measure all rows on them, and write their lines."""
        params = shifted(shift, self.params, scenes=self.scenes)
        table = self._measure(models, self.workspace.make_split(params, SPLIT), name=f"{backbone}-{shift.name}")
        figures = summarise(table, seed=params.seed, resamples=params.evaluation.bootstrap_samples, gains=GAINS)
        lines = lines_of(backbone, shift, params, figures, commit=self.commit)
        others = [line for line in read_lines().values() if (line["backbone"], line["shift"]) != (backbone, shift.name)]
        write_lines([*others, *lines])

    def _measure(self, models: Path, split: Path, *, name: str) -> Table:
        places, evaluation = take_places(split, read_index(split)), self.params.evaluation
        plan = sampling_plan(self.params, places, stopped=self.stopped, advance=lambda _: None)
        judge = depth_network.load(self.workspace.root / "models/depth_nets/judge")
        work = new_folder(self.workspace.root / "measured" / name)
        base = load_model(models / MODELS[0])
        sample_reference(plan, STILL, base.codec, judge, work / STILL)
        for row in MODELS:
            model = base if row == MODELS[0] else load_model(models / MODELS[0], models / row)
            sample_videos(plan, model, judge, work / row)
        hashes = {row: manifest_hash(models / row) for row in MODELS}
        note_look(Path(), scenes=scenes_of(places), split=SPLIT, models=hashes)
        videos = measure_rows(
            places,
            {row: work / row for row in (STILL, *MODELS)},
            size=evaluation.physics_iq_size,
            work=work / "clips",
            processes=self.params.resources.processes_each,
            stopped=self.stopped,
            advance=lambda _: None,
        )
        return Table(
            clip_ids=[place.take1.clip_id for place in places],
            configurations=[place.configuration for place in places],
            videos={row: videos[row] for row in (STILL, *MODELS)},
            heads={},
        )
