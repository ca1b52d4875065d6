import { saveText } from "../save";

/** File endings of languages that are not their own ending. */
const ENDINGS: Record<string, string> = {
  bash: "sh", csharp: "cs", javascript: "js", kotlin: "kt", markdown: "md", plaintext: "txt", python: "py",
  ruby: "rb", rust: "rs", shell: "sh", typescript: "ts", yaml: "yml", "": "txt",
};

/** The name that a code block gets as a file. */
export function fileName(language: string): string {
  const name = language.toLowerCase().replace(/[^a-z0-9+#]/g, "");
  return `code.${ENDINGS[name] ?? name}`;
}

export const download = (code: string, language: string): void => saveText(code, fileName(language));
