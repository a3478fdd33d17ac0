"""Mail over real SMTP: plain, STARTTLS, implicit TLS; and when there is no server, or a wrong one."""

from urllib.parse import quote

import pytest

from support.outbox import code_in, text_of
from support.people import Person
from support.server import Server
from support.smtp import PASSWORD, USER, Authority, MailServer, free_port
from support.waiting import until

LOGIN = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"


@pytest.fixture
def authority(tmp_path) -> Authority:
    return Authority(tmp_path)


def ask_for_a_code(person: Person) -> None:
    answer = person.ask("POST", "/twofa/send-code/", token="", json={"username": person.name, "email": person.email})
    assert (answer.status_code, answer.text) == (200, "Email sent. Use the code sent in the login process")


def sign_in_by_mail(server: Server, mails: MailServer) -> None:
    """Registers someone, and signs in with the code out of the mail."""
    ana = Person(server, "ana").register()
    ask_for_a_code(ana)
    mail = mails.next_mail()
    assert mails.recipients == [ana.email]
    assert mail["Subject"] == "2fa for Trascendence"
    assert mail["To"].addresses[0].addr_spec == ana.email
    assert mail["From"] and mail["Date"] and mail["Message-ID"]
    assert "ana" in text_of(mail)
    assert ana.try_login(code_in(mail)).status_code == 200
    assert not list(server.data.glob("outbox/*.eml")), "with SMTP nothing is written to the outbox"


def test_plain_smtp_on_loopback(new_server) -> None:
    with MailServer() as mails:
        server = new_server().start("--smtp-url", f"smtp://127.0.0.1:{mails.port}?tls=none")
        sign_in_by_mail(server, mails)
        assert mails.encrypted == [False]


def test_starttls_with_a_login(new_server, authority: Authority) -> None:
    with MailServer("starttls", authority, login=True) as mails:
        server = new_server().start(
            "--smtp-url", f"smtp://{LOGIN}127.0.0.1:{mails.port}", "--smtp-ca", str(authority.file)
        )
        sign_in_by_mail(server, mails)
        assert mails.encrypted == [True]


def test_implicit_tls_with_a_login(new_server, authority: Authority) -> None:
    with MailServer("implicit", authority, login=True) as mails:
        server = new_server().start(
            "--smtp-url", f"smtps://{LOGIN}localhost:{mails.port}", "--smtp-ca", str(authority.file)
        )
        sign_in_by_mail(server, mails)
        assert mails.encrypted == [True]


def test_sender_and_subject_are_settings(new_server) -> None:
    with MailServer() as mails:
        server = new_server().start(
            "--smtp-url", f"smtp://127.0.0.1:{mails.port}?tls=none",
            "--mail-from", "Tertulia <codes@chat.example>",
            "--mail-subject", "Tu código 🙂",
        )  # fmt: skip
        person = Person(server, "ñandú", email="nandu@example.org").register()
        ask_for_a_code(person)
        mail = mails.next_mail()
        assert mail["Subject"] == "Tu código 🙂"
        assert mail["From"].addresses[0].addr_spec == "codes@chat.example"
        assert "ñandú" in text_of(mail)
        assert person.try_login(code_in(mail)).status_code == 200


def test_mail_is_retried_until_the_server_is_up(new_server) -> None:
    port = free_port()
    server = new_server().start("--smtp-url", f"smtp://127.0.0.1:{port}?tls=none")
    ana = Person(server, "ana").register()
    # Answered at once, though nobody listens there.
    ask_for_a_code(ana)
    with MailServer(port=port) as mails:
        assert ana.try_login(code_in(mails.next_mail())).status_code == 200


def refuses_to_send(server: Server, mails: MailServer) -> None:
    """The server tries, and gives up before it shows a password or a mail."""
    ana = Person(server, "ana").register()
    ask_for_a_code(ana)
    until(lambda: mails.ended >= 1, "an attempt that ended", bound=120)
    assert mails.mails == []
    assert not {"MAIL", "AUTH", "RCPT", "DATA"} & set(mails.commands)


def test_without_starttls_nothing_is_sent_in_the_clear(new_server, authority: Authority) -> None:
    with MailServer("none") as mails:
        server = new_server().start(
            "--smtp-url", f"smtp://{LOGIN}127.0.0.1:{mails.port}", "--smtp-ca", str(authority.file)
        )
        refuses_to_send(server, mails)


def test_an_unknown_certificate_is_not_trusted(new_server, authority: Authority) -> None:
    with MailServer("starttls", authority) as mails:
        server = new_server().start("--smtp-url", f"smtp://127.0.0.1:{mails.port}")
        refuses_to_send(server, mails)
