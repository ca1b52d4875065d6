"""Names of attached files on the agent's disk, and how they are told to the model and to the person."""

import re
import unicodedata

# A file system takes 255 bytes; `.txt` and the number come on top.
NAME_BYTES = 200
_ODD = re.compile(r'[/\\:*?"<>|\s]+')


def disk_name(number: int, name: str) -> str:
    """A name that a shell needs no quotes for, in any script; the number keeps two of the same name apart."""
    text = unicodedata.normalize("NFC", name)
    text = "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    text = re.sub(r"[`$&;'()!#\[\]{}~^=%,@+]", "", _ODD.sub("_", text)).strip("._-")
    stem, dot, ending = text.rpartition(".")
    if not stem or len(ending.encode()) > 16:
        stem, dot, ending = text, "", ""
    room = NAME_BYTES - len(ending.encode())
    stem = stem.encode()[:room].decode(errors="ignore")
    return f"{number}-{stem or 'file'}{dot}{ending}"


def size_in_words(count: int) -> str:
    """Like 12 KB or 3.4 MB."""
    if count < 1_000:
        return f"{count} bytes"
    return f"{count / 1_000:.0f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
