"""What Pulsar's administrator, its policies or an accident can do to a topic."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from integration.conftest import Deployment, wait_until


@dataclass(frozen=True)
class TopicAdmin:
    """The admin API's part for one topic."""

    topic_url: str

    @classmethod
    def of(cls, deployment: Deployment) -> TopicAdmin:
        admin = deployment.variables["RVA_PULSAR_ADMIN_URL"]
        return cls(f"{admin}/admin/v2/{deployment.topic.replace('://', '/')}")

    def stats(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._do("GET", "/stats").json()
        return answer

    def subscriptions(self) -> list[str]:
        return list(self.stats()["subscriptions"])

    def ledgers(self) -> set[int]:
        """The ledgers that the topic still has."""
        answer = self._do("GET", "/internalStats").json()
        return {ledger["ledgerId"] for ledger in answer["ledgers"]}

    def delete_subscription(self, name: str) -> None:
        self._do("DELETE", f"/subscription/{name}", force="true")

    def skip_all(self, name: str) -> None:
        """Move a subscription's cursor to the end."""
        self._do("POST", f"/subscription/{name}/skip_all")

    def expire_all(self, name: str) -> None:
        """Have a subscription lose its backlog, as a time to live does every five minutes."""

        def expired() -> bool:
            # what is a second old or younger stays; while one expiry runs, another is refused
            url = f"{self.topic_url}/subscription/{name}/expireMessages/1"
            httpx.post(url, timeout=30)
            return bool(self.stats()["subscriptions"][name]["msgBacklog"] == 0)

        wait_until(f"{name} has lost its backlog", expired)

    def unload(self) -> None:
        """Have the broker let the topic go and load it again; all who use it connect anew."""
        self._do("PUT", "/unload")

    def let_go(self) -> None:
        """Close the ledger that is written to, and have the broker drop what no policy keeps."""
        before = self.ledgers()
        self.unload()
        wait_until("the topic writes to another ledger", lambda: bool(self.ledgers() - before))
        self._do("POST", "/trim")

    def _do(self, method: str, path: str, **parameters: str) -> httpx.Response:
        url = f"{self.topic_url}{path}"
        answer = httpx.request(method, url, params=parameters, timeout=30)
        return answer.raise_for_status()


@contextmanager
def new_namespace(
    stack: dict[str, str], backlog_quota: dict[str, Any] | None = None
) -> Iterator[str]:
    """A namespace with Pulsar's own policies (what is acknowledged is dropped), and a quota."""
    name = f"retail/holes-{uuid.uuid4().hex[:8]}"
    admin = f"{stack['RVA_PULSAR_ADMIN_URL']}/admin/v2"
    clusters = httpx.get(f"{admin}/clusters", timeout=30).raise_for_status().json()
    url = f"{admin}/namespaces/{name}"
    httpx.put(url, json={"replication_clusters": clusters}, timeout=30).raise_for_status()
    if backlog_quota is not None:
        httpx.post(f"{url}/backlogQuota", json=backlog_quota, timeout=30).raise_for_status()
    try:
        yield name
    finally:
        # this broker refuses to delete one with topics, whatever is asked
        httpx.delete(url, timeout=30).raise_for_status()
