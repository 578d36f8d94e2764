"""Dialogues about annotated media, written by a language model and filtered: the second of LEGO's
pipelines of data.

Rows are asked about side by side and written in their order, so that the output does not depend on
how fast each was answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from grounding.datasets.questions import stable_hash
from grounding.errors import DataError
from grounding.instructions.dialogues import Example, load_examples, parse_dialogue, request
from grounding.instructions.facts import Facts, group_records
from grounding.instructions.filters import Exchange, check_dialogue, fingerprint
from grounding.language_model.endpoint import BudgetSpent, Endpoint, EndpointError, NoAnswer, Usage
from grounding.records.record import Message, Record, read_records, with_markers
from grounding.records.skips import Skip, SkipRow, Tally
from grounding.records.writer import RecordWriter, check_output


@dataclass(frozen=True, slots=True)
class Plan:
    """Which dialogues are asked for."""

    turns: int = 4
    """At most so many questions in a dialogue; 1: single questions."""
    single: float = 0.3
    """Part of the rows that become a single question."""
    tries: int = 2
    """A dialogue that does not pass is asked for again; so often in all."""
    seed: int = 0
    limit: int | None = None
    """Rows to ask about."""


@dataclass(slots=True)
class GenerationReport:
    """What became of the rows."""

    rows: int = 0
    kept: int = 0
    rejected: Tally = field(default_factory=Tally)
    """Rows that gave no dialogue, by the reason of the last try; and records that could not be
    read.
    """
    tries: Tally = field(default_factory=Tally)
    """Every dialogue that did not pass."""
    usage: Usage = field(default_factory=Usage)
    stopped: str = ""
    """Why rows are left that were not asked about; those that an earlier run asked about are
    written nevertheless.
    """

    def to_json(self) -> dict[str, Any]:
        """For `FILE.report.json`."""
        return {
            "rows": self.rows,
            "kept": self.kept,
            "rejected": self.rejected.to_json(),
            "tries": self.tries.to_json(),
            "usage": self.usage.to_json(),
            "stopped": self.stopped,
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        usage = self.usage
        counts = [
            f"{self.kept:,} dialogues from {self.rows:,} rows; {usage.requests:,} requests, "
            f"{usage.tokens:,} tokens, {usage.remembered:,} answers were known already"
        ]
        counts += [
            f"{count:8,} not kept: {reason}" for reason, count in self.rejected.counts.most_common()
        ]
        counts += [
            f"{count:8,} tries failed: {reason}"
            for reason, count in self.tries.counts.most_common()
        ]
        counts += [
            f"{count:8,} attempts failed: {reason}"
            for reason, count in usage.failures.most_common()
        ]
        return [*counts, *([f"stopped: {self.stopped}"] if self.stopped else [])]


async def generate(
    sources: Sequence[Path],
    output: Path,
    endpoint: Endpoint,
    plan: Plan,
    *,
    examples: dict[str, list[Example]] | None = None,
    iter_wrapper: Callable[[Iterable[Facts]], Iterable[Facts]] = lambda rows: rows,
) -> GenerationReport:
    """Writes `output` and returns what was kept and why not. A spent budget or a broken endpoint
    ends the run early, with what it has.
    """
    check_output(output, sources)
    examples = examples or load_examples()
    report = GenerationReport(usage=endpoint.usage)
    rows = iter_wrapper(islice(_rows(sources, report.rejected), plan.limit))
    seen: set = set()
    with RecordWriter(output) as writer:
        async for facts, outcome in _side_by_side(
            rows, lambda facts: _dialogue(facts, endpoint, plan, examples, report.tries), endpoint
        ):
            if isinstance(outcome, DataError):
                report.stopped = report.stopped or str(outcome)
                continue
            report.rows += 1
            _keep(facts, outcome, seen, writer, report)
        writer.finish()
    return report


def _keep(
    facts: Facts,
    outcome: list[Exchange] | Skip,
    seen: set,
    writer: RecordWriter,
    report: GenerationReport,
) -> None:
    if isinstance(outcome, Skip):
        report.rejected(outcome)
        return
    try:
        mark = (tuple(sorted(facts.media.items())), fingerprint(outcome))
        if mark in seen:
            raise SkipRow("duplicate")
        seen.add(mark)
        writer.write(to_record(facts, outcome))
        report.kept += 1
    except SkipRow as skip:
        report.rejected(skip.at(facts.name))


def to_record(facts: Facts, dialogue: Sequence[Exchange]) -> Record:
    """Raises SkipRow where no prompt can be made of the dialogue."""
    texts = [text for one in dialogue for text in (one.question, one.answer)]
    texts[0] = with_markers(texts[0], facts.media)
    messages = tuple(Message("gpt" if i % 2 else "human", text) for i, text in enumerate(texts))
    return Record(messages, facts.media, f"dialogue/{facts.name}", {"task": "dialogue"})


def _rows(sources: Sequence[Path], on_skip: Tally) -> Iterator[Facts]:
    for source in sources:
        yield from group_records(read_records(source, on_skip))


async def _dialogue(
    facts: Facts, endpoint: Endpoint, plan: Plan, examples: dict[str, list[Example]], tries: Tally
) -> list[Exchange] | Skip:
    """Raises BudgetSpent and EndpointError."""
    turns = 1 if stable_hash(plan.seed, facts.name, "turns") / 2**64 < plan.single else plan.turns
    skip = Skip("not tried", facts.name)
    for variant in range(plan.tries):
        try:
            answer = await endpoint.ask(request(facts, examples, plan.seed, turns), variant)
            if not answer.finished:
                raise SkipRow("cut off")
            dialogue = check_dialogue(parse_dialogue(answer.text), facts, turns)
            to_record(facts, dialogue)  # what no prompt can be made of is asked for again, too
            return dialogue
        except SkipRow as error:
            skip = error.at(facts.name)
        except NoAnswer as error:
            skip = Skip("no answer", facts.name, str(error))
        tries(skip)
    return skip


async def _side_by_side(
    rows: Iterable[Facts], work: Callable[[Facts], Any], endpoint: Endpoint
) -> AsyncIterator[tuple[Facts, list[Exchange] | Skip | DataError]]:
    """Outcomes in the order of the rows, with twice as many under way as the endpoint takes.

    Once the endpoint or its budget ended, later rows get only what is remembered: an output never
    has fewer rows than earlier runs paid for.
    """
    waiting: deque[tuple[Facts, asyncio.Task]] = deque()
    source = iter(rows)
    try:
        while True:
            while len(waiting) < 2 * endpoint.settings.concurrency:
                facts = next(source, None)
                if facts is None:
                    break
                waiting.append((facts, asyncio.create_task(work(facts))))
            if not waiting:
                return
            facts, task = waiting.popleft()
            try:
                outcome = await task
            except (BudgetSpent, EndpointError) as error:
                outcome, endpoint.remembers_only = error, True
            yield facts, outcome
    finally:
        for _, task in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
