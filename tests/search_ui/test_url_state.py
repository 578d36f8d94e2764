from datetime import date
from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from search_ui.url_state import (
    FIRST_DAY,
    LAST_DAY,
    Link,
    Place,
    Search,
    like_of,
    read_like,
    read_link,
)

# What is no text is dropped where it enters.
WORDS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
numbers = st.integers(0, 10**6).map(lambda n: n / 1000)
searches = st.builds(
    Search,
    text=st.text(WORDS, max_size=50),
    collections=st.lists(st.text(WORDS, min_size=1, max_size=20), max_size=3).map(tuple),
    only=st.lists(st.sampled_from(["picture", "speech", "screen", "event"]), unique=True).map(
        tuple
    ),
    recorded_from=st.none() | st.dates(FIRST_DAY, LAST_DAY),
    shortest_min=st.none() | st.integers(1, 600).map(float),
    name=st.text(WORDS, max_size=20),
    ground=st.booleans(),
)
places = st.builds(
    lambda id, start, length: Place(id, start, round(start + length, 3)),
    st.integers(1, 10**9),
    numbers,
    st.integers(1, 50),
)


@given(searches, st.none() | places)
def test_a_link_says_everything(search, place):
    link = Link(search, place)
    assert read_link(parse_qs(urlsplit(link.href()).query)) == link


@given(
    st.dictionaries(
        st.sampled_from(
            ["q", "v", "t", "e", "like", "picture", "from", "to", "min", "max", "top", "only"]
        ),
        st.lists(st.text(), max_size=3),
    )
)
def test_any_address_is_read(params):
    link = read_link(params)
    assert (
        read_link(
            {key: [item] if isinstance(item, str) else item for key, item in link.params().items()}
        ).search
        == link.search
    )


def test_like():
    place = Place(7, 1.25, 9.5)
    assert like_of(place) == "7@1.25-9.5"
    assert read_like("7@1.25-9.5") == place


def test_dates_by_hand():
    assert read_link({"from": ["2024-02-30"], "to": ["2024-02-29"]}).search == Search(
        recorded_to=date(2024, 2, 29)
    )
