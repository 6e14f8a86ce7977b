"""The environment that the tests run in, alone or as one of several processes."""

import os

from django.conf import settings


def test_servers_that_a_test_starts_take_the_tokens_that_it_makes():
    assert settings.SIMPLE_JWT["SIGNING_KEY"] == os.environ["USHER_JWT_KEY"]
    assert settings.SECRET_KEY == os.environ["USHER_SECRET_KEY"]
