import { useLayoutEffect, useRef, type ReactNode } from "react";

interface Props {
  label: string;
  className: string;
  testId?: string;
  onClose(): void;
  children: ReactNode;
}

/** The browser's own modal dialog: it keeps the focus inside, closes on Escape, and gives the focus back. */
export function Modal({ label, className, testId, onClose, children }: Props): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  // A layout effect, because closing must come before React removes the element:
  // only a dialog that is still in the page gives the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog} className={className} aria-label={label} data-testid={testId}
      onCancel={(event) => {
        // A question asked inside a panel closes alone.
        if (event.target !== dialog.current) return;
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => { if (event.target === dialog.current) onClose(); }}
    >
      {children}
    </dialog>
  );
}
