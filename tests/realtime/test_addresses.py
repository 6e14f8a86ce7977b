"""Whose address counts, behind proxies and without; spoofed, repeated and garbled headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.values import proxies
from realtime.addresses import client_address, is_loopback, is_proxy, network_of

TRUSTED = proxies("10.0.0.0/8, 192.0.2.7, 2001:db8:1::/48")
PROXY, OTHER_PROXY, CLIENT = "10.1.2.3", "192.0.2.7", "198.51.100.5"

# peer, headers, the client's address
CASES = {
    "no proxy, no header": (CLIENT, [], CLIENT),
    "a header of a stranger's is not believed": (CLIENT, ["203.0.113.9"], CLIENT),
    "a proxy that says nothing": (PROXY, [], PROXY),
    "a proxy": (PROXY, [CLIENT], CLIENT),
    "a single trusted address": (OTHER_PROXY, [CLIENT], CLIENT),
    "a spoofed entry before the proxy's own": (PROXY, [f"203.0.113.9, {CLIENT}"], CLIENT),
    "a spoofed entry that claims to be a proxy": (PROXY, [f"10.9.9.9, {CLIENT}"], CLIENT),
    "two proxies": (PROXY, [f"{CLIENT}, {OTHER_PROXY}"], CLIENT),
    "two proxies and a spoofed entry": (PROXY, [f"203.0.113.9,{CLIENT},{OTHER_PROXY}"], CLIENT),
    "repeated headers, in their order": (PROXY, ["203.0.113.9", CLIENT, OTHER_PROXY], CLIENT),
    "proxies alone": (PROXY, [f"10.0.0.9, {OTHER_PROXY}"], "10.0.0.9"),
    "a port": (PROXY, [f"{CLIENT}:4711"], CLIENT),
    "IPv6": (PROXY, ["2001:db8::1"], "2001:db8::1"),
    "IPv6 in brackets": (PROXY, ["[2001:db8::1]"], "2001:db8::1"),
    "IPv6 in brackets with a port": (PROXY, ["[2001:db8::1]:443"], "2001:db8::1"),
    "IPv6 in quotes": (PROXY, ['"[2001:db8::1]:443"'], "2001:db8::1"),
    "IPv6 with a zone": (PROXY, ["fe80::1%eth0"], "fe80::1"),
    "IPv4 in IPv6's clothes": (PROXY, [f"::ffff:{CLIENT}"], CLIENT),
    "a proxy in IPv6's clothes": (f"::ffff:{PROXY}", [CLIENT], CLIENT),
    "a proxy by IPv6": ("2001:db8:1::5", [CLIENT], CLIENT),
    "garbage where the proxy writes": (PROXY, [f"{CLIENT}, unknown"], PROXY),
    "garbage behind another proxy": (PROXY, [f"{CLIENT}, _hidden, {OTHER_PROXY}"], OTHER_PROXY),
    "garbage to the left of the client": (PROXY, [f"\x00'; drop, {CLIENT}"], CLIENT),
    "an empty header": (PROXY, [""], PROXY),
    "an empty entry": (PROXY, [f"{CLIENT},"], PROXY),
    "a bracket that does not close": (PROXY, ["[2001:db8::1"], PROXY),
    "a port that is none": (PROXY, [f"{CLIENT}:http"], PROXY),
    "something behind a bracket": (PROXY, ["[2001:db8::1]x"], PROXY),
    "digits of another script": (PROXY, ["١.2.3.4"], PROXY),
    "a Unix socket that is not trusted": (None, [CLIENT], None),
    "an empty peer": ("", [CLIENT], None),
    "a peer that is no address": ("/run/usher.sock", [CLIENT], None),
}


@pytest.mark.parametrize(("peer", "headers", "address"), CASES.values(), ids=CASES)
def test_the_right_most_that_is_no_proxy_of_ours_is_the_client(peer, headers, address):
    assert client_address(peer, headers, TRUSTED) == address


@pytest.mark.parametrize("peer", [None, "", "/run/usher.sock"])
def test_who_comes_through_a_unix_socket_is_believed_where_that_is_said(peer):
    assert client_address(peer, [f"203.0.113.9, {CLIENT}"], proxies("unix")) == CLIENT
    assert client_address(peer, [], proxies("unix")) is None


def test_without_trusted_proxies_nobody_is_believed():
    assert client_address("127.0.0.1", [CLIENT], ()) == "127.0.0.1"


def test_a_proxy_is_who_is_named_and_nobody_else():
    assert is_proxy(PROXY, TRUSTED)
    assert is_proxy(f"::ffff:{PROXY}", TRUSTED)
    assert is_proxy(None, proxies("unix"))
    for peer, trusted in ((CLIENT, TRUSTED), (None, TRUSTED), ("", TRUSTED), (PROXY, ()), ("10.0.0", TRUSTED)):
        assert not is_proxy(peer, trusted), peer


@pytest.mark.parametrize(
    ("host", "is_this_machine"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("[::1]", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("192.0.2.1", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_this_machine_is_known_by_its_names(host, is_this_machine):
    assert is_loopback(host) is is_this_machine


@given(st.one_of(st.none(), st.text()), st.lists(st.text(alphabet=st.characters(codec="latin-1")) | st.text()))
def test_nothing_that_anybody_writes_raises(peer, headers):
    for trusted in (TRUSTED, proxies("0.0.0.0/0,::/0,unix")):
        network_of(client_address(peer, headers, trusted))
        network_of(client_address(PROXY, headers, trusted))


@given(st.lists(st.text(), max_size=5))
def test_whatever_a_client_writes_its_proxy_is_believed(written):
    assert client_address(PROXY, [*written, CLIENT], TRUSTED) == CLIENT
    assert client_address(PROXY, [",".join([*written, CLIENT])], TRUSTED) == CLIENT


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::"),
        ("2001:db8:0:0:ffff::2", "2001:db8::"),
        ("2001:db8:0:1::1", "2001:db8:0:1::"),
        ("fe80::1%eth0", "fe80::"),
        (None, "local"),
        ("", "local"),
    ],
)
def test_addresses_that_one_caller_has_count_as_one(address, network):
    assert network_of(address) == network
