"""The page as a person uses it: what they see, press and write."""

import re

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from tests.e2e.people import User

# Said by the browser for every refused request; the page shows those in its own words.
EXPECTED = re.compile(r"Failed to load resource|ERR_INTERNET_DISCONNECTED|WebSocket connection to")
SIGN_IN_MS = 20_000
ANSWER_MS = 30_000


class App:
    """One tab. `problems` holds uncaught errors, and all that the console calls an error or a violation."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._on_console)

    def _on_console(self, message: ConsoleMessage) -> None:
        violation = "Content Security Policy" in message.text or "Trusted" in message.text
        if violation or (message.type == "error" and not EXPECTED.search(message.text)):
            self.problems.append(f"{message.type}: {message.text}")

    def by(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    # Signing in

    def open(self) -> None:
        self.page.goto("/")

    def fill_sign_in(self, user: User) -> None:
        self.by("sign-in-email").fill(user.email)
        self.by("sign-in-password").fill(user.password)
        self.by("sign-in-submit").click()

    def sign_in(self, user: User) -> None:
        self.open()
        self.fill_sign_in(user)
        self.ready()

    def ready(self) -> None:
        """Signed in and connected."""
        expect(self.by("composer")).to_be_visible(timeout=SIGN_IN_MS)
        expect(self.by("connection")).to_have_attribute("data-state", "open", timeout=SIGN_IN_MS)

    def reload(self) -> None:
        """Loads the page anew, to the end: history shows before the socket is open, and a frame sent then is lost."""
        self.page.reload()
        self.ready()

    # The chat

    def new_conversation(self) -> str:
        """Opens one; its id."""
        before = self.page.url
        self.by("new-conversation").click()
        expect(self.page).not_to_have_url(before)
        return self.conversation_id

    @property
    def conversation_id(self) -> str:
        return self.page.url.partition("#")[2].rpartition("/")[2]

    def send(self, text: str) -> None:
        self.by("composer").fill(text)
        self.by("send").click()

    def messages(self, role: str | None = None, state: str | None = None) -> Locator:
        wanted = "".join(f'[data-{k}="{v}"]' for k, v in (("role", role), ("state", state)) if v)
        return self.page.locator(f'[data-testid="message"]{wanted}')

    @property
    def questions(self) -> Locator:
        return self.messages("user")

    @property
    def answers(self) -> Locator:
        return self.messages("assistant")

    def streaming(self, text: str | re.Pattern[str] = re.compile(r"\S")) -> Locator:
        """The answer that is being written, once it holds a text."""
        answer = self.messages("assistant", "streaming").first
        expect(answer.locator(".markdown")).to_contain_text(text, timeout=ANSWER_MS)
        return answer

    def answered(self, text: str | re.Pattern[str], nth: int = 0) -> Locator:
        """The finished answer at that place, once it holds a text."""
        answer = self.answers.nth(nth)
        expect(answer).to_have_attribute("data-state", "done", timeout=ANSWER_MS)
        expect(answer).to_contain_text(text)
        return answer

    def ask(self, text: str, answer: str | re.Pattern[str]) -> Locator:
        nth = self.answers.count()
        self.send(text)
        return self.answered(answer, nth)

    def item(self, conversation_id: str) -> Locator:
        """A conversation in the list."""
        return self.page.locator(f'[data-testid="conversation-item"][data-conversation-id="{conversation_id}"]')

    def panel(self, name: str) -> Locator:
        """Opens the panel `link`, `settings` or `status`."""
        self.by(f"open-{name}").click()
        panel = self.by(f"panel-{name}")
        expect(panel).to_be_visible()
        return panel
