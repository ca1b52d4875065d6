// The server half of RFC 6455, as far as text frames of a development server need it.
import { createHash } from "node:crypto";
import { EventEmitter } from "node:events";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export function accept(request, socket) {
  const key = createHash("sha1").update(request.headers["sec-websocket-key"] + GUID).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
  return new Connection(socket);
}

class Connection extends EventEmitter {
  #buffer = Buffer.alloc(0);

  constructor(socket) {
    super();
    this.socket = socket;
    socket.on("data", (data) => this.#read(data));
    socket.on("close", () => this.emit("close"));
    socket.on("error", () => socket.destroy());
  }

  send(value) {
    if (this.socket.writable) this.socket.write(frame(1, Buffer.from(JSON.stringify(value))));
  }

  close() {
    this.socket.end(frame(8, Buffer.alloc(0)));
  }

  #read(data) {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    for (;;) {
      const parsed = parse(this.#buffer);
      if (!parsed) return;
      this.#buffer = this.#buffer.subarray(parsed.end);
      if (parsed.opcode === 8) this.close();
      else if (parsed.opcode === 9) this.socket.write(frame(10, parsed.payload));
      else if (parsed.opcode === 1) this.emit("message", parsed.payload.toString());
    }
  }
}

function frame(opcode, payload) {
  const { length } = payload;
  let head;
  if (length < 126) head = Buffer.from([0x80 | opcode, length]);
  else if (length < 65536) head = Buffer.from([0x80 | opcode, 126, length >> 8, length & 255]);
  else {
    head = Buffer.alloc(10);
    head[0] = 0x80 | opcode;
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

function parse(buffer) {
  if (buffer.length < 2) return null;
  let length = buffer[1] & 127;
  let at = 2;
  if (length === 126) {
    if (buffer.length < 4) return null;
    length = buffer.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (buffer.length < 10) return null;
    length = Number(buffer.readBigUInt64BE(2));
    at = 10;
  }
  const masked = (buffer[1] & 128) !== 0;
  const end = at + (masked ? 4 : 0) + length;
  if (buffer.length < end) return null;
  const payload = Buffer.from(buffer.subarray(end - length, end));
  if (masked) for (let i = 0; i < length; i += 1) payload[i] ^= buffer[at + (i & 3)];
  return { opcode: buffer[0] & 15, payload, end };
}
