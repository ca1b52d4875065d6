"""What crosses the WebSocket: frames and limits, open connections, and the tickets that open them."""
