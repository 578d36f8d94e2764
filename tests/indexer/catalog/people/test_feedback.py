"""A word on an answer stands once for each who says it, and outlives them."""

import numpy as np

from grounding.spans import Span
from indexer.catalog import Catalog, accounts, videos
from indexer.catalog.people import feedback
from tests.indexer.catalog import support


def test_the_last_word_counts_and_outlives_whoever_said_it(catalog: Catalog):
    first, second = support.add_ready(catalog, ["a.mp4", "b.mp4"], np.random.default_rng(0))
    span = Span(1.0, 2.0004)
    with catalog.begin() as s:
        vera = accounts.add_account(s, "vera", "viewer", None, password_hash="hash")
        feedback.add_feedback(s, "a dog", first, span, False)
        feedback.add_feedback(s, "a dog", first, span, True, account_id=vera)
        feedback.add_feedback(s, " a dog ", first, span, False, account_id=vera)
        feedback.add_feedback(s, "a cat", second, span, True, account_id=vera)
    with catalog.begin() as s:
        own = feedback.list_own_feedback(s, account_id=vera)
        assert [(one.question, one.good) for one in own] == [("a cat", True), ("a dog", False)]
        assert [one.good for one in feedback.list_own_feedback(s)] == [False]
        assert len(feedback.list_own_feedback(s, "a dog", account_id=vera)) == 1
        local = feedback.list_own_feedback(s)[0].id
        assert not feedback.delete_feedback(s, local, account_id=vera), "it is not hers"
        assert feedback.delete_feedback(s, local)
        accounts.remove_account(s, "vera")
    with catalog.begin() as s:
        assert [one.question for one in feedback.list_feedback(s)] == ["a dog", "a cat"]
        videos.remove_video(s, second)
        (left,) = feedback.list_feedback(s, [videos.get_video(s, first).collection_id])
        assert (left.video_id, left.span) == (first, Span(1.0, 2.0))
