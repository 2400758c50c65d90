"""A mail server on loopback in a process of its own: keeps what it gets in a folder and can be told to refuse.

Usage: mail_server.py FOLDER. Prints its port. FOLDER/mode says what it does: accept, refuse (550) or later (451).
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

FOLDER = Path(sys.argv[1])
NUMBERS = itertools.count()
ANSWERS = {"refuse": "550 No such mailbox", "later": "451 Try again later"}


class Keeper:
    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        mode = (FOLDER / "mode").read_text() if (FOLDER / "mode").exists() else "accept"
        if mode in ANSWERS:
            return ANSWERS[mode]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        (FOLDER / f"{next(NUMBERS):04}.eml").write_bytes(envelope.content)
        return "250 Kept"


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Keeper()), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
