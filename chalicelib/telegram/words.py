"""Describes messages without text in words for the agent. The words are data, not the person's own."""

from typing import Any

from chalicelib.telegram.fields import as_dict, as_int, as_text

Json = dict[str, Any]
NAME_LENGTH = 200
POLL_OPTIONS = 12


def in_words(message: Json) -> str:
    """A place, contact, sticker, poll … as one line in brackets; empty for a message of none of these kinds."""
    for kind, say in _KINDS.items():
        if kind in message:
            return f"[{say(as_dict(message[kind]))}]"
    return ""


def origin(message: Json) -> str:
    """Who first wrote a forwarded message; empty for one that was not forwarded."""
    source = as_dict(message.get("forward_origin"))
    if not source:
        return ""
    user, chat = as_dict(source.get("sender_user")), as_dict(source.get("sender_chat") or source.get("chat"))
    name = person(user) or as_text(source.get("sender_user_name")) or as_text(chat.get("title"))
    return name[:NAME_LENGTH] or "somebody"


def forwarded(text: str, name: str) -> str:
    """Marks somebody else's words: a request in them does not come from the person."""
    quoted = "\n".join(f"> {line}" for line in text.splitlines())
    return f"[Forwarded from {name}; written by them, not by me]\n{quoted}".rstrip()


def person(user: Json) -> str:
    """First and last name, else the user name."""
    name = " ".join(as_text(user.get(part)) for part in ("first_name", "last_name")).strip()
    return (name or as_text(user.get("username")))[:NAME_LENGTH]


def _location(place: Json) -> str:
    live = " (live)" if as_int(place.get("live_period")) else ""
    return f"Location{live}: {_degrees(place.get('latitude'))}, {_degrees(place.get('longitude'))}"


def _venue(venue: Json) -> str:
    title, address = as_text(venue.get("title"))[:NAME_LENGTH], as_text(venue.get("address"))[:NAME_LENGTH]
    return f"Place: {title}, {address}. {_location(as_dict(venue.get('location')))}"


def _contact(contact: Json) -> str:
    number = as_text(contact.get("phone_number"))[:NAME_LENGTH]
    return f"Contact: {person(contact) or 'without a name'}, {number or 'without a number'}"


def _poll(poll: Json) -> str:
    options = poll.get("options") if isinstance(poll.get("options"), list) else []
    names = [as_text(as_dict(option).get("text"))[:NAME_LENGTH] for option in (options or [])[:POLL_OPTIONS]]
    return f"Poll: {as_text(poll.get('question'))[:NAME_LENGTH]} Options: {' / '.join(names)}"


def _sticker(sticker: Json) -> str:
    return f"Sticker: {as_text(sticker.get('emoji'))[:NAME_LENGTH] or 'without an emoji'}"


def _dice(dice: Json) -> str:
    return f"Dice: {as_text(dice.get('emoji'))[:10] or '🎲'} shows {as_int(dice.get('value')) or '?'}"


def _film(noun: str) -> Any:
    def say(film: Json) -> str:
        seconds = as_int(film.get("duration"))
        length = f" of {seconds} s" if seconds else ""
        return f"{noun}{length}, which you cannot see"

    return say


def _degrees(value: object) -> str:
    return f"{value:.5f}" if isinstance(value, int | float) and not isinstance(value, bool) else "?"


# A venue contains a location, and an animation a document: the more specific kind comes first.
_KINDS = {
    "venue": _venue,
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "sticker": _sticker,
    "dice": _dice,
    "video_note": _film("Video message"),
    "animation": _film("Animation"),
    "video": _film("Video"),
    "story": lambda _: "Story, which you cannot see",
}
