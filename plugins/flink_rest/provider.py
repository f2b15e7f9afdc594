"""What Airflow reads of this project as of a provider: the types of Connection, with their forms.

Airflow calls it by the entry point `apache_airflow_provider` whenever it starts, so this imports
nothing. The forms are read from here, without the hooks.
"""

from __future__ import annotations

from typing import Any

PACKAGE = "retail-video-analytics"
"""The distribution's name: Airflow compares the two."""

_TLS_AND_TIMEOUT = {
    "verify": {
        "label": "Check the TLS certificate",
        "description": "Off only for a trial: anybody could answer in its place.",
        "schema": {"type": ["boolean", "null"], "default": True},
    },
    "ca_bundle": {
        "label": "CA bundle",
        "description": "Path, on Airflow's machines, of the certificates to check it by; empty: "
        "the usual ones.",
        "schema": {"type": ["string", "null"]},
    },
    "timeout_seconds": {
        "label": "Timeout (seconds)",
        "description": "How long an answer may take; a job's submission has three minutes.",
        "schema": {"type": ["number", "null"], "default": 15, "minimum": 1, "maximum": 600},
    },
}


def get_provider_info() -> dict[str, Any]:
    """Describe the Connections, in the terms of Airflow's `provider.yaml`."""
    return {
        "package-name": PACKAGE,
        "name": "Retail video analytics",
        "description": "Flink over its REST API: jobs, savepoints, checkpoints and commits.",
        "connection-types": [
            {
                "connection-type": "flink",
                "hook-class-name": "flink_rest.hooks.FlinkHook",
                "hook-name": "Apache Flink (REST)",
                "ui-field-behaviour": {
                    "hidden-fields": [],
                    "relabeling": {
                        "schema": "Scheme",
                        "login": "User (of a proxy before Flink)",
                        "password": "Password (of a proxy before Flink)",
                    },
                    "placeholders": {
                        "schema": "http",
                        "host": "flink-jobmanager",
                        "port": "8081",
                    },
                },
                "conn-fields": {
                    "ui_url": {
                        "label": "Address for browsers",
                        "description": "Flink's UI as people reach it, for the links of tasks: "
                        "http://localhost:8081. Empty: the same as Airflow's.",
                        "schema": {"type": ["string", "null"]},
                    },
                    **_TLS_AND_TIMEOUT,
                    "headers": {
                        "label": "Headers (of a proxy before Flink)",
                        "description": 'JSON: {"Authorization": "Bearer …"}',
                        "schema": {"type": ["string", "null"], "format": "password"},
                    },
                },
            },
            {
                "connection-type": "pulsar_admin",
                "hook-class-name": "flink_rest.hooks.PulsarAdminHook",
                "hook-name": "Apache Pulsar (admin)",
                "ui-field-behaviour": {
                    "hidden-fields": ["login"],
                    "relabeling": {"schema": "Scheme", "password": "Token"},
                    "placeholders": {"schema": "http", "host": "pulsar", "port": "8080"},
                },
                "conn-fields": _TLS_AND_TIMEOUT,
            },
        ],
    }
