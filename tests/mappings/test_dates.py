"""Dates and times as both systems print them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.dates import VIETNAM, DateReading, MomentReading, parse_date, parse_moment

MARCH_5 = date(2012, 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        "05/03/2012", "5/3/2012", "05-03-2012", "05.03.2012", "2012/03/05", "2012-03-05", "20120305",
        "ngày 05 tháng 3 năm 2012", "Ngày 5 tháng 03 năm 2012", "Bình Phước, ngày 05 tháng 3 năm 2012",
        "nga\u0300y 05 tha\u0301ng 3 na\u0306m 2012", "  05/03/2012 ", "2012-03-05T09:30:00+07:00",
        "2012-03-04T20:00:00Z", "2012/03/05 16:35:56", "05/03/2012 16:35",
    ],
)  # fmt: skip
def test_one_day_in_every_form(text: str) -> None:
    assert parse_date(text) == DateReading(MARCH_5)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2014/02/30", "impossible_date"),
        ("31/04/2012", "impossible_date"),
        ("13/25/2012", "impossible_date"),
        ("2012-02-30T08:00:00+07:00", "impossible_date"),
        ("05/03/12", "two_digit_year"),
        ("ngày 05 tháng 3 năm 12", "two_digit_year"),
        ("tháng 3 năm 2012", "unparsed_date"),
        ("hôm qua", "unparsed_date"),
    ],
)
def test_nothing_is_guessed(text: str, problem: str) -> None:
    assert parse_date(text) == DateReading(None, problem)


def test_no_text_is_no_problem() -> None:
    assert parse_date(" ") == DateReading(None)
    assert parse_moment("") == MomentReading(None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2015/09/20 11:08:36", datetime(2015, 9, 20, 11, 8, 36, tzinfo=VIETNAM)),
        ("20/09/2015 11:08", datetime(2015, 9, 20, 11, 8, tzinfo=VIETNAM)),
        ("2015-09-20T04:08:36Z", datetime(2015, 9, 20, 4, 8, 36, tzinfo=UTC)),
        ("2015-09-20T11:08:36.57+07:00", datetime(2015, 9, 20, 11, 8, 36, 570000, tzinfo=VIETNAM)),
        ("2015-09-20T11:08:36,57+07", datetime(2015, 9, 20, 11, 8, 36, 570000, tzinfo=VIETNAM)),
        ("20150920T110836+0700", datetime(2015, 9, 20, 11, 8, 36, tzinfo=VIETNAM)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    reading = parse_moment(text)
    assert reading == MomentReading(moment)
    assert reading.value is not None
    assert reading.value.utcoffset() == moment.utcoffset()


def test_a_date_alone_is_no_whole_moment() -> None:
    assert parse_moment("2015/09/20") == MomentReading(datetime(2015, 9, 20, tzinfo=VIETNAM), "missing_time")


def test_an_hour_that_does_not_exist() -> None:
    assert parse_moment("2015/09/20 25:00:00") == MomentReading(None, "impossible_date")


@given(st.dates(date(1945, 9, 2), date(2099, 12, 31)))
def test_printed_days_are_read_again(day: date) -> None:
    for form in ("%d/%m/%Y", "%Y/%m/%d", "%Y-%m-%d", "ngày %d tháng %m năm %Y"):
        assert parse_date(day.strftime(form)).value == day


@given(st.datetimes(datetime(1945, 9, 2), datetime(2099, 12, 31)), st.integers(-12 * 60, 14 * 60))  # noqa: DTZ001
def test_iso_moments_are_read_again(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=VIETNAM) + timedelta(minutes=minutes)
    assert parse_moment(aware.isoformat()).value == aware


@given(st.text(max_size=40))
def test_any_text_is_answered_by_a_value_or_a_problem(text: str) -> None:
    reading = parse_date(text)
    assert reading.value is None or reading.problem == ""
    assert parse_moment(text) is not None
