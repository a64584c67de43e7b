"""The web pages: farmers' chat (channel `web`) and the desk of commissioners (channel `desk`).

`chat` and `desk` are the two channels, `board` is what the desk shows, `library` what it asks of
the knowledge, `report_room` the report at the desk; beneath them stand `guard` (what is refused
unread), `sessions`, `submissions` (posted forms), `stream` (server-sent events), `media` (what
people sent), `pictures` (of the knowledge) and `pages` (templates, static files).
"""

from bot.channels.web.chat import WebChannel
from bot.channels.web.desk import DeskChannel
from bot.channels.web.library import Library
from bot.channels.web.report_room import ReportRoom, Reports
from bot.channels.web.settings import Rate, WebSettings

__all__ = ["DeskChannel", "Library", "Rate", "ReportRoom", "Reports", "WebChannel", "WebSettings"]
