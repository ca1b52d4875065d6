import { Component, type ErrorInfo, type ReactNode } from "react";
import { LanguageContext, translator } from "../i18n";
import { Splash } from "./Splash";

/** A drawing error must not leave a blank page; what was sent is safe on the server and in the outbox. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
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
    return (
      <Splash
        title={text("crashTitle")} body={text("crashBody")}
        action={text("reload")} onAction={() => location.reload()}
      />
    );
  }
}
