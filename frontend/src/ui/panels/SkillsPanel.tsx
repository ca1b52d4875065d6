import type { ReactNode } from "react";
import { useText } from "../../i18n";
import { AbilityList } from "./AbilityList";
import { McpServers } from "./McpServers";
import { SkillHub } from "./SkillHub";
import { SkillList } from "./SkillList";
import { SkillUploads } from "./SkillUploads";

/** What the agent can do: its skills, what one can add, and OpenClaw's tools. */
export function SkillsPanel(): ReactNode {
  const text = useText();
  return (
    <>
      <section>
        <h3>{text("skillsYours")}</h3>
        <SkillList />
      </section>
      <section>
        <h3>{text("skillsAdd")}</h3>
        <SkillUploads />
      </section>
      <section>
        <h3>{text("hubTitle")}</h3>
        <SkillHub />
      </section>
      <section>
        <h3>{text("mcpTitle")}</h3>
        <McpServers />
      </section>
      <section>
        <h3>{text("skillsBuiltIn")}</h3>
        <p className="muted">{text("skillsBuiltInHint")}</p>
        <AbilityList />
      </section>
    </>
  );
}
