import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useCallback, useEffect, useState, type ReactNode } from "react";
import { configureAuth, currentUser, type User } from "../auth/cognito";
import { Handover } from "../auth/handover";
import { TabStorage } from "../auth/storage";
import { loadConfig, type Config } from "../config";
import { LanguageContext, useText, type Language } from "../i18n";
import { AuthScreen } from "./auth/AuthScreen";
import { SessionRoot } from "./SessionRoot";
import { ErrorBoundary } from "./ErrorBoundary";
import { Splash } from "./Splash";
import { LanguageSetter } from "./language";
import { preferences } from "./preferences";

const storage = new TabStorage(sessionStorage);
const queries = new QueryClient({
  defaultOptions: { queries: { retry: 2, staleTime: 10_000, refetchOnWindowFocus: true } },
});

export function App(): ReactNode {
  const [language, setLanguage] = useState<Language>(preferences.language);
  useEffect(() => {
    document.documentElement.lang = language;
    preferences.setLanguage(language);
  }, [language]);
  return (
    <LanguageContext value={language}>
      <LanguageSetter value={setLanguage}>
        <ErrorBoundary>
          <QueryClientProvider client={queries}>
            <Boot />
          </QueryClientProvider>
        </ErrorBoundary>
      </LanguageSetter>
    </LanguageContext>
  );
}

type Stage =
  | { at: "loading" }
  | { at: "broken"; message: string }
  | { at: "signed-out"; config: Config; expired: boolean }
  | { at: "signed-in"; config: Config; user: User };

/** From nothing to a signed-in screen: configuration, then whoever is signed in here or in another tab. */
function Boot(): ReactNode {
  const text = useText();
  const [stage, setStage] = useState<Stage>({ at: "loading" });
  const [handover, setHandover] = useState<Handover | null>(null);

  const leave = useCallback((config: Config, expired: boolean) => {
    queries.clear();
    setStage({ at: "signed-out", config, expired });
  }, []);

  const enter = useCallback(async (config: Config) => {
    const user = await currentUser(storage).catch(() => null);
    setStage(user ? { at: "signed-in", config, user } : { at: "signed-out", config, expired: false });
  }, []);

  const boot = useCallback(async () => {
    setStage({ at: "loading" });
    try {
      const config = await loadConfig();
      configureAuth(config, storage);
      const channel = new BroadcastChannel("serverless-openclaw.session");
      const tabs = new Handover(channel, storage, () => leave(config, false));
      setHandover(tabs);
      await tabs.receive();
      await enter(config);
    } catch (error) {
      setStage({ at: "broken", message: (error as Error).message });
    }
  }, [enter, leave]);

  useEffect(() => void boot(), [boot]);

  switch (stage.at) {
    case "loading": return <Splash />;
    case "broken":
      return <Splash title={text("configFailed")} body={stage.message} action={text("retry")} onAction={boot} />;
    case "signed-out":
      return <AuthScreen config={stage.config} expired={stage.expired} onSignedIn={() => enter(stage.config)} />;
    case "signed-in":
      return (
        <SessionRoot
          key={stage.user.sub} config={stage.config} user={stage.user}
          onSignedOut={(expired) => {
            // A session that ended by itself may live on in another tab.
            if (!expired) handover?.signedOut();
            leave(stage.config, expired);
          }}
        />
      );
  }
}
