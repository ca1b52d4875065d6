"""Settings on a real table: where a time zone comes from, and writes beside each other."""

import json
import threading
import uuid

import pytest

from chalicelib.messages.conversations import Change, Conversations
from chalicelib.people.preferences import KEY, Preferences, find_zone
from chalicelib.platform.models import SettingItem
from chalicelib.wire.protocol import ProtocolError

pytestmark = pytest.mark.usefixtures("table_server")


@pytest.fixture
def user() -> str:
    return uuid.uuid4().hex


def zone(user: str) -> tuple[str, str | None]:
    choice = Preferences().get(user)
    return choice.time_zone, choice.time_zone_from


def test_the_first_browser_gives_the_zone_and_no_later_one(user: str) -> None:
    preferences = Preferences()
    assert zone(user) == ("UTC", None)
    assert preferences.change(user, {"browserTimeZone": "Europe/Berlin"}).known_zone == "Europe/Berlin"
    preferences.change(user, {"browserTimeZone": "America/New_York"})
    assert zone(user) == ("Europe/Berlin", "browser")


@pytest.mark.parametrize("chosen", ["Asia/Seoul", "UTC"])
def test_a_zone_that_a_person_chose_stays(user: str, chosen: str) -> None:
    Preferences().change(user, {"timeZone": chosen})
    Preferences().change(user, {"browserTimeZone": "Europe/Berlin"})
    assert zone(user) == (chosen, "user")


def test_a_zone_from_before_it_was_noted_was_chosen(user: str) -> None:
    SettingItem(user, KEY).update([SettingItem.value.set({"model": None, "time_zone": "Asia/Seoul", "later": 1})])
    Preferences().change(user, {"browserTimeZone": "Europe/Berlin"})
    assert zone(user) == ("Asia/Seoul", "user")


def test_settings_without_a_zone_take_the_browsers(user: str) -> None:
    SettingItem(user, KEY).update([SettingItem.value.set({"model": "a/b", "time_zone": "UTC"})])
    Preferences().change(user, {"browserTimeZone": "Europe/Berlin"})
    assert zone(user) == ("Europe/Berlin", "browser")
    assert Preferences().get(user).model == "a/b"


@pytest.mark.parametrize("name", ["timeZone", "browserTimeZone"])
@pytest.mark.parametrize("value", ["Etc/Unknown", "", "../etc/passwd", 7, None, "Europe/berlin\0"])
def test_what_is_no_zone_is_refused(user: str, name: str, value: object) -> None:
    with pytest.raises(ProtocolError, match=f"{name} must be"):
        Preferences().change(user, {name: value})
    assert zone(user) == ("UTC", None)


def test_changes_beside_each_other_are_all_kept(user: str) -> None:
    bodies = [
        {"browserTimeZone": "Europe/Berlin"},
        {"model": "a/b"},
        {"retentionDays": 30},
        {"autoTitle": False},
    ]
    threads = [threading.Thread(target=Preferences().change, args=(user, body)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    choice = Preferences().get(user)
    kept = (choice.time_zone, choice.model, choice.retention_days, choice.auto_title)
    assert kept == ("Europe/Berlin", "a/b", 30, False)


def test_the_zone_is_asked_for_once_and_not_when_it_is_known(user: str) -> None:
    assert [Preferences().ask_zone(user) for _ in range(3)] == [True, False, False]
    other = f"{user}-2"
    Preferences().change(other, {"browserTimeZone": "Europe/Berlin"})
    assert not Preferences().ask_zone(other)


def test_the_public_form_is_json_and_can_be_sent_back(user: str) -> None:
    public = json.loads(json.dumps(Preferences().change(user, {"autoTitle": False}).public()))
    assert (public["timeZoneFrom"], public["autoTitle"]) == (None, False)
    with pytest.raises(ProtocolError, match="autoTitle"):
        Preferences().change(user, {"autoTitle": "no"})
    assert not public["voiceAnswers"], "it costs"
    with pytest.raises(ProtocolError, match="voiceAnswers"):
        Preferences().change(user, {"voiceAnswers": 1})


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("utc", "UTC"),
        ("atlantis", None),
        ("", None),
    ],
)
def test_a_zone_is_found_as_people_write_it(typed: str, found: str | None) -> None:
    assert find_zone(typed) == found


def test_a_models_title_takes_the_place_of_the_first_words_only(user: str) -> None:
    conversations, question = Conversations(), "How do I bake rye bread?"
    assert conversations.unnamed(user, "c-1", question) is None
    conversations.touch(user, "c-1", question)
    assert conversations.unnamed(user, "c-1", question)
    named = conversations.name(user, "c-1", question, "Baking rye bread")
    assert named is not None
    assert named["title"] == "Baking rye bread"
    assert conversations.unnamed(user, "c-1", question) is False
    assert conversations.name(user, "c-1", question, "Another one") is None


def test_a_title_that_a_person_typed_is_never_replaced(user: str) -> None:
    conversations, question = Conversations(), "hello"
    conversations.touch(user, "c-1", question)
    conversations.change(user, "c-1", Change(title="hello"))  # even when it is the same words
    assert conversations.unnamed(user, "c-1", question) is False
    assert conversations.name(user, "c-1", question, "Greeting") is None


def test_a_conversation_that_began_with_a_command_is_named_by_its_first_question(user: str) -> None:
    conversations = Conversations()
    conversations.touch(user, "c-1", "/help")
    conversations.touch(user, "c-1", "How do I bake rye bread?")
    assert conversations.name(user, "c-1", "How do I bake rye bread?", "Baking rye bread") is not None


def test_the_heartbeat_is_off_until_it_is_set_and_keeps_its_hours(user: str) -> None:
    choice = Preferences().get(user)
    assert (choice.heartbeat_minutes, choice.push_text) == (None, True)
    Preferences().change(user, {"heartbeatMinutes": 60, "heartbeatHours": "22:00-06:00", "pushText": False})
    public = Preferences().change(user, {"heartbeatMinutes": None}).public()
    assert (public["heartbeatMinutes"], public["heartbeatHours"], public["pushText"]) == (None, "22:00-06:00", False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"heartbeatMinutes": 5},
        {"heartbeatMinutes": 1441},
        {"heartbeatMinutes": "30"},
        {"heartbeatMinutes": True},
        {"heartbeatHours": "8-22"},
        {"heartbeatHours": "08:00-08:00"},
        {"heartbeatHours": 8},
        {"pushText": "yes"},
    ],
)
def test_a_wrong_value_is_named_and_changes_nothing(user: str, wrong: dict[str, object]) -> None:
    with pytest.raises(ProtocolError, match=next(iter(wrong))) as refused:
        Preferences().change(user, wrong)
    assert refused.value.code == "BAD_FIELD"
    assert Preferences().get(user).heartbeat_minutes is None
