"""Which licence the published weights of a base come under."""

from collections.abc import Mapping

from components.manifest import Manifest
from components.parameters.backbones import TINY

OWN = "Apache-2.0"
# as the model pages on the hub state them
LICENCES: Mapping[str, str] = {
    "Wan-AI/Wan2.2-TI2V-5B-Diffusers": "Apache-2.0",
    "THUDM/CogVideoX-5b-I2V": "CogVideoX License (commercial use needs registration)",
    "hpcai-tech/OpenSora-STDiT-v3": "Apache-2.0",
    "hpcai-tech/OpenSora-VAE-v1.2": "Apache-2.0",
    "google/t5-v1_1-xxl": "Apache-2.0",
    "DeepFloyd/t5-v1_1-xxl": "Apache-2.0",
    "Lightricks/LTX-Video": "LTX-Video Open Weights License",
}


def weights_of(base: Manifest) -> list[dict[str, str]]:
    """The base's weights part by part: part, source, revision, licence."""
    if base.size == TINY:
        return [{"part": "all", "source": "trained by this pipeline", "revision": "none", "licence": OWN}]
    found = []
    for part, described in sorted((base.facts.get("parts") or {}).items()):
        source, revision = str(described["source"]), described.get("revision")
        licence = LICENCES.get(source, f"unknown: read it where {source} comes from")
        found.append({"part": part, "source": source, "revision": revision or "none", "licence": licence})
    return found
