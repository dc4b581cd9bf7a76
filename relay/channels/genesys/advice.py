"""What an admin does about a finding, and where in Genesys Cloud. Shown as it stands."""

from relay.core.languages import phrase

AGAIN = phrase("Check again in a minute. If it stays, Genesys' status page and the relay's log tell more.")
CLIENT = phrase(
    "In Genesys Cloud under Admin > Integrations > OAuth, open the client with the grant type Client Credentials, "
    "and copy its id and secret here. Make sure that the region is your organisation's."
)
REGION = phrase("Choose the region of the address at which you log in to Genesys Cloud, such as mypurecloud.de.")
LOGIN = phrase("Log in to Genesys again: the former login was ended, or has been replaced by a newer one.")
GRANT = phrase(
    "In Genesys Cloud under Admin > Integrations > OAuth, add a client with the grant type Client Credentials and a "
    "role that has conversation:message:receive, and enter its id and secret here."
)
RECEIVE = phrase(
    "In Genesys Cloud under Admin > People & Permissions > Roles, give conversation:message:receive to a role, and "
    "assign that role to the OAuth client under Admin > Integrations > OAuth > Roles. Without it no customer's message "
    "reaches an agent."
)
SEEING = phrase(
    "Without it nobody can see whose integration it is, and a line does not go live for the first time. In Genesys "
    "Cloud under Admin > People & Permissions > Roles, add the permission to a role of the OAuth client."
)
LOOKING = phrase(
    "Messages flow without it, but this check is blind. In Genesys Cloud under Admin > People & Permissions > Roles, "
    "add the permission to a role of the OAuth client."
)
HISTORY = phrase(
    "Messages flow without it. But what agents write while this relay is away for longer than Genesys repeats itself "
    "(half a minute where it is refused, 85 seconds where nothing answers) cannot be caught up with, and a message "
    "whose answer was lost is repeated unseen. In Genesys Cloud under Admin > People & Permissions > Roles, give "
    "conversation:message:view to a role of the OAuth client, and analytics:conversationDetail:view, by which those "
    "conversations are found that agents began meanwhile."
)
INTEGRATION = phrase(
    "In Genesys Cloud under Admin > Message > Platforms, open the Open Messaging integration and copy its id here; "
    "it must be of the same organisation as the OAuth client."
)
CREATION = phrase(
    "Wait a minute and check again. If it stays, remove the integration in Genesys Cloud and make a new one."
)
INACTIVE = phrase("In Genesys Cloud under Admin > Message > Platforms, activate the integration.")
WEBHOOK = phrase(
    "In Genesys Cloud under Admin > Message > Platforms, open the integration and enter %(url)s as its Outbound "
    "Notification Webhook URL, or let the relay set it."
)
SIGNATURE = phrase(
    "In Genesys Cloud under Admin > Message > Platforms, open the integration and enter the webhook secret that is set "
    "here as its Signature Secret Token, or let the relay set it."
)
CONTENT = phrase(
    "In Genesys Cloud under Admin > Message > Supported Content Profiles, allow these types %(direction)s in the "
    "profile of the integration. Until then %(consequence)s."
)
ENDING = phrase(
    "This line lets customers end a conversation by a word, and Genesys would refuse it. In Genesys Cloud under Admin "
    "> People & Permissions > Roles, give conversation:communication:disconnect to a role of the OAuth client."
)
