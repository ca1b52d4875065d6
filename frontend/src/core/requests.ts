/** Asks the running agent something outside any conversation, over the chat's socket (chalicelib/wire/requests.py). */
import { newId } from "./id";

export type Method = "memory.search" | "skills.search" | "skills.detail" | "skills.install";

export interface RequestSocket {
  send(frame: object): boolean;
  listeners: Set<(data: unknown) => void>;
}

/** `code` is the server's, SILENT when no answer came, or OFFLINE when nothing could be sent. */
export class RequestError extends Error {
  constructor(readonly code: string, message: string) {
    super(message);
  }
}

/** OpenClaw tries again what cannot be reached, and an install waits until it is saved. */
const WITHIN_MS: Record<Method, number> = {
  "memory.search": 25_000, "skills.search": 80_000, "skills.detail": 80_000, "skills.install": 260_000,
};

/** The result. Rejects with a RequestError. */
export function ask<T>(socket: RequestSocket, method: Method, subject: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const id = newId();
    const done = () => {
      clearTimeout(timer);
      socket.listeners.delete(heard);
    };
    const heard = (data: unknown) => {
      const frame = answerTo(id, data);
      if (!frame) return;
      done();
      if (frame["type"] === "response" && "result" in frame) resolve(frame["result"] as T);
      else reject(new RequestError(String(frame["code"]), String(frame["message"])));
    };
    const timer = setTimeout(() => {
      done();
      reject(new RequestError("SILENT", "no answer"));
    }, WITHIN_MS[method]);
    socket.listeners.add(heard);
    if (!socket.send({ action: "request", id, method, subject })) {
      done();
      reject(new RequestError("OFFLINE", "no connection"));
    }
  });
}

/** A frame that answers this request, whether with a result or not. */
function answerTo(id: string, data: unknown): Record<string, unknown> | null {
  if (typeof data !== "string" || !data.includes(id)) return null;
  try {
    const frame = JSON.parse(data) as Record<string, unknown>;
    return frame["id"] === id && (frame["type"] === "response" || frame["type"] === "error") ? frame : null;
  } catch {
    return null;
  }
}

export interface Recalled { hits: { name: string; line: number; text: string }[]; kind: string }
export interface HubSkill { ref: string; name: string; description: string; version: string; unscanned: boolean; installOnly: boolean }
export interface HubDetail { name: string; description: string; updatedAt: number; owner?: string; version?: string; changes?: string }
export interface Installed { slug: string; version: string; saved: boolean }
