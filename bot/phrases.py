"""Every sentence the bot says, by key; the wording stands in config/phrases.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from bot.errors import PhraseError

# Each sentence that the code says, and the blanks that it fills.
BLANKS: Mapping[str, str] = {
    "greeting": "",
    "menu.my": "",
    "menu.cancel": "",
    "menu.help": "",
    "wish.greeting": "",
    "wish.help": "",
    "wish.thanks": "",
    "wish.small_talk": "",
    "answer.source": "source",
    "answer.pending": "",
    "answer.approved": "by on",
    "answer.same": "",
    "useful.thanks": "",
    "clarify.which": "choices",
    "clarify.out_of_range": "",
    "clarify.no_list": "",
    "button.details": "",
    "button.useful": "",
    "button.to_person": "",
    "button.none_fits": "",
    "button.person": "",
    "button.new_question": "",
    "button.add": "number words",
    "button.cancel": "number words",
    "button.solved": "",
    "button.unsolved": "",
    "button.solved_which": "number words",
    "button.unsolved_which": "number words",
    "button.solved_last": "",
    "button.unsolved_last": "",
    "outcome.which": "",
    "trouble": "",
    "press.stale": "",
    "person.ask_away": "",
    "case.unsure": "",
    "case.goes_on": "text before",
    "case.opened": "number who",
    "case.opened_urgent": "number who",
    "case.off_hours": "when",
    "township.ask": "",
    "township.noted": "township",
    "case.already": "number",
    "case.new_or_more": "",
    "case.add_now": "number",
    "add.which": "",
    "add.none": "",
    "case.added_thanks": "number who",
    "case.closed": "number",
    "case.reopened_thanks": "number who",
    "case.holder": "name",
    "case.dispatcher": "",
    "case.photo": "",
    "case.location": "latitude longitude",
    "case.grown": "before extra",
    "case.accepted": "number who",
    "case.passed_on": "number who",
    "case.passed_on_urgent": "number who",
    "case.answer": "number who",
    "case.question": "number who",
    "case.waiting_for_you": "number who",
    "case.closed_quietly": "number",
    "case.outcome": "number words",
    "outcome.better": "",
    "outcome.same": "",
    "outcome.worse": "",
    "case.same_thanks": "number who",
    "case.rate": "who",
    "rating.great": "",
    "rating.some": "",
    "rating.none": "",
    "rating.whys": "",
    "case.rate_why": "",
    "case.rate_thanks": "",
    "case.rated_before": "",
    "cancel.none": "",
    "cancel.which": "",
    "cancel.done": "number",
    "list.none": "",
    "list.title": "",
    "list.unplaced": "number words",
    "list.offered": "number who words",
    "list.accepted": "number who words",
    "list.asked": "number who words",
    "list.answered": "number who words",
    "list.resolved": "number words",
    "list.cancelled": "number words",
    "photo.say_more": "",
    "other.sticker": "",
    "other.location": "",
    "other.video": "",
    "other.contact": "",
    "other.joined": "",
    "other.unknown": "",
    "emergency.sting": "",
    "emergency.poison": "",
    "emergency.fall": "",
    "emergency.electric": "",
    "emergency.other": "",
    "offer.title": "number subject",
    "offer.urgent_title": "number subject",
    "offer.words": "words",
    "offer.why": "reason",
    "offer.township": "township",
    "offer.candidates": "people",
    "offer.suggestions": "titles",
    "offer.how": "number",
    "button.accept": "",
    "button.decline": "",
    "button.send_to": "number words",
    "case.added": "number words",
    "case.township": "number township",
    "case.resolved": "number",
    "case.reopened": "number",
    "case.same": "number",
    "case.worse": "number",
    "case.rated": "number rating",
    "case.cancelled": "number",
    "case.offer_reminder": "number",
    "case.unplaced_reminder": "number",
    "case.answer_reminder": "number",
    "desk.bound": "name",
    "desk.accepted": "number",
    "desk.already_yours": "number",
    "desk.declined": "number",
    "desk.handed_on": "number name",
    "desk.hand_to_whom": "number names",
    "desk.answered": "number",
    "desk.look_again": "number worries",
    "button.send_anyway": "",
    "case.sent_anyway": "worries",
    "desk.asked": "number",
    "desk.send_answer": "number",
    "desk.send_ask": "number",
    "desk.no_such_case": "number",
    "desk.not_yours": "number who",
    "desk.not_sent": "number who",
    "desk.closed": "number",
    "desk.too_late": "number",
    "desk.left": "number",
    "desk.accept_or_send": "number",
    "desk.really_send": "number",
    "desk.not_bound": "",
    "desk.which_case": "",
    "desk.none": "",
    "desk.list": "",
    "desk.line": "number state words",
    "desk.help": "",
    "desk.unsupported": "",
    "keep.done": "number name",
    "keep.told": "number who",
    "keep.which_case": "",
    "keep.before": "number",
    "keep.not_yet": "number",
    "keep.not_yours": "number who",
    "keep.no_words": "number",
    "keep.which_subject": "number",
    "keep.failed": "number",
    "button.keep": "",
    "ledger.title": "year services services_due suggestions suggestions_due grade",
    "ledger.missing": "services suggestions days",
    "ledger.enough": "",
    "ledger.struck": "count",
    "ledger.suggest_how": "least",
    "ledger.suggested": "count",
    "ledger.suggested_before": "",
    "ledger.ruled": "number deed",
    "ledger.why": "",
    "ledger.cannot": "number",
    "ledger.struck_told": "number words reason who",
    "ledger.appealed_told": "number words reason who",
    "ledger.restored_told": "number words reason who",
    "state.unplaced": "",
    "state.offered": "",
    "state.accepted": "",
    "state.asked": "",
    "state.answered": "",
    "state.resolved": "",
    "state.cancelled": "",
    "delivery.maybe_repeated": "",
    "delivery.not_delivered": "number",
    "delivery.rejected": "number",
}


class Phrases:
    """Fills the blanks of a sentence: `phrases("case.opened", number=12)`."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = dict(templates)

    def __call__(self, key: str, **blanks: object) -> str:
        """The sentence with its blanks filled; a missing key or blank raises PhraseError."""
        try:
            return self._templates[key].format(**blanks)
        except KeyError as error:
            raise PhraseError(f"config/phrases.yaml: {key} 缺少 {error}") from error


def faults(sentences: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, in Chinese, by key: a sentence missing, unknown, empty or with other blanks
    than the code fills."""
    wrong = {key: f"少了 {key} 这一句。" for key in BLANKS if key not in sentences}
    for key, sentence in sentences.items():
        if key not in BLANKS:
            wrong[key] = f"没有 {key} 这一句，程序用不到。"
        elif not sentence.strip():
            wrong[key] = f"{key} 是空的。"
        elif _blanks(sentence) != set(BLANKS[key].split()):
            wanted = "、".join(f"{{{name}}}" for name in BLANKS[key].split()) or "没有空格"
            wrong[key] = f"{key} 的空格不对，应该是：{wanted}。"
    return wrong


def _blanks(sentence: str) -> set[str] | None:
    """The names in braces; None where the braces don't pair."""
    try:
        fields = [field for field in Formatter().parse(sentence) if field[1] is not None]
        return {f"{name}{spec or ''}{turned or ''}" for _, name, spec, turned in fields}
    except ValueError:
        return None
