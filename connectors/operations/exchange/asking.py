"""Sends a request of a dialect and reads its JSON answer; every refusal becomes the error that fits it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.operations.exchange.caller import (
    Answer,
    AnswerTooLargeError,
    Caller,
    Request,
    UnwritableRequestError,
)
from connectors.operations.exchange.dialect import UndeliveredError
from connectors.operations.exchange.json_reply import Json, LongText, NotJsonError, read_json
from connectors.operations.exchange.refusals import Recovery, Refusal, refusal_in
from schemas.errors import ConfigurationError, FatalError, RetriableError
from schemas.record import Content

_HEAD = 256
_UNAUTHORISED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Asking:
    """Questions to one service.

    Attributes:
        caller: the way there.
        codes: what the service's error codes mean.
        renew: makes the next try authorised again (logs in anew, corrects the clock); false when it cannot.
    """

    caller: Caller
    codes: Mapping[str, Recovery]
    renew: Callable[[], bool] = lambda: False

    def ask(self, request: Callable[[], Request]) -> Json:
        """The answer to a question that concerns the whole service.

        Raises:
            RetriableError: it is away, or does not answer in JSON. FatalError: it refuses us.
        """
        try:
            asked, reply = self._twice(request)
        except AnswerTooLargeError as error:
            raise FatalError(
                f"the service answers with {error}", where="service, page", action="ask for fewer rows a page"
            ) from error
        if not isinstance(reply, Refusal):
            return reply
        if reply.recovery(self.codes) not in {"retriable", "unknown"}:
            raise self._refused(asked, reply)
        raise RetriableError(
            f"the service refuses a request: {reply}",
            where=self.caller.where(asked),
            action="the run is tried again by itself; if this stays, ask who runs the service, and say what the code "
            "means under `errors` of the source's YAML",
        )

    def ask_for_message(self, request: Callable[[], Request]) -> Json:
        """The answer to a question that concerns one message.

        Raises:
            UndeliveredError: this message cannot be had. RetriableError, FatalError: as for ``ask``.
        """
        try:
            asked, reply = self._reply(request)
        except AnswerTooLargeError as error:
            raise UndeliveredError("package_too_large", f"the service delivers {error}") from error
        except _NoAnswerError as error:
            raise UndeliveredError("answer_unreadable", error.what, passing=True, strange=True) from error
        except UnwritableRequestError as error:
            raise UndeliveredError("identity_unusable", error.what) from error
        except _NoSuchCallError as error:
            raise UndeliveredError("refused_by_service", error.what, strange=True) from error
        if not isinstance(reply, Refusal):
            return reply
        recovery = reply.recovery(self.codes)
        if recovery == "retriable":
            raise RetriableError(f"the service is busy: {reply}", where=self.caller.where(asked))
        if reply.certain(self.codes) == "fatal":
            raise self._refused(asked, reply)
        # What only sounds as if it concerned us may concern this message: one bad record must not stop the others.
        known = recovery == "record"
        message = f"the service does not deliver the message: {reply}"
        raise UndeliveredError(
            "not_at_service" if known else "refused_by_service", message, strange=not known
        )

    def _twice(self, request: Callable[[], Request]) -> tuple[Request, Json | Refusal]:
        try:
            return self._reply(request)
        except _NoAnswerError:
            # A gateway's page, or an answer cut off without HTTP noticing, does not come again.
            return self._reply(request)

    def _reply(self, request: Callable[[], Request]) -> tuple[Request, Json | Refusal]:
        asked = request()
        reply = self._once(asked)
        if isinstance(reply, Refusal) and reply.recovery(self.codes) == "fatal" and self.renew():
            asked = request()
            reply = self._once(asked)
        return asked, reply

    def _once(self, request: Request) -> Json | Refusal:
        answer = self.caller.send(request)
        try:
            reply = read_json(answer.content)
        except NotJsonError as error:
            if request.bare and answer.status < 400 and _is_bare(answer.content):
                return LongText(answer.content)
            return self._without_json(request, answer, str(error))
        return refusal_in(reply, answer.status) or reply

    def _without_json(self, request: Request, answer: Answer, problem: str) -> Refusal:
        if answer.status in _UNAUTHORISED:
            return Refusal("", "", answer.status)
        if answer.status >= 400:
            raise _NoSuchCallError(
                f"the service knows no {request.method} {request.path} (HTTP {answer.status})",
                where=self.caller.where(request),
                expected="an operation of the dialect that the connection names",
                action="correct the dialect of the connection, or base_path and paths of the source's YAML",
            )
        raise _NoAnswerError(
            f"the answer cannot be read: {problem}",
            where=self.caller.where(request),
            expected="JSON",
            action="see that the address is the service's own and not a login page",
        )

    def _refused(self, request: Request, refusal: Refusal) -> FatalError:
        skew = self.caller.clock.skew.total_seconds()
        clocks = f" (its clock goes {skew:+.0f} s against ours)" if skew else ""
        return FatalError(
            f"the service refuses us: {refusal}{clocks}",
            where=self.caller.where(request),
            expected="the account, system code and secret that the service knows",
            action="correct them in Airflow (Admin > Connections) and press Test; see that both clocks are right",
        )


class _NoSuchCallError(ConfigurationError):
    """The service refuses the call without saying why in JSON."""


class _NoAnswerError(RetriableError):
    """The answer is no JSON."""


def _is_bare(content: Content) -> bool:
    """True for text that is neither broken JSON nor a page."""
    with content.open() as stream:
        return not stream.read(_HEAD).lstrip().startswith((b"{", b"[", b"<"))
