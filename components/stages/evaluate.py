"""Stage evaluate@BACKBONE: base and stages on the split of `evaluation.split`, by a judge that knows none of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.evaluation.takes import scenes_of, take_places
from components.files import move_folder
from components.index import read_index
from components.manifest import manifest_hash

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "videos"
MODELS = ("base", "stage1", "stage2", "stage3")


def run(params: "Params", context: "StageContext", *, backbone: str) -> Mapping[str, float]:
    """Write data/evaluation/BACKBONE: metrics.json, per_clip.parquet and samples.npz."""
    from components import depth_network
    from components.compute import use_cores
    from components.evaluation.evaluate import Evaluation, count_steps, evaluate, sampling_plan
    from components.evaluation.generative import FIELD, chosen_features, network_hash
    from components.evaluation.heads import mean_depth
    from components.evaluation.ledger import note_look
    from components.evaluation.results import write_results
    from components.evaluation.summary import summarise

    use_cores(params.resources, beside=params.resources.trainings)
    split, train = (Path("data/simulation") / name for name in (params.evaluation.split, "train"))
    places = take_places(split, read_index(split))
    network = params.evaluation.frechet_network
    features = chosen_features(network, shape=places[0].read().take1.depth.shape)
    models = {name: Path("models") / backbone / name for name in MODELS}
    hashes = {name: manifest_hash(path) for name, path in models.items()}
    with context.progress(count_steps(models, clips=len(places), samples=params.evaluation.noises)) as display:
        evaluation = Evaluation(
            models=models,
            plan=sampling_plan(params, places, stopped=context.stopped, advance=display.advance),
            judge=depth_network.load(Path("models/depth_nets/judge")),
            mean_depth=mean_depth(train, read_index(train)),
            score_size=params.evaluation.physics_iq_size,
            processes=params.resources.processes_each,
            work=context.work,
            features=features,
        )
        table = evaluate(evaluation)
    figures = summarise(table, seed=params.seed, resamples=params.evaluation.bootstrap_samples)
    scenes = scenes_of(places)
    measured = {
        "evaluation.model": hashes[MODELS[-1]],  # by which the registry knows whose figures they are
        "evaluation.scenes": scenes,  # by which the report counts how often they were looked at
        **({FIELD: network_hash(network)} if network else {}),
    }
    numbers = write_results(context.work / "results", evaluation, table, {**figures, **measured})
    note_look(Path(), scenes=scenes, split=split.name, models=hashes)
    move_folder(context.work / "results", Path("data/evaluation") / backbone)
    return numbers
