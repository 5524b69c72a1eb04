"""The parameters that decide how much memory a stage needs, and how they are lowered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.parameters.backbones import FAMILIES

if TYPE_CHECKING:
    from components.params import Params


@dataclass(frozen=True, kw_only=True)
class Knob:
    """A whole number of params.yaml: the less of it, the less memory; or the more, where `raised`.

    field: as params.yaml names it. now and last: where it stands, and where it can be brought to. put: parameters with
    another value, and with what must follow it. follows: a field that must not be more than this one, and its value.
    """

    field: str
    now: int
    last: int
    put: Callable[["Params", int], "Params"]
    follows: tuple[str, int] | None = None

    def said(self, value: int) -> str:
        """What to do."""
        said = f"{'raise' if value > self.now else 'lower'} {self.field} to {value} (now {self.now})"
        if self.follows is None or self.follows[1] <= value:
            return said
        return f"{said} and with it {self.follows[0]}"


def knobs(params: "Params", stage: str, backbone: str) -> list[Knob]:
    """Those of a stage, what costs the result least first."""
    return [knob for knob in KNOBS[stage](params, backbone) if knob.now != knob.last]


def _prepare(params: "Params", backbone: str) -> list[Knob]:
    return [_plain(params, "prepare", "batch_size"), _configurations(params, "appearance")]


def _stage1(params: "Params", backbone: str) -> list[Knob]:
    return [_plain(params, "stage1", "batch_size"), _configurations(params, "appearance")]


def _stage2(params: "Params", backbone: str) -> list[Knob]:
    section = params.stage2

    def batch(params: "Params", value: int) -> "Params":
        return _with(params, "stage2", batch_size=value, heads_batch_size=min(value, params.stage2.heads_batch_size))

    found = [
        Knob(
            field="stage2.batch_size",
            now=section.batch_size,
            last=1,
            put=batch,
            follows=("stage2.heads_batch_size", section.heads_batch_size),
        ),
        _plain(params, "stage2", "heads_batch_size"),
        _configurations(params, "train"),
    ]
    if section.trainable == "blocks":
        found.insert(2, _plain(params, "stage2", "blocks"))
    return found


def _stage3(params: "Params", backbone: str) -> list[Knob]:
    section = params.stage3

    def prompts(params: "Params", value: int) -> "Params":
        return _with(params, "stage3", prompts=value, updates=min(value, params.stage3.updates))

    return [
        Knob(
            field="stage3.updates",
            now=section.updates,
            last=min(section.prompts, 64),
            put=lambda params, value: _with(params, "stage3", updates=value),
        ),
        Knob(
            field="stage3.prompts",
            now=section.prompts,
            last=1,
            put=prompts,
            follows=("stage3.updates", section.updates),
        ),
        _plain(params, "stage3", "group_size", least=2),
        _configurations(params, "train"),
    ]


def _encode(params: "Params", backbone: str) -> list[Knob]:
    return [_configurations(params, "train"), _configurations(params, "appearance")]


KNOBS: Mapping[str, Callable[["Params", str], list[Knob]]] = {
    "prepare": _prepare,
    "encode": _encode,
    "stage1": _stage1,
    "stage2": _stage2,
    "stage3": _stage3,
    "evaluate": lambda params, backbone: [],
}


def smaller_videos(params: "Params", backbone: str) -> list["Params"]:
    """The same with halved and quartered height and width, as far as the backbone takes such videos."""
    size = FAMILIES[backbone][getattr(params.backbones, backbone).size]
    found = []
    for divisor in (2, 4) if not size.native else ():
        sides = {
            side: getattr(params.video, side) // divisor // size.token * size.token for side in ("height", "width")
        }
        if min(sides.values()) >= 2 * size.token:
            found.append(_with(params, "video", **sides))
    return found


def _plain(params: "Params", section: str, name: str, *, least: int = 1) -> Knob:
    return Knob(
        field=f"{section}.{name}",
        now=getattr(getattr(params, section), name),
        last=least,
        put=lambda params, value: _with(params, section, **{name: value}),
    )


def _configurations(params: "Params", split: str) -> Knob:
    """How many configurations a split has, all categories together; each loses its share."""
    counts = getattr(params.simulation.splits, split).configurations

    def put(params: "Params", value: int) -> "Params":
        total, splits = sum(counts.values()), params.simulation.splits
        fewer = {name: max(1, count * value // total) for name, count in counts.items()}
        changed = getattr(splits, split).model_copy(update={"configurations": fewer})
        simulation = params.simulation.model_copy(update={"splits": splits.model_copy(update={split: changed})})
        return params.model_copy(update={"simulation": simulation})

    return Knob(field=f"simulation.splits.{split}.configurations", now=sum(counts.values()), last=len(counts), put=put)


def _with(params: "Params", section: str, **changes: Any) -> "Params":  # noqa: ANN401 -- of any of its fields
    return params.model_copy(update={section: getattr(params, section).model_copy(update=changes)})
