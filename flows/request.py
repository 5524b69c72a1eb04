"""What a run is asked for, by a deployment, by Prefect's UI or by the command line: checked before anything runs."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.errors import ParametersError
from components.parameters.plain import shown
from components.params import Params
from components.pipeline.graph import GraphStage, find_stage

Profile = Annotated[str | None, Field(description="The profile that params.yaml must be of; none: any.")]
Backbones = Annotated[tuple[str, ...], Field(description="Only stages of these; none: all of pipeline.backbones.")]
Stages = Annotated[
    tuple[str, ...], Field(description="Only these, and what they depend on; none: all, and then the promotion.")
]
Force = Annotated[bool, Field(description="Run them even when they are up to date.")]
DryRun = Annotated[bool, Field(description="Say what would be done and why, and do nothing.")]
Parallel = Annotated[int | None, Field(gt=0, description="Stages at a time; none: as many as there are cores for.")]
Retries = Annotated[int, Field(ge=0, description="Of a stage that fails without being stopped or refused.")]


class Request(BaseModel):
    """The parameters of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    profile: Profile = None
    backbones: Backbones = ()
    stages: Stages = ()
    force: Force = False
    dry_run: DryRun = False
    parallel: Parallel = None
    retries: Retries = 1


def read_request(values: Mapping[str, object], *, params: Params, graph: Mapping[str, GraphStage]) -> Request:
    """The request that `values` are; ParametersError names the field, its value and what was expected."""
    try:
        request = Request.model_validate_json(json.dumps(values))
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in details["loc"])
        if details["type"] == "extra_forbidden":
            raise ParametersError(f"{field}: unknown, expected one of {', '.join(Request.model_fields)}") from None
        expected = str(details["msg"]).replace("Input", "it")
        raise ParametersError(f"{field}: {shown(details['input'])} is wrong, {expected}") from None
    if request.profile not in (None, params.profile):
        raise ParametersError(
            f"profile: {shown(request.profile)} is wrong, expected {params.profile!r}, which params.yaml is of: a run "
            "does not rewrite it, phys4d profile use does"
        )
    for number, backbone in enumerate(request.backbones):
        if backbone not in params.pipeline.backbones:
            expected = ", ".join(params.pipeline.backbones)
            raise ParametersError(
                f"backbones.{number}: {shown(backbone)} is wrong, expected one of {expected}, which params.yaml's "
                "pipeline.backbones has"
            )
    for number, name in enumerate(request.stages):
        if not any(name in (stage.name, stage.template) for stage in graph.values()):
            try:
                find_stage(graph, name)  # names the nearest one
            except ParametersError as error:
                raise ParametersError(f"stages.{number}: {error}") from None
    return request


def new_id() -> str:
    """An id of a whole run: the time, for the eye, and something that no other has."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
