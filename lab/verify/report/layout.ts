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

/** A straight line from the rim of one box to the rim of another. */
export interface Segment {
  readonly start: Point;
  readonly end: Point;
}

/**
 * The line between two boxes' centers, moved sideways by `offset` and cut at their rims. The side does not depend on the
 * direction, so that the lines there and back do not lie on each other.
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

export function along(from: Point, to: Point, share: number): Point {
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

/** Width of a character and height of a line of the labels' 12px font, at the most. */
const LABEL = { character: 7, height: 15, ascent: 11 };

/** The box that a label takes whose baseline is centred on a point. */
export function labelBox(text: string, { x, y }: Point): Box {
  const width = text.length * LABEL.character;
  return { x: x - width / 2, y: y - LABEL.ascent, width, height: LABEL.height };
}

/** The point of those given, best first, at which a label covers the least of what is drawn already. */
export function freePlace(text: string, points: readonly [Point, ...Point[]], drawn: readonly Box[]): Point {
  const [best] = points
    .map((point) => ({ point, covered: drawn.reduce((sum, box) => sum + overlap(labelBox(text, point), box), 0) }))
    .sort((one, other) => one.covered - other.covered);
  return best?.point ?? points[0];
}

/** Area that two boxes have in common. */
export function overlap(one: Box, other: Box): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return width > 0 && height > 0 ? width * height : 0;
}

/** At which share of the line from a point inside a box to one outside the line crosses the rim. */
function leaving(box: Box, from: Point, to: Point): number {
  const shares = [
    (box.x - from.x) / (to.x - from.x),
    (box.x + box.width - from.x) / (to.x - from.x),
    (box.y - from.y) / (to.y - from.y),
    (box.y + box.height - from.y) / (to.y - from.y),
  ];
  return Math.min(1, ...shares.filter((share) => share > 0));
}
