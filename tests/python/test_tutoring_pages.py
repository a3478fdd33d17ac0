"""The pages of tutoring in a real browser, with its script and without."""

from pathlib import Path

import pytest

from support.browser import CHROMIUM, Page, browser
from support.server import Server
from support.tutors import PASSWORD, Tutor

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is missing")


@pytest.fixture
def page(tmp_path: Path):
    with browser(tmp_path / "chromium") as tab:
        yield tab


def sign_in(page: Page, server: Server, name: str) -> None:
    page.opens(server.url)
    assert page.script("location.pathname + location.search") == "/login/?next=/"
    page.fills(username=name, password=PASSWORD)
    page.clicks("form button")
    page.shows("location.pathname === '/' && document.readyState === 'complete'")


@pytest.mark.only("sqlite")
def test_messages_appear_as_they_come(server: Server, page: Page) -> None:
    stan, tess = Tutor(server, "stan"), Tutor(server, "tess", "teacher")
    sign_in(page, server, "stan")
    page.shows("document.querySelector('#link.live')")
    assert "No rooms yet." in page.text()
    # A room that is opened and joined here and there.
    page.fills(text="Is 91 prime?")
    page.clicks("#ask button")
    page.shows("document.querySelector('#title').textContent === 'Is 91 prime?'")
    with tess.socket() as desk:
        room = tess.ask("GET", "/api/room/").json()[0]["id"]
        assert desk.ask("join_room", {"room": room})["status"] == "engaged"
        page.shows("document.querySelector('#state').textContent === 'engaged · Tess (online)'")
        desk.say(room, "No: <b>7</b> times 13.", image=f"{server.url}/media/avatars/default.png")
        page.shows("document.querySelectorAll('#messages li').length === 1")
        assert "No: <b>7</b> times 13." in page.text() and "Tess · " in page.text()
        page.shows("document.querySelector('#messages img').naturalWidth > 0")
        # What is on the page is seen, and answered there.
        desk.hears_until("seen")
        page.script("document.querySelector('#say textarea').value = 'Oh.'")
        page.clicks("#say button")
        assert desk.hears_until("message")["text"] == "Oh."
        page.shows("document.querySelectorAll('#messages li.mine').length === 1")
        desk.ask("seen", {"room": room})
        page.shows("document.querySelector('#messages li.mine').textContent.endsWith('seen')")
        # The connection comes back by itself, with what was said meanwhile.
        page.script("socket.close()")
        desk.say(room, "Meanwhile.")
        page.shows("document.querySelectorAll('#messages li').length === 3")
        desk.ask("close_room", {"room": room})
        page.shows("document.querySelector('#state').textContent.startsWith('closed')")
        assert page.script("document.querySelector('#say').hidden") is True
    assert [said["text"] for said in stan.messages(room)] == ["No: <b>7</b> times 13.", "Oh.", "Meanwhile."]
    page.clicks(".bar form button")
    page.shows("location.pathname === '/login/'")


@pytest.mark.only("sqlite")
def test_without_a_script_rooms_are_read(server: Server, page: Page) -> None:
    stan, tess = Tutor(server, "stan"), Tutor(server, "tess", "teacher")
    room = stan.open_room("Is 91 prime?")
    with tess.socket() as desk:
        desk.ask("join_room", {"room": room})
        desk.say(room, "<script>alert(1)</script>")
    page.tell("Emulation.setScriptExecutionDisabled", value=True)
    sign_in(page, server, "stan")
    assert "Is 91 prime?" in page.text() and "engaged · Tess" in page.text()
    page.opens(f"{server.url}/?room={room}")
    assert "<script>alert(1)</script>" in page.text() and "With JavaScript" in page.text()
    # An address that is typed in is the person's own doing.
    page.opens(f"{server.url}/logout/")
    page.shows("location.pathname === '/login/'")
