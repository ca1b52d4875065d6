"""A user's messages: the inbox, conversations and attachments."""
