import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { backoffMs } from "./backoff";
import { FakeSocket, settle } from "./fakes";
import { ChatSocket } from "./socket";

const MINUTE = 60_000;

describe("the socket", () => {
  let sockets: FakeSocket[];
  let socket: ChatSocket;
  let online: boolean;
  let tickets: number;
  let ticketFails: boolean;
  const last = () => sockets.at(-1) as FakeSocket;

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
    [sockets, online, tickets, ticketFails] = [[], true, 0, false];
    socket = new ChatSocket({
      url: async () => {
        if (ticketFails) throw new Error("no ticket");
        tickets += 1;
        return `wss://host/?ticket=${tickets}`;
      },
      open: (url) => { const made = new FakeSocket(url); sockets.push(made); return made; },
      online: () => online, onState: () => {}, onData: () => {}, now: () => Date.now(), random: () => 1,
    });
  });
  afterEach(() => {
    socket.stop();
    vi.useRealTimers();
  });
  const connect = async () => {
    socket.start();
    await settle();
    last().opens();
  };
  /** Time passes, with a server that accepts connections and answers each ping. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 5_000) {
      const pings = last().actions("ping").length;
      const count = sockets.length;
      await vi.advanceTimersByTimeAsync(Math.min(left, 5_000));
      if (sockets.length > count) last().opens();
      if (last().actions("ping").length > pings) last().says({ type: "pong" });
    }
  };

  it("opens with a fresh ticket every time", async () => {
    await connect();
    last().drops();
    await vi.advanceTimersByTimeAsync(backoffMs(0, () => 1));
    expect(sockets.map(({ url }) => url)).toEqual(["wss://host/?ticket=1", "wss://host/?ticket=2"]);
  });

  it("waits longer after each failure, and starts over after a success", async () => {
    await connect();
    const waits = [];
    for (let i = 0; i < 4; i += 1) {
      const count = sockets.length;
      const from = Date.now();
      last().drops();
      while (sockets.length === count) await vi.advanceTimersByTimeAsync(100);
      waits.push(Date.now() - from);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000]);
    last().opens();
    expect(socket.state).toBe("open");
  });

  it("tries again when no ticket can be had", async () => {
    ticketFails = true;
    socket.start();
    await settle();
    expect(socket.state).toBe("waiting");
    ticketFails = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(sockets).toHaveLength(1);
  });

  it("pings before the 10 minute idle limit", async () => {
    await connect();
    await pass(9 * MINUTE);
    expect(last().actions("ping").length).toBeGreaterThanOrEqual(2);
    expect(sockets).toHaveLength(1);
  });

  it("replaces a connection that does not answer a ping", async () => {
    await connect();
    await vi.advanceTimersByTimeAsync(4 * MINUTE + 20_000);
    expect(sockets).toHaveLength(2);
  });

  it("replaces a connection before the 2 hour limit", async () => {
    await connect();
    await pass(109 * MINUTE);
    expect(sockets).toHaveLength(1);
    await pass(2 * MINUTE);
    expect(sockets).toHaveLength(2);
    expect(sockets[0]?.closed).toBe(true);
  });

  it("replaces the connection after the machine slept", async () => {
    await connect();
    vi.setSystemTime(Date.now() + 30 * MINUTE);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sockets).toHaveLength(2);
  });

  it("waits while offline and opens at once when the network is back", async () => {
    await connect();
    online = false;
    socket.offline();
    expect(socket.state).toBe("offline");
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(sockets).toHaveLength(1);
    online = true;
    socket.wake();
    await settle();
    expect(sockets).toHaveLength(2);
  });

  it("does not wait out the back-off when the page is looked at again", async () => {
    await connect();
    last().drops();
    socket.wake();
    await settle();
    expect(sockets).toHaveLength(2);
  });

  it("ignores a connection that it gave up", async () => {
    await connect();
    const [first] = sockets;
    socket.offline();
    first?.opens();
    first?.drops();
    expect(socket.state).toBe("offline");
  });

  it("refuses to send while it is not open", async () => {
    socket.start();
    await settle();
    expect(socket.send({ action: "ping" })).toBe(false);
    last().opens();
    expect(socket.send({ action: "ping" })).toBe(true);
  });
});

describe("backoffMs", () => {
  it("stays between half of and the whole of the doubled wait, and under 30 s", () => {
    expect(backoffMs(3, () => 0)).toBe(2000);
    expect(backoffMs(3, () => 1)).toBe(4000);
    expect(backoffMs(50, () => 1)).toBe(30_000);
  });
});
