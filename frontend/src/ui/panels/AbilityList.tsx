import type { ReactNode } from "react";
import { useLanguage, useText } from "../../i18n";
import { ABILITIES, why } from "./abilities";

/** What each of OpenClaw's tools and bundled skills does here, or why it is not offered. Part of the page: no request. */
export function AbilityList(): ReactNode {
  return (
    <>
      <Group works />
      <Group works={false} />
    </>
  );
}

function Group({ works }: { works: boolean }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const found = ABILITIES.filter((one) => one.works === works);
  return (
    <details className="abilities" data-testid={works ? "abilities-work" : "abilities-not"}>
      <summary>{text(works ? "skillsWork" : "skillsNot", { count: found.length })}</summary>
      <ul>
        {found.map((one) => (
          <li key={`${one.kind} ${one.name}`}>
            <code>{one.name}</code>
            {one.kind === "skill" && <small className="muted"> {text("skillsSkill")}</small>}
            <p className="muted">{why(one, language)}</p>
          </li>
        ))}
      </ul>
    </details>
  );
}
