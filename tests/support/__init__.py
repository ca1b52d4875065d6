"""What tests share: a client, a browser, a stack, hand-written fakes."""
