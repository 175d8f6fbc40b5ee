import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import type { Settings } from "../../components/settings.ts";
import {
  Failure,
  helpNote,
  kubeconfigOptions,
  progress,
  stackOptions,
  whileHandling,
  writeOutput,
} from "../command-line.ts";
import type { Drill, Scene } from "./drill.ts";
import type { Environment } from "./drill-run.ts";
import type { StoredState } from "./drill-state.ts";

interface DrillFlags {
  readonly stack: string;
  readonly configFile?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

interface StartFlags extends DrillFlags {
  readonly random?: true;
  readonly yesOn?: string;
}

interface JsonFlags extends DrillFlags {
  readonly json?: true;
}

const NOTE =
  "start causes one fault on the stack's cluster, shows its symptom, and keeps the original objects in the Secret kube-system/eks-dns-logging-drill. stop restores everything, even after a killed start.";

/** Adds `drill` to the command line. Its modules load only when they run, which keeps `--help` fast. */
export function registerDrill(program: Command): void {
  const drill = program
    .command("drill")
    .description("practice on a laptop's cluster: find and repair a fault that this command causes and removes")
    .addHelpText("after", helpNote(NOTE));
  const command = (name: string, description: string) =>
    kubeconfigOptions(stackOptions(drill.command(name).description(description), "local"));
  command("list", "list the drills, and why some do not work here")
    .option("--json", "print one JSON document")
    .action(list);
  command("start [drill]", "cause a drill's fault and show its symptom")
    .option("--random", "choose a random drill that works on this cluster")
    .option("--yes-on <name>", "confirm that other users of this EKS cluster or context may be affected")
    .action(start);
  command("hint", "show the next of three hints").action(hint);
  command("check", "run those checks of verify that show the fault")
    .option("--json", "print one JSON document")
    .addHelpText("after", helpNote("Exit code: 0 if repaired, 1 if not, 2 if no drill is on."))
    .action(check);
  command("stop", "end the drill and restore everything")
    .addHelpText(
      "after",
      helpNote("Exit code: 0 if everything is as before, 1 if a check still fails, 2 if nothing could be tried."),
    )
    .action(stop);
  command("explain [drill]", "after the repair or stop, show the cause, the repair and the alert").action(explain);
}

interface Connected {
  readonly env: Environment;
  readonly settings: Settings;
  /** Required value of `--yes-on`. */
  readonly clusterName: string;
  readonly isEks: boolean;
  readonly isLocal: boolean;
  readonly stop: () => void;
}

async function settingsOf(flags: DrillFlags) {
  const { chosenStack, withSettings } = await import("../stack-file.ts");
  return withSettings(await chosenStack(flags));
}

async function connected(flags: DrillFlags): Promise<Connected> {
  const { name, settings } = await settingsOf(flags);
  const [
    { connect },
    { checkInputOf, targetOf },
    { clusterDomain, Lab },
    { findCoreDns },
    { objectStore },
    { requestApi },
    { NO_SCENE, placeOf, sceneOf },
  ] = await Promise.all([
    import("../kubernetes/connect.ts"),
    import("../verify/catalog.ts"),
    import("../verify/lab.ts"),
    import("../kubernetes/core-dns-place.ts"),
    import("../kubernetes/object-store.ts"),
    import("../kubernetes/api-requests.ts"),
    import("./drill-list.ts"),
  ]);
  const stated = sceneOf(settings);
  if (stated === undefined) throw new Failure(`stack '${name}': ${NO_SCENE}`, 2);
  const target = targetOf(settings, flags);
  const { cluster, version, config } = await connect(target);
  const shown = await progress("reading the cluster");
  const coreDns = await findCoreDns(cluster, settings.dns);
  const input = { ...checkInputOf(name, settings, 20), coreDns };
  const teams = input.teams.map((team) => team.name);
  const env: Environment = {
    store: objectStore((request) => requestApi(config, request)),
    cluster,
    stack: name,
    input: { ...input, clusterDomain: await clusterDomain(new Lab(cluster, { coreDns }), teams, input.clusterDomain) },
    scene: { ...stated, coreDns },
    pause: (seconds) => wait(seconds * 1000),
    now: () => new Date(),
    onStep: shown.update,
  };
  return {
    env,
    settings,
    clusterName: settings.cluster.kind === "existing" ? cluster.context : settings.cluster.name,
    ...placeOf(settings.cluster, { server: cluster.server, version }),
    stop: shown.stop,
  };
}

/** Runs a command on the cluster; its progress ends with it. */
async function onCluster(flags: DrillFlags, command: (live: Connected) => Promise<void>): Promise<void> {
  const live = await connected(flags);
  await command(live).finally(live.stop);
}

async function list(flags: JsonFlags): Promise<void> {
  const { drillsJson, drillTable, offeredDrills } = await import("./drill-list.ts");
  const { settings } = await settingsOf(flags);
  const live = await unlessUnreadable("The cluster was not checked", () => connected(flags));
  const { isEks, env } = live ?? {};
  const ofCluster = () => offeredDrills(settings, env?.store, isEks, env?.scene.coreDns).finally(live?.stop);
  const drills =
    (await unlessUnreadable("CoreDNS was not checked", ofCluster)) ?? (await offeredDrills(settings, undefined, isEks));
  const on =
    live === undefined
      ? undefined
      : await unlessUnreadable("It is not known whether a drill is on", () => nameOfCurrent(live));
  writeOutput(flags.json ? drillsJson(drills, on) : drillTable(drills, on));
}

async function nameOfCurrent({ env }: Connected): Promise<string | undefined> {
  const { readState } = await import("./drill-state.ts");
  return (await readState(env.store))?.state.drill;
}

/** What can be read of a cluster. If it cannot be read, prints why and returns undefined: that is not a failure. */
async function unlessUnreadable<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
  const { ClusterError } = await import("../kubernetes/cluster.ts");
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Failure) && !(error instanceof ClusterError)) throw error;
    process.stderr.write(`${what}: ${error.message}\n`);
    return undefined;
  }
}

async function start(name: string | undefined, flags: StartFlags): Promise<void> {
  if (name !== undefined && flags.random) throw new Failure(`drill '${name}' and --random are mutually exclusive`, 2);
  if (name === undefined && flags.random === undefined)
    throw new Failure("name a drill from `npm run lab -- drill list`, or use --random", 2);
  if (name !== undefined) await drillNamed(name);
  await onCluster(flags, async (live) => {
    const [{ startDrill }, { consentFor, introduction }] = await Promise.all([
      import("./drill-run.ts"),
      import("./drill-list.ts"),
    ]);
    const drill = await chosenDrill(name, live);
    const { warning, refusal } = consentFor(drill, { ...live, yesOn: flags.yesOn, coreDns: live.env.scene.coreDns });
    if (warning !== undefined) process.stderr.write(`${warning}\n`);
    if (refusal !== undefined) throw new Failure(`${refusal}; nothing was changed`, 2);
    await untilStopped(
      (signal) => startDrill({ ...live.env, signal }, drill),
      "Stopping, and restoring what the drill changed",
    );
    live.stop();
    process.stdout.write(introduction(drill, live.env.scene));
  });
}

/**
 * Runs an action that must not stop halfway. The first Ctrl-C asks it to stop, the second ends the process.
 * @param notice Message after the first Ctrl-C.
 */
async function untilStopped<T>(action: (signal: AbortSignal) => Promise<T>, notice: string): Promise<T> {
  const stopping = new AbortController();
  const onSignal = () => {
    if (stopping.signal.aborted) {
      process.stderr.write("Ended: `npm run lab -- drill stop` restores what the drill changed\n");
      process.exit(130);
    }
    process.stderr.write(`${notice}\n`);
    stopping.abort();
  };
  return whileHandling(onSignal, () => action(stopping.signal));
}

async function chosenDrill(name: string | undefined, { env, settings, isEks }: Connected): Promise<Drill> {
  const { offeredDrills } = await import("./drill-list.ts");
  const drills = await offeredDrills(settings, env.store, isEks, env.scene.coreDns);
  if (name === undefined) {
    const fit = drills.filter(({ unfit }) => unfit === undefined);
    const any = fit[Math.floor(Math.random() * fit.length)];
    if (any === undefined) throw new Failure("no drill can run on this cluster: see `npm run lab -- drill list`", 2);
    return any.drill;
  }
  const unfit = drills.find(({ drill }) => drill.name === name)?.unfit;
  if (unfit !== undefined) throw new Failure(`drill ${name} cannot run here: ${unfit}`, 2);
  return drillNamed(name);
}

/** The drill with a name. @throws {Failure} that lists all names. */
async function drillNamed(name: string): Promise<Drill> {
  const { DRILLS } = await import("./drill-list.ts");
  const drill = DRILLS.find((candidate) => candidate.name === name);
  if (drill !== undefined) return drill;
  throw new Failure(`no drill '${name}'; choose one of: ${DRILLS.map((one) => one.name).join(", ")}`, 2);
}

/** The active drill. @throws {Failure} if there is none. */
async function current({ env }: Connected): Promise<StoredState & { readonly drill: Drill; readonly scene: Scene }> {
  const [{ readState }, { DRILLS }] = await Promise.all([import("./drill-state.ts"), import("./drill-list.ts")]);
  const stored = await readState(env.store);
  if (stored === undefined) throw new Failure("no drill is on: start one with `npm run lab -- drill start`", 2);
  const { drill: name, from, to } = stored.state;
  const drill = DRILLS.find((candidate) => candidate.name === name);
  if (drill === undefined)
    throw new Failure(`drill ${name} is from another release: end it with \`npm run lab -- drill stop\``, 2);
  return { ...stored, drill, scene: { ...env.scene, from, to } };
}

async function hint(flags: DrillFlags): Promise<void> {
  await onCluster(flags, async (live) => {
    const { updateState } = await import("./drill-state.ts");
    const { drill, scene, ...stored } = await current(live);
    const hints = drill.hints(scene);
    const next = Math.min(stored.state.hints, hints.length - 1);
    if (stored.state.hints < hints.length) await updateState(live.env.store, stored, { hints: next + 1 });
    live.stop();
    process.stdout.write(`Hint ${next + 1} of ${hints.length}: ${hints[next]}\n`);
  });
}

async function check(flags: JsonFlags): Promise<void> {
  await onCluster(flags, async (live) => {
    const { checkDrill, drillVerdict, isRepaired } = await import("./drill-run.ts");
    const { drill, scene, ...stored } = await current(live);
    const rows = await checkDrill({ ...live.env, scene }, drill, stored);
    const repaired = isRepaired(rows);
    live.stop();
    if (flags.json) writeOutput({ drill: drill.name, repaired, rows });
    else writeOutput(drillVerdict(rows));
    process.exitCode = repaired ? 0 : 1;
  });
}

async function stop(flags: DrillFlags): Promise<void> {
  await onCluster(flags, async (live) => {
    const [{ readState }, { stopDrill, untilHealthy }, { DRILLS }] = await Promise.all([
      import("./drill-state.ts"),
      import("./drill-run.ts"),
      import("./drill-list.ts"),
    ]);
    const stored = await readState(live.env.store);
    if (stored === undefined) {
      live.stop();
      process.stdout.write("No drill is on.\n");
      return;
    }
    const { drill: name, from, to } = stored.state;
    live.env.onStep("restoring");
    const written = await untilStopped(() => stopDrill(live.env, stored.state), "Stopping once everything is restored");
    const drill = DRILLS.find((candidate) => candidate.name === name);
    const scene = { ...live.env.scene, from, to };
    const failing = drill === undefined ? [] : await untilHealthy({ ...live.env, scene }, drill);
    live.stop();
    process.stdout.write(
      `Drill ${name} has ended. ${written.length === 0 ? "Everything was as before" : `Restored: ${written.join(", ")}`}.\nNext: \`npm run lab -- drill explain ${name}\`\n`,
    );
    if (failing.length > 0) {
      process.stdout.write(`Still failing: ${failing.map(({ id }) => id).join(", ")}: see \`npm run verify\`\n`);
      process.exitCode = 1;
    }
  });
}

async function explain(name: string | undefined, flags: DrillFlags): Promise<void> {
  if (name !== undefined) await drillNamed(name);
  await onCluster(flags, async (live) => {
    const [{ readState }, { explanation }] = await Promise.all([import("./drill-state.ts"), import("./drill-list.ts")]);
    const stored = await readState(live.env.store);
    const wanted = name ?? stored?.state.drill;
    if (wanted === undefined) throw new Failure("no drill is on: name the drill to explain", 2);
    const drill = await drillNamed(wanted);
    if (stored?.state.drill === wanted && stored.state.repairedAfter === undefined)
      throw new Failure(
        "the explanation is available once `drill check` has passed or `drill stop` has ended the drill",
        1,
      );
    const { from, to } = stored?.state.drill === wanted ? stored.state : live.env.scene;
    live.stop();
    process.stdout.write(explanation(drill, { ...live.env.scene, from, to }));
  });
}
