import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type ReactNode } from "react";
import { useLanguage, useText } from "../../i18n";
import { upload } from "../../upload";
import { Confirm } from "../Confirm";
import { useSession } from "../context";
import { keys } from "../queries";
import { sizeText } from "../sizeText";

/** Takes in an export or an `.openclaw` folder (zip, tar). The file goes straight to the bucket. */
export function MemoryImport({ disabled }: { disabled: boolean }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { api } = useSession();
  const queries = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState<File | null>(null);
  const [sent, setSent] = useState(0);
  const take = useMutation({
    mutationFn: async (file: File) => {
      const place = await api.uploadMemory();
      if (file.size > place.maxBytes) throw new Error(text("memoryTooLarge", { size: sizeText(place.maxBytes, language) }));
      await upload(place, file, setSent);
      return api.importMemory(place.id);
    },
    onMutate: () => setSent(0),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.memory }),
  });
  return (
    <>
      <p className="muted">{text("memoryImportHint")}</p>
      <input
        ref={input} type="file" hidden data-testid="memory-file" accept=".zip,.tar,.gz,.tgz,.zst"
        onChange={(event) => { setChosen(event.target.files?.[0] ?? null); event.target.value = ""; }}
      />
      <button type="button" className="button" data-testid="memory-import" disabled={disabled || take.isPending} onClick={() => input.current?.click()}>{text("memoryImport")}</button>
      {take.isPending && <progress aria-label={text("memoryUploading")} value={sent} max={1} />}
      {take.isError && <p className="form-error" role="alert">{take.error.message}</p>}
      {chosen && (
        <Confirm
          title={text("memoryImport")} body={text("memoryImportConfirm", { name: chosen.name, size: sizeText(chosen.size, language) })}
          action={text("memoryImport")} onClose={() => setChosen(null)}
          onConfirm={() => { take.mutate(chosen); setChosen(null); }}
        />
      )}
    </>
  );
}
