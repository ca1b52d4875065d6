import { Component, type ErrorInfo, type ReactNode } from "react";
import { LanguageContext, translator } from "../i18n";
import { Modal } from "./Modal";
import { Splash } from "./Splash";

interface Props {
  children: ReactNode;
  /** Given for a part that can be closed: then the rest of the page stays. */
  onClose?: () => void;
}

/** A drawing error must not leave a blank page; what was sent is safe on the server and in the outbox. */
export class ErrorBoundary extends Component<Props, { failed: boolean }> {
  static override contextType = LanguageContext;
  declare context: React.ContextType<typeof LanguageContext>;
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error(error, info.componentStack);
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    const text = translator(this.context);
    const splash = (
      <Splash
        title={text("crashTitle")} body={text("crashBody")}
        action={text("reload")} onAction={() => location.reload()}
      />
    );
    const { onClose } = this.props;
    return onClose ? <Modal label={text("crashTitle")} className="confirm" onClose={onClose}>{splash}</Modal> : splash;
  }
}
