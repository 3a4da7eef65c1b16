"""Verification after ingest: what an event concerns and nothing else, and which verdict is in force afterwards.

The clock is a parameter everywhere: day 0 is the day of signing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.x509.oid import NameOID

from archive.ledger import verify_chain
from archive.loader import Batch
from archive.queries import find_document, verdict_counts
from archive.rows import check_rows
from archive.runs import start_run
from archive.verification import read_verification
from pipeline.judge import Bench
from pipeline.reverify import Reverified, reverify, take_in
from pipeline.settings import Settings, load_settings
from pipeline.stages import Stores, open_stores
from schemas.document import AttachmentRef
from schemas.errors import FatalError
from schemas.record import Window
from signatures.trust import load_trust
from tests.archive.office_records import archived
from tests.signatures.pki_factory import Holder, Pki, day, issue, make_pki, minimal_pdf, revocation_list

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def pki() -> Pki:
    return make_pki()


@pytest.fixture(scope="module")
def colleague(pki: Pki) -> Holder:
    """Another signer under the same CA, valid for years."""
    names = {NameOID.COMMON_NAME: "Lê Thị Mẫu", NameOID.ORGANIZATION_NAME: "Nơi thử"}
    return issue(names, pki.ca, day(-1), day(700))


@pytest.fixture(scope="module")
def pdfs(pki: Pki, colleague: Holder) -> dict[str, bytes]:
    """Signed files: by the person (60 days), stamped, by the colleague, by a stranger; and one that is not signed."""
    return {
        "person": pki.sign_pdf(minimal_pdf("mot"), pki.person),
        "stamped": pki.sign_pdf(minimal_pdf("hai"), pki.person, stamper=pki.stamper(day(0))),
        "colleague": pki.sign_pdf(minimal_pdf("ba"), colleague),
        "stranger": pki.sign_pdf(minimal_pdf("bon"), pki.stranger),
        "unsigned": minimal_pdf("nam"),
    }


@dataclasses.dataclass
class Office:
    """An archive with its trust folder."""

    pki: Pki
    settings: Settings
    stores: Stores

    def lists(self, issued: float, *revoked: tuple[Holder, float], days: float = 7) -> None:
        """Drop a fresh list of every CA; the issuing CA's names ``revoked``."""
        named = {holder.certificate.serial_number: day(when) for holder, when in revoked}
        for number, maker in enumerate((self.pki.root, self.pki.ca, self.pki.tsa_root)):
            entries = named if maker is self.pki.ca else None
            self.drop(f"{issued}-{number}.crl", revocation_list(maker, day(issued), entries, days))
        take_in(self.settings, day(issued))

    def drop(self, name: str, data: bytes) -> None:
        folder = self.settings.trust / "incoming"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)

    def receive(self, at: float, **files: bytes) -> None:
        """Archive a document for each file, judged and received at ``at``, as the stages of a run do."""
        run = start_run(self.stores.engine, "s", "sync", Window(), f"d{at}{sorted(files)}", now=day(at))
        bench = Bench(self.stores.objects, load_trust(self.settings.trust), day(at))
        records = []
        for key, data in files.items():
            stored = self.stores.objects.put_bytes(data)
            file = AttachmentRef(
                ordinal=1, name="a.pdf", sha256=stored.sha256, size=stored.size, media_type="application/pdf"
            )
            verdicts = tuple(found.verdict for found in bench.attachment(file, (file,)))
            records.append(
                archived(
                    self.stores.objects,
                    key,
                    source="s",
                    files={"a.pdf": data},
                    verdicts=verdicts,
                    received_at=day(at),
                )
            )
        self.stores.archive.load(Batch("s", run, 1), records)

    def reverify(self, at: float, **options: object) -> Reverified:
        key = str(options.pop("run_key", f"ngày {at}"))
        return reverify(self.settings, self.stores, key, now=day(at), **options)

    def in_force(self, key: str) -> tuple[str, str, bool]:
        return self._ask(key, "archive.verdict_in_force")[-1]

    def history(self, key: str) -> list[tuple[str, str, bool]]:
        return self._ask(key, "archive.signature_verdict")

    def _ask(self, key: str, table: str) -> list[tuple[str, str, bool]]:
        query = f"""SELECT indication, sub_indication, provisional FROM {table} s
          JOIN archive.document d ON d.id = s.document_id WHERE d.source_key = :key ORDER BY check_no, position"""
        with self.stores.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), {"key": key})]


@pytest.fixture
def office(pki: Pki, tmp_path: Path, database_url: str, monkeypatch) -> Iterator[Office]:
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path))
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", database_url)
    settings = load_settings()
    pki.write_folder(settings.trust)
    for path in (settings.trust / "crls").iterdir():
        path.unlink()
    stores = open_stores(settings)
    yield Office(pki, settings, stores)
    stores.engine.dispose()


GOOD = ("TOTAL_PASSED", "", False)
PROVISIONAL = ("TOTAL_PASSED", "", True)


def test_a_pass_stays_provisional_until_a_list_from_after_the_receipt(office, pdfs):
    office.lists(0)
    office.receive(1, person=pdfs["person"], unsigned=pdfs["unsigned"], stranger=pdfs["stranger"])
    assert office.in_force("person") == PROVISIONAL
    assert office.reverify(2).files == 0, "the lists of day 0 are older than the receipt"
    office.lists(6)
    done = office.reverify(6)
    assert (done.reasons, done.files, done.changed, done.new_lists) == ({"crl": 1}, 1, 0, 3)
    assert office.in_force("person") == GOOD
    assert office.history("person") == [PROVISIONAL, GOOD]
    assert office.reverify(7).files == 0, "nothing has happened since"
    office.lists(12)
    assert office.reverify(12).files == 0, "what is settled is not asked again"


def test_a_parked_signature_is_taken_up_when_its_list_comes(office, pdfs):
    office.lists(0)
    office.receive(10, person=pdfs["person"])
    assert office.in_force("person")[1] == "TRY_LATER"
    office.reverify(10.5)
    office.drop("khac.crl", revocation_list(office.pki.tsa_root, day(11)))
    take_in(office.settings, day(11))
    assert office.reverify(11).files == 0, "a list of another issuer says nothing of it"
    office.lists(12)
    assert office.reverify(12).changed == 1
    assert office.in_force("person") == GOOD
    assert [row[1] for row in office.history("person")] == ["TRY_LATER", "TRY_LATER", ""]


def test_a_revocation_from_before_the_receipt_replaces_the_pass_and_one_from_after_does_not(
    office, pdfs, colleague
):
    office.lists(0)
    office.receive(2, person=pdfs["person"], stamped=pdfs["stamped"], colleague=pdfs["colleague"])
    office.lists(5, (office.pki.person, 1.5), (colleague, 4))
    done = office.reverify(5)
    assert (done.files, done.changed) == (3, 1)
    assert office.in_force("person")[:2] == ("INDETERMINATE", "REVOKED_NO_POE")
    assert office.in_force("stamped") == GOOD, "its time-stamp is older than the revocation"
    assert office.in_force("colleague") == GOOD, "it was received before the revocation"
    office.lists(9, (office.pki.person, 1.5), (colleague, 4))
    assert office.reverify(9).files == 0, "a revocation that is noted already concerns nothing"


def test_only_signatures_whose_serial_is_on_the_list_are_asked(office, pdfs, colleague):
    office.lists(0)
    office.receive(1, person=pdfs["person"], colleague=pdfs["colleague"], unsigned=pdfs["unsigned"])
    office.lists(2)
    office.reverify(2)
    office.lists(8, (colleague, 7))
    assert office.reverify(8).files == 1
    assert [len(office.history(key)) for key in ("person", "colleague", "unsigned")] == [2, 3, 1]


def test_time_alone_takes_nothing_from_a_good_verdict(office, pdfs):
    office.lists(0)
    office.receive(1, person=pdfs["person"])
    office.lists(6)
    office.reverify(6)
    done = office.reverify(400, everything=True, why="thanh tra")
    assert (done.files, done.changed, done.reasons["manual"]) == (1, 0, 1)
    late = office.history("person")[-1]
    assert late[:2] in {
        ("TOTAL_PASSED", ""),
        ("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE"),
        ("INDETERMINATE", "TRY_LATER"),
    }
    assert office.in_force("person")[:2] == ("TOTAL_PASSED", "")


def test_a_check_without_fresh_lists_is_history_and_not_in_force(office, pdfs, colleague):
    office.lists(0)
    office.receive(1, colleague=pdfs["colleague"])
    office.reverify(1)
    office.reverify(30, everything=True)
    assert office.history("colleague")[-1][:2] == ("INDETERMINATE", "TRY_LATER")
    assert office.in_force("colleague") == PROVISIONAL
    [count] = verdict_counts(office.stores.engine)
    assert (count.indication, count.verdicts) == ("TOTAL_PASSED", 1)
    [view] = find_document(office.stores.engine, "colleague")
    assert [verdict.in_force for verdict in view.current.verdicts] == [True, False]
    [check] = view.current.checks
    assert (check.check_no, check.reasons, check.verified_at) == (2, ("manual",), day(30))


def test_a_new_root_takes_up_those_without_a_chain_and_a_removed_one_ends_a_pass(office, pdfs):
    office.lists(0)
    office.receive(1, person=pdfs["person"], stranger=pdfs["stranger"])
    office.reverify(1)
    assert office.in_force("stranger")[1] == "NO_CERTIFICATE_CHAIN_FOUND"

    (office.settings.trust / "roots" / "la.crt").write_bytes(office.pki.stranger_root.der)
    office.drop("la.crl", revocation_list(office.pki.stranger_root, day(2)))
    take_in(office.settings, day(2))
    done = office.reverify(2)
    assert (done.reasons, done.files) == ({"trust": 1}, 1)
    assert office.in_force("stranger")[0] == "TOTAL_PASSED"

    (office.settings.trust / "roots" / "goc.pem").unlink()
    done = office.reverify(3)
    assert (done.reasons, done.files, done.changed) == ({"trust": 1}, 1, 1)
    assert office.in_force("person")[1] == "NO_CERTIFICATE_CHAIN_FOUND"
    assert office.reverify(4).files == 0


def test_ninety_days_before_a_certificate_ends_its_signatures_are_checked_once_more(office, pdfs):
    office.lists(0, days=2000)
    office.receive(1, colleague=pdfs["colleague"], stamped=pdfs["stamped"])
    office.reverify(1)
    assert office.reverify(600).files == 0
    assert office.reverify(611).reasons == {"expiry": 1}
    assert office.reverify(612).files == 0, "once is enough"
    done = office.reverify(1950)
    assert done.reasons == {"expiry": 1}, "the time-stamping authority's certificate ends on day 2000"


def test_an_algorithm_whose_date_comes_is_asked_again(office, pdfs, monkeypatch):
    from signatures import algorithms

    office.lists(0, days=2000)
    office.receive(1, person=pdfs["person"], colleague=pdfs["colleague"])
    office.reverify(1)
    cut_off = algorithms.CutOff(day(20), "thử nghiệm")
    monkeypatch.setitem(algorithms.MINIMUM_BITS, "rsa", ((4096, cut_off),))
    done = office.reverify(2)
    assert done.reasons == {"policy": 1}, "the table changed; the colleague has no RSA key"
    assert office.reverify(19).files == 0
    done = office.reverify(21)
    assert done.reasons == {"policy": 1}
    assert office.in_force("person")[0] == "TOTAL_PASSED", "it was received before the date"
    assert office.reverify(22).files == 0


def test_a_revoked_authority_concerns_everything_below_it(office, pdfs):
    office.lists(0)
    office.receive(3, person=pdfs["person"])
    office.lists(4)
    office.reverify(4)
    serial = office.pki.ca.certificate.serial_number
    office.drop("goc.crl", revocation_list(office.pki.root, day(5), {serial: day(2)}))
    take_in(office.settings, day(5))
    assert office.reverify(5).changed == 1
    assert office.in_force("person")[:2] == ("INDETERMINATE", "REVOKED_CA_NO_POE")
    assert office.reverify(6).files == 0


def test_a_dry_run_counts_and_writes_nothing(office, pdfs):
    office.lists(0)
    office.receive(1, person=pdfs["person"])
    office.lists(6)
    done = office.reverify(6, dry_run=True)
    assert (done.run, done.files, done.changed, done.new_lists) == ("", 1, 0, 6)
    assert office.history("person") == [PROVISIONAL]
    with office.stores.engine.connect() as connection:
        for table in ("verification_run", "verification", "known_list"):
            assert connection.scalar(sa.text(f"SELECT count(*) FROM archive.{table}")) == 0


def test_a_killed_run_goes_on_and_checks_nothing_twice(office, pdfs, monkeypatch):
    office.lists(0)
    office.receive(1, person=pdfs["person"], colleague=pdfs["colleague"])
    office.lists(6)
    monkeypatch.setattr("pipeline.reverify._BATCH", 1)
    killed = []

    def kill(done: int, total: int) -> None:
        killed.append((done, total))
        raise FatalError("bị dừng")

    with pytest.raises(FatalError, match="bị dừng"):
        office.reverify(6, run_key="đêm 6", on_progress=kill)
    assert killed == [(1, 2)]
    done = reverify(office.settings, office.stores, "đêm 6", now=day(6.5))
    assert (done.versions, done.files) == (1, 2), "one was left; both count for the run"
    assert [len(office.history(key)) for key in ("person", "colleague")] == [2, 2]
    with office.stores.engine.connect() as connection:
        moments = connection.scalars(sa.text("SELECT DISTINCT verified_at FROM archive.verification"))
        assert list(moments) == [day(6)], "one run has one clock"


def test_every_later_check_is_an_object_from_which_its_rows_can_be_made_again(office, pdfs):
    office.lists(0)
    office.receive(1, person=pdfs["person"])
    office.lists(6, (office.pki.person, 0.5))
    office.reverify(6)
    with office.stores.engine.connect() as connection:
        row = connection.execute(sa.text("SELECT * FROM archive.verification")).one()
        kept = [
            dict(found)
            for found in connection.execute(
                sa.text("SELECT * FROM archive.signature_verdict WHERE check_no = 2")
            ).mappings()
        ]
        aside = [
            tuple(found)
            for found in connection.execute(
                sa.text("SELECT check_no, position, by_check FROM archive.verdict_set_aside")
            )
        ]
        evidence = kept[0]["verdict"]["evidence"] + kept[0]["verdict"]["chain"]
        assert connection.scalar(
            sa.text("SELECT media_type FROM archive.object WHERE sha256 = :sha256"), {"sha256": row.sha256}
        ).endswith("verification+json")
    with office.stores.objects.open(row.sha256) as stream:
        check = read_verification(stream.read())
    made = [
        {name: value for name, value in found.items() if name != "verdict"}
        for found in check_rows(str(row.document_id), check.version, check.check, check.run, check.verdicts)
    ]
    assert [{name: found[name] for name in made[0]} for found in kept] == [
        {**found, "document_id": row.document_id, "run_id": row.run_id} for found in made
    ]
    assert aside == [(1, 1, 2)]
    assert check.set_aside == ((1, 1),)
    assert all(office.stores.objects.exists(sha256) for sha256 in evidence), "the evidence is kept beside it"
    with office.stores.engine.connect() as connection:
        listed = set(connection.scalars(sa.text("SELECT sha256 FROM archive.object")))
    assert set(evidence) <= listed


def test_the_ledger_has_an_event_a_version_and_earlier_rows_cannot_change(office, pdfs):
    office.lists(0)
    office.receive(1, person=pdfs["person"])
    office.lists(6, (office.pki.person, 0.5))
    office.reverify(6)
    with office.stores.engine.connect() as connection:
        [event] = connection.execute(
            sa.text("SELECT outcome, payload FROM archive.event WHERE type = 'digital signature validation'")
        ).all()
    assert event.outcome == "failure"
    assert '"in_force":"INDETERMINATE"' in event.payload
    assert '"reasons":["crl"]' in event.payload
    assert verify_chain(office.stores.engine) == []
    for table in ("verification", "verdict_set_aside", "signature_verdict"):
        with (
            office.stores.engine.begin() as connection,
            pytest.raises(sa.exc.ProgrammingError, match=r"is refused|permission denied"),
        ):
            connection.execute(sa.text(f"DELETE FROM archive.{table}"))


def test_an_engine_that_fails_on_a_later_check_takes_nothing_away(office, pdfs, monkeypatch):
    office.lists(0)
    office.receive(1, person=pdfs["person"])

    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("signatures.verify_pdf", broken)
    assert office.reverify(2, everything=True).changed == 0
    assert office.history("person")[-1][0] == "ERROR"
    assert office.in_force("person") == PROVISIONAL
