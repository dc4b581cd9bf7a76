"""The HTTP side: webhooks, API, portal. Holds no state; everything it uses is in `web.request.web_context`."""
