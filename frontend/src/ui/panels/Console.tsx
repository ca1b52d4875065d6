import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, type ReactNode } from "react";
import { budgetState } from "../../core/budget";
import { ConsoleTunnels, readConsole } from "../../core/console";
import { useText } from "../../i18n";
import { isFromFrame } from "../../sandbox/console/messages";
import { CloseIcon } from "../Icons";
import { Modal } from "../Modal";
import { useChat, useOpenPanel, useSession } from "../context";
import { keys } from "../queries";
import { Wake } from "./Wake";

/** OpenClaw's own Control UI, as it ships: in a frame without an origin, its WebSockets over the chat's socket. */
export function Console({ onClose }: { onClose(): void }): ReactNode {
  const text = useText();
  const awake = useChat("agent")?.status === "Running";
  return (
    <Modal label={text("consoleTitle")} className="console" testId="console" onClose={onClose}>
      <header className="panel-head">
        <h2>{text("consoleTitle")}</h2>
        <button type="button" className="icon-button" data-testid="console-close" aria-label={text("close")} onClick={onClose}><CloseIcon /></button>
      </header>
      <LimitReached />
      {awake ? <Frame /> : <div className="console-asleep"><Wake why="consoleAsleep" /></div>}
    </Modal>
  );
}

/** The console opens all the same; what one asks in it is refused. */
function LimitReached(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const openPanel = useOpenPanel();
  const { data } = useQuery({ queryKey: keys.status, queryFn: api.status });
  const cost = data?.cost;
  if (!cost?.limitUsd || budgetState(cost.usd, cost.limitUsd).state !== "reached") return null;
  return (
    <div className="note-warning console-limit" role="status" data-testid="console-limit">
      <p>{text("consoleBudget")}</p>
      <button type="button" className="button" onClick={() => openPanel("settings")}>{text("raiseBudget")}</button>
    </div>
  );
}

function Frame(): ReactNode {
  const text = useText();
  const { client } = useSession();
  const connected = useChat("connection").state === "open";
  const frame = useRef<HTMLIFrameElement>(null);
  const tunnels = useRef<ConsoleTunnels | null>(null);
  useEffect(() => {
    // Its origin is none, so no narrower target can be named; only this frame's window gets it.
    const carried = new ConsoleTunnels(
      (sent) => client.socket.send(sent), (message) => frame.current?.contentWindow?.postMessage(message, "*"), () => Date.now(),
    );
    const heard = (data: unknown) => {
      const piece = readConsole(data);
      if (piece) carried.fromServer(piece);
    };
    const said = ({ source, data }: MessageEvent<unknown>) => {
      if (source === frame.current?.contentWindow && isFromFrame(data)) carried.fromFrame(data);
    };
    tunnels.current = carried;
    client.socket.listeners.add(heard);
    addEventListener("message", said);
    return () => {
      removeEventListener("message", said);
      client.socket.listeners.delete(heard);
      carried.close();
    };
  }, [client]);
  useEffect(() => { if (!connected) tunnels.current?.lost(); }, [connected]);
  return <iframe ref={frame} title={text("consoleTitle")} src="/console/index.html" sandbox="allow-scripts allow-forms allow-modals allow-downloads" />;
}
