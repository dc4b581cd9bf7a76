"""Log-in by OpenID Connect: authorization code with PKCE at an issuer, and what its answers are worth.

Authlib makes the requests and judges the claims, joserfc the signatures; the calls themselves go through the relay's
own client, which connects to public https addresses only, follows no redirect, and ends in time.
"""
