import { html, htmlDocument, type Markup } from "../../output/markup.ts";
import { causes, type Row, summarize, summaryLine, type TeamView, type VerifyResult } from "../result.ts";
import { COREDNS, type Connection, connectionsOf, LOGS, worst } from "./connections.ts";

/** The report as a self-contained HTML page, without scripts. */
export function reportPage(result: VerifyResult): string {
  const { fail } = summarize(result.rows);
  const verdict = fail === 0 ? "pass" : "fail";
  const body = html`<h1 class="${verdict}">${fail === 0 ? "The lab works" : "The lab does not work"}</h1>
<p>${summaryLine(result)}</p>
<dl>
<dt>Cluster</dt><dd>${result.context}, Kubernetes ${result.version}, ${result.server}</dd>
<dt>Stack</dt><dd>${result.stack}</dd>
<dt>Started</dt><dd><time datetime="${result.startedAt}">${result.startedAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")}</time></dd>
</dl>
${causesSection(result.rows)}
<figure>
${diagram(result)}
<figcaption><span class="pass">passed</span> <span class="warn">warning</span> <span class="fail">failed</span> <span class="skip">not checked</span>; hover over a line for its rows</figcaption>
</figure>
<h2>Rows</h2>
<div class="wide"><table>
<thead><tr><th>Result</th><th>Row</th><th>What</th><th>From</th><th>To</th><th>Detail</th><th>Time</th></tr></thead>
<tbody>
${result.rows.map(tableRow)}
</tbody>
</table></div>
${corefile(result.rows)}`;
  return htmlDocument(`${result.context}: ${summaryLine(result)}`, body);
}

function causesSection(rows: readonly Row[]): Markup {
  const groups = causes(rows);
  if (groups.length === 0) return html``;
  const items = groups.map(
    ({ status, cause, ids }) => html`<li class="${status}">${cause} <small>${ids.join(", ")}</small></li>\n`,
  );
  return html`<h2>Likely causes</h2>\n<ul class="causes">\n${items}</ul>`;
}

function tableRow({ status, id, what, from, to, detail, milliseconds }: Row): Markup {
  return html`<tr><td><span class="badge ${status}">${status}</span></td><td><code>${id}</code></td><td>${what}</td><td>${from}</td><td>${to}</td><td>${detail}</td><td class="number">${milliseconds} ms</td></tr>\n`;
}

/** The Corefile, which explains most surprises with names. */
function corefile(rows: readonly Row[]): Markup {
  const text = rows.find((row) => row.group === "coredns")?.facts?.corefile;
  if (typeof text !== "string" || text === "") return html``;
  return html`<h2>Corefile</h2>\n<pre>${text.trimEnd()}</pre>`;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function center({ x, y, width, height }: Box): Point {
  return { x: x + width / 2, y: y + height / 2 };
}

/** A straight line between the edges of two boxes. */
export interface Segment {
  readonly start: Point;
  readonly end: Point;
}

/**
 * The line between two boxes' centers, shifted sideways by `offset` and clipped at their edges. The side does not depend on the direction,
 * so that the lines of both directions do not overlap.
 */
export function between(from: Box, to: Box, offset: number): Segment {
  const [a, b] = [center(from), center(to)];
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const turned = b.x < a.x || (b.x === a.x && b.y < a.y) ? -1 : 1;
  const shift = { x: (-(b.y - a.y) / length) * offset * turned, y: ((b.x - a.x) / length) * offset * turned };
  const start = { x: a.x + shift.x, y: a.y + shift.y };
  const end = { x: b.x + shift.x, y: b.y + shift.y };
  return { start: along(start, end, leaving(from, start, end)), end: along(end, start, leaving(to, end, start)) };
}

function along(from: Point, to: Point, share: number): Point {
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

/** Upper bounds of a label's character width and line height, in 12px. */
const LABEL = { character: 7, height: 15, ascent: 11 };

/** The box of a label with its baseline centered on a point. */
export function labelBox(text: string, { x, y }: Point): Box {
  const width = text.length * LABEL.character;
  return { x: x - width / 2, y: y - LABEL.ascent, width, height: LABEL.height };
}

/** The candidate point, best first, at which a label covers the least of the existing drawing. */
function freePlace(text: string, points: readonly [Point, ...Point[]], drawn: readonly Box[]): Point {
  const [best] = points
    .map((point) => ({ point, covered: drawn.reduce((sum, box) => sum + overlap(labelBox(text, point), box), 0) }))
    .sort((one, other) => one.covered - other.covered);
  return best?.point ?? points[0];
}

/** Area of the intersection of two boxes. */
export function overlap(one: Box, other: Box): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Fraction of the line, from a point inside a box to one outside, at which it crosses the edge. */
function leaving(box: Box, from: Point, to: Point): number {
  const shares = [
    (box.x - from.x) / (to.x - from.x),
    (box.x + box.width - from.x) / (to.x - from.x),
    (box.y - from.y) / (to.y - from.y),
    (box.y + box.height - from.y) / (to.y - from.y),
  ];
  return Math.min(1, ...shares.filter((share) => share > 0));
}

/** Two columns of teams, at most two rows; more teams are shown as a matrix, because their lines would cover each other. */
const MAX_TEAMS = 3;
const WIDTH = 1140;
const POD = { width: 210, height: 112 };
const NAMESPACE = { width: 270, height: 178 };
const MARGIN = 40;
const ROW_HEIGHT = 330;
const TOP = 70;
/** Pixels between the lines of a pair. */
const SPACING = 29;

/** The cluster with its nodes, namespaces and pods, and the tested connections in the color of their result. */
function diagram(result: VerifyResult): Markup {
  const connections = connectionsOf(result.rows);
  if (result.teams.length > MAX_TEAMS) return matrix(result.teams, connections);
  const places = layout(result);
  const height = places.bottom + 70;
  const name = `The cluster ${result.context}, its pods and the connections between them`;
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${name}">
${TIPS}
<rect class="box" x="1" y="1" width="${WIDTH - 2}" height="${height - 2}" rx="12"/>
<text class="title" x="20" y="28">${result.context}</text><text class="soft" x="20" y="46">Kubernetes ${result.version}</text>
${result.teams.map((team) => namespaceBox(team, places, result.rows))}
${endBox(places, COREDNS, result.dnsNamespace ?? "kube-system", "CoreDNS", result.rows)}
${endBox(places, LOGS, "logs", destination(result.rows), result.rows)}
${lines(connections, places)}
${nodes(result, places.bottom + 34)}
</svg>`;
}

/** Arrow heads, one per color: few browsers let a marker inherit its line's color. */
const TIPS = html`<defs>${(["pass", "warn", "fail", "skip"] as const).map(
  (status) =>
    html`<marker id="tip-${status}" class="${status}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5" markerHeight="5" orient="auto"><path fill="currentColor" d="M0 0L8 4L0 8z"/></marker>`,
)}</defs>`;

interface Places {
  readonly boxes: ReadonlyMap<string, Box>;
  readonly bottom: number;
}

function layout({ teams }: VerifyResult): Places {
  const boxes = new Map<string, Box>();
  const rows = Math.max(1, Math.ceil(teams.length / 2));
  const middle = { x: (WIDTH - POD.width) / 2, width: POD.width, height: 56 };
  boxes.set(COREDNS, { ...middle, y: TOP - 30 });
  const first = TOP + 130;
  for (const [index, { team }] of teams.entries()) {
    const column = index % 2 === 0 ? MARGIN : WIDTH - MARGIN - NAMESPACE.width;
    const inset = { x: (NAMESPACE.width - POD.width) / 2, y: 40 };
    boxes.set(team, { ...POD, x: column + inset.x, y: first + Math.floor(index / 2) * ROW_HEIGHT + inset.y });
  }
  const last = first + (rows - 1) * ROW_HEIGHT + NAMESPACE.height;
  boxes.set(LOGS, { ...middle, y: last + 90 });
  return { boxes, bottom: last + 90 + middle.height + 20 };
}

/** Colored by the rows of the pod and its Service; without such rows, by the pod's state. */
function namespaceBox({ team, namespace, pod }: TeamView, { boxes }: Places, rows: readonly Row[]): Markup {
  const box = boxes.get(team);
  if (box === undefined) return html``;
  const teamRows = rows.filter(({ id }) => id === `pods:${team}` || id === `service:${team}`);
  const status = worst([...teamRows.map((row) => row.status), pod?.ready ? "pass" : "fail"]);
  const [x, y] = [box.x + 12, box.y];
  const lines =
    pod === undefined
      ? html`<text class="soft" x="${x}" y="${y + 46}">there is no pod</text>`
      : html`<text class="soft" x="${x}" y="${y + 46}">${pod.ip || "no address"}, ${pod.phase}</text><text class="soft" x="${x}" y="${y + 66}">${nodeLine(pod.node)}</text>`;
  return html`<rect class="box dashed" x="${box.x - 30}" y="${box.y - 40}" width="${NAMESPACE.width}" height="${NAMESPACE.height}" rx="10"/>
<text class="soft" x="${box.x - 18}" y="${box.y - 20}">namespace ${namespace}</text>
<g class="${status}"><rect class="filled rim" x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="8"/></g>
<text class="title" x="${x}" y="${y + 24}">${pod?.name ?? `curl-${team}`}</text>${lines}
`;
}

/** Names of cloud nodes are long; the start is enough to distinguish them. */
function nodeLine(node: string): string {
  if (node === "") return "on no node";
  return node.length <= 24 ? `on ${node}` : `on ${node.slice(0, 23)}…`;
}

/** CoreDNS is above the teams, the logs' destination below. */
function endBox({ boxes }: Places, key: string, title: string, subtitle: string, rows: readonly Row[]): Markup {
  const box = boxes.get(key);
  if (box === undefined) return html``;
  const groups = key === COREDNS ? ["coredns"] : ["logs", "collector"];
  const status = worst(rows.filter((row) => groups.includes(row.group)).map((row) => row.status));
  return html`<g class="${status}"><rect class="filled rim" x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="8"/></g>
<text class="title" x="${box.x + 12}" y="${box.y + 23}">${subtitle}</text><text class="soft" x="${box.x + 12}" y="${box.y + 42}">${title}</text>
`;
}

function destination(rows: readonly Row[]): string {
  return rows.find((row) => row.group === "collector")?.to ?? "logs API";
}

/** The lines of each pair side by side, around the line between the centers, with labels in free places. */
function lines(connections: readonly Connection[], { boxes }: Places): Markup[] {
  const drawn = [...boxes.values()];
  const loops = connections.flatMap((connection) => {
    const box = connection.from === connection.to ? boxes.get(connection.from) : undefined;
    return box === undefined ? [] : [loop(connection, box, drawn)];
  });
  const bundles = Map.groupBy(
    connections.filter(({ from, to }) => from !== to),
    ({ from, to }) => [from, to].sort().join(" "),
  );
  const straight = [...bundles.values()].flatMap((bundle) =>
    bundle.map((connection, index) => {
      const [from, to] = [boxes.get(connection.from), boxes.get(connection.to)];
      if (from === undefined || to === undefined) return html``;
      const { start, end } = between(from, to, (index - (bundle.length - 1) / 2) * SPACING);
      const level = Math.abs(start.y - end.y) < 1;
      // Labels of parallel lines start at different heights, counted from the same end in both directions.
      const share = level ? 0.5 : (index + 1) / (bundle.length + 1);
      const wanted = connection.from < connection.to ? share : 1 - share;
      const [first = wanted, ...others] = SHARES.map((step) => wanted + step).filter(
        (share) => share > 0.05 && share < 0.95,
      );
      const pointAt = (where: number) => {
        const { x, y } = along(start, end, where);
        return { x, y: y + (level ? -6 : 4) };
      };
      const place = freePlace(connection.label, [pointAt(first), ...others.map(pointAt)], drawn);
      drawn.push(labelBox(connection.label, place));
      return line(connection, `M${round(start.x)} ${round(start.y)}L${round(end.x)} ${round(end.y)}`, place);
    }),
  );
  return [...loops, ...straight];
}

/** Distances of a label from its preferred place, as fractions of the line, nearest first. */
const SHARES = Array.from({ length: 61 }, (_, index) => (index % 2 === 0 ? 1 : -1) * Math.ceil(index / 2) * 0.03);

/** A pod's connection to itself, by its own names, drawn below the pod. */
function loop(connection: Connection, box: Box, drawn: Box[]): Markup {
  const [x, y] = [box.x + box.width / 2, box.y + box.height];
  const place = { x: x + 30, y: y + 18 };
  drawn.push(labelBox(connection.label, place));
  return line(connection, `M${x - 70} ${y}C${x - 70} ${y + 26} ${x - 20} ${y + 26} ${x - 20} ${y + 3}`, place);
}

function line({ status, label, rows }: Connection, d: string, { x, y }: Point): Markup {
  const title = rows.map((row) => `${row.id}: ${row.detail}`).join("\n");
  return html`<g class="connection ${status}"><title>${title}</title><path class="hit" d="${d}"/><path class="path ${status}" d="${d}" marker-end="url(#tip-${status})"/><text class="label" x="${round(x)}" y="${round(y)}" text-anchor="middle">${label}</text></g>
`;
}

function nodes({ nodes: known, teams }: VerifyResult, y: number): Markup {
  const seen = teams.flatMap(({ pod }) => (pod === undefined || pod.node === "" ? [] : [pod.node]));
  const names =
    known.length > 0
      ? known.map(({ name, version, zone, ready }) =>
          [name, version, zone, ready ? "" : "not ready"].filter(Boolean).join(" "),
        )
      : [...new Set(seen)];
  const more = names.length > 6 ? ` and ${names.length - 6} more` : "";
  return html`<text class="soft" x="20" y="${y}">Nodes: ${names.slice(0, 6).join(", ") || "unknown"}${more}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const CELL = 22;
const NAMES = 130;
/** Larger matrices are unreadable; the table has all rows. */
const MAX_MATRIX_TEAMS = 60;

/** A matrix for more teams than a diagram can show: one row per team, one cell per target. */
function matrix(teams: readonly TeamView[], connections: readonly Connection[]): Markup {
  const names = teams.map(({ team }) => team).slice(0, MAX_MATRIX_TEAMS);
  const columns = [...names, COREDNS, LOGS];
  const size = { width: NAMES + columns.length * CELL + 20, height: NAMES + names.length * CELL + 40 };
  const left = teams.length - names.length;
  const note = left > 0 ? `; ${left} more teams are in the table only` : "";
  return html`<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="Which team reached which" style="max-width:${size.width}px">
${columns.map((name, index) => heading(name, index))}
${names.map((from, row) => rowOf(from, row, columns, connections))}
<text class="soft" x="0" y="${size.height - 8}">rows: from, columns: to${note}</text>
</svg>`;
}

function heading(name: string, index: number): Markup {
  const x = NAMES + index * CELL + 15;
  return html`<text class="soft" transform="translate(${x} ${NAMES - 6}) rotate(-60)">${name.replace(/[()]/g, "")}</text>\n`;
}

function rowOf(from: string, row: number, columns: readonly string[], connections: readonly Connection[]): Markup {
  const y = NAMES + row * CELL;
  const cells = columns.map((to, column) => {
    const taken = connections.filter((connection) => connection.from === from && connection.to === to);
    if (taken.length === 0) return html``;
    const title = taken.map((connection) => `${connection.from} to ${connection.to}: ${connection.label}`).join("\n");
    const status = worst(taken.map((connection) => connection.status));
    return html`<g class="${status}"><title>${title}</title><rect fill="currentColor" x="${NAMES + column * CELL + 3}" y="${y + 3}" width="${CELL - 6}" height="${CELL - 6}" rx="3"/></g>`;
  });
  return html`<text class="soft" x="0" y="${y + 15}">${from}</text>${cells}\n`;
}
