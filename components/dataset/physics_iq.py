"""A protocol set in the folders and names of the benchmark Physics-IQ, so that its code and ours score it unchanged.

    physics-IQ-benchmark/split-videos/testing/{30,8}FPS/0001_testing-videos_30FPS_perspective-left_take-1_NAME.mp4
    physics-IQ-benchmark/video-masks/real/{30,8}FPS/0001_video-masks_30FPS_perspective-left_take-1_NAME.mp4
    physics-IQ-benchmark/switch-frames/0001_switch-frames_anyFPS_perspective-left_NAME.jpg
    descriptions.csv, README.md

Ids count take 1 scenario by scenario, left, center, right, then take 2 alike. Videos at 8 frames a second and masks
are made from the stored videos at 30, as the benchmark makes them.
"""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from components.dataset.physics_iq_cases import TAKES, VIEWS, Case, number_cases
from components.dataset.splits import Damages, Split, Tick
from components.errors import ClipError, ParametersError, Phys4dError
from components.evaluation.physics_iq import SECONDS, frames_in
from components.evaluation.physics_iq_folders import SOURCE_FPS
from components.evaluation.physics_iq_masks import MaskVideo
from components.evaluation.physics_iq_videos import first_seconds, probe
from components.generation_files import write_video
from components.index import IndexRow
from components.shards import read_clip

RATES = (SOURCE_FPS, 8)
FRAMES = frames_in(SECONDS, fps=SOURCE_FPS)
ROOT = Path("physics-IQ-benchmark")
TESTING, MASKS, FRAMES_FOLDER = ROOT / "split-videos/testing", ROOT / "video-masks/real", ROOT / "switch-frames"
README = """\
# Simulated clips in the layout of Physics-IQ

Made by `phys4d dataset export --format physics-iq`: {scenarios} scenarios, 3 views, 2 takes, 5 seconds at 30 and 8
frames a second, {width} x {height} pixels. Everything follows frame 0 (the switch frame); there are no conditioning
videos, so models are asked image to video. Generate one video for each id of take 1, named as `generated_video_name`
in `descriptions.csv`, and score them:

    phys4d physics-iq score --videos YOUR_VIDEOS --real physics-IQ-benchmark/split-videos/testing

The benchmark's own code finds the same folders when it is run here, with `--descriptions_file descriptions.csv`; it
insists on 198 videos, that is on 66 scenarios. A score on these clips is no score of the benchmark, and below about
240 pixels a side it means little.
"""


def export_physics_iq(splits: tuple[Split, ...], out: Path, damages: Damages, progress: Tick) -> list[IndexRow]:
    """Write the only split's clips below `out`; the rows written.

    A configuration with a damaged clip is left out when damages are skipped. ParametersError where the set is not
    what the benchmark's protocol needs: 3 views, 2 takes, 5 seconds at 30 frames a second.
    """
    if len(splits) > 1:
        raise ParametersError(
            f"found {len(splits)} splits ({', '.join(s.name for s in splits)}), expected one: name it"
        )
    (split,) = splits
    _check_protocol(split)
    cases = number_cases(_whole_configurations(split, damages))
    _make_folders(out)
    for done, case in enumerate(cases, start=1):
        _write_case(out, split.folder, case)
        progress(done, len(cases))
    _write_descriptions(out / "descriptions.csv", cases)
    first = cases[0].row
    readme = README.format(scenarios=len(cases) // len(VIEWS) // TAKES, width=first.width, height=first.height)
    (out / "README.md").write_text(readme, encoding="utf-8")
    return [case.row for case in cases]


def _check_protocol(split: Split) -> None:
    expected = {(view, take) for view in range(len(VIEWS)) for take in range(TAKES)}
    for rows in _by_configuration(split.rows):
        name = f"{split.folder}: clip {rows[0].clip_id}"
        found = sorted((row.view, row.take) for row in rows)
        if set(found) != expected or len(found) != len(expected):
            views, takes = len({view for view, _ in found}), len({take for _, take in found})
            raise ParametersError(
                f"{name}: its configuration has {len(found)} clips, {views} views and {takes} takes; expected 3 views "
                "in 2 takes each: simulate the split with views: 3 and takes: 2"
            )
        for row in rows:
            if row.fps != SOURCE_FPS or row.frames < FRAMES:
                raise ParametersError(
                    f"{split.folder}: clip {row.clip_id} has {row.frames} frames at {row.fps} fps, "
                    f"{row.frames / row.fps:.2f} seconds; expected {SECONDS:g} seconds at {SOURCE_FPS} fps, {FRAMES} "
                    f"frames or more: simulate with video.fps: {SOURCE_FPS} and more video.frames"
                )


def _by_configuration(rows: Sequence[IndexRow]) -> list[list[IndexRow]]:
    groups: dict[str, list[IndexRow]] = {}
    for row in rows:
        groups.setdefault(row.configuration, []).append(row)
    return list(groups.values())


def _whole_configurations(split: Split, damages: Damages) -> list[list[IndexRow]]:
    """Those of which every clip can be read: found out first, because an id depends on how many there are."""
    configurations, whole = _by_configuration(split.rows), []
    for rows in configurations:
        before = len(damages.found)
        for row in rows:
            try:
                read_clip(split.folder, row.extent)
            except ClipError as error:
                damages.meet(error)
        if len(damages.found) == before:
            whole.append(rows)
    if not whole:
        raise Phys4dError(f"{split.folder}: every configuration has a damaged clip, nothing was exported")
    if lost := len(configurations) - len(whole):
        sys.stderr.write(
            f"left out: {lost} of {len(configurations)} configurations, each with all its clips: the benchmark's "
            "protocol needs every view in both takes\n"
        )
    return whole


def _make_folders(out: Path) -> None:
    for folder in (TESTING, MASKS):
        for fps in RATES:
            (out / folder / f"{fps}FPS").mkdir(parents=True)
    (out / FRAMES_FOLDER).mkdir(parents=True)


def _write_case(out: Path, folder: Path, case: Case) -> None:
    rgb = read_clip(folder, case.row.extent).rgb[:FRAMES]
    stored = out / TESTING / f"{SOURCE_FPS}FPS" / case.video("testing-videos", SOURCE_FPS)
    for fps in RATES:
        path = out / TESTING / f"{fps}FPS" / case.video("testing-videos", fps)
        frames = rgb if fps == SOURCE_FPS else np.stack([*first_seconds(probe(stored), fps=fps, seconds=SECONDS)])
        write_video(path, frames, fps=fps)
        masks = out / MASKS / f"{fps}FPS" / case.video("video-masks", fps)
        with MaskVideo(masks, fps=fps) as video:
            for frame in first_seconds(probe(path), fps=fps, seconds=SECONDS):
                video.add(frame)
        if probe(masks).frames != frames_in(SECONDS, fps=fps):
            raise Phys4dError(f"{masks.name}: the masks could not be written whole: is there room on the disk?")
    if case.take == 1:
        name = f"{case.id:04d}_switch-frames_anyFPS_{case.view}_{case.name}.jpg"
        _, content = cv2.imencode(".jpg", cv2.cvtColor(rgb[0], cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 97])
        (out / FRAMES_FOLDER / name).write_bytes(content.tobytes())


def _write_descriptions(path: Path, cases: Sequence[Case]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["scenario", "description", "category", "generated_video_name"])
        for case in cases:
            scenario = f"{case.id:04d}_{case.view}_take-{case.take}_{case.name}.mp4"
            lines.writerow([scenario, case.row.caption_initial, case.row.category, case.generated])
