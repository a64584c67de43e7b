"""The life of a case: from a question nobody could answer at once to a farmer who was helped.

                     ┌── nobody left ──▶ UNPLACED ── a dispatcher takes it ──┐
                     │                                                       ▼
    open ─ roster ─▶ OFFERED ──────────────── accept ──────────────────▶ ACCEPTED ◀─ adds ─ ASKED
                     │   ▲                                              │  ▲  └── asks back ─▶ ┘
                     └───┘ decline or time out: next person      answer │  │ 没解决, or more words
                                                                        ▼  │
                            解决了, or quiet for long ◀───────────── ANSWERED
                                     │
                                     ▼
                                 RESOLVED             CANCELLED ◀── farmer, from any open state

`desk` moves a case along, `roster` says who is asked, `letters` what people are told, `follow_up`
does what time demands. Every move returns the case's new value, the event, and the messages; notes
and second opinions change no state.
"""
