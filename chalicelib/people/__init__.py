"""Who a user is, and what is theirs: identity, Telegram link, settings, rate limit and spending."""
