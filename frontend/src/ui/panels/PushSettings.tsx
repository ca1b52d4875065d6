import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Device } from "../../api";
import { PushRefused } from "../../core/push";
import { useLanguage, useText } from "../../i18n";
import { useSession } from "../context";
import { keys } from "../queries";

/** Notifications on this device, and the other devices that have them. Nothing is shown where a browser has none. */
export function PushSettings(): ReactNode {
  const text = useText();
  const { api, push } = useSession();
  const queries = useQueryClient();
  const { data, isError } = useQuery({
    queryKey: keys.devices, staleTime: 0,
    queryFn: async () => {
      const { devices } = await api.devices();
      return { devices, state: await push.state(devices.map(({ id }) => id)) };
    },
  });
  const change = useMutation({
    mutationFn: (on: boolean) => (on ? push.turnOn() : push.turnOff()),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.devices }),
  });
  if (isError) return <p className="form-error" role="alert">{text("pushFailed")}</p>;
  if (!data || (data.state === "unsupported" && data.devices.length === 0)) return null;
  const on = data.state === "on";
  const failed = change.error && (change.error instanceof PushRefused ? text("pushRefused") : text("saveFailed", { message: change.error.message }));
  return (
    <div data-testid="push" data-state={data.state}>
      {data.state === "blocked" && <p className="muted" role="status">{text("pushBlocked")}</p>}
      {(on || data.state === "off") && (
        <>
          <p className="muted">{text(on ? "pushOn" : "pushOff")}</p>
          <button type="button" className="button" data-testid="push-toggle" disabled={change.isPending} onClick={() => change.mutate(!on)}>
            {text(on ? "pushTurnOff" : "pushTurnOn")}
          </button>
        </>
      )}
      {failed && <p className="form-error" role="alert">{failed}</p>}
      {data.devices.length > 0 && (
        <ul className="automations">
          {data.devices.map((device) => <Row key={device.id} device={device} own={on && device.id === push.id} />)}
        </ul>
      )}
    </div>
  );
}

function Row({ device, own }: { device: Device; own: boolean }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const format = new Intl.DateTimeFormat(useLanguage(), { dateStyle: "medium" });
  const remove = useMutation({
    mutationFn: () => api.removeDevice(device.id),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.devices }),
  });
  return (
    <li data-testid="push-device">
      <strong dir="auto">{device.name}</strong>{own && <> ({text("pushThisDevice")})</>}
      <p className="muted">{device.lastUsedAt ? text("pushLastUsed", { time: format.format(device.lastUsedAt) }) : text("pushNeverUsed")}</p>
      {device.problem && <p className="note" role="status">{text("pushProblem", { status: device.problem })}</p>}
      {remove.isError && <p className="form-error" role="alert">{remove.error.message}</p>}
      {!own && (
        <button type="button" className="button" data-testid="push-remove" disabled={remove.isPending} onClick={() => remove.mutate()}>{text("pushRemove")}</button>
      )}
    </li>
  );
}
