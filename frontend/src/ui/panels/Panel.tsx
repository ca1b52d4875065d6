import type { ReactNode } from "react";
import { useText } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import type { PanelName } from "../context";
import { CloseIcon } from "../Icons";
import { Modal } from "../Modal";
import { AutomationsPanel } from "./AutomationsPanel";
import { ConversationPanel } from "./ConversationPanel";
import { FilesPanel } from "./FilesPanel";
import { HooksPanel } from "./HooksPanel";
import { LinkPanel } from "./LinkPanel";
import { MemoryPanel } from "./MemoryPanel";
import { NotesPanel } from "./NotesPanel";
import { PeoplePanel } from "./PeoplePanel";
import { SettingsPanel } from "./SettingsPanel";
import { SkillsPanel } from "./SkillsPanel";
import { StatusPanel } from "./StatusPanel";

const TITLES: Record<PanelName, TextKey> = {
  link: "linkTitle", settings: "settingsTitle", status: "statusTitle", automations: "automationsTitle", memory: "memoryTitle",
  hooks: "hooksTitle", files: "filesTitle", notes: "notesTitle", people: "peopleTitle", skills: "skillsTitle", conversation: "conversationTitle",
};
const BODIES: Record<PanelName, (props: { onClose(): void }) => ReactNode> = {
  link: LinkPanel, settings: SettingsPanel, status: StatusPanel, automations: AutomationsPanel, memory: MemoryPanel, hooks: HooksPanel, files: FilesPanel,
  notes: NotesPanel, people: PeoplePanel, skills: SkillsPanel,
  conversation: ConversationPanel,
};

/** A drawer at the side; on a phone, the whole screen. */
export default function Panel({ name, onClose }: { name: PanelName; onClose(): void }): ReactNode {
  const text = useText();
  const title = text(TITLES[name]);
  const Body = BODIES[name];
  return (
    <Modal label={title} className={`panel panel-${name}`} testId={`panel-${name}`} onClose={onClose}>
      <header className="panel-head">
        <h2>{title}</h2>
        <button type="button" className="icon-button" data-testid="panel-close" aria-label={text("close")} onClick={onClose}><CloseIcon /></button>
      </header>
      <div className="panel-body"><Body onClose={onClose} /></div>
    </Modal>
  );
}
