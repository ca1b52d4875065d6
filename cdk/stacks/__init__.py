"""One stack per file. They know each other only by SSM parameter names."""
