"""The server side of a WebSocket in plain Python: it starts in no time and needs no package."""

import base64
import hashlib
import socket
import struct
import threading

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Closed(Exception):
    """The other side is gone."""


class Peer:
    """One accepted connection; `send` may be called from any thread."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._reader = connection.makefile("rb")
        self._lock = threading.Lock()
        self._handshake()

    def _handshake(self) -> None:
        key = b""
        while (line := self._reader.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-key":
                key = value.strip()
        accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self._connection.sendall(head + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")

    def receive(self) -> str:
        """The next text message. Raises Closed."""
        whole = b""
        while True:
            final, opcode, data = self._frame()
            if opcode == CLOSE:
                self._write(CLOSE, data)
                raise Closed
            if opcode == PING:
                self._write(PONG, data)
            elif opcode != PONG:
                whole += data
                if final:
                    return whole.decode()

    def _frame(self) -> tuple[bool, int, bytes]:
        first, second = self._take(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        mask = self._take(4) if second & 0x80 else bytes(4)
        data = self._take(length)
        key = (mask * (length // 4 + 1))[:length]
        plain = (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")
        return bool(first & 0x80), first & 0x0F, plain

    def _take(self, count: int) -> bytes:
        try:
            data = self._reader.read(count)
        except OSError:
            raise Closed from None
        if len(data) < count:
            raise Closed
        return data

    def send(self, text: str) -> None:
        """One text message. Raises Closed."""
        self._write(TEXT, text.encode())

    def close(self) -> None:
        self._reader.close()
        self._connection.close()

    def _write(self, opcode: int, data: bytes) -> None:
        length = len(data)
        if length < 126:
            head = struct.pack("!BB", 0x80 | opcode, length)
        elif length < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 127, length)
        try:
            with self._lock:
                self._connection.sendall(head + data)
        except OSError:
            raise Closed from None
