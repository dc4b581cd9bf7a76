"""Meta's WhatsApp Business Cloud API, and the phones of its users."""
