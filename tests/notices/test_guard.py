"""What may be reached from here: every connection of the child is judged by its very address, whoever makes it."""

from __future__ import annotations

import ast
import json
import socket
import subprocess
import sys
from typing import Any

import pytest

from notices.channels.addresses import SCHEMES, Address, BadAddresses, networks_of
from notices.channels.outgoing import NotSent, send
from rollbacks.adapters.web_guard import Forbidden, Guard
from tests.notices.conftest import Server

PRIVATE = "not a public one"


def try_to_send(url: str, *, networks: tuple[str, ...] = (), loopback: bool = False) -> str:
    """Return the sentence why nothing was sent; empty when it was."""
    address = Address("team", "Test", url.partition(":")[0], url)
    try:
        send(address, title="A title", body="A body", urgent=False, networks=networks, loopback=loopback)
    except NotSent as refusal:
        return str(refusal)
    return ""


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
        "0.0.0.0", "192.0.2.1", "224.0.0.1", "255.255.255.255", "168.63.129.16", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fc00::1", "fd00:ec2::254", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "ff02::1", "2130706433", "0x7f000001", "/var/run/socket", "",
    ],
)  # fmt: skip
def test_an_address_inside_is_refused(host: str) -> None:
    guard = Guard()
    guard.begin("https://hooks.example.com/x")
    with pytest.raises(Forbidden):
        guard.connect(host)


@pytest.mark.parametrize("host", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_outside_is_allowed_by_https_only(host: str) -> None:
    guard = Guard(loopback=True)
    guard.begin("https://hooks.example.com/x")
    guard.connect(host)
    guard.begin("http://hooks.example.com/x")
    with pytest.raises(Forbidden, match="this machine only"):
        guard.connect(host)
    with pytest.raises(Forbidden, match="https"):
        Guard().begin("http://127.0.0.1/x")


def test_the_operator_may_allow_a_network_inside() -> None:
    guard = Guard(networks=networks_of({"NOTIFY_ALLOWED_NETWORKS": "10.20.0.0/16, fd12::/16"}))
    guard.begin("https://chat.internal/x")
    guard.connect("10.20.3.4")
    guard.connect("fd12::9")
    with pytest.raises(Forbidden):
        guard.connect("10.21.0.1")
    with pytest.raises(BadAddresses, match="10.20"):
        networks_of({"NOTIFY_ALLOWED_NETWORKS": "10.20"})


@pytest.mark.parametrize(
    "url",
    [
        "jsons://169.254.169.254/latest/", "jsons://[::ffff:169.254.169.254]/latest/", "jsons://2852039166/latest/",
        "jsons://localhost/x", f"jsons://{socket.gethostname()}/x", "ntfys://10.0.0.7/topic",
        "mmosts://192.168.7.7/token12345678901234567890",
    ],
)  # fmt: skip
def test_apprise_itself_cannot_connect_inside(url: str) -> None:
    assert PRIVATE in try_to_send(url)


def test_the_receiver_is_not_even_connected_to(receiver: Server) -> None:
    name = f"localhost:{receiver.port}"
    assert PRIVATE in try_to_send(f"jsons://{name}/x")
    assert "Only https" in try_to_send(f"json://{name}/x")
    assert receiver.posts == []
    # In the demo and in tests plain http to this machine is allowed; by https its certificate would be asked for.
    assert try_to_send(f"json://{name}/x", loopback=True) == ""
    assert len(receiver.posts) == 1
    assert "could not be reached" in try_to_send(f"jsons://{name}/x?verify=no", networks=("127.0.0.0/8", "::1/128"))


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("redirect", "redirect (302), which is not followed"),
        ("long", "more than 64 KiB"),
        ("slow", "within 5 seconds"),
    ],
)
def test_a_redirect_a_long_answer_and_a_slow_one_are_failures(receiver: Server, mode: str, sentence: str) -> None:
    receiver.says(mode)
    found = try_to_send(f"json://127.0.0.1:{receiver.port}/x?redirect=yes&rto=60&cto=60", loopback=True)
    assert sentence in found
    assert len(receiver.posts) == 1


def test_every_service_that_is_sent_to_speaks_http_through_requests_alone() -> None:
    code = """
import inspect, json, sys
from apprise.manager_plugins import NotificationManager
known = NotificationManager()
print(json.dumps({s: inspect.getsource(sys.modules[known[s].__module__]) for s in json.loads(sys.argv[1])}))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, json.dumps(sorted(SCHEMES))], capture_output=True, check=True
    )
    sources: dict[str, str] = json.loads(done.stdout)
    assert set(sources) == SCHEMES
    for scheme, source in sources.items():
        assert imported(source) & {"socket", "subprocess", "smtplib", "http", "urllib3", "ctypes", "ssl"} == set(), (
            scheme
        )
        assert "requests" in imported(source), scheme


def imported(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        names: list[Any] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        found |= {name.split(".")[0] for name in names}
    return found
