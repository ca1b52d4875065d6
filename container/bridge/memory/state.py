"""What the Bridge knows of the files since the last save or restore. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from bridge.memory.copying import Saved, Signatures
from bridge.memory.manifest import (
    BASE_BYTES,
    BASE_PART,
    Delta,
    Entries,
    Unusable,
    applied,
    difference,
    encode,
)


@dataclass(frozen=True)
class Base:
    """A complete manifest that later ones refer to. `size` in bytes, as it is stored."""

    key: str
    sha256: str
    entries: Entries = field(default_factory=dict)
    size: int = 0


@dataclass(frozen=True)
class Known:
    """`key` is the snapshot that the entries are of, empty before the first; `sizes` are those of its packs."""

    key: str = ""
    entries: Entries = field(default_factory=dict)
    signatures: Signatures = field(default_factory=dict)
    base: Base | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)

    def seen(self, signatures: Signatures) -> Self:
        return replace(self, signatures=signatures)

    def after(self, saved: Saved, sizes: Mapping[str, int]) -> Self:
        entries = applied(self.entries, saved.delta)
        return replace(self, entries=entries, signatures=saved.signatures, sizes={**self.sizes, **sizes})

    def written(self, key: str) -> tuple[bytes, Self]:
        """The manifest to store under that key: differences from the base while they are few."""
        if self.base is not None:
            delta = difference(self.base.entries, self.entries)
            body = encode(_document(delta, self.base))
            if len(body) <= max(BASE_BYTES, self.base.size // BASE_PART):
                return body, replace(self, key=key)
        body = encode(_document(Delta(self.entries, []), None))
        base = Base(key, hashlib.sha256(body).hexdigest(), self.entries, len(body))
        return body, replace(self, key=key, base=base)


def _document(delta: Delta, base: Base | None) -> dict[str, Any]:
    named = {"key": base.key, "sha256": base.sha256} if base is not None else None
    return {"base": named, "changed": delta.changed, "removed": delta.removed}


def document_of(document: Mapping[str, Any]) -> tuple[Delta, Base | None]:
    """Raises Unusable."""
    try:
        named = document["base"]
        base = Base(str(named["key"]), str(named["sha256"])) if named is not None else None
        return Delta(dict(document["changed"]), list(document["removed"])), base
    except (KeyError, TypeError, ValueError):
        raise Unusable("manifest") from None


def stem_of(generation: int, now: int, number: int) -> str:
    """The beginning of the names of one save's objects; sorts by generation."""
    return f"{generation:08d}-{now:013d}-{number:04d}"
