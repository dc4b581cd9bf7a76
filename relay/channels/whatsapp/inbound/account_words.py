"""What Meta's words in news of accounts, numbers and templates mean, and what is to be done. Shown as they stand.

Source: Meta's references of account_update, phone_number_quality_update and the template webhooks, and typed clients
of autumn 2026. Words that are not here are shown as Meta wrote them.
"""

from __future__ import annotations

MANAGER = "WhatsApp Manager at business.facebook.com"
_RECONNECT = "Connect the number to the relay again; until then no message of it comes or goes."
_APPEAL = f"Look under Account quality in {MANAGER}, and appeal there if it is a mistake."

ACCOUNT_EVENTS = {
    "ACCOUNT_DELETED": f"The WhatsApp account was deleted. {_RECONNECT}",
    "ACCOUNT_OFFBOARDED": f"The number left the Cloud API. {_RECONNECT}",
    "ACCOUNT_RECONNECTED": "The number is connected again. Nothing is to be done.",
    "ACCOUNT_RESTRICTION": f"Meta restricts what the account may do. {_APPEAL}",
    "ACCOUNT_VIOLATION": f"Meta found a breach of its policies. {_APPEAL}",
    "DISABLED_UPDATE": f"Meta disables the account, or has taken that back. {_APPEAL}",
    "PARTNER_ADDED": "The account was shared with a partner. Check in Meta's Business settings that you know it.",
    "PARTNER_REMOVED": f"The account is no longer shared with the partner that connected it. {_RECONNECT}",
    "VOLUME_BASED_PRICING_TIER_UPDATE": "What messages cost has changed with their number. Nothing is to be done.",
}
DISCONNECTIONS = {
    "ACCOUNT_DISCONNECTED": "the business disconnected it in the WhatsApp Business app",
    "BUSINESS_DOWNGRADE": "the phone went over from the WhatsApp Business app to another one",
    "CHANGE_NUMBER": "the phone's number was changed in the WhatsApp Business app",
    "COMPANION_INACTIVITY": "the connection was not used for about 30 days",
    "PRIMARY_INACTIVITY": "the WhatsApp Business app was not opened on the phone for about 14 days; open it every week",
    "USER_RE_REGISTERED": "the number was registered anew in an app, on this phone or another",
}
INITIATORS = {"SYSTEM": "by WhatsApp itself", "USER": "by the business"}
RESTRICTIONS = {
    "RESTRICTED_BIZ_INITIATED_MESSAGING": (
        f"Templates and other messages outside the 24-hour window are refused; answers go on. {_APPEAL}"
    ),
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING": (
        f"Answers to customers are refused, too: agents cannot reach anybody. {_APPEAL}"
    ),
    "RESTRICTED_UTILITY_TEMPLATES": (
        f"Utility templates are refused. See in {MANAGER} which ones Meta holds for marketing, and correct their "
        "category."
    ),
    "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES": (
        "Direct Send with the category utility is refused. Use approved templates, and send no marketing as utility."
    ),
    "RESTRICTED_ADD_PHONE_NUMBER_ACTION": "No number can be added to the account. The numbers that it has go on.",
}
CALLING = "Calls are restricted. The relay carries no calls; its messages go on."
BANS = {
    "DISABLE": f"The account is disabled: nothing comes or goes. {_APPEAL}",
    "REINSTATE": "The account is allowed again. Nothing is to be done.",
    "SCHEDULE_FOR_DISABLE": f"The account will be disabled on that date unless what Meta objects to ends. {_APPEAL}",
}
NUMBER_EVENTS = {
    "FLAGGED": "Customers block or report the number. Send fewer messages that nobody asked for.",
    "UNFLAGGED": "The number's quality is good again. Nothing is to be done.",
    "ONBOARDING": "The number has got its first limit. Nothing is to be done.",
    "THROUGHPUT_UPGRADE": (
        "WhatsApp takes up to 1,000 messages a second of the number. To use that, raise the line's setting Messages to "
        "WhatsApp a second."
    ),
}
REVIEWS = {
    "APPROVED": "The account is approved. Nothing is to be done.",
    "DEFERRED": "Meta decides later. Nothing is to be done for now.",
    "PENDING": "Meta is looking at the account. Nothing is to be done for now.",
    "REJECTED": f"The account was rejected. {_APPEAL}",
}
NAME_REVIEWS = {
    "APPROVED": "The name is approved. Nothing is to be done.",
    "DEFERRED": "Meta decides later. Nothing is to be done for now.",
    "REJECTED": f"The name was rejected: choose one that follows Meta's rules, in {MANAGER}.",
}
TEMPLATE_STATES = {
    "APPROVED": "It can be sent.",
    "ARCHIVED": "It cannot be sent, and is deleted after 28 days. Take it out of the archive if it is needed.",
    "DELETED": "It cannot be sent any more. Take it out of the line's settings and flows.",
    "DISABLED": "It cannot be sent any more. Make another one.",
    "FLAGGED": "Customers block or report it. Change it before Meta disables it.",
    "IN_APPEAL": "Meta looks at it again. It cannot be sent for now.",
    "LIMIT_EXCEEDED": f"The account has as many templates as it may have. Delete some in {MANAGER}.",
    "LOCKED": "It cannot be changed for now.",
    "PAUSED": "It cannot be sent for a while. Send it to fewer people, or change it.",
    "PENDING": "Meta is looking at it. It cannot be sent yet.",
    "PENDING_DELETION": "It is being deleted and cannot be sent any more.",
    "REINSTATED": "It can be sent again.",
    "REJECTED": "It cannot be sent. Change what Meta objects to, and hand it in again.",
    "UNARCHIVED": "It can be sent again.",
}
TEMPLATE_REASONS = {
    "ABUSIVE_CONTENT": "Meta holds its content for abusive",
    "CATEGORY_NOT_AVAILABLE": "its category is not available to this account",
    "INCORRECT_CATEGORY": "it belongs to another category",
    "INVALID_FORMAT": "its parameters or form are wrong",
    "PROMOTIONAL": "it advertises, which its category does not allow",
    "SCAM": "Meta holds it for a fraud",
    "TAG_CONTENT_MISMATCH": "language or category do not fit what it says",
}
PAUSES = {
    "DISABLED": "disabled for good after several pauses",
    "FIRST_PAUSE": "paused for the first time",
    "RATE_LIMITING_PAUSE": "paused because it was sent too often",
    "SECOND_PAUSE": "paused for the second time",
    "UNPAUSE": "no longer paused",
}
TEMPLATE_QUALITIES = {
    "GREEN": "Customers like it.",
    "RED": "Customers block or report it: Meta may pause it. Change it, or send it to fewer people.",
    "UNKNOWN": "There is no word of customers yet.",
    "YELLOW": "Some customers block or report it. Change it, or send it to fewer people.",
}
