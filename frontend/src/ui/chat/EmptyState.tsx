import type { ReactNode } from "react";
import { useText } from "../../i18n";
import { Mark } from "../Icons";

export function EmptyState({ onSuggest }: { onSuggest(text: string): void }): ReactNode {
  const text = useText();
  return (
    <div className="empty" data-testid="empty">
      <Mark size={52} />
      <h2>{text("emptyTitle")}</h2>
      <p className="muted">{text("emptyBody")}</p>
      <ul className="suggestions">
        {(["suggestion1", "suggestion2", "suggestion3"] as const).map((key) => (
          <li key={key}><button type="button" className="suggestion" onClick={() => onSuggest(text(key))}>{text(key)}</button></li>
        ))}
      </ul>
    </div>
  );
}
