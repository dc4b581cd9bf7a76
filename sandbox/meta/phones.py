"""All phones and chats, findable by number, by business-scoped user id and by message."""

import re

from sandbox.bounded import BoundedDict
from sandbox.ids import bsuid
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.thread import Phone, Thread

_SPELLINGS = (
    (re.compile(r"55(\d\d)9(\d{8})"), r"55\1\2"),
    (re.compile(r"55(\d\d)(\d{8})"), r"55\g<1>9\2"),
    (re.compile(r"521(\d{10})"), r"52\1"),
    (re.compile(r"52(\d{10})"), r"521\1"),
    (re.compile(r"549(\d{10})"), r"54\1"),
    (re.compile(r"54(\d{10})"), r"549\1"),
)
"""Of one number in Brazil, Mexico and Argentina: with and without the digit that marks a mobile phone."""


class Phones:
    def __init__(self) -> None:
        self._phones: BoundedDict[str, Phone] = BoundedDict(100_000)
        self._user_ids: BoundedDict[str, str] = BoundedDict(100_000)
        self._threads: BoundedDict[tuple[str, str], Thread] = BoundedDict(100_000)
        self._entries: BoundedDict[str, tuple[ThreadMessage, Thread]] = BoundedDict(300_000)

    def phone(self, wa_id: str) -> Phone:
        """Every number has a phone: the sandbox makes one up when it is first spoken of."""
        phone = self._phones.get(wa_id)
        if phone is None:
            phone = self._phones[wa_id] = Phone(wa_id, bsuid(wa_id), name=f"+{wa_id}")
            self._user_ids[phone.user_id] = wa_id
        return phone

    def dialled(self, digits: str) -> Phone:
        """As Meta does: whoever is registered under another spelling of the number is meant."""
        others = (spelling.sub(other, digits) for spelling, other in _SPELLINGS if spelling.fullmatch(digits))
        return self.phone(next((each for each in (digits, *others) if each in self._phones), digits))

    def known(self, address: str) -> Phone | None:
        """By number or by business-scoped user id."""
        return self._phones.get(self._user_ids.get(address, address))

    def rename(self, phone: Phone, user_id: str) -> None:
        self._user_ids.pop(phone.user_id, None)
        phone.user_id = user_id
        self._user_ids[user_id] = phone.wa_id

    def move(self, phone: Phone, wa_id: str, user_id: str) -> None:
        """The phone and its chats go on under another number; the old one is nobody's from now on."""
        left = Phone(phone.wa_id, phone.user_id, gone=True)
        self._phones[left.wa_id] = left
        phone.wa_id, phone.user_id = wa_id, user_id
        self._phones[wa_id], self._user_ids[user_id] = phone, wa_id
        for key in [each for each in self._threads if each[0] == left.wa_id]:
            self._threads[(wa_id, key[1])] = self._threads.pop(key)

    def revive(self, phone: Phone) -> None:
        """Somebody else has been given the number: another person, so another user id."""
        phone.gone, phone.name = False, f"+{phone.wa_id}"
        self.rename(phone, bsuid(phone.wa_id, seed=f"{phone.wa_id}/{phone.user_id}"))

    def thread(self, phone: Phone, phone_number_id: str) -> Thread:
        key = (phone.wa_id, phone_number_id)
        thread = self._threads.get(key)
        if thread is None:
            thread = self._threads[key] = Thread(phone, phone_number_id)
        return thread

    def holds(self, thread: Thread) -> bool:
        return self._threads.get((thread.phone.wa_id, thread.phone_number_id)) is thread

    def threads(self) -> list[Thread]:
        return list(self._threads.values())

    def threads_of(self, phone: Phone, numbers: list[str]) -> list[Thread]:
        found = (self._threads.get((phone.wa_id, number)) for number in numbers)
        return [each for each in found if each is not None]

    def record(self, entry: ThreadMessage, thread: Thread) -> None:
        self._entries[entry.id] = (entry, thread)

    def entry(self, message_id: str) -> tuple[ThreadMessage, Thread] | None:
        return self._entries.get(message_id)
