"""Whose fault an error of PostgreSQL is, and of which kind: the one place that judges it.

The data is at fault for what PostgreSQL itself says so: classes 22 (a value), 23 (a constraint) and 54 (too large or
too deep). Such an error reaches whoever wrote the data as psycopg2's own, in words without values (`without_values`).
Everything else, whatever its class, is the store's trouble and becomes a DatabaseError: nothing is wrong with the
message; wait, keep it, try again.

DatabaseError       PostgreSQL is away, refuses, or did not answer in time
└── SchemaError     a table, column or function is not there (yet)
"""

from __future__ import annotations

from typing import Literal

import psycopg2

from relay.core.certificates import refusal
from relay.core.errors import StoreError

Kind = Literal[
    "unreachable", "read_only", "full", "exhausted", "busy", "timeout", "refused", "schema", "internal", "other"
]

DATA = ("22", "23", "54")
# The longest beginning of a SQLSTATE that stands here names the kind.
KINDS: dict[str, Kind] = {
    "08": "unreachable",  # the connection
    "57P": "unreachable",  # shut down, crashed, starting, no such database any more
    "25006": "read_only",  # a standby, a managed server that is full, default_transaction_read_only
    "53": "exhausted",  # too many connections, out of memory, a limit of its configuration
    "53100": "full",
    "58": "internal",  # the machine below it: I/O, files
    "XX": "internal",  # broken data, broken index, a fault of PostgreSQL
    "40": "busy",  # deadlock, serialization: rolled back for another's sake
    "55": "busy",  # lock timeout, an object in use
    "57014": "timeout",  # statement_timeout, or an administrator cancelled it
    "25P03": "timeout",  # idle in a transaction
    "28": "refused",  # login
    "3D": "refused",  # database
    "42501": "refused",  # permission
    "42": "schema",
    "3F": "schema",
    "0A": "schema",  # a prepared statement whose table was changed
}
ABSENT = ("42P01", "42703", "42883", "3F000")
"""Undefined table, column, function, schema."""

ADVICE: dict[Kind, str] = {
    "read_only": "it is a standby, or default_transaction_read_only is on: let DATABASE_URL lead to the primary",
    "full": "make room on its disk",
    "exhausted": "raise its limit, or run fewer processes",
    "refused": "compare DATABASE_URL, and the rights of its user, with docs/services/infrastructure.md",
    "schema": "run `relay migrate`",
}


PARTIAL: tuple[Kind, ...] = ("schema", "internal", "other")


class DatabaseError(StoreError):
    """PostgreSQL could not be reached, refused, or did not answer in time. The data is not at fault.

    `sqlstate` is "" where PostgreSQL did not come to answering.
    """

    def __init__(self, text: str, kind: Kind = "unreachable", sqlstate: str = "") -> None:
        super().__init__(text)
        self.kind: Kind = kind
        self.sqlstate = sqlstate

    @property
    def of_this_work(self) -> bool:
        """Perhaps only what was asked for now meets it, and other work goes through."""
        return self.kind in PARTIAL


class SchemaError(DatabaseError):
    """What the statement speaks of is not in this database: it has no schema yet, or an older one."""


def meets_everybody(error: Exception) -> bool:
    """Whatever else the store is asked for now, it would answer the same."""
    return isinstance(error, StoreError) and not (isinstance(error, DatabaseError) and error.of_this_work)


def data_at_fault(error: psycopg2.Error) -> bool:
    """PostgreSQL will never take this data; asking again would not help."""
    return (error.pgcode or "")[:2] in DATA


def kind_of(error: psycopg2.Error) -> Kind:
    """Of an error for which the data is not at fault. Without a SQLSTATE the connection ended, or never began."""
    state = error.pgcode or ""
    if not state:
        return "unreachable" if isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError)) else "other"
    beginnings = (state[:length] for length in range(len(state), 1, -1))
    return next((KINDS[one] for one in beginnings if one in KINDS), "other")


def without_values(error: psycopg2.Error) -> str:
    """What PostgreSQL said, and the SQLSTATE where there is one: fit for a log, and for whoever is asked why.

    Left out is what may be what people wrote: the statement, the details ("Failing row contains ..."), and of class 22
    the whole sentence, which quotes the value.
    """
    state = error.pgcode or ""
    if not state:
        return refusal(error) or " ".join(str(error).split()) or type(error).__name__
    said = error.diag.message_primary if state[:2] != "22" else None
    return f"{said or type(error).__name__} ({state})"


def away(error: psycopg2.Error) -> DatabaseError:
    """What PostgreSQL's library said, in words that tell what to do where there are such."""
    state, kind, said = error.pgcode or "", kind_of(error), without_values(error)
    if not state:
        return DatabaseError(said, kind)
    text = f"{said}: {ADVICE[kind]}" if kind in ADVICE else said
    return (SchemaError if state in ABSENT else DatabaseError)(text, kind, state)
