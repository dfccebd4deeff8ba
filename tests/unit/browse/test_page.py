"""What is selected, and in which line of the screen, while rows come and go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from builders import event, row_of
from tcsniff.browse.event_store import EventStore
from tcsniff.browse.events_page import EventsPage
from tcsniff.browse.page import Page

LABELS = ("build-a", "test-b", "test-c")
ROWS = {label: row_of(event(label=label)) for label in LABELS}


class Names(Page):
    """Rows that are names."""

    def __init__(self, names):
        super().__init__()
        self.names = names

    def __len__(self):
        return len(self.names)

    def get_key(self, index):
        return self.names[index]

    def find_key(self, key):
        return self.names.index(key) if key in self.names else None

    @property
    def selected(self):
        return self.names[self.index] if self.names else None


USER = st.one_of(
    st.tuples(st.just("move"), st.integers(-30, 30)),
    st.tuples(st.just("move_page"), st.integers(-2, 2)),
    st.tuples(st.just("scroll"), st.integers(-30, 30)),
    st.tuples(st.just("select"), st.integers(-1, 99)),
)
OTHERS = st.one_of(
    st.tuples(st.just("insert"), st.integers(0, 99)),
    st.tuples(st.just("remove"), st.integers(0, 99)),
    st.tuples(st.just("height"), st.integers(1, 40)),
)


@given(st.integers(0, 40), st.lists(st.lists(OTHERS, max_size=9) | USER, max_size=30))
def test_only_the_user_selects_another_row(number, steps):
    """Whatever else changes, and whatever the user did before; the row is on the screen."""
    page, new = Names([f"row {n}" for n in range(number)]), iter(range(1_000))
    height = 10
    page.settle(height)
    for step in steps:
        if isinstance(step, tuple):
            getattr(page, step[0])(step[1])
            continue
        before = page.selected
        for name, value in step:
            if name == "height":
                height = value
            elif name == "insert":
                page.names.insert(value % (len(page.names) + 1), f"new {next(new)}")
            elif page.names and page.names[value % len(page.names)] != before:
                del page.names[value % len(page.names)]
        top = page.settle(height)

        assert page.selected == before or before is None
        assert not page.names or top <= page.index < top + height
        assert page.offset == page.index - top


@given(st.integers(0, 29), st.integers(1, 30), st.integers(1, 5))
def test_a_row_is_in_its_line_again_when_the_screen_is(index, height, small):
    """After it was too small for a while."""
    page = Names([f"row {n}" for n in range(30)])
    page.settle(height)
    page.select(index)
    top = page.settle()
    page.settle(small)

    assert page.settle(height) == top


def test_a_row_that_is_gone_gives_way_to_the_next_one():
    """In its line."""
    page = Names(["a", "b", "c", "d"])
    page.settle(4)
    page.select(1)
    page.names.remove("b")
    page.settle()

    assert (page.selected, page.offset) == ("c", 1)


@given(
    st.lists(st.sampled_from(LABELS), min_size=1, max_size=60),
    st.integers(0, 59),
    st.lists(
        st.tuples(st.sampled_from(["", "test", "build", "c", "zzz", "=event"]), st.integers(0, 9))
    ),
)
def test_a_filter_that_is_gone_leaves_the_row_in_its_line(labels, index, filters):
    """While it is typed and changed, events arrive; the rows around may be others."""
    store = EventStore()
    store.add([ROWS[label] for label in labels])
    page = EventsPage(store, utc=True)
    page.update()
    page.settle(8)
    page.select(index)
    page.settle()
    before, follows = (page.get_key(page.index), page.offset), page.follows
    for text, arrived in filters:
        page.set_filter(text)
        page.settle()
        store.add([ROWS[LABELS[0]]] * arrived)
        while page.update() or page.is_busy:
            page.settle()
    page.set_filter("")
    page.settle()

    assert follows or (page.get_key(page.index), page.offset) == before


def test_a_slow_filter_does_not_lose_the_selected_row():
    """Newer rows are tested first; the row is selected again when it was tested, too."""
    store = EventStore()
    store.add([ROWS["test-b"]] * 20_000)
    page = EventsPage(store, utc=True)
    page.update()
    page.settle(8)
    page.select(3)
    page.set_filter("test")
    while page.is_busy:
        page.update()
        page.settle()

    assert page.get_key(page.index) == 3
