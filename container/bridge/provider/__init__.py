"""Between OpenClaw and the model providers: proxy, credentials, usage, prices and budget."""
