import { curlPodName, curlServiceName, teamNamespace } from "../../../components/team/names.ts";

/** The ways to write a Service's name. */
export const FORMS = ["short", "ns", "svc", "full", "dot"] as const;
export type Form = (typeof FORMS)[number];

export const FORM_TITLES: Readonly<Record<Form, string>> = {
  short: "short name",
  ns: "name.namespace",
  svc: "name.namespace.svc",
  full: "full name",
  dot: "full name with a dot",
};

/** A team's Service in one form: `full` of ts is `curl-ts.ts-team.svc.cluster.local`. */
export function nameInForm(team: string, form: Form): string {
  const short = curlPodName(team);
  const withNamespace = `${short}.${teamNamespace(team)}`;
  const names: Readonly<Record<Form, string>> = {
    short,
    ns: withNamespace,
    svc: `${withNamespace}.svc`,
    full: curlServiceName(team),
    dot: `${curlServiceName(team)}.`,
  };
  return names[form];
}

/** A team and the other team or itself that it may talk to. */
export interface Pair {
  readonly from: string;
  readonly to: string;
}

/** What the checks need to know of a team. */
export interface TeamPeers {
  readonly name: string;
  readonly peers: readonly string[];
}

/** Each team with itself, then with its peers. */
export function allowedPairs(teams: readonly TeamPeers[]): Pair[] {
  return teams.flatMap(({ name, peers }) => [name, ...peers].map((to) => ({ from: name, to })));
}

/**
 * For each team one team that is not its peer: the next in the list. All pairs would grow with the square of the teams, and
 * each costs a time-out.
 */
export function deniedPairs(teams: readonly TeamPeers[]): Pair[] {
  return teams.flatMap(({ name, peers }, index) => {
    const others = [...teams.slice(index + 1), ...teams.slice(0, index)].map((team) => team.name);
    const stranger = others.find((other) => !peers.includes(other));
    return stranger === undefined ? [] : [{ from: name, to: stranger }];
  });
}
