"""What an admin does about a finding, and where at Meta. Shown as it stands."""

from relay.core.languages import phrase

AGAIN = phrase("Check again in a minute. If it stays, Meta's status page and the relay's log tell more.")
GENERATE = phrase(
    "In Meta's Business settings under Users > System users, generate a new token for your app that never expires, "
    "with whatsapp_business_messaging and whatsapp_business_management, and enter it here."
)
SHORT = phrase(
    "This looks like the temporary token of the API Setup page. In Meta's Business settings under Users > System "
    "users, generate one that never expires."
)
LIFE = phrase("Before then, generate one that never expires in Meta's Business settings under Users > System users.")
SCOPES = phrase(
    "In Meta's Business settings under Users > System users, generate the token anew and tick "
    "whatsapp_business_messaging and whatsapp_business_management."
)
ASSET = phrase(
    "In Meta's Business settings under Users > System users, assign this WhatsApp account to the system user with full "
    "control, and generate the token anew."
)
NUMBER = phrase(
    "Copy the Phone number ID, not the number, from WhatsApp > API Setup in your app at developers.facebook.com. "
    "If it is right, assign the WhatsApp account to the token's system user in Meta's Business settings."
)
ACCOUNT = phrase(
    "In Meta's WhatsApp Manager, see which account holds the number, and copy that account's id (WhatsApp Business "
    "Account ID) and the number's own Phone number ID from there; both must be of the same account."
)
SUBSCRIPTION = phrase(
    "Let the relay subscribe the app, or in your app at developers.facebook.com open WhatsApp > Configuration, save "
    "the webhook, and subscribe to the field messages."
)
WEBHOOK = phrase(
    "Let the relay set it, or in your app at developers.facebook.com open WhatsApp > Configuration and enter %(url)s "
    "as the callback URL, with the verify token that is shown here."
)
OTHER_APP = phrase(
    "In the app %(app_id)s at developers.facebook.com under App settings > Basic, show the App secret and copy it here."
)
HEALTH = phrase("Meta's WhatsApp Manager, on the number's page, says what is to be done.")
FIELDS = phrase(
    "Let the relay subscribe all of them, by the button on the page Checks; or in your app at developers.facebook.com "
    "open WhatsApp > Configuration > Webhook fields and subscribe to them there."
)
ROLES = phrase(
    "In Meta Business Suite, under the WhatsApp account's conversation routing, make this app's business the primary "
    "for customer service, or the escalation partner, and switch standby on for it."
)
