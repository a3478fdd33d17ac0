"""Reading the mails that the server wrote or sent."""

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

from support.waiting import until

CODE_LINE = re.compile(r"^\d{6}\r?$", re.MULTILINE)


def parse(raw: bytes) -> EmailMessage:
    """A mail as the standard library reads it, with decoded headers."""
    return email.message_from_bytes(raw, policy=email.policy.default)


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail, decoded."""
    body = mail.get_body(preferencelist=("plain",))
    assert body is not None, "the mail has no plain text"
    return body.get_content()


def code_in(mail: EmailMessage) -> str:
    """The six digits that stand on a line of their own."""
    codes = CODE_LINE.findall(text_of(mail))
    assert len(codes) == 1, f"one line of six digits is due: {text_of(mail)!r}"
    return codes[0].strip()


class Outbox:
    """The folder `<data-dir>/outbox`; each mail is handed out once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._taken: set[str] = set()

    def next_mail(self, to: str) -> EmailMessage:
        """The next mail for that address that was not handed out yet; waits for it."""
        return until(lambda: self._look(to), f"a mail to {to} in the outbox")

    def next_code(self, to: str) -> str:
        """The code in that mail."""
        return code_in(self.next_mail(to))

    def _look(self, to: str) -> EmailMessage | None:
        if not self.folder.is_dir():
            return None
        for path in sorted(self.folder.glob("*.eml"), key=lambda path: (path.stat().st_mtime_ns, path.name)):
            if path.name in self._taken:
                continue
            mail = parse(path.read_bytes())
            if mail["To"] is not None and to in [address.addr_spec for address in mail["To"].addresses]:
                self._taken.add(path.name)
                return mail
        return None
