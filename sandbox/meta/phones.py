"""All phones and chats, findable by number, by business-scoped user id and by message."""

from sandbox.bounded import BoundedDict
from sandbox.ids import bsuid
from sandbox.meta.thread import Entry, Phone, Thread


class Phones:
    def __init__(self) -> None:
        self._phones: BoundedDict[str, Phone] = BoundedDict(100_000)
        self._user_ids: BoundedDict[str, str] = BoundedDict(100_000)
        self._threads: BoundedDict[tuple[str, str], Thread] = BoundedDict(100_000)
        self._entries: BoundedDict[str, tuple[Entry, Thread]] = BoundedDict(300_000)

    def phone(self, wa_id: str) -> Phone:
        """Every number has a phone: the sandbox makes one up when it is first spoken of."""
        phone = self._phones.get(wa_id)
        if phone is None:
            phone = self._phones[wa_id] = Phone(wa_id, bsuid(wa_id), name=f"+{wa_id}")
            self._user_ids[phone.user_id] = wa_id
        return phone

    def known(self, address: str) -> Phone | None:
        """By number or by business-scoped user id."""
        return self._phones.get(self._user_ids.get(address, address))

    def rename(self, phone: Phone, user_id: str) -> None:
        self._user_ids.pop(phone.user_id, None)
        phone.user_id = user_id
        self._user_ids[user_id] = phone.wa_id

    def thread(self, phone: Phone, phone_number_id: str) -> Thread:
        key = (phone.wa_id, phone_number_id)
        thread = self._threads.get(key)
        if thread is None:
            thread = self._threads[key] = Thread(phone, phone_number_id)
        return thread

    def threads(self) -> list[Thread]:
        return list(self._threads.values())

    def threads_of(self, phone: Phone, numbers: list[str]) -> list[Thread]:
        found = (self._threads.get((phone.wa_id, number)) for number in numbers)
        return [each for each in found if each is not None]

    def record(self, entry: Entry, thread: Thread) -> None:
        self._entries[entry.id] = (entry, thread)

    def entry(self, message_id: str) -> tuple[Entry, Thread] | None:
        return self._entries.get(message_id)
