"""Rules for review dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.knowledge.rules.base import Finding, Shelf, rule

LONGEST_TERM = timedelta(days=366)


@rule("no-review-by", "error")
def _no_review_date(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        if file.entry.review_by is None:
            mend = "补一行，一年以内，如 review_by: 2027-10-31；法规、登记、行情的半年以内。"
            yield Finding(file, file.front.place, "没有写 review_by（复审期限）。", mend)


@rule("review-expired", "warning")
def _review_date_gone_by(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        due = file.entry.review_by
        if due and due < shelf.today:
            place = file.front.find("review_by")
            message = f"复审期限 {due} 已经过了。"
            yield Finding(file, place, message, "请特派员重新看过，再改 reviewed 和 review_by。")


@rule("review-far-off", "warning")
def _review_date_too_far_off(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        due = file.entry.review_by
        if due and due > (file.entry.review.on or shelf.today) + LONGEST_TERM:
            message = f"复审期限 {due} 太远。"
            mend = "写一年以内的日期；法规、登记、行情的半年以内。"
            yield Finding(file, file.front.find("review_by"), message, mend)


@rule("own-review", "error")
def _approved_by_its_author(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        author, review = file.entry.author, file.entry.review
        by = "".join((review.by or "").split())
        is_own = author and (by == author.id or "".join(author.name.split()) in by)
        if author and is_own and review.status == "approved":
            message = f"这一条是照{author.name}的答复写的，不能由本人核定。"
            mend = "请另一位特派员看过，写他的姓名。"
            yield Finding(file, file.front.find("reviewed"), message, mend)


@rule("draft", "warning")
def _draft(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.drafts:
        mend = "写好以后把 reviewed 里的 draft 改成 pending。"
        yield Finding(file, file.front.find("reviewed"), "这是草稿，农户看不到。", mend)
