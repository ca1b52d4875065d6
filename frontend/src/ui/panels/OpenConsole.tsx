import { useState, type ReactNode } from "react";
import { useText } from "../../i18n";
import { Console } from "./Console";

export function OpenConsole(): ReactNode {
  const text = useText();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button" data-testid="open-console" onClick={() => setOpen(true)}>{text("openConsole")}</button>
      {open && <Console onClose={() => setOpen(false)} />}
    </>
  );
}
