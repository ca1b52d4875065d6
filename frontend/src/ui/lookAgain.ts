import type { QueryClient } from "@tanstack/react-query";

/**
 * Something changed at the server: what was read before must not stand. A first fetch that is under way is begun anew,
 * which `invalidateQueries` alone does only for a query that has data already.
 */
export async function lookAgain(queries: QueryClient, queryKey: readonly string[]): Promise<void> {
  await queries.cancelQueries({ queryKey });
  await queries.invalidateQueries({ queryKey });
}
