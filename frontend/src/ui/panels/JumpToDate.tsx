import { useMutation } from "@tanstack/react-query";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { timeline } from "../../core/timeline";
import { useText } from "../../i18n";
import { beginningOf, dayOf, idsSince, showFirst } from "../chat/jump";
import { useSession } from "../context";

/** Loads the open conversation back to a day and shows that day's first message. Closing the panel ends it. */
export function JumpToDate({ onDone }: { onDone(): void }): ReactNode {
  const text = useText();
  const { client } = useSession();
  const id = useId();
  const [day, setDay] = useState("");
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => { gone.current = true; };
  }, []);
  const jump = useMutation({
    mutationFn: async (at: number) => {
      const { current } = client.store.state;
      const stopped = () => gone.current || client.store.state.current !== current;
      const loaded = await client.loadBack(at, stopped);
      if (stopped()) return;
      if (!loaded) throw new Error("offline");
      client.store.publish();
      onDone();
      showFirst(idsSince(timeline(client.store.conversation(current)), at));
    },
  });
  const at = beginningOf(day);
  return (
    <form className="jump" onSubmit={(event) => { event.preventDefault(); if (!Number.isNaN(at)) jump.mutate(at); }}>
      <div className="field">
        <label htmlFor={id}>{text("jumpDay")}</label>
        <input id={id} type="date" data-testid="jump-day" required max={dayOf(Date.now())} value={day} onChange={(event) => setDay(event.target.value)} />
      </div>
      <button type="submit" className="button" data-testid="jump" disabled={Number.isNaN(at) || jump.isPending}>{text("jump")}</button>
      <p className={jump.isError ? "form-error" : "muted"} role="status">{jump.isPending ? text("loadingOlder") : jump.isError ? text("olderFailed") : ""}</p>
    </form>
  );
}
