from __future__ import annotations

import re
from collections import defaultdict
from datetime import date

import pytest

from demo.calendar import plan_office
from demo.organs import ORGANS
from demo.papers import Plan, issue

# records-rules section 3.8
_PARTY = re.compile(r"\d{2,5}-[A-ZĐa-zđ]{2,3}/[A-ZĐ]+")
_STATE = re.compile(r"\d{2,5}/[A-ZĐa-zđ]+-[A-ZĐa-zđ]+")


@pytest.fixture(scope="module")
def papers():
    return issue(2026, plan_office(2026, 120).plans.values())


def test_party_and_state_symbols_follow_their_own_grammars(papers):
    for paper in papers.values():
        grammar = _PARTY if paper.organ.party else _STATE
        assert grammar.fullmatch(paper.symbol), paper.symbol


def test_a_party_type_is_numbered_through_a_term_and_a_state_type_through_a_year(papers):
    series = defaultdict(list)
    for paper in papers.values():
        span = paper.term if paper.organ.party else str(paper.day.year)
        series[paper.organ.key, paper.type_name, span].append((paper.day, int(paper.number)))
    for numbers in series.values():
        in_order = [number for _, number in sorted(numbers)]
        assert in_order == sorted(set(in_order))
    restarted = [numbers for (_, _, span), numbers in series.items() if min(numbers)[1] <= 7]
    assert len(restarted) > 20


def test_a_term_begins_at_its_congress_and_not_on_new_year():
    plans = [Plan("before", date(2015, 10, 19), "TU", "NQ"), Plan("after", date(2015, 10, 20), "TU", "NQ")]
    papers = issue(1, plans)
    assert (papers["before"].term, papers["after"].term) == ("2010-2015", "2015-2020")
    assert int(papers["after"].number) <= 7


def test_nobody_issues_before_being_founded_or_after_being_merged(papers):
    merged = {organ.key: organ for organ in ORGANS if organ.active[1].year < 2099}
    assert merged
    assert all(paper.organ.exists(paper.day) for paper in papers.values())


def test_ordinary_documents_are_dated_on_working_days(papers):
    ordinary = [paper for label, paper in papers.items() if label.startswith(("notes-0", "exchange-0"))]
    assert len(ordinary) == 120 + 80
    assert all(paper.day.weekday() < 5 for paper in ordinary)


def test_regulations_and_decisions_share_a_code_but_not_a_series():
    plans = [Plan("1", date(2016, 1, 4), "TU", "QĐ"), Plan("2", date(2016, 1, 5), "TU", "QyĐ")]
    papers = issue(3, plans)
    assert {paper.notation for paper in papers.values()} == {"QĐ/TU"}
    assert [papers[label].type_name for label in ("1", "2")] == ["Quyết định", "Quy định"]
