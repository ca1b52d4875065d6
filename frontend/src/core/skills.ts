/** A skill that the agent may be offered, as it was when the agent showed its list last. */
export interface Skill {
  key: string;
  name: string;
  description: string;
  on: boolean;
  /** Whether the model is told of it. */
  offered: boolean;
  /** Programs, variables and settings that it asks for, and those that are not there. */
  needs: string[];
  missing: string[];
  bundled: boolean;
  /** Its folder in the workspace; without one it is none of the person's. */
  folder?: string;
}
/** What the person wants and no snapshot holds yet; `refused`: the agent has made a skill of that name meanwhile. */
export interface SkillWish {
  name: string;
  action: "on" | "off" | "put" | "delete";
  at: number;
  status: "pending" | "refused";
  description?: string;
}
/** `at` null: the agent has not shown its skills yet. */
export interface SkillReport { at: number | null; skills: Skill[]; waiting: SkillWish[] }
export type SkillUpload = { files: { path: string; content: string }[] } | { zip: string };

export interface SkillRow extends Skill { waits?: SkillWish["action"] | "refused" }

/** The list as it will be: with what waits. */
export function withWaiting({ skills, waiting }: SkillReport): SkillRow[] {
  const rows: SkillRow[] = skills.map((skill) => ({ ...skill }));
  for (const wish of waiting) {
    if (wish.action === "on" || wish.action === "off") {
      const row = rows.find((one) => one.key === wish.name);
      if (row) Object.assign(row, { on: wish.action === "on", waits: wish.action });
      continue;
    }
    const waits = wish.status === "refused" ? "refused" : wish.action;
    const row = rows.find((one) => one.folder === wish.name);
    if (row) row.waits = waits;
    else if (wish.action === "put") rows.push({ ...NEW, key: wish.name, name: wish.name, folder: wish.name, description: wish.description ?? "", waits });
  }
  return rows;
}

const NEW = { on: true, offered: false, needs: [], missing: [], bundled: false };

export const MAX_BYTES = 2_000_000;
export const MAX_FILES = 100;

/** What is wrong with files before they are sent: the code that the server would answer. */
export function tooMuch(files: readonly Pick<File, "size">[]): "TOO_LARGE" | "SKILL_TOO_MANY_FILES" | null {
  if (files.length > MAX_FILES) return "SKILL_TOO_MANY_FILES";
  return files.reduce((sum, file) => sum + file.size, 0) > MAX_BYTES ? "TOO_LARGE" : null;
}

/** A picked folder, or one zip. */
export async function asUpload(files: readonly File[]): Promise<SkillUpload> {
  const [first] = files;
  if (files.length === 1 && first && !first.webkitRelativePath) return { zip: await base64(first) };
  return { files: await Promise.all(files.map(async (file) => ({ path: file.webkitRelativePath, content: await base64(file) }))) };
}

function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
    reader.onerror = () => reject(reader.error ?? new Error(file.name));
    reader.readAsDataURL(file);
  });
}
