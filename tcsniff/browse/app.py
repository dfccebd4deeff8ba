"""The app: what keys and the mouse do."""

from __future__ import annotations

import os
import signal
import time
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.driver import Driver

from tcsniff.browse.browser import open_in_browser
from tcsniff.browse.event_buffer import EventBuffer
from tcsniff.browse.event_store import EventStore
from tcsniff.browse.events_page import parse_clock_time
from tcsniff.browse.feed import PoolCounts
from tcsniff.browse.frame import Frame
from tcsniff.browse.graph_page import GraphPage
from tcsniff.browse.keys import EVENTS, KEYS, TABS
from tcsniff.browse.keys_page import KeysPage
from tcsniff.browse.navigation import Deployment, Look, Navigator
from tcsniff.browse.pools_page import PoolsPage
from tcsniff.browse.prompt import Prompt
from tcsniff.browse.row_filter import EXPRESSION, compile_filter
from tcsniff.browse.widgets import ClickedAt
from tcsniff.errors import UsageError
from tcsniff.identifiers import is_slug_id
from tcsniff.pulse.urls import build_group_url, build_run_url, build_task_url
from tcsniff.renderers.stream import StreamInfo

DEFAULT_LOOK = Look()
_PROMPT_KEYS = frozenset(("ctrl+c", "ctrl+z"))  # that are not for the prompt


class BrowseApp(Frame):
    """The interactive app."""

    # With priority, so that keys are obeyed in the order in which they are typed.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.names, key.action, key.meaning, show=False, priority=True) for key in KEYS
    ]

    def __init__(
        self,
        buffer: EventBuffer,
        info: StreamInfo,
        pools: PoolCounts,
        deployment: Deployment,
        look: Look = DEFAULT_LOOK,
        driver_class: type[Driver] | None = None,
    ) -> None:
        """Create an app that shows nothing yet.

        Args:
            buffer: Where events arrive.
            info: What the source is called.
            pools: The statistics of runs.
            deployment: What can be asked about groups and tasks.
            look: How the app looks.
            driver_class: Textual's door to the terminal; None for its own.
        """
        store = EventStore()
        navigator = Navigator(store, pools, deployment, look)
        super().__init__(buffer, info, navigator, store, look, driver_class)
        self.deployment = deployment

    # Where one goes.

    def action_go_back(self) -> None:
        """Go back one step; on the first page, clear the filter."""
        if self.navigator.go_back():
            self.show_page()
        else:
            self._set_filter("")

    def action_show_tab(self, tab: int) -> None:
        """Show the page of a tab."""
        if self.navigator.open_tab(tab):
            self.show_page()
        else:
            self.report(f"no {TABS[tab].lower()} is selected")

    def action_show_keys(self) -> None:
        """Show the list of keys, or go back from it."""
        if isinstance(self.page, KeysPage):
            self.navigator.go_back()
        else:
            self.navigator.open(KeysPage(self.page.tab))
        self.show_page()

    def action_open_row(self) -> None:
        """Open what is selected."""
        page, subject = self.page, self.page.get_subject()
        if isinstance(page, GraphPage) and page.toggle_kind():
            self.redraw_rows(is_new=True)
        elif isinstance(page, PoolsPage):
            self._set_filter(subject.pool)
        elif subject.task_id:
            self.action_open_task()
        else:
            self.action_open_group()

    def action_open_group(self) -> None:
        """Show the task group of the selected row."""
        group_id = self.page.get_subject().group_id
        if group_id:
            self.navigator.open_group(group_id)
            self.show_page()
        else:
            self.report("no task group is selected")

    def action_open_task(self) -> None:
        """Show the task of the selected row."""
        subject = self.page.get_subject()
        if subject.task_id and subject.group_id:
            self.navigator.open_task(subject.task_id, subject.group_id)
            self.show_page()
        else:
            self.report("no task is selected")

    def action_open_pool(self) -> None:
        """Show the worker pool of the selected row."""
        pool = self.page.get_subject().pool
        if pool:
            self.navigator.open_pool(pool)
            self.show_page()
        else:
            self.report("no worker pool is selected")

    # What is selected.

    def action_move(self, rows: int) -> None:
        """Select another row."""
        self.page.move(rows)
        self.redraw_selection()

    def action_move_page(self, pages: int) -> None:
        """Move by screens."""
        self.page.move_page(pages)
        self.redraw_selection()

    def action_move_to(self, index: int) -> None:
        """Select the first row, or the last one for -1."""
        self.page.select(len(self.page) - 1 if index < 0 else index)
        self.redraw_selection()

    def action_scroll_pane(self, lines: int) -> None:
        """Scroll the pane."""
        self.pane_top = max(0, self.pane_top + lines)
        self.redraw_pane()

    def action_select_failure(self) -> None:
        """Select the next failure."""
        if not self.page.select_failure():
            self.report("no failure here")
        self.redraw_selection()

    def on_row_list_selected(self) -> None:
        """Draw what belongs to the row that the mouse has selected."""
        self.redraw_selection()

    def on_row_list_opened(self) -> None:
        """Open the row that was clicked twice."""
        self.action_open_row()

    def on_clicked_at(self, message: ClickedAt) -> None:
        """Do what was clicked: a tab, or a key of the footer."""
        if message.view == "tabs":
            for tab, place in zip(TABS, self.tab_places, strict=False):
                if message.x in place:
                    self.action_show_tab(tab)
        for place, action in self.key_places if message.view == "keys" else ():
            if message.x in place:
                self.call_later(self.run_action, action)

    # What is done with the page.

    def action_toggle_pause(self) -> None:
        """Let the page stand still, or go on."""
        self.page.toggle_pause()
        self.redraw_rows()

    def action_follow_end(self) -> None:
        """Follow the end of the list."""
        self.navigator.events.follow_end()
        self.redraw_rows()

    def action_change_columns(self) -> None:
        """Show other columns."""
        self.navigator.events.next_columns()
        self.redraw_rows(is_new=True)

    def action_sort_rows(self) -> None:
        """Sort by another column."""
        self.report(f"sorted by {self.page.sort_next()}")
        self.redraw_rows(is_new=True)

    def action_expand(self, is_open: bool) -> None:
        """Show or hide the tasks of a kind."""
        if isinstance(self.page, GraphPage) and self.page.expand(is_open=is_open):
            self.redraw_rows(is_new=True)

    def action_toggle_raw(self) -> None:
        """Show the whole message in the pane, or a summary."""
        self.is_raw = not self.is_raw
        self.pane_top = 0
        self.fit_pane()
        self.redraw_pane()

    def action_copy_id(self) -> None:
        """Copy the ID of the task, else of the group, else the name of the pool."""
        subject = self.page.get_subject()
        self._copy(subject.task_id or subject.group_id or subject.pool)

    def action_copy_rerun(self) -> None:
        """Copy the command that reruns the task: the app itself changes nothing."""
        task_id = self.page.get_subject().task_id
        self._copy(f"taskcluster task rerun {task_id}" if is_slug_id(task_id) else "")

    def _copy(self, text: str) -> None:
        if text:
            self.copy_to_clipboard(text)
        self.report(f"copied: {text}" if text else "nothing is selected that has an ID")

    def action_open_browser(self) -> None:
        """Open the page of the run, task or group in a browser."""
        subject, root_url = self.page.get_subject(), self.deployment.root_url
        url = build_group_url(root_url, subject.group_id)
        if subject.task_id:
            url = build_task_url(root_url, subject.task_id)
            if subject.run_id is not None:
                url = build_run_url(root_url, subject.task_id, subject.run_id) or url
        if url is None:
            self.report("no page is known; --root-url names the deployment")
            return
        self.report(f"opening {url}")
        open_in_browser(url)

    # What is asked for.

    def action_edit_filter(self) -> None:
        """Ask for a filter; the page follows while it is typed."""
        text = self.navigator.events.matching.text
        self.show_prompt(Prompt("/", text, "words, or =EXPR", self._set_filter))

    def action_edit_time(self) -> None:
        """Ask for a time to go to."""
        self.show_prompt(Prompt(":", "", "18:05 or 18:05:30", self._go_to_time))

    async def on_event(self, event: events.Event) -> None:
        """Give keys to the prompt while there is one; everything else to textual."""
        is_new = isinstance(event, events.InputEvent) and not event.is_forwarded
        if self.prompt is None or not is_new:
            await super().on_event(event)
        elif isinstance(event, events.Key) and event.key not in _PROMPT_KEYS:
            self._press_in_prompt(self.prompt, event)
        elif isinstance(event, events.Paste):
            self.prompt.insert(event.text)
            self._follow_prompt(self.prompt)
        else:
            await super().on_event(event)

    def _press_in_prompt(self, prompt: Prompt, event: events.Key) -> None:
        if event.key == "escape":
            self.show_prompt(None)
        elif event.key == "enter":
            try:
                prompt.answer(prompt.text)
            except (UsageError, ValueError) as error:
                self.report(" ".join(str(error).split()))
            else:
                self.show_prompt(None)
        else:
            prompt.press(event.key, event.character)
            self._follow_prompt(prompt)

    def _follow_prompt(self, prompt: Prompt) -> None:
        # A filter of words is applied while it is typed.
        if prompt.answer == self._set_filter and not prompt.text.startswith(EXPRESSION):
            self._set_filter(prompt.text)
        self.show_prompt(prompt)

    def _set_filter(self, text: str) -> None:
        compile_filter(text)  # before anything changes
        if self.page is not self.navigator.events:
            self.action_show_tab(EVENTS)
        self.navigator.events.set_filter(text)
        self.redraw_rows()

    def _go_to_time(self, text: str) -> None:
        page = self.navigator.events
        near = page.selected.seconds if page.selected is not None else time.time()
        if self.page is not page:
            self.action_show_tab(EVENTS)
        page.select_time(parse_clock_time(text, near, utc=self.look.utc))
        self.redraw_selection()

    # How it ends.

    def action_close_app(self) -> None:
        """Quit, with the status of what is shown."""
        self.close_app()

    def action_interrupt(self) -> None:
        """Quit as after a signal."""
        os.kill(os.getpid(), signal.SIGINT)
