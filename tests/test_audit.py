"""`make audit`: what needs no service is done on this installation, and finds what is wrong."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("audit", ROOT / "deploy" / "audit.py")
assert spec is not None
assert spec.loader is not None
audit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(audit)

ONE, TWO = "1" * 64, "2" * 64
LOCKED = f"a-b==1.0 \\\n    --hash=sha256:{ONE} \\\n    --hash=sha256:{TWO}\nc==2\n"


def test_every_pinned_version_has_its_hashes():
    constraints = (ROOT / "constraints.txt").read_text()
    hashes = (ROOT / "constraints-hashes.txt").read_text()
    assert audit.check_hashes(constraints, hashes) == []
    assert len(audit.read_hashes(hashes)) == len(audit.read_versions(constraints)) > 100


def test_versions_and_hashes_that_differ_are_found():
    assert audit.read_hashes(LOCKED) == {"a-b": {ONE, TWO}, "c": set()}
    findings = audit.check_hashes("A_b==1.1\nd==1\n", LOCKED)
    assert [finding.split(":")[0] for finding in findings] == ["a-b", "c", "d", "c"]
    offered = {"a-b": {ONE, "3" * 64}, "c": set()}
    assert audit.compare_hashes(audit.read_hashes(LOCKED), offered) == [
        f"a-b: the index offers an artefact with another hash: {'3' * 64}"
    ]


def test_holes_are_told_and_a_database_out_of_reach_is_no_all_clear():
    hole = {"id": "CVE-1", "fix_versions": ["2"]}
    good = {"name": "a", "version": "1", "vulns": [hole]}
    unknown = {"name": "b", "skip_reason": "not found"}
    assert list(audit.read_holes({"dependencies": [good, unknown]})) == [
        "b: could not be examined",
        "a 1: CVE-1, fixed in 2",
    ]
    with pytest.raises(audit.Unreachable):
        list(audit.read_holes({"dependencies": [unknown]}))


def test_licences_of_this_installation_are_allowed(tmp_path):
    installed = audit.installed()
    assert len(installed) > 50
    assert audit.check_licences(installed, tmp_path / "licences.txt") == []
    assert len((tmp_path / "licences.txt").read_text().splitlines()) == len(installed)


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("LGPL-3.0-only", True),
        ("GPL-3.0-or-later", False),
        ("MIT AND AGPL-3.0", False),
        ("GNU General Public License v3", False),
        ("Proprietary", False),
    ],
)
def test_which_licences_are_allowed(licence: str, allowed: bool):
    found = audit.ALLOWED.search(licence) and not audit.NOT_ALLOWED.search(licence)
    assert bool(found) is allowed
