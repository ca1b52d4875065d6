import { useState, type ReactNode } from "react";
import { useText } from "../../i18n";
import { useSession } from "../context";
import { LanguagePicker } from "../LanguagePicker";
import { preferences, type Theme } from "../preferences";
import { useSettings } from "../queries";
import { AgentSettings, PushText } from "./AgentSettings";
import { AllowedCommands } from "./AllowedCommands";
import { Choice } from "./Choice";
import { PushSettings } from "./PushSettings";
import { Totp } from "./Totp";

export function SettingsPanel(): ReactNode {
  const text = useText();
  const { user } = useSession();
  const { data, isPending, refetch } = useSettings();
  return (
    <>
      <section>
        <h3>{text("agent")}</h3>
        {data ? <><AgentSettings settings={data} /><AllowedCommands /></>
          : isPending ? <p className="muted" role="status">{text("loading")}</p>
          : <div role="alert">
              <p>{text("settingsFailed")}</p>
              <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
            </div>}
      </section>
      <section>
        <h3>{text("thisBrowser")}</h3>
        <div className="field"><span aria-hidden="true" className="label">{text("language")}</span><LanguagePicker /></div>
        <ThemePicker />
      </section>
      <section>
        <h3>{text("notifications")}</h3>
        <p className="muted">{text("notificationsHint")}</p>
        {data && <PushText settings={data} />}
        <PushSettings />
      </section>
      <section>
        <h3>{text("account")}</h3>
        <p className="muted ellipsis">{user.email}</p>
        <Totp />
      </section>
    </>
  );
}

function ThemePicker(): ReactNode {
  const text = useText();
  const [theme, setTheme] = useState<Theme>(preferences.theme);
  const choose = (value: string) => {
    preferences.setTheme(value as Theme);
    setTheme(value as Theme);
  };
  return (
    <Choice label={text("theme")} testId="setting-theme" value={theme} onChoose={choose}
      options={[["system", text("themeSystem")], ["light", text("themeLight")], ["dark", text("themeDark")]]} />
  );
}
