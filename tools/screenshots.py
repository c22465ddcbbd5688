# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation site as a browser shows it, on a telephone and on a desk: every page is looked at, some are kept.

``python -m tools.screenshots``, after ``make docs``. Playwright drives the Chromium of the system; the pictures are in
``build/screenshots``. No page may scroll sideways, write an error to the console, or ask for what is not there or not
on the site.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.server
import importlib
import pathlib
import shutil
import sys
import threading
import typing as t

from . import steps, venvs
from .places import BUILD, LOGS, ROOT, environment

#: Kept as pictures: the first page, a guide, tables, a page of the reference, and the widest text.
_KEPT = ("index", "getting-started", "states", "reference/livesync_trigger_module", "status-reports")
_WIDTHS = {390: 844, 1280: 800}
_DRIVER = ("playwright ~= 1.65",)
_NAMES = ("chromium", "chromium-browser", "google-chrome")
#: Of Chromium: nothing that asks others, and no sandbox, which there is none of for root.
_OPTIONS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
_SITE, _PICTURES = BUILD / "site", BUILD / "screenshots"
#: How far a page is wider than what shows it, and which of its parts are, unless they scroll within a box of their own.
_WIDER = """() => {
  const width = document.documentElement.clientWidth;
  const boxed = (part) => part && part !== document.body &&
    (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(part).overflowX) || boxed(part.parentElement));
  const parts = [...document.querySelectorAll("article *")]
    .filter((part) => part.getBoundingClientRect().right > width + 1 && !boxed(part))
    .map((part) => `<${part.tagName.toLowerCase()}> ${part.textContent.trim().slice(0, 40)}`);
  return [document.documentElement.scrollWidth - width, parts.slice(0, 3)];
}"""

#: What a page itself calls an error: messages of Sphinx, and contents where the theme shows some already.
_ERRORS = "article :is(.system-message, .problematic, .contents)"


def wider(by: int, parts: t.Sequence[str]) -> list[str]:
    """Return what to say of a page's width.

    :param by: so many pixels it is wider than what shows it.
    :param parts: what of it reaches beyond.
    """
    found = [f"scrolls sideways by {by} pixels"] if by > 0 else []
    return found + [f"reaches beyond the edge: {part}" for part in parts]


def strange(requests: t.Iterable[tuple[str, t.Optional[int]]], home: str) -> list[str]:
    """Return what to say of what a page asked for.

    :param requests: each with its answer's status, None for no answer.
    :param home: with what the addresses of the site begin.
    """
    found = []
    for url, status in requests:
        if url.startswith("data:"):
            continue
        if not url.startswith(home):
            found.append(f"asks another host: {url}")
        elif status is None or status >= 400:
            found.append(f"{status or 'no answer'} for {url.removeprefix(home)}")
    return found


class _Silent(http.server.SimpleHTTPRequestHandler):
    def handle(self) -> None:
        """Answer; a page that is closed before all of it has come is no error."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: t.Any) -> None:
        """Say nothing of a request."""


@contextlib.contextmanager
def served(folder: pathlib.Path) -> t.Iterator[str]:
    """Serve a folder on loopback, and yield its address, which ends with a slash."""
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def _look(browser: t.Any, home: str, name: str, width: int) -> list[str]:
    """Open a page, keep its picture if it is one of those, and return what is wrong with it."""
    page = browser.new_page(viewport={"width": width, "height": _WIDTHS[width]})
    told: list[str] = []
    asked: list[tuple[str, int | None]] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("response", lambda answer: asked.append((answer.url, answer.status)))
    page.on("requestfailed", lambda request: asked.append((request.url, None)))
    try:
        page.goto(f"{home}{name}.html", wait_until="load")
        found = wider(*page.evaluate(_WIDER))
        found += [f"shows an error: {text[:60]}" for text in page.locator(_ERRORS).all_inner_texts()]
        if name in _KEPT:
            page.screenshot(path=_PICTURES / f"{name.replace('/', '-')}-{width}.png", full_page=True)
    finally:
        page.close()
    return [*found, *(f"console: {line}" for line in told), *strange(asked, home)]


def _inside(browser_path: str) -> int:
    """Look at all pages; this runs in the environment that has Playwright."""
    api = importlib.import_module("playwright.sync_api")
    names = [str(path.relative_to(_SITE).with_suffix("")) for path in sorted(_SITE.rglob("*.html"))]
    missing = [name for name in _KEPT if name not in names]
    wrong = [f"{name}: there is no such page" for name in missing]
    shutil.rmtree(_PICTURES, ignore_errors=True)
    _PICTURES.mkdir(parents=True)
    with api.sync_playwright() as driver, served(_SITE) as home:
        browser = driver.chromium.launch(executable_path=browser_path, args=_OPTIONS, chromium_sandbox=False)
        print(f"Chromium {browser.version}", flush=True)
        for width in _WIDTHS:
            for name in names:
                wrong += [f"{name} at {width}: {what}" for what in _look(browser, home, name, width)]
        browser.close()
    for line in wrong:
        print(f"FAILED: {line}", flush=True)
    kept = len(list(_PICTURES.glob("*.png")))
    print(f"{len(names)} pages at {' and '.join(map(str, _WIDTHS))} pixels, {len(wrong)} findings; "
          f"{kept} pictures in {_PICTURES.relative_to(ROOT)}", flush=True)  # fmt: skip
    return int(bool(wrong or not names))


def main() -> int:
    """Look at the site that was built; fail where a page is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots")
    parser.add_argument("--inside", metavar="BROWSER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return _inside(options.inside)
    browser = next(filter(None, map(shutil.which, _NAMES)), None)
    if browser is None or not (_SITE / "index.html").is_file():
        steps.say("FAILED: " + ("no Chromium here" if browser is None else "no site: make docs"))
        return 1
    programs = venvs.programs("the browser's driver", "screenshots", pathlib.Path(sys.executable), *_DRIVER)
    return steps.run(
        "the site in a browser",
        [str(programs / "python"), "-m", "tools.screenshots", "--inside", browser],
        LOGS / "screenshots.log", cwd=ROOT, env=environment(), check=False,
        telling=steps.beginning("Chromium", "FAILED", *map(str, range(10))),
    )  # fmt: skip


if __name__ == "__main__":
    steps.main(main)
