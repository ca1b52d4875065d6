"""A long Markdown answer for `show the long sample`: every form an answer may take, in 13,000 characters."""

EMOJI = "👩🏽‍💻 🏳️‍🌈 🇰🇷🇩🇪 1️⃣ ❤️ 👨‍👩‍👧‍👦 😀"
PLACES = (
    "Seoul",
    "Lisbon",
    "Nairobi",
    "Quito",
    "Oslo",
    "Hanoi",
    "Turin",
    "Perth",
    "Cusco",
    "Malmö",
    "Gdańsk",
    "Kyoto",
    "Accra",
    "Split",
    "Bergen",
)

CODE = '''def station_{n}(readings: list[float]) -> dict[str, float]:
    """Summary of one station's day."""

    ordered = sorted(readings)

    middle = len(ordered) // 2
    return {{
        "low": ordered[0],
        "median": ordered[middle],
        "high": ordered[-1],
    }}


print(station_{n}([{n}.5, {n}.25, {n}.75]))
'''


def section(number: int, place: str) -> str:
    """Heading, prose, table, list and code about one place."""
    rows = "\n".join(
        f"| {hour:02d}:00 | {number + hour / 10:.1f} | {'☀️' if hour < 16 else '🌧️'} |" for hour in (6, 12, 18)
    )
    return (
        f"## {number}. {place} {EMOJI.split()[number % 7]}\n\n"
        f"In **{place}** the day was *quiet*; the `station_{number}` log has every reading. "
        f"It rained a little after noon, and the wind came from the harbour & the hills <gusts to {number + 20} km/h>. "
        f"More is in the [archive](https://example.com/archive/{number}).\n\n"
        f"| hour | °C | sky |\n|---|---|---|\n{rows}\n\n"
        f"- readings: {number * 12}\n- missing: ~~{number}~~ none\n  - checked twice {EMOJI}\n\n"
        f"1. calibrate\n2. record\n3. compare\n\n"
        f"```python\n{CODE.format(n=number)}```\n\n"
        f"> A note on {place}: the numbers are invented, the formatting is real.\n\n"
    )


def long_sample() -> str:
    """About 13,000 characters; the last line says that it is the last."""
    body = "".join(section(number, place) for number, place in enumerate(PLACES, 1))
    return f"# Fifteen stations\n\n{body}The end of the long sample. {EMOJI}\n"
