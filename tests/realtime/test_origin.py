"""Which pages may connect: one exact scheme, host and port, however strangely another is spelt."""

import pytest

from realtime.origin import is_allowed, normalised

ALLOWED = ("https://app.example.com", "http://localhost:8000", "https://[2001:db8::1]:8443", "http://127.0.0.1")

SAME = [
    "https://app.example.com",
    "https://app.example.com:443",
    "HTTPS://APP.EXAMPLE.COM",
    "https://App.Example.Com",
    "http://localhost:8000",
    "http://LOCALHOST:8000",
    "https://[2001:db8::1]:8443",
    "https://[2001:DB8::1]:8443",
    "http://127.0.0.1",
    "http://127.0.0.1:80",
]

OTHERS = {
    "no origin at all": "",
    "an opaque origin": "null",
    "an opaque origin, shouted": "NULL",
    "everything": "*",
    "no scheme": "app.example.com",
    "an empty scheme": "://app.example.com",
    "a relative address": "//app.example.com",
    "no slashes": "https:app.example.com",
    "one slash": "https:/app.example.com",
    "no host": "https://",
    "a port alone": "https://:443",
    "http for https": "http://app.example.com",
    "http on its port": "http://app.example.com:443",
    "https for http": "https://localhost:8000",
    "another port": "https://app.example.com:8443",
    "no port where one is expected": "http://localhost",
    "port 0": "https://app.example.com:0",
    "a zero before the default port": "https://app.example.com:0443",
    "a zero before a port": "http://localhost:08000",
    "a port out of range": "https://app.example.com:65536",
    "a negative port": "https://app.example.com:-443",
    "a port with a sign": "https://app.example.com:+443",
    "a port with a space": "https://app.example.com: 443",
    "a port in other digits": "https://app.example.com:\N{FULLWIDTH DIGIT FOUR}43",
    "a port that is a word": "https://app.example.com:https",
    "a port of nothing": "https://app.example.com:",
    "a slash": "https://app.example.com/",
    "a path": "https://app.example.com/page",
    "a query": "https://app.example.com?a=b",
    "an empty query": "https://app.example.com?",
    "a fragment": "https://app.example.com#top",
    "an empty fragment": "https://app.example.com#",
    "a user": "https://mallory@app.example.com",
    "an empty user": "https://@app.example.com",
    "a user and a password": "https://mallory:secret@app.example.com",
    "the allowed one as a user": "https://app.example.com@evil.example",
    "the allowed one as a user, by a backslash": "https://app.example.com\\@evil.example",
    "a backslash": "https://evil.example\\.app.example.com",
    "a subdomain": "https://evil.app.example.com",
    "the domain above": "https://example.com",
    "a longer name": "https://app.example.com.evil.example",
    "a name that ends alike": "https://evilapp.example.com",
    "a dot at the end": "https://app.example.com.",
    "a dot that is none": "https://appxexample.com",
    "a percent sign": "https://app%2Eexample.com",
    "a look-alike letter": "https://\N{CYRILLIC SMALL LETTER A}pp.example.com",
    "a dot of another script": "https://app\N{IDEOGRAPHIC FULL STOP}example.com",
    "a space before": " https://app.example.com",
    "a space after": "https://app.example.com ",
    "a tab inside": "https://app.exa\tmple.com",
    "a line break inside": "https://app.example.com\r\n",
    "a null byte": "https://app.example.com\x00",
    "a control character": "https://app.example.com\x7f",
    "a no-break space": "https://app.example.com\xa0",
    "two of them": "https://app.example.com https://evil.example",
    "two with a comma": "https://app.example.com, https://app.example.com",
    "a name before the brackets": "https://evil.example[2001:db8::1]:8443",
    "a name in brackets": "http://[127.0.0.1]",
    "an open bracket": "https://[2001:db8::1",
    "a closed bracket": "https://2001:db8::1]:8443",
    "no brackets": "https://2001:db8::1:8443",
    "an address of another spelling": "https://[2001:db8:0:0:0:0:0:1]:8443",
    "an address as a number": "http://2130706433",
    "a shortened address": "http://127.1",
    "a WebSocket's own scheme": "wss://app.example.com",
    "a file": "file://",
    "a file's path": "file:///etc/hosts",
    "an extension": "chrome-extension://app.example.com",
    "a script": "javascript://app.example.com",
}


@pytest.mark.parametrize("origin", SAME)
def test_other_spellings_of_an_allowed_origin_may_connect(origin):
    assert is_allowed((origin,), ALLOWED)


@pytest.mark.parametrize("origin", OTHERS.values(), ids=OTHERS)
def test_everything_else_may_not(origin):
    assert not is_allowed((origin,), ALLOWED)


def test_who_sends_no_origin_is_no_page_and_may_connect():
    assert is_allowed((), ALLOWED)
    assert is_allowed((), ())


def test_two_headers_never_may_not_even_twice_the_allowed_one():
    assert not is_allowed(("https://app.example.com", "https://app.example.com"), ALLOWED)
    assert not is_allowed(("https://app.example.com", "https://evil.example"), ALLOWED)


def test_with_nobody_allowed_no_page_may():
    assert not is_allowed(("https://app.example.com",), ())


def test_an_entry_of_the_list_that_is_no_origin_allows_nothing():
    assert not is_allowed(("null",), ("null", "*", ""))


def test_an_origin_is_a_scheme_a_host_and_a_port():
    assert normalised("https://App.Example.com") == ("https", "app.example.com", 443)
    assert normalised("http://[::1]:8000") == ("http", "[::1]", 8000)
