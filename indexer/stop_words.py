"""English words that are in every text, so that it says nothing where they are found."""

from __future__ import annotations

_STOP = """
a about after all also am an and any are as at be been before being but by can could did do does
doing for from had has have having he her here him his how i if in into is it its just me my of on
or our out over own same she should so some such than that the their them then there these they
this those through to too under until up very was we were what when where which while who whom why
will with would you your
"""
_MORE = """
across against along among anybody anyone anything around behind below beneath beside between
beyond both done down during each get gets got hers may might mine must near off only onto ours
shall somebody someone something theirs toward towards upon us whose within without yours
"""

# From the Snowball list: a search for words leaves them out unless they are quoted, or nothing else
# is asked.
STOP_WORDS = frozenset(_STOP.split())

# A question has more of them: prepositions, and words that stand for a person or a thing. "all" and
# "until" count there. Negations and numbers are in neither list.
FUNCTION_WORDS = (STOP_WORDS - {"all", "until"}) | frozenset(_MORE.split())

_FILLERS = """
okay ok yeah yes no oh um uh hey well like get got go going gonna let lets know think thing things
really right see say said one two want make made now here there not don't it's that's i'm you're
we're they're let's can't doesn't didn't www http https com
"""
FILLER_WORDS = frozenset(_FILLERS.split())
"""What talk is full of, and addresses: no keyword of a text."""
