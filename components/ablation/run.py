"""One cell: trained in the workspace, sampled, measured by the judge as the evaluation measures, and written down."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components import depth_network
from components.ablation.cells import Cell, line_of, params_hash, read_cells, write_cells
from components.ablation.comparison import Difference, differences, write_clips
from components.ablation.cost import choice_cost, cost_of
from components.ablation.sampling import Choice, sample_videos
from components.ablation.variants import Variant, params_of
from components.ablation.workspace import Workspace
from components.evaluation.evaluate import sampling_plan
from components.evaluation.heads import head_metrics
from components.evaluation.ledger import note_look
from components.evaluation.measure import measure_rows
from components.evaluation.sampling import read_true_clips
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
class Ablation:
    """What all cells share. params: the project's; variants by name; commit: of the code."""

    workspace: Workspace
    params: "Params"
    variants: Mapping[str, Variant]
    commit: str
    stopped: Callable[[], bool]

    def params_of(self, cell: Cell) -> "Params":
        """The parameters a cell is trained with."""
        return params_of(self.variants[cell.variant], self.params, self.variants, replicate=cell.replicate)

    def is_finished(self, cell: Cell) -> bool:
        """Whether it was measured with the parameters as they are now."""
        line = read_cells().get(cell.key)
        return line is not None and line["params"] == self.hash_of(cell)

    def hash_of(self, cell: Cell) -> str:
        """What the cell's parameters are known by."""
        return params_hash(self.params_of(cell), best_of=self.variants[cell.variant].best_of)

    def differences(self) -> list[Difference]:
        """All comparisons of finished cells, those of the variants and parameters as they are now."""
        lines = {
            Cell(backbone=one, replicate=int(two), variant=three, split=four): line
            for (one, two, three, four), line in read_cells().items()
        }
        known = {
            cell: line["judge"]
            for cell, line in lines.items()
            if cell.variant in self.variants and line["params"] == self.hash_of(cell)
        }
        resamples = self.params.evaluation.bootstrap_samples
        return list(differences(known, self.variants, seed=self.params.seed, resamples=resamples))

    def run(self, cell: Cell) -> None:
        """Train and measure one cell, and write its line; what was done of it before is not done again."""
        params, variant = self.params_of(cell), self.variants[cell.variant]
        self.workspace.make_data(self.params)
        models = self.workspace.train(params, backbone=cell.backbone, judged=variant.judged)
        table = self._measure(cell, models, variant)
        figures = summarise(table, seed=self.params.seed, resamples=self.params.evaluation.bootstrap_samples, gains=())
        videos = math.prod(table.videos[cell.variant].shape[:2])
        cost = cost_of(params, variant.judged) + choice_cost(videos, variant.best_of)
        line = line_of(
            cell,
            params,
            cost,
            figures,
            row=cell.variant,
            commit=self.commit,
            judge=self.workspace.judge(),
            best_of=variant.best_of,
        )
        write_clips(cell, table)
        write_cells((read_cells() | {cell.key: line}).values())

    def _measure(self, cell: Cell, models: Path, variant: Variant) -> Table:
        root, evaluation, judged = self.workspace.root, self.params.evaluation, variant.judged
        split = root / "data/simulation" / cell.split
        places = take_places(split, read_index(split))
        plan = sampling_plan(self.params, places, stopped=self.stopped, advance=lambda _: None)
        model = load_model(models / "base", None if judged == "base" else models / judged)
        note_look(Path(), scenes=scenes_of(places), split=cell.split, models={judged: manifest_hash(models / judged)})
        work = new_folder(root / "measured" / cell.name)
        judge = depth_network.load(root / "models/depth_nets/judge")
        choice = Choice(of=variant.best_of, reward=self.params.stage3.reward, split=split)
        sample_videos(plan, model, judge, work / "row", choice)
        made = measure_rows(
            places,
            {cell.variant: work / "row"},
            size=evaluation.physics_iq_size,
            work=work / "clips",
            processes=self.params.resources.processes_each,
            stopped=self.stopped,
            advance=lambda _: None,
        )
        heads = None if judged == "base" else [head_metrics(read, clip) for clip, read in read_true_clips(plan, model)]
        return Table(
            clip_ids=[place.take1.clip_id for place in places],
            configurations=[place.configuration for place in places],
            videos={cell.variant: made[cell.variant]},
            heads={} if heads is None else {cell.variant: np.stack(heads)},
        )
