"""The sandbox's account that waits to be onboarded, and what may be wrong with it. See sandbox/README.md."""

from __future__ import annotations

WHATSAPP = {
    "waba_id": "200000000000002",
    "phone_number_id": "300000000000002",
    "access_token": "EAAG-demo-token-suedlicht",
    "app": "own",
    "app_secret": "demo-app-secret-suedlicht-0002",
    "verify_token": "demo-verify-token-suedlicht",
}
GENESYS = {
    "region": "mypurecloud.de",
    "client_id": "11111111-aaaa-4000-8000-000000000002",
    "client_secret": "demo-client-secret-suedlicht",
    "integration_id": "22222222-bbbb-4000-8000-000000000002",
    "webhook_secret": "demo-webhook-secret-suedlicht",
}
LOGIN = {
    "login_client_id": "11111111-aaaa-4000-8000-000000000003",
    "login_client_secret": "demo-login-secret-suedlicht",
}
NARROW_CLIENT = {"client_id": "11111111-aaaa-4000-8000-000000000004", "client_secret": "demo-narrow-secret-suedlicht"}
NORDWINDS_NUMBER = "300000000000001"
SECRETS = (
    WHATSAPP["access_token"],
    WHATSAPP["app_secret"],
    WHATSAPP["verify_token"],
    GENESYS["client_secret"],
    GENESYS["webhook_secret"],
    LOGIN["login_client_secret"],
    NARROW_CLIENT["client_secret"],
)
