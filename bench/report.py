"""A run's document as a table for the terminal and as docs/benchmarks.md."""

from collections.abc import Sequence
from typing import Any

from bench.bars import BARS
from bench.notes import NOTES
from bench.registry import SECTIONS
from bench.rows import Row, from_json

Json = dict[str, Any]
HEADS = ("what", "unit", "runs", "median", "p95", "bar")


def rows_of(document: Json) -> list[Row]:
    return [from_json(entry) for entry in document["rows"]]


def number(value: float) -> str:
    """As measured, without digits that nobody reads."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{1 if value >= 10 else 2}f}".rstrip("0").rstrip(".")


def verdict(row: Row) -> str:
    bar = row.held_to
    if bar is None:
        return ""
    return f"≤ {number(bar.limit)} {bar.unit}: {'met' if row.met else 'NOT MET'}"


def cells(row: Row) -> tuple[str, ...]:
    return (row.name, row.unit, str(row.runs), number(row.median), number(row.p95), verdict(row))


def table(document: Json) -> str:
    """Plain text, one block a section."""
    lines: list[str] = []
    rows = rows_of(document)
    for section, (_, title, _) in SECTIONS.items():
        mine = [cells(row) for row in rows if row.section == section]
        broken = [entry for entry in document["failed"] if entry["section"] == section]
        if not mine and not broken:
            continue
        lines += ["", title, *_aligned([HEADS, *mine])] if mine else ["", title]
        lines += [f"  FAILED: {entry['reason']}" for entry in broken]
    return "\n".join([*lines, "", *_summary(document)])


def _aligned(lines: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    shown = []
    for line in lines:
        parts = [
            cell.rjust(width) if 2 <= column <= 4 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        shown.append(("  " + "  ".join(parts)).rstrip())
    return shown


def _summary(document: Json) -> list[str]:
    rows = rows_of(document)
    missed = [row for row in rows if row.met is False]
    lines = [f"{sum(1 for row in rows if row.met)} of {len(BARS)} bars met."]
    lines += [
        f"  NOT MET: {row.held_to.text}: {number(getattr(row, row.held_to.held))}" for row in missed if row.held_to
    ]
    lines += [f"  NOT MEASURED: {BARS[name].text}" for name in document["unmeasured"]]
    return lines + [f"  FAILED: {entry['section']}" for entry in document["failed"]]


def page(document: Json) -> str:
    """docs/benchmarks.md: nothing in it that is not in the document or in notes.py."""
    machine = document["machine"]
    lines = ["# Benchmarks", "", *INTRODUCTION, ""]
    lines += ["Measured with " + ", ".join(f"{name} {value}" for name, value in machine.items()) + ".", ""]
    lines += ["## The bars", "", "| bar | limit | measured | |", "|---|---:|---:|---|", *_bars(document), ""]
    rows = rows_of(document)
    for section, (_, title, _) in SECTIONS.items():
        lines += [f"## {title}", "", *(f"{text}\n" for text in NOTES.get(section, ()))]
        if section in document.get("loads", {}):
            date = document.get("dates", {}).get(section, document["machine"]["date"])
            lines += [f"Measured {date}, load of the machine before: {document['loads'][section]}.", ""]
        lines += ["| what | unit | runs | median | p95 | note |", "|---|---|---:|---:|---:|---|"]
        lines += [_markdown(row) for row in rows if row.section == section]
        lines += [f"\nThis section failed: {e['reason']}" for e in document["failed"] if e["section"] == section]
        lines.append("")
    return "\n".join(lines)


INTRODUCTION = (
    "The output of `make bench ARGS=--docs`, made from `docs/benchmarks.json`.",
    "A test holds this page to that file. `make bench ARGS='--only NAME'` measures one section again.",
)


def _bars(document: Json) -> list[str]:
    held = {row.bar: row for row in rows_of(document) if row.bar}
    lines = []
    for name, bar in BARS.items():
        limit = f"{number(bar.limit)} {bar.unit}"
        row = held.get(name)
        if row is None:
            lines.append(f"| {bar.text} | {limit} | – | **not measured** |")
            continue
        figure = f"{number(getattr(row, bar.held))} {bar.unit}"
        lines.append(f"| {bar.text} | {limit} | {figure} ({bar.held}) | {'met' if row.met else '**not met**'} |")
    return lines


def _markdown(row: Row) -> str:
    name, unit, runs, median, high, bar = cells(row)
    note = "; ".join(part for part in (bar, row.note) if part)
    return f"| {name} | {unit} | {runs} | {median} | {high} | {note} |"
