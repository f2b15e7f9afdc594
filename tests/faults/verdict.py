"""What the audit and the proof say of everything that was published so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass

from faults.publishing import Published
from faults.stage import Stage
from lakehouse.audit.auditing import audit
from lakehouse.proving.actual import gold_by_trino
from lakehouse.proving.messages import BRONZE
from lakehouse.proving.prove import prove
from lakehouse.proving.scope import Scope
from lakehouse.proving.settings import ProofSettings
from lakehouse.proving.workbench import workbench
from lakehouse.settings import LakehouseSettings
from replay.retained import RetainedTopic
from replay.settings import ReplaySettings


@dataclass(frozen=True)
class Verdict:
    """Counts of messages and rows, over all layers."""

    messages: int = 0
    """That the topic holds."""
    detections: int = 0
    """Rows of silver_detection."""
    lost: int = 0
    """Messages or rows that should be there and are not."""
    doubled: int = 0
    """That are there more than once, or should not be there."""
    differing: int = 0
    """Rows whose values are wrong."""
    not_yet_read: int = 0
    """Messages later than all that Bronze has; they are lost if it stays so."""
    broken: str = ""
    """The first identity that does not hold, or empty."""

    @property
    def holds(self) -> bool:
        """Whether everything is where it should be, once."""
        wrong = self.lost + self.doubled + self.differing + self.not_yet_read
        return not wrong and not self.broken

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in asdict(self).items() if value)
        return told or "nothing there"


def reconcile(stage: Stage, published: Published) -> Verdict:
    """Count the topic, audit it against Bronze, prove every layer against messages and files.

    The count tells what the others cannot: a message that was published twice, or one that was lost
    on its way to the topic and is no usable frame.

    :raises LakehouseError, ReplayError: a server does not answer
    """
    catalog = stage.catalog()
    of_proof = ProofSettings()
    with RetainedTopic(ReplaySettings.from_env(stage.variables)) as topic:
        audited = audit(catalog, stage.database, topic, stage.variables["RVA_TOPIC"]).comparison
    with workbench(of_proof) as bench:
        proof = prove(
            bench,
            catalog,
            stage.database,
            gold_by_trino(LakehouseSettings.from_env(stage.variables)),
            Scope(),
            published.files,
            of_proof,
        )
        of_bronze: Counter[str] = Counter()
        of_others: Counter[str] = Counter()
        for table, kind, count in bench.rows(
            'SELECT "table", kind, count(*) FROM difference GROUP BY ALL'
        ):
            (of_bronze if table == BRONZE else of_others)[kind] += count
        detections = bench.count("shown_silver_detection")
    surplus = audited.retained - published.messages
    return Verdict(
        messages=audited.retained,
        detections=detections,
        # of Bronze both have counted: count and audit by message, the proof by frame
        lost=max(audited.missing_count + max(0, -surplus), of_bronze["missing"])
        + of_others["missing"],
        doubled=max(audited.doubled_count + max(0, surplus), of_bronze["doubled"])
        + of_bronze["surplus"]
        + of_others["doubled"]
        + of_others["surplus"],
        differing=of_others["differing"],
        not_yet_read=audited.not_yet_read,
        broken=str(proof.first_broken or ""),
    )
