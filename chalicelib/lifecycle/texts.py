"""What a person is told when their agent does not start."""

GIVEN_UP_TEXT = "Your agent did not start in several tries, so this message was not answered. Please send it again."
START_FAILED_TEXT = {
    "START_FAILED": "Your agent could not be started. The message is kept and tried again within minutes.",
    "CAPACITY": "AWS has no free capacity right now. The message is kept and tried again within minutes.",
}
