"""OpenClaw's page behind our script: what is copied, what is written anew, and what is refused."""

from pathlib import Path

import pytest

from ops.console import FOLDER, SHIM, NoConsole, put_together

PAGE = """<!doctype html>
<html lang="en">
  <head>
    <script>globalThis.first = 1;</script>
    <script type="module" crossorigin src="./assets/index.js"></script>
  </head>
  <body><script>globalThis.last = "$&";</script></body>
</html>
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    ui = tmp_path / "package" / "dist" / "control-ui"
    (ui / "assets").mkdir(parents=True)
    (ui / "index.html").write_text(PAGE)
    (ui / "sw.js").write_text("")
    for name in ("index.js", "index.js.br", "index.js.gz"):
        (ui / "assets" / name).write_text("app")
    (tmp_path / "package" / "LICENSE").write_text("MIT")
    (tmp_path / "site" / FOLDER).mkdir(parents=True)
    (tmp_path / "site" / FOLDER / SHIM).write_text("ours")
    return tmp_path / "package"


def test_our_script_comes_first_and_no_script_stands_in_the_page(package: Path, tmp_path: Path) -> None:
    target = tmp_path / "site" / FOLDER
    assert put_together(package, tmp_path / "site") == 3
    page = (target / "index.html").read_text()
    assert [part.partition(">")[0] for part in page.split("<script ")[1:]] == [
        'src="/console/shim.js"',
        'src="/console/page-1.js"',
        'type="module" crossorigin src="./assets/index.js"',
        'src="/console/page-2.js"',
    ]
    assert '<base href="/console/">' in page
    assert 'data-openclaw-control-ui-base-path="/console"' in page
    assert (target / "page-2.js").read_text() == 'globalThis.last = "$&";'
    found = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert found == {"LICENSE.txt", "assets/index.js", "index.html", "page-1.js", "page-2.js", SHIM}


@pytest.mark.parametrize(
    "page", ["<html><head></head></html>", PAGE.replace("<head>", "<head >"), PAGE + "<script defer>"]
)
def test_a_page_that_is_not_as_expected_is_refused(package: Path, tmp_path: Path, page: str) -> None:
    (package / "dist" / "control-ui" / "index.html").write_text(page)
    with pytest.raises(NoConsole, match="not as expected"):
        put_together(package, tmp_path / "site")


def test_a_package_without_it_is_refused(package: Path, tmp_path: Path) -> None:
    (package / "dist" / "control-ui" / "index.html").unlink()
    with pytest.raises(NoConsole, match="missing"):
        put_together(package, tmp_path / "site")
