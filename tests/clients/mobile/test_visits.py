"""What the small clients for phones do first in a visit: compilers do not look there, and nothing here runs them."""

import pytest

from config.env import PROJECT

CLIENTS = PROJECT / "clients" / "mobile"


@pytest.mark.parametrize(
    ("name", "signature", "first"),
    [
        ("kotlin/UsherClient.kt", "private fun visit(): End? {", "syncedAt = 0 "),
        ("swift/UsherClient.swift", "private func visit() async -> End {", "syncedAt = nil "),
    ],
)
def test_a_visit_that_has_no_token_was_no_good_connection(name, signature, first):
    # Else each of them would be taken for the good one before, and the waits between renewals would never grow.
    _, _, body = (CLIENTS / name).read_text().partition(signature)

    assert body.lstrip().startswith(first)
