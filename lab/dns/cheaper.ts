import { type Libc, queriesOf, type ResolverConfig, type Saving, savings } from "../../components/dns/resolver.ts";

/**
 * Ways to reach the same name with fewer queries, the fewest first: its full name with the trailing dot, fewer ndots, or a form
 * whose rest the search list adds. It takes it that the tried names before this one do not exist.
 */
export function cheaper(
  name: string,
  reached: string,
  config: Pick<ResolverConfig, "search" | "ndots">,
  libc: Libc,
): Saving[] {
  const exists = (one: string) => one === reached;
  const cost = (form: string) => queriesOf(form, config, exists, libc);
  const now = cost(name).length;
  const forms = config.search
    .filter((domain) => domain !== "." && reached.endsWith(`.${domain}.`))
    .map((domain) => reached.slice(0, -domain.length - 2))
    .filter((form) => form !== name)
    .map((form) => ({ form, queries: cost(form) }))
    .filter(({ queries }) => queries.at(-1)?.name === reached && queries.length < now)
    .map(({ form, queries }) => ({ change: `the form ${form}`, queries: queries.length }));
  return [...savings(name, config, exists, libc), ...forms].sort((a, b) => a.queries - b.queries);
}
