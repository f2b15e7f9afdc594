"""What Pulsar's broker knows of a subscription. Imports nothing of Airflow.

Flink's Pulsar source has no metric for what is unread (`pendingRecords`), so the broker is asked.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from flink_rest.errors import (
    BacklogUnknown,
    PulsarRequestFailed,
    PulsarUnreachable,
    SettingUnusable,
)
from flink_rest.rest import AWAY

DEFAULT_ADMIN_URL = "http://127.0.0.1:8084"
_TOPIC = re.compile(r"(?P<domain>persistent)://(?P<place>[^/?#%]+/[^/?#%]+/[^/?#%]+)")


class PulsarAdmin:
    """The part of Pulsar's admin API that tells how far a subscription is.

    :param url: base address, `http://host:port`
    :param token: sent as a bearer token
    :param timeout_seconds: how long one answer may take
    :param verify: check the TLS certificate, or what to check it by
    :param transport: replaces the network, in tests
    """

    def __init__(
        self,
        url: str = DEFAULT_ADMIN_URL,
        *,
        token: str | None = None,
        timeout_seconds: float = 15.0,
        verify: bool | ssl.SSLContext = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=f"{self.url}/admin/v2",
            timeout=timeout_seconds,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            verify=verify,
            transport=transport,
            trust_env=False,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def version(self) -> str:
        """Return the broker's version."""
        answer = self._get("/brokers/version")
        if not answer.is_success:
            raise self._failed("/brokers/version", answer)
        return answer.text.strip('"\n ')

    def backlogs(self, topic: str) -> dict[str, int] | None:
        """Return the entries that each subscription has not acknowledged; None for no such topic.

        Of a partitioned topic, those of all partitions. An entry is a message, or a batch of them.

        :param topic: `persistent://tenant/namespace/topic`
        :raises PulsarUnreachable: no answer came.
        :raises PulsarRequestFailed: the answer is an error.
        """
        match = _TOPIC.fullmatch(topic)
        if match is None:
            raise SettingUnusable("topic", topic, "persistent://tenant/namespace/topic")
        base = f"/{match['domain']}/{match['place']}"
        for path in (f"{base}/stats", f"{base}/partitioned-stats"):
            answer = self._get(path, getPreciseBacklog="true")
            if answer.status_code == httpx.codes.NOT_FOUND:
                continue
            if not answer.is_success:
                raise self._failed(path, answer)
            try:
                return _backlogs(answer.json()["subscriptions"])
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                detail = f"{type(error).__name__}: {error}"
                raise PulsarRequestFailed(self.url, path, detail) from error
        return None

    def _get(self, path: str, **parameters: str) -> httpx.Response:
        try:
            return self._http.get(path, params=parameters)
        except httpx.HTTPError as error:
            cause = f"{type(error).__name__}: {error}".rstrip(": ")
            raise PulsarUnreachable(self.url, cause) from error

    def _failed(self, path: str, answer: httpx.Response) -> PulsarRequestFailed | PulsarUnreachable:
        try:
            reason = str(answer.json()["reason"])
        except (ValueError, KeyError, TypeError):
            reason = answer.text[:200]
        cause = f"{answer.status_code}: {reason}"
        if answer.status_code in AWAY:
            return PulsarUnreachable(self.url, cause)
        return PulsarRequestFailed(self.url, path, cause)


@dataclass(frozen=True)
class Subscription:
    """One subscription to a topic."""

    admin: PulsarAdmin
    topic: str
    name: str

    def backlog(self) -> int | None:
        """Return how many entries are not acknowledged; None as long as nobody has subscribed.

        :raises BacklogUnknown: there is no such topic.
        """
        return self._of_topic().get(self.name)

    def others(self) -> list[str]:
        """Name the subscriptions that there are."""
        return sorted(self._of_topic())

    def _of_topic(self) -> dict[str, int]:
        backlogs = self.admin.backlogs(self.topic)
        if backlogs is None:
            raise BacklogUnknown(self.topic, self.name, "there is no such topic")
        return backlogs


def _backlogs(subscriptions: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(facts["msgBacklog"]) for name, facts in subscriptions.items()}
