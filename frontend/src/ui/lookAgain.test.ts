import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { lookAgain } from "./lookAgain";

/** A panel that is open; each look at the server is answered by the test. */
function panel(queries: QueryClient) {
  const looks: ((seen: string) => void)[] = [];
  const observer = new QueryObserver(queries, {
    queryKey: ["workspace", ""], queryFn: () => new Promise<string>((resolve) => looks.push(resolve)),
  });
  observer.subscribe(() => undefined);
  return { looks, shown: () => observer.getCurrentResult() };
}

test("a change during the first look is shown: what that look brings is older", async () => {
  const queries = new QueryClient();
  const { looks, shown } = panel(queries);
  const looked = lookAgain(queries, ["workspace"]);
  await expect.poll(() => looks.length).toBe(2);
  looks[1]?.("new");
  looks[0]?.("old");
  await looked;
  expect(shown()).toMatchObject({ data: "new", status: "success", fetchStatus: "idle" });
});

test("a change after it is shown", async () => {
  const queries = new QueryClient();
  const { looks, shown } = panel(queries);
  looks[0]?.("old");
  await expect.poll(() => shown().data).toBe("old");
  const looked = lookAgain(queries, ["workspace"]);
  await expect.poll(() => looks.length).toBe(2);
  looks[1]?.("new");
  await looked;
  expect(shown().data).toBe("new");
});
