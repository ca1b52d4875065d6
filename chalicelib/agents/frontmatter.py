"""The texts at the top of a SKILL.md, between two lines of `---`. Pure.

Not PyYAML: every function's package would be larger than it may be, and YAML's aliases can make gigabytes of a few
lines. Only what a skill's name and description need is read: plain, quoted and block texts at the first level.
Everything else, as `metadata`, is OpenClaw's to read, and is passed over.
"""

import json
import re

_HEAD = re.compile(r"\A\ufeff?---[ \t]*\n(.*?)\n---[ \t]*(\n|\Z)", re.DOTALL)
_KEY = re.compile(r"([A-Za-z][A-Za-z0-9_-]*):(?:[ \t]+(.*)|[ \t]*)")
_BLOCK = re.compile(r"[|>][+-]?[0-9]?[+-]?([ \t]+#.*)?")


def frontmatter(text: str) -> dict[str, str]:
    """The texts by their keys. Raises ValueError for no frontmatter, and for one that is not of this form."""
    found = _HEAD.match(text.replace("\r\n", "\n"))
    if found is None:
        raise ValueError("no frontmatter")
    texts: dict[str, str] = {}
    lines = found[1].split("\n")
    while lines:
        line = lines.pop(0)
        if not line.strip() or line.startswith("#"):
            continue
        known = _KEY.fullmatch(line)
        if known is None or known[1] in texts:
            raise ValueError("not a key, or one that is there twice")
        inner = []
        while lines and (not lines[0].strip() or lines[0][0] in " \t"):
            inner.append(lines.pop(0).strip())
        texts[known[1]] = _text((known[2] or "").strip(), inner)
    return texts


def _text(first: str, inner: list[str]) -> str:
    """`inner`: the lines below the key that are indented."""
    if _BLOCK.fullmatch(first):
        return ("\n" if first[0] == "|" else " ").join(inner).strip()
    whole = " ".join([first, *filter(None, inner)]).strip()
    if whole[:1] == '"':
        value = json.loads(re.sub(r'("[ \t]+#[^"]*)\Z', '"', whole))
        return str(value).strip()
    if whole[:1] == "'":
        quoted = re.fullmatch(r"'((?:[^']|'')*)'([ \t]+#.*)?", whole)
        if quoted is None:
            raise ValueError("a quote that does not end")
        return quoted[1].replace("''", "'").strip()
    return re.sub(r"(\A|[ \t])#.*", "", whole).strip()
