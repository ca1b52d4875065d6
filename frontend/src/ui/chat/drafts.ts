/** What is being written in each conversation, with the pictures that are read for it; no React. */
import { MAX_ATTACHMENTS, type Attachment } from "../../protocol/frames";
import { TooLarge } from "./images";

export interface DraftValue {
  text: string;
  images: readonly Attachment[];
  /** Files that become images of this draft as soon as they are read. */
  reading: readonly File[];
  /** The id of the earlier question that this one is to replace in view. */
  editing: string | null;
}
const EMPTY: DraftValue = { text: "", images: [], reading: [], editing: null };

export type Problem = { key: "tooManyImages" } | { key: "imageTooLarge" | "imageFailed"; name: string };

export class Drafts {
  #drafts = new Map<string, DraftValue>();

  constructor(private readonly changed: () => void, private readonly read: (file: File) => Promise<Attachment>) {}

  get(id: string): DraftValue {
    return this.#drafts.get(id) ?? EMPTY;
  }

  set(id: string, patch: Partial<DraftValue>): void {
    this.#drafts.set(id, { ...this.get(id), ...patch });
    this.changed();
  }

  clear(id: string): void {
    this.set(id, EMPTY);
  }

  /** Puts an earlier question into the draft. */
  edit(id: string, question: string, text: string, images: readonly Attachment[]): void {
    this.set(id, { text, images, reading: [], editing: question });
  }

  removeImage(id: string, image: Attachment): void {
    this.set(id, { images: this.get(id).images.filter((one) => one !== image) });
  }

  /** Reads files into the draft, one by one; what is read when it is sent or given up belongs to no other. */
  async addFiles(id: string, files: readonly File[], onProblem: (problem: Problem) => void): Promise<void> {
    const { images, reading } = this.get(id);
    const taken = files.slice(0, Math.max(0, MAX_ATTACHMENTS - images.length - reading.length));
    if (taken.length < files.length) onProblem({ key: "tooManyImages" });
    this.set(id, { reading: [...reading, ...taken] });
    for (const file of taken) await this.#addFile(id, file, onProblem);
  }

  async #addFile(id: string, file: File, onProblem: (problem: Problem) => void): Promise<void> {
    const wanted = () => this.get(id).reading.includes(file);
    if (!wanted()) return;
    const [image, problem] = await this.#read(file);
    if (!wanted()) return;
    const { images, reading } = this.get(id);
    this.set(id, { reading: reading.filter((one) => one !== file), images: [...images, ...image] });
    if (problem) onProblem(problem);
  }

  async #read(file: File): Promise<[Attachment[], Problem?]> {
    try {
      return [[await this.read(file)]];
    } catch (error) {
      return [[], { key: error instanceof TooLarge ? "imageTooLarge" : "imageFailed", name: file.name }];
    }
  }
}
