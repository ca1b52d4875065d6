"""Names of attached files on the agent's disk, and how they are told to the model and to the person."""

import re
import unicodedata

# Characters of a name as the model and the person read it.
TOLD = 80
# A file system takes 255 bytes; `.txt` and the number come on top.
NAME_BYTES = 200
_INVISIBLE, _OPENING_OR_CLOSING = ("Cc", "Cf", "Cs", "Co", "Cn"), ("Ps", "Pe", "Pi", "Pf")
_ODD = re.compile(r'[/\\:*?"<>|\s]+')


def disk_name(number: int, name: str) -> str:
    """A name that a shell needs no quotes for, in any script; the number keeps two of the same name apart."""
    text = unicodedata.normalize("NFC", name)
    text = "".join(letter for letter in text if unicodedata.category(letter) not in _INVISIBLE)
    text = re.sub(r"[`$&;'()!#\[\]{}~^=%,@+]", "", _ODD.sub("_", text)).strip("._-")
    stem, dot, ending = text.rpartition(".")
    if not stem or len(ending.encode()) > 16:
        stem, dot, ending = text, "", ""
    room = NAME_BYTES - len(ending.encode())
    stem = stem.encode()[:room].decode(errors="ignore")
    return f"{number}-{stem or 'file'}{dot}{ending}"


def told_name(name: str) -> str:
    """A name in a sentence around it: one line, at most TOLD characters, and no bracket or quote that could end it.

    Round brackets stay: many names have them, and no sentence of ours ends with one.
    """
    letters = [letter for letter in name if letter in "()" or not _ends_a_quotation(letter)]
    text = " ".join("".join(letters).split()) or "file"
    if len(text) <= TOLD:
        return text
    ending = text[text.rfind(".") :] if 0 < len(text) - text.rfind(".") <= 10 else ""
    return f"{text[: TOLD - 1 - len(ending)]}…{ending}"


def _ends_a_quotation(letter: str) -> bool:
    if letter.isspace():
        return False
    return letter in "\"'`<>|＂＇＜＞｜" or unicodedata.category(letter) in _OPENING_OR_CLOSING + _INVISIBLE


def size_in_words(count: int) -> str:
    """Like 12 KB or 3.4 MB."""
    if count < 1_000:
        return f"{count} bytes"
    return f"{count / 1_000:.0f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
