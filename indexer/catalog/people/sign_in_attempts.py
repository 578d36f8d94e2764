"""How often people failed to sign in lately, in SQL: all processes that serve the page count
together.
"""

from __future__ import annotations

import ipaddress
import time

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from indexer.catalog.accounts import name_key
from indexer.catalog.database.dialect import count_changed, is_sqlite
from indexer.catalog.tables.people import SignInAttempt

OF_A_PAIR, OF_AN_ADDRESS, WINDOW_S = 5, 20, 300.0
"""Attempts in a time: for one name from one address (nobody elsewhere can lock somebody out), and
from one address for any names.
"""
_LOCK = 0x5EE4_0002  # of PostgreSQL: one attempt is counted at a time


def count_attempt(s: Session, name: str, address: str) -> bool:
    """Counts an attempt before it is made; False: there were too many, and it must not be made."""
    if not is_sqlite(s):
        s.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    now, place = time.time(), network_of(address)
    count_changed(s, delete(SignInAttempt).where(SignInAttempt.at_s < now - WINDOW_S))
    of_address = select(func.count()).where(SignInAttempt.address == place)
    of_pair = of_address.where(SignInAttempt.name_key == name_key(name))
    if (s.scalar(of_pair) or 0) >= OF_A_PAIR or (s.scalar(of_address) or 0) >= OF_AN_ADDRESS:
        return False
    s.add(SignInAttempt(name_key=name_key(name), address=place, at_s=now))
    return True


def forget_attempts(s: Session, name: str, address: str) -> None:
    """After the name signed in from the address."""
    pair = (SignInAttempt.name_key == name_key(name)) & (
        SignInAttempt.address == network_of(address)
    )
    count_changed(s, delete(SignInAttempt).where(pair))


def network_of(address: str) -> str:
    """The address; of IPv6 the network of 64 bits, all of which one customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
