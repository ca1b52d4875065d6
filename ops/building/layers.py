"""An OCI image layout read: its layers, the steps that made them, and their compressed sizes."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BAR = 250  # MB, compressed: what a task's start may have to fetch
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Layer:
    """`size` is in bytes, as a registry stores and sends it."""

    step: str
    size: int
    media_type: str


def blob(layout: Path, digest: str) -> Any:
    return json.loads((layout / "blobs" / digest.replace(":", "/")).read_text())


def image_of(layout: Path) -> tuple[Any, Any]:
    """The manifest and the configuration of the only image, behind an index of platforms or not."""
    found = json.loads((layout / "index.json").read_text())
    while "manifests" in found:
        (entry,) = found["manifests"]
        found = blob(layout, entry["digest"])
    return found, blob(layout, found["config"]["digest"])


def layers(layout: Path) -> list[Layer]:
    """The base's first."""
    manifest, config = image_of(layout)
    steps = [step(entry.get("created_by", "")) for entry in config["history"] if not entry.get("empty_layer")]
    return [
        Layer(name, entry["size"], entry["mediaType"]) for name, entry in zip(steps, manifest["layers"], strict=True)
    ]


def step(created_by: str) -> str:
    """An instruction of the Dockerfile as both builders write it, without their additions."""
    text = re.sub(r"^/bin/sh -c #\(nop\)\s*", "", created_by)
    text = re.sub(r"^(RUN )?(\|\d+ (\S+=\S* )*)?/bin/sh -c ", "RUN ", text)
    text = re.sub(r" (file|dir|multi):[0-9a-f]+ in ", " ", text)
    text = re.sub(r"\s+", " ", re.sub(r"# buildkit$", "", text)).strip()
    return "the base image" if text == "/bin/sh" else text  # as buildah calls a copied tree


def table(found: list[Layer]) -> str:
    """One line for each layer, then the sum against the bar."""
    lines = [f"  {layer.size / MEGABYTE:7.1f} MB  {layer.step[:90]}" for layer in found]
    whole = sum(layer.size for layer in found) / MEGABYTE
    word = "within" if whole <= BAR else "ABOVE"
    return "\n".join([*lines, f"  {whole:7.1f} MB in all, compressed: {word} the bar of {BAR} MB"])
