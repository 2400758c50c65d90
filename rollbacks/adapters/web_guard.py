"""What a child process that writes to the operator's addresses may connect to, and how its requests are made.

An audit hook sees the very IP address of every connection, so a name that answers differently the second time gains
nothing. It cannot be taken off again, hence a process of its own for each request.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

SECONDS = 5.0
MAX_ANSWER = 64 * 1024
NAT64 = ip_network("64:ff9b::/96")
# Public by its number, but it is the metadata service of Azure's machines.
METADATA = frozenset({ip_address("168.63.129.16")})
IpAddress = IPv4Address | IPv6Address


class Forbidden(OSError):
    """The address may not be reached; the message says why."""


class Guard:
    """What this process may connect to: the public Internet by https, and the operator's allowed networks.

    With `loopback` (demo and tests) also plain http, and that to loopback only.
    """

    def __init__(self, *, networks: Sequence[str] = (), loopback: bool = False) -> None:
        self.networks = [ip_network(network) for network in networks]
        self.loopback = loopback
        self.plain = False
        self.refused = ""

    def begin(self, url: str) -> None:
        """Judge the address of one request by its scheme; raises Forbidden."""
        scheme = urlsplit(url).scheme
        self.plain = scheme == "http"
        if scheme != "https" and not (self.plain and self.loopback):
            self._refuse("Only https is sent to.")

    def connect(self, host: Any) -> None:
        """Judge the address of one connection; raises Forbidden, also for anything that is no IP address."""
        try:
            found = ip_address(str(host).partition("%")[0])
        except ValueError:
            self._refuse("Only addresses on the network are sent to.")
        seen = unwrapped(found)
        if self.plain and not seen.is_loopback:
            self._refuse("Plain http is sent to this machine only.")
        allowed = any(seen in network or found in network for network in self.networks)
        if not (allowed or (self.loopback and seen.is_loopback) or public(seen)):
            self._refuse("The address is not a public one, and the operator's allowed networks do not have it.")

    def watch(self) -> None:
        """Put the guard on this process for the rest of its life."""
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            place = arguments[1]
            self.connect(place[0] if isinstance(place, tuple) else "")
        elif event in {"socket.bind", "socket.sendto", "socket.sendmsg", "subprocess.Popen", "os.system", "os.exec"}:
            self._refuse("Only web addresses are sent to.")

    def _refuse(self, sentence: str) -> None:
        self.refused = sentence
        raise Forbidden(sentence)


def unwrapped(found: IpAddress) -> IpAddress:
    """Return the IPv4 address inside an IPv6 one that carries it, otherwise the address itself."""
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return found.ipv4_mapped
        if found.sixtofour is not None:
            return found.sixtofour
        if found in NAT64:
            return IPv4Address(int(found) & 0xFFFF_FFFF)
    return found


def public(found: IpAddress) -> bool:
    """Tell whether the address is one of the public Internet: no private, local, shared or reserved one."""
    teredo = isinstance(found, IPv6Address) and found.teredo is not None
    return found.is_global and not found.is_multicast and not teredo and found not in METADATA


def constrain(
    requests: Any, guard: Guard, answers: list[int], *, ca_file: str, seconds: float = SECONDS, most: int = MAX_ANSWER
) -> None:
    """Make every request of this process one without redirects, proxies and netrc, short, checked, and small.

    `requests` is the library's module, `answers` gets each status, and `most` is the longest answer in bytes.
    """
    original = requests.Session.request

    def request(session: Any, method: str, url: str, **given: Any) -> Any:
        guard.begin(url)
        session.trust_env = False
        kept = {name: value for name, value in given.items() if name not in {"proxies", "cert"}}
        kept |= {"allow_redirects": False, "timeout": seconds, "stream": True, "verify": ca_file or True}
        response = original(session, method, url, **kept)
        answers.append(response.status_code)
        content = bytearray()
        for chunk in response.iter_content(4096):
            content += chunk
            if len(content) > most:
                response.close()
                guard.refused = f"The address answered with more than {most // 1024} KiB."
                raise requests.exceptions.ConnectionError("The answer is too long.")
        response._content = bytes(content)
        return response

    requests.Session.request = request
