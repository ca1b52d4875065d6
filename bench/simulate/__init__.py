"""The AWS side under many users: which limit comes first."""
