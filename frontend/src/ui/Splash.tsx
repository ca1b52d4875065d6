import type { ReactNode } from "react";
import { useText } from "../i18n";
import { Mark } from "./Icons";

interface Props {
  title?: string;
  body?: string;
  action?: string;
  onAction?: () => void;
}

/** A whole-page state: loading, or something that keeps the app from starting. */
export function Splash({ title, body, action, onAction }: Props): ReactNode {
  const text = useText();
  return (
    <div className="splash" role={title ? "alert" : "status"}>
      <Mark size={44} />
      <h1 className={title ? "splash-title" : "visually-hidden"}>{title ?? text("loading")}</h1>
      {body && <p className="muted">{body}</p>}
      {action && <button type="button" className="button primary" onClick={onAction}>{action}</button>}
    </div>
  );
}
