"""The command itself: started, killed, started again, stopped; and what it says when it cannot start."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from local.cloud.bridges import free_port
from local.stack import ROOT
from tests.support.client import eventually

pytestmark = pytest.mark.timeout(150)


class Run:
    """One `make run`, as the Makefile starts it."""

    def __init__(self, data: Path, port: int) -> None:
        self.data = data
        command = [sys.executable, "-m", "local", "--port", str(port), "--data", str(data)]
        keys = ("PATH", "HOME")
        env = {key: os.environ[key] for key in keys if key in os.environ} | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.output = ""
        while "Ctrl-C" not in self.output:
            line = self.process.stdout.readline()
            assert line, f"it ended: {self.output}"
            self.output += line

    @property
    def url(self) -> str:
        return str(re.findall(r"Open\s+(\S+)", self.output)[0])

    @property
    def user(self) -> tuple[str, str]:
        found = re.search(r"Sign in as\s+(\S+)\s+with\s+(\S+)", self.output)
        assert found, self.output
        return found.group(1), found.group(2)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def left(self) -> list[str]:
        """Processes that still name this run's data folder or work in it."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                cwd = os.readlink(entry / "cwd")
            except OSError:
                continue
            if str(self.data) in line or cwd.startswith(str(self.data)):
                found.append(line)
        return found


def sign_in(page: Page, run: Run) -> None:
    page.goto(run.url)
    email, password = run.user
    page.get_by_test_id("sign-in-email").fill(email)
    page.get_by_test_id("sign-in-password").fill(password)
    page.get_by_test_id("sign-in-submit").click()
    expect(page.get_by_test_id("composer")).to_be_visible(timeout=20_000)


def gone(run: Run, seconds: float = 40) -> bool:
    """Whether nothing of it is left; its tasks are given 20 s to hand over (local/cloud/server.py)."""
    deadline = time.monotonic() + seconds
    while run.left() and time.monotonic() < deadline:
        time.sleep(0.2)
    return not run.left()


def test_a_kill_leaves_no_process_and_the_next_run_finds_the_conversation(browser: Browser, tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    run = Run(data, port)
    page = browser.new_page()
    sign_in(page, run)
    page.get_by_test_id("composer").fill("What is 20+22?")
    page.get_by_test_id("send").click()
    answer = page.locator('[data-testid="message"][data-role="assistant"][data-state="done"]')
    expect(answer).to_contain_text("= 42", timeout=60_000)
    eventually(lambda: any(b"= 42" in file.read_bytes() for file in data.glob("cloud-*.pickle")), 20)
    run.end(signal.SIGKILL)
    assert gone(run), run.left()

    begun = time.monotonic()
    run = Run(data, port)
    assert time.monotonic() - begun < 30
    page.close()
    page = browser.new_page()
    answer = page.locator('[data-testid="message"][data-role="assistant"][data-state="done"]')
    sign_in(page, run)
    expect(answer).to_contain_text("= 42", timeout=20_000)
    page.close()
    assert run.end(signal.SIGINT) == 0
    assert gone(run), run.left()


def test_a_taken_port_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "local", "--port", port, "--data", str(tmp_path / "data")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert done.stderr == f"Port {port} is taken: stop what uses it, or run `make run PORT=8001`.\n"


def test_an_npm_failure_is_told_in_a_sentence_with_npms_own_words(tmp_path: Path) -> None:
    from local import tools

    (tmp_path / "package.json").write_text('{"dependencies": {"no-such-package-of-ours": "0.0.1"}}')
    with pytest.raises(tools.ToolError) as failed:
        tools.npm(tools.find(), tmp_path, ["ci"])
    assert str(failed.value).startswith("npm ci failed in ")
    assert "lock" in str(failed.value).lower()
