"""The command phys4d. Heavy imports stand inside the commands, so that --help stays fast.

Figures go to standard output, with --json as one object; everything else goes to standard error. When a command fails,
standard output stays empty; only `params check --json` says there what is wrong, and exits with 78 all the same.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from components import (
    cli_ablate,
    cli_cluster,
    cli_doctor,
    cli_faults,
    cli_generalise,
    cli_groups,
    cli_plan,
    cli_promotion,
    cli_simulate,
)
from components.cli_common import AsJson, BackboneOption, SplitOption, enter_project, run_stage_command, show
from components.cli_dataset import dataset_app
from components.cli_evaluate import evaluate_app
from components.cli_physics_iq import physics_iq_app

app = typer.Typer(
    name="phys4d",
    help="Turn an appearance-driven video model into a physics-consistent 4D model, and measure by how much.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(cli_groups.params_app, name="params")
app.add_typer(cli_groups.profile_app, name="profile")
app.add_typer(cli_groups.dvc_app, name="dvc")
app.add_typer(dataset_app, name="dataset")
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(physics_iq_app, name="physics-iq")
app.add_typer(cli_groups.registry_app, name="registry")
app.add_typer(cli_groups.tracking_app, name="tracking")


@app.callback()
def phys4d(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options that every command takes; `components.__main__` reads --debug before the command runs."""


@app.command()
def run(
    stages: Annotated[
        list[str] | None, typer.Argument(help="Only these, and what they depend on; nothing is registered then.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run them even when they are up to date.")] = False,
    parallel: Annotated[
        int | None, typer.Option(min=1, help="Stages at a time; default: as many as there are cores for.")
    ] = None,
    retries: Annotated[int, typer.Option(min=0, help="Of a stage that fails.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Bring the whole graph up to date through Prefect, then register the model and decide on promotion."""
    import os
    import sys

    arguments = ["--retries", str(retries)]
    arguments += ["--force"] if force else []
    arguments += ["--json"] if as_json else []
    arguments += ["--parallel", str(parallel)] if parallel else []
    arguments += ["--stages", *stages] if stages else []
    enter_project()
    os.execv(sys.executable, [sys.executable, "-m", "flows.pipeline", *arguments])  # noqa: S606 -- no shell wanted


@app.command()
def serve(
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Of Prefect's pages and its API, on this machine.")
    ] = 4200,
) -> None:
    """Start Prefect here: its server, the deployments of prefect.yaml, a worker that runs them when they are due."""
    import os
    import sys

    enter_project()
    os.execv(sys.executable, [sys.executable, "-m", "flows.serve", "--port", str(port)])  # noqa: S606 -- no shell wanted


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="Stage as `dvc stage list` names it, such as simulate@train.")],
    force: Annotated[bool, typer.Option("--force", help="Run it even when it is up to date.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring one stage of the graph up to date; exits with the code of the stage's own command."""
    from components.pipeline.launcher import launch

    enter_project()
    launch(name, force=force)
    show({"stage": name, "code": 0}, as_json=as_json)


app.command("pod", hidden=True)(cli_cluster.pod)
app.command("join", hidden=True)(cli_cluster.join)
app.command("plan")(cli_plan.plan)
app.command("ablate")(cli_ablate.ablate)
app.command("generalise")(cli_generalise.generalise)
app.command("doctor")(cli_doctor.doctor)
app.command("status")(cli_doctor.status)
app.command("simulate")(cli_simulate.simulate)
app.command("promote")(cli_promotion.promote)
app.command("rollback")(cli_promotion.rollback)


@app.command()
def validate_simulation(split: SplitOption, as_json: AsJson = False) -> None:
    """Stage: the gate on the simulated clips of a split."""
    run_stage_command("validate_simulation", {"split": split}, as_json=as_json)


@app.command()
def latents(as_json: AsJson = False) -> None:
    """Stage: the closed-form codec of the tiny twins."""
    run_stage_command("latents", {}, as_json=as_json)


@app.command()
def depth_net(
    split: Annotated[Literal["labeler", "judge"], typer.Option(help="Split it learns from, and its part.")],
    as_json: AsJson = False,
) -> None:
    """Stage: a small depth network, teacher of stage 1 or judge of the evaluation."""
    run_stage_command("depth_net", {"split": split}, as_json=as_json)


@app.command()
def collect_videos(as_json: AsJson = False) -> None:
    """Stage: the videos that stage 1 learns from."""
    run_stage_command("collect_videos", {}, as_json=as_json)


@app.command()
def pseudo_label(
    *,
    videos: Annotated[
        Path | None, typer.Option(help="A folder of videos to label outside the graph; default: the stage.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for their labels.")] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Draw some of them as preview.png in that folder.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Stage: depth and flow of the collected videos, by estimators. With --videos: of any folder."""
    from components.errors import ParametersError

    if videos is None:
        if out or preview:
            raise ParametersError("--out and --preview go with --videos; the stage writes data/pseudo_labels")
        run_stage_command("pseudo_label", {}, as_json=as_json)
        return
    from components.parameters.loader import load_params
    from components.pseudo_labels.label import label_folder

    folder, target = videos.absolute(), (out or Path("pseudo_labels")).absolute()
    enter_project()
    labeler = Path("models/depth_nets/labeler")
    figures = label_folder(folder, out=target, preview=preview, params=load_params(), labeler=labeler)
    show(dict(figures), as_json=as_json)


@app.command()
def validate_pseudo_labels(as_json: AsJson = False) -> None:
    """Stage: the gate on pseudo-labels."""
    run_stage_command("validate_pseudo_labels", {}, as_json=as_json)


@app.command()
def prepare(backbone: BackboneOption, as_json: AsJson = False) -> None:
    """Stage: the base; a tiny twin is trained, published weights are named."""
    run_stage_command("prepare", {"backbone": backbone}, as_json=as_json)


@app.command()
def encode(backbone: BackboneOption, as_json: AsJson = False) -> None:
    """Stage: latents and text embeddings of all training clips."""
    run_stage_command("encode", {"backbone": backbone}, as_json=as_json)


@app.command()
def stage1(backbone: BackboneOption, as_json: AsJson = False) -> None:
    """Stage: heads for depth and motion learn from pseudo-labels."""
    run_stage_command("stage1", {"backbone": backbone}, as_json=as_json)


@app.command()
def stage2(backbone: BackboneOption, as_json: AsJson = False) -> None:
    """Stage: fine-tuning on simulation with the warp-consistency loss."""
    run_stage_command("stage2", {"backbone": backbone}, as_json=as_json)


@app.command()
def stage3(backbone: BackboneOption, as_json: AsJson = False) -> None:
    """Stage: reinforcement learning with the 4D Chamfer reward."""
    run_stage_command("stage3", {"backbone": backbone}, as_json=as_json)


app.command("faults")(cli_faults.faults)


@app.command()
def report(as_json: AsJson = False) -> None:
    """Stage: the offline HTML report of all backbones."""
    run_stage_command("report", {}, as_json=as_json)


@app.command()
def generate(
    *,
    image: Annotated[Path, typer.Option(help="First frame: any picture.")],
    prompt: Annotated[str, typer.Option(help="What is in the first frame.")],
    out: Annotated[Path, typer.Option(help="Folder to write: rgb.mp4, depth.npz, motion.npz, points, preview.png.")],
    backbone: BackboneOption = "wan22",
    stage_name: Annotated[
        Literal["stage1", "stage2", "stage3"] | None, typer.Option("--stage", help="Default: the last that is there.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**64 - 1, help="Another seed, another future.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier generation in that folder.")] = False,
) -> None:
    """Generate video, depth, motion and a moving point cloud from a picture and a sentence."""
    from components.generation import Request, generate_to_folder
    from components.parameters.loader import load_params

    image, target = image.absolute(), out.absolute()  # below the folder the command was given in
    enter_project()
    request = Request(
        models=Path("models") / backbone,
        stage=stage_name,
        image=image,
        prompt=prompt,
        seed=seed,
        out=target,
        overwrite=force,
    )
    generate_to_folder(request, load_params())
    typer.echo(str(out))


@app.command()
def preview(
    split: SplitOption = "test",
    clips: Annotated[int, typer.Option(min=1, help="How many clips, spread over the families.")] = 6,
    out: Annotated[Path, typer.Option(help="Picture to write, .png or .jpg.")] = Path("preview.png"),
) -> None:
    """Draw simulated clips, a row for each field: what a model will be taught, for the eye."""
    from components.simulation.preview import write_preview

    target = out.absolute()  # below the folder the command was given in
    enter_project()
    write_preview(Path("data/simulation") / split, clips=clips, out=target)
    typer.echo(str(out))


@app.command()
def bench(
    what: Annotated[
        Literal["laptop", "simulate", "metrics", "train"],
        typer.Argument(help="laptop: its renderer and clips; simulate: all of it; metrics: the evaluation's; train."),
    ] = "laptop",
    as_json: AsJson = False,
) -> None:
    """Measure the project's speed on an idle machine: on one core, training on those of the laptop's profile."""
    from components.parameters.loader import parse_params
    from components.parameters.profiles import profile_values

    enter_project()
    params = parse_params(profile_values("laptop"), source="laptop")
    if what == "laptop":
        from components.benchmarks.suite import run_benchmarks

        show(run_benchmarks(params), as_json=as_json)
        return
    from components.benchmarks.simulate import simulate_benchmark, table, to_json

    if what == "metrics":
        from components.benchmarks.metrics import metrics_benchmark

        figures = metrics_benchmark()
    elif what == "train":
        from components.benchmarks.train import LARGE, PUBLISHED, Effort, published_params, train_benchmark
        from components.compute import device, use_cores

        use_cores(params.resources)
        if device().type == "cpu":
            figures = train_benchmark(params, Effort())
        else:
            figures = {}
            for name in PUBLISHED:
                figures |= train_benchmark(published_params(name), LARGE)
    else:
        figures = simulate_benchmark(params)
    if as_json:
        show(to_json(figures), as_json=True)
    else:
        typer.echo(table(figures))
