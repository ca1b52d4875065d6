import { ApiError } from "./api";

/** A signed POST to the bucket. */
export interface UploadPlace {
  uploadUrl: string;
  fields: Record<string, string>;
}

/** Send a file straight to the bucket. `onProgress` gets the share that was sent (0 to 1). */
export function upload(place: UploadPlace, file: Blob, onProgress: (share: number) => void, signal?: AbortSignal): Promise<void> {
  const form = new FormData();
  for (const [name, value] of Object.entries(place.fields)) form.append(name, value);
  form.append("file", file); // S3 ignores what follows the file
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch has no upload progress
    request.open("POST", place.uploadUrl);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => {
      if (request.status < 300) resolve();
      else reject(new ApiError(request.status, "UPLOAD_REFUSED", `The file was not accepted (HTTP ${request.status}).`));
    };
    request.onerror = () => reject(new ApiError(0, "OFFLINE", "The file could not be sent."));
    signal?.addEventListener("abort", () => { request.abort(); reject(new ApiError(0, "ABORTED", "The upload was given up.")); });
    request.send(form);
  });
}
