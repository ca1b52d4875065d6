import type { ReactNode } from "react";
import { useText } from "../../i18n";
import { AbilityList } from "./AbilityList";

/** What the agent can do: its skills, and OpenClaw's tools. */
export function SkillsPanel(): ReactNode {
  const text = useText();
  return (
    <section>
      <h3>{text("skillsBuiltIn")}</h3>
      <p className="muted">{text("skillsBuiltInHint")}</p>
      <AbilityList />
    </section>
  );
}
