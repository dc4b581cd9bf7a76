"""The businesses that are there at every start, documented in README.md: they open nothing but the sandbox.

Nordwind is the demo tenant's. Südlicht waits for somebody who onboards it by hand, with things that may go wrong.
"""

import time

from sandbox.accounts import PERMISSIONS, Accounts, App, Integration, MetaToken, Number, OAuthClient

DAY = 86_400


def demo_accounts() -> Accounts:
    accounts = Accounts()
    _nordwind(accounts)
    _suedlicht(accounts)
    return accounts


def _nordwind(accounts: Accounts) -> None:
    app, waba, number = "100000000000001", "200000000000001", "300000000000001"
    client, integration = "11111111-aaaa-4000-8000-000000000001", "22222222-bbbb-4000-8000-000000000001"
    accounts.apps[app] = App(app, "demo-app-secret-nordwind-0001", verify_token="demo-verify-token")
    accounts.put_number(Number(number, waba, app, "EAAG-demo-token-nordwind", "+49 30 1234501", "Nordwind Outdoor"))
    accounts.clients[client] = OAuthClient(client, "demo-client-secret-nordwind", "Nordwind")
    accounts.integrations[integration] = Integration(
        integration, client, "demo-webhook-secret-nordwind", name="WhatsApp Nordwind"
    )
    accounts.lines[number] = integration


def _suedlicht(accounts: Accounts) -> None:
    app, waba, number = "100000000000002", "200000000000002", "300000000000002"
    accounts.apps[app] = App(app, "demo-app-secret-suedlicht-0002", verify_token="demo-verify-token-suedlicht")
    panel, narrow = "EAAG-demo-panel-token-suedlicht", "EAAG-demo-narrow-token-suedlicht"
    accounts.tokens[panel] = MetaToken(expires_at=int(time.time()) + DAY)
    accounts.tokens[narrow] = MetaToken(scopes=["whatsapp_business_management"])
    accounts.put_number(
        Number(
            number,
            waba,
            app,
            "EAAG-demo-token-suedlicht",
            "+49 89 1234502",
            "Südlicht GmbH",
            further_tokens=[panel, narrow],
        )
    )
    organisation = "Südlicht GmbH"
    message, login, narrow_client = (f"11111111-aaaa-4000-8000-00000000000{digit}" for digit in (2, 3, 4))
    accounts.clients[message] = OAuthClient(
        message, "demo-client-secret-suedlicht", organisation, grants=["client_credentials"]
    )
    accounts.clients[login] = OAuthClient(
        login, "demo-login-secret-suedlicht", organisation, permissions=[], grants=["authorization_code"]
    )
    accounts.clients[narrow_client] = OAuthClient(
        narrow_client,
        "demo-narrow-secret-suedlicht",
        organisation,
        permissions=[each for each in PERMISSIONS if each.startswith("messaging:")],
        grants=["client_credentials"],
    )
    integration = "22222222-bbbb-4000-8000-000000000002"
    accounts.integrations[integration] = Integration(
        integration, message, "demo-webhook-secret-suedlicht", name="WhatsApp Südlicht"
    )
    accounts.lines[number] = integration
