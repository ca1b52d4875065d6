/** Records a voice message. The microphone is asked for when the button is pressed, and let go at the end. */

/** The browser or the person does not give the microphone. */
export class NoMicrophone extends Error {}

const FORMATS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
/** About 16 kbit/s a voice: 20 MB would be more than two hours. */
const BITS_PER_SECOND = 24_000;

export interface Recording {
  /** The recorded voice; null when there is none. */
  stop(): Promise<File | null>;
}

export const canRecord = (): boolean => typeof MediaRecorder === "function" && Boolean(navigator.mediaDevices);

const voices = new WeakSet<Blob>();
/** Whether a file is the person's own voice, recorded here. */
export const isVoice = (file: Blob): boolean => voices.has(file);

/** Rejects with NoMicrophone. */
export async function record(): Promise<Recording> {
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    throw new NoMicrophone("no microphone");
  }
  try {
    return recordingOf(stream);
  } catch {
    release(stream);
    throw new NoMicrophone("no recorder");
  }
}

function release(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function recordingOf(stream: MediaStream): Recording {
  const mimeType = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
  const recorder = new MediaRecorder(stream, { audioBitsPerSecond: BITS_PER_SECOND, ...(mimeType ? { mimeType } : {}) });
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => { if (data.size) parts.push(data); };
  const ended = new Promise<void>((resolve) => { recorder.onstop = () => resolve(); });
  recorder.start();
  return {
    stop: async () => {
      if (recorder.state !== "inactive") recorder.stop();
      await ended;
      release(stream);
      return parts.length ? named(parts, recorder.mimeType) : null;
    },
  };
}

function named(parts: Blob[], mimeType: string): File {
  const type = mimeType.split(";")[0] ?? "audio/webm";
  const ending = type.split("/")[1] === "mp4" ? "m4a" : type.split("/")[1] ?? "webm";
  const file = new File(parts, `voice-message.${ending}`, { type });
  voices.add(file);
  return file;
}
