"""Raw payloads as rows hold them: deflated, with a dictionary of what the providers' JSON always says.

They are most of a message's row and hardly ever read: a quarter of their size is a quarter of what PostgreSQL logs,
keeps and copies of them. By itself a text of 400 bytes repeats too little to be worth it.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import orjson

WINDOW_BITS = -12
"""4 KB, which the dictionary and most payloads fit into; negative: without zlib's own header."""
LEVEL, MEMORY = 6, 5
SAMPLES = (
    '"errors":[{"code":131051,"title":"Message type unknown","message":"","error_data":{"details":""}}],"unsupported":',
    '"type":"contacts","contacts":[{"name":{"formatted_name":"","first_name":"","last_name":""},"org":{"company":""},'
    '"phones":[{"phone":"","type":"","wa_id":""}],"emails":[{"email":""}],"addresses":[{"street":"","city":""}]}]',
    '"type":"location","location":{"latitude":,"longitude":,"name":"","address":"","url":""}',
    '"type":"reaction","reaction":{"message_id":"wamid.HBgN","emoji":""}',
    '"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"","title":"","description":""}}',
    '"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"","title":""}}',
    '"type":"button","button":{"payload":"","text":""},"referral":{"source_url":"https://","source_id":"",'
    '"source_type":"ad","headline":"","body":"","media_type":"image","image_url":"https://","ctwa_clid":""}',
    '"type":"sticker","sticker":{"mime_type":"image/webp","sha256":"","id":"","animated":false}',
    '"type":"video","video":{"caption":"","mime_type":"video/mp4","sha256":"","id":"","url":"https://',
    '"type":"document","document":{"caption":"","filename":".pdf","mime_type":"application/pdf","sha256":"","id":"",',
    '"type":"audio","audio":{"mime_type":"audio/ogg; codecs=opus","sha256":"","id":"","voice":true}',
    '"type":"image","image":{"caption":"","mime_type":"image/jpeg","sha256":"","id":"",'
    '"url":"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid="}',
    '"context":{"forwarded":true,"from":"","id":"wamid.HBgNNDkx"},',
    '"content":[{"contentType":"Attachment","attachment":{"id":"","mediaType":"Image",'
    '"url":"https://api-downloads.mypurecloud.de/api/v2/downloads/","mime":"image/png","filename":"",'
    '"contentSizeBytes":}}]',
    '{"id":"","channel":{"id":"","platform":"Open","type":"Private","to":{"id":"49","idType":"Opaque"},'
    '"from":{"nickname":"","id":"","idType":"Opaque"},"time":"2026-12-01T10:00:00.000Z","messageId":""},'
    '"type":"Structured","type":"Text","text":"","originatingEntity":"Bot","originatingEntity":"Human",'
    '"direction":"Outbound","conversationId":""}',
    '{"field":"messages","waba_id":"1","metadata":{"display_phone_number":"49","phone_number_id":"1"},"kind":"message",'
    '"message":{"context":{"from":"","id":"wamid."},"from":"49","from_user_id":"DE.1",'
    '"id":"wamid.HBgNNDkxNTExMjM0NTY3OBUCABIYFDNB","timestamp":"17","text":{"body":""},"type":"text"},'
    '"contact":{"profile":{"name":"","username":""},"wa_id":"49","user_id":"DE.1"}}',
)
"""What is said in most messages comes last, where it is cheapest to name."""
DICTIONARIES = {1: "".join(SAMPLES).encode()}
"""By the number before each deflated text. One that rows were written with is never changed: add another one."""
NEWEST = max(DICTIONARIES)


def packed(payload: Any) -> bytes:
    """Of any JSON value: the dictionary's number, then the deflated text."""
    deflating = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS, MEMORY, zdict=DICTIONARIES[NEWEST])
    return bytes((NEWEST,)) + deflating.compress(_json(payload)) + deflating.flush()


def unpacked(stored: bytes | memoryview) -> Any:
    """Raises KeyError for what a later version wrote with a dictionary of its own, zlib.error for what is none."""
    raw = bytes(stored)
    inflating = zlib.decompressobj(WINDOW_BITS, zdict=DICTIONARIES[raw[0]])
    return json.loads(inflating.decompress(raw[1:]) + inflating.flush())


def _json(payload: Any) -> bytes:
    try:
        return orjson.dumps(payload)
    except TypeError:  # lone surrogates and very large numbers, of which the slower one writes anything
        return json.dumps(payload, separators=(",", ":")).encode()
