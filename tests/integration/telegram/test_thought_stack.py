"""One thought, one turn, on the real gateway: an album of ten, also while the agent starts."""

from collections import Counter

import pytest

from local.stack import Stack
from tests.integration.telegram.test_telegram_stack import paired
from tests.support.client import Client, eventually
from tests.support.telegram import Person

pytestmark = pytest.mark.timeout(180)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)
COUNT = "run: find ~/.openclaw/media -type f | wc -l"


def album(person: Person, name: str, caption: str) -> None:
    for number in range(10):
        file = person.upload(PNG + bytes([number]))
        photo = [{"file_id": file, "file_size": len(PNG) + 1, "width": 9, "height": 9}]
        more = {"caption": caption} if number == 0 else {}
        person.say(message={"photo": photo, "media_group_id": name, **more})


def reasons(client: Client) -> Counter[str]:
    return Counter(str(row.get("reason")) for row in client.history() if row["role"] == "assistant")


def test_an_album_of_ten_is_one_turn_with_ten_pictures(stack: Stack) -> None:
    """Cold: the pictures wait while the agent starts. Before, each was a turn with a bill of its own."""
    client, person = paired(stack)
    album(person, "first", COUNT)
    person.reply("The command printed", 90)
    eventually(lambda: reasons(client) == {"final": 1, "steered": 9}, 20)
    answer = next(row for row in client.history() if row.get("reason") == "final")
    assert "\n10\n" in answer["content"], answer["content"]
    assert len([text for text in person.texts() if "The command printed" in text]) == 1

    person.say("One:", message={"forward_origin": {"type": "hidden_user", "sender_user_name": "Bob"}})
    person.say("What is 6*7?", message={"forward_origin": {"type": "hidden_user", "sender_user_name": "Bob"}})
    person.reply("6*7 = 42", 30)
    eventually(lambda: reasons(client) == {"final": 2, "steered": 10}, 20)
    client.close()
