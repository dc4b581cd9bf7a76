"""The relay between WhatsApp Business Cloud API and Genesys Cloud Open Messaging."""
