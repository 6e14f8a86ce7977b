"""What is numbered away, and what still shows: one more, one less, another order."""

from tests.worlds.normal import normalised

ONE, OTHER = "01a2060e-cd79-774f-8915-ff1749aa3943", "01a2060e-2d93-72e5-9363-80c2127eabbb"


def test_ids_times_tokens_and_addresses_are_numbered_in_order_of_appearance():
    lines = [
        f'{{"id":"{ONE}","at":"2026-11-23T09:30:12.401837Z","other":"{OTHER}"}}',
        f'{{"id":"{OTHER}","at":"2026-11-23T09:30:12Z","next":"http://127.0.0.1:8000/x?before={ONE}"}}',
        "eyJhbGciOiJI.eyJzdWIiOiI.c2ln fd265cc9637dae8905186be92d878d40",
    ]

    assert normalised(lines) == [
        '{"id":"<id 1>","at":"<time 1>","other":"<id 2>"}',
        '{"id":"<id 2>","at":"<time 2>","next":"http://<server 1>/x?before=<id 1>"}',
        "<token 1> <request 1>",
    ]


def test_the_same_with_other_ids_is_the_same():
    assert normalised([ONE, OTHER, ONE]) == normalised([OTHER, ONE, OTHER])


def test_one_more_one_less_and_another_order_show():
    told = normalised([ONE, OTHER, ONE])

    assert normalised([ONE, ONE, OTHER]) != told
    assert normalised([ONE, OTHER]) != told
    assert normalised([ONE, OTHER, ONE, ONE]) != told
    assert normalised([ONE, OTHER, "01a2060e-dd3a-7325-a6d5-af34ee7a0e5d"]) != told


def test_ends_of_tokens_are_alike_whether_they_fall_into_one_second_or_not():
    same, other = '{"token_expires_at":"2026-11-23T09:35:00Z"}', '{"token_expires_at":"2026-11-23T09:35:01Z"}'

    assert normalised([same, same]) == normalised([same, other])


def test_a_random_wait_is_one_and_none_is_none():
    assert normalised(['"retry_after_ms":17']) == normalised(['"retry_after_ms":1999'])
    assert normalised(['"retry_after_ms":0']) != normalised(['"retry_after_ms":17'])
