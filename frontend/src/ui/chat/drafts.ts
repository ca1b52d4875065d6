/** What is being written in each conversation, with the files that are read for it; no React. */
import { MAX_ATTACHMENTS, type Attachment } from "../../protocol/frames";
import { Empty, NoPicture, type Read } from "./files";
import { TooLarge } from "./images";

/** A file that becomes an attachment as soon as it is read or uploaded; `share` of it (0 to 1) is. */
export interface Reading {
  file: File;
  /** Files are sent in the order in which they were chosen, whichever is read first. */
  place: number;
  share: number;
  cancel: AbortController;
}

export interface DraftValue {
  text: string;
  attachments: readonly Attachment[];
  reading: readonly Reading[];
  /** The id of the earlier question that this one is to replace in view. */
  editing: string | null;
}
const EMPTY: DraftValue = { text: "", attachments: [], reading: [], editing: null };

export type Problem =
  | { key: "tooManyFiles" }
  | { key: "fileTooLarge"; name: string; limit: number }
  | { key: "imageFailed" | "fileEmpty" | "uploadFailed"; name: string };

export class Drafts {
  #drafts = new Map<string, DraftValue>();
  #chosen = 0;
  #places = new WeakMap<Attachment, number>();

  constructor(private readonly changed: () => void, private readonly read: Read) {}

  get(id: string): DraftValue {
    return this.#drafts.get(id) ?? EMPTY;
  }

  set(id: string, patch: Partial<DraftValue>): void {
    this.#drafts.set(id, { ...this.get(id), ...patch });
    this.changed();
  }

  clear(id: string): void {
    this.#giveUp(id);
    this.set(id, EMPTY);
  }

  /** Puts an earlier question into the draft. */
  edit(id: string, question: string, text: string, attachments: readonly Attachment[]): void {
    this.#giveUp(id);
    this.set(id, { text, attachments, reading: [], editing: question });
  }

  remove(id: string, attachment: Attachment): void {
    this.set(id, { attachments: this.get(id).attachments.filter((one) => one !== attachment) });
  }

  /** A file that is not read yet is not wanted any more. */
  cancel(id: string, { file, cancel }: Reading): void {
    cancel.abort();
    this.set(id, { reading: this.get(id).reading.filter((one) => one.file !== file) });
  }

  /** Reads files into the draft, one by one; what is read when it is sent or given up belongs to no other. */
  async addFiles(id: string, files: readonly File[], onProblem: (problem: Problem) => void): Promise<void> {
    const { attachments, reading } = this.get(id);
    const taken = files.slice(0, Math.max(0, MAX_ATTACHMENTS - attachments.length - reading.length));
    if (taken.length < files.length) onProblem({ key: "tooManyFiles" });
    const begun = taken.map((file) => ({ file, place: this.#chosen++, share: 0, cancel: new AbortController() }));
    this.set(id, { reading: [...reading, ...begun] });
    for (const one of begun) await this.#addFile(id, one, onProblem);
  }

  async #addFile(id: string, { file, place, cancel }: Reading, onProblem: (problem: Problem) => void): Promise<void> {
    const wanted = () => !cancel.signal.aborted;
    if (!wanted()) return;
    const [attachment, problem] = await this.#read(id, file, cancel.signal);
    if (!wanted()) return;
    for (const one of attachment) this.#places.set(one, place);
    const { attachments, reading } = this.get(id);
    const inOrder = [...attachments, ...attachment].toSorted((a, b) => this.#placeOf(a) - this.#placeOf(b));
    this.set(id, { reading: reading.filter((one) => one.file !== file), attachments: inOrder });
    if (problem) onProblem(problem);
  }

  /** Those of an edited question come first. */
  #placeOf(attachment: Attachment): number {
    return this.#places.get(attachment) ?? -1;
  }

  async #read(id: string, file: File, signal: AbortSignal): Promise<[Attachment[], Problem?]> {
    const progress = (share: number) => {
      if (!signal.aborted) this.set(id, { reading: this.get(id).reading.map((one) => (one.file === file ? { ...one, share } : one)) });
    };
    try {
      return [[await this.read(file, progress, signal)]];
    } catch (error) {
      return [[], problemOf(error, file.name)];
    }
  }

  #giveUp(id: string): void {
    for (const { cancel } of this.get(id).reading) cancel.abort();
  }
}

function problemOf(error: unknown, name: string): Problem {
  if (error instanceof TooLarge) return { key: "fileTooLarge", name, limit: error.limit };
  if (error instanceof Empty) return { key: "fileEmpty", name };
  return { key: error instanceof NoPicture ? "imageFailed" : "uploadFailed", name };
}
