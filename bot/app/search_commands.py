"""The commands that measure and explain search; each gets the parsed arguments and returns the
exit status."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.app import staff
from bot.app.calendar import today
from bot.app.commands import bar, configured, core_of
from bot.app.compose import Core
from bot.app.explaining import figures, lines
from bot.config import Config
from bot.domain import Problem
from bot.errors import KnowledgeError
from bot.knowledge.load import EntryFile, read
from bot.retrieval.calibration import Budget
from bot.retrieval.calibration import calibrate as fit
from bot.retrieval.judge import NOBODY, SHIPPED, Judge
from bot.retrieval.left_out import LeftOut, left_out, summary
from bot.retrieval.question_files import Trial, read_trials
from bot.retrieval.trials import Check


def check(options: Namespace) -> int:
    """What `tianwen check` says, and whose every phrasing is when it is not in the index."""
    status = staff.check(options)
    if status:
        return status
    core = core_of(configured(options))
    index, vectors = core.bookshelf.retriever.index, core.bookshelf.query_vectors
    results = list(left_out(index, vectors, bar("逐句拿掉再找")))
    if not options.quiet:
        for problem in _lost(results, core.config.knowledge):
            print(problem)
    titles = {entry.id: core.naming.domain(entry.domain) for entry in index.entries}
    print(summary(results, titles))
    return 0


def _lost(results: Sequence[LeftOut], folder: Path) -> Iterator[Problem]:
    """The phrasings whose own entry is not even among the best three without them."""
    files = {file.entry.id: file for file in read(folder).entries}
    for one in results:
        if one.entry not in one.found:
            yield _problem(one, files[one.entry])


def _problem(one: LeftOut, file: EntryFile) -> Problem:
    place = file.front.find("questions", file.entry.questions.index(one.text))
    message = f"“{one.text}”不在表里时，找到的是 {one.found[0]}，前三也没有这一条。"
    mend = "看看是不是该归那一条；是这一条的，就再写几种有特点的说法。"
    return Problem(file.path, place.line, place.column, message, mend, "warning", "lost-phrasing")


def calibrate(options: Namespace) -> int:
    """Fit the judge to the knowledge as it is and write it where the bot reads it."""
    config = configured(options)
    judge = fitted(core_of(config, judge=NOBODY), options.files)
    judge.save(options.out or SHIPPED)
    print(told(judge, config))
    return 0


def fitted(core: Core, files: Sequence[Path]) -> Judge:
    """A judge for the knowledge and the model of `core`. Raises KnowledgeError where the check
    questions are too few."""
    bookshelf, base = core.bookshelf, core.bookshelf.retriever.index.base
    checks = [
        _check(trial)
        for trial in read_trials(files)
        if trial.kind in {"question", "followup", "compound", "burst"}
        and set(trial.expected) <= set(base.entries)
    ]
    alone = [check for check in checks if not check.after and not check.is_compound]
    has_both = any(check.after for check in checks) and any(check.is_compound for check in checks)
    if len(alone) < len(base.entries) or not has_both or not base.unanswerable:
        raise KnowledgeError((_too_few(len(alone), len(base.entries)),))
    return fit(
        base,
        checks,
        bookshelf.index_of,
        bookshelf.query_vectors,
        bookshelf.retriever_by,
        Budget(**core.config.budget.model_dump()),
        today(),
        bar("定门槛"),
    )


def _check(trial: Trial) -> Check:
    match trial.kind, trial.messages:
        case "followup", (first, text):
            return Check(text, trial.expected, first)
        case "compound", (text,):
            return Check(text, trial.expected, is_compound=True)
        case _, messages:
            return Check("\n".join(messages), trial.expected)


def _too_few(checks: int, entries: int) -> Problem:
    message = f"考题只有 {checks} 道，条目有 {entries} 条；或者少了追问、一句两问、"
    message += "_unanswerable.yaml。"
    mend = "每条至少一道没写进知识库的考题，还要有答不了的问题，算出来才作数。"
    return Problem("", 1, 1, message, mend)


def told(judge: Judge, config: Config) -> str:
    figures, budget = judge.figures, config.budget
    return (
        f"把握到 {judge.answer_at:.2f} 才直接答，到 {judge.offer_at:.2f} 就列出来选。"
        f"在 {figures['questions']:.0f} 道考题上：直接答对 {figures['answered_right']:.1%}，"
        f"答错 {figures['answered_wrong']:.1%}；本行答不了的 {figures['unanswerable']:.0f} 道，"
        f"答了 {figures['unanswerable_answered']:.1%}；外行的 {figures['elsewhere']:.0f} 道，"
        f"答了 {figures['elsewhere_answered']:.1%}。容许：答出的错 {budget.wrong:.0%}，"
        f"答不了的答 {budget.unanswerable:.0%}。"
        f"接着上一问的 {figures['going_on']:.0f} 道：直接答对 {figures['going_on_right']:.1%}，"
        f"答错 {figures['going_on_wrong']:.1%}。"
        f"一句两问的 {figures['compound']:.0f} 道：两问都答对 {figures['compound_right']:.1%}。"
    )


def explain(options: Namespace) -> int:
    """Why this question is answered, offered or passed on."""
    core = core_of(configured(options))
    text = " ".join(options.text)
    findings, evidence = core.bookshelf.retriever.explain(text)
    print("\n".join(lines(core, text, findings)))
    print(figures(core, findings, evidence))
    return 0
