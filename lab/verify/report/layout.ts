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

function centre({ x, y, width, height }: Box): Point {
  return { x: x + width / 2, y: y + height / 2 };
}

/** A straight line from the rim of one box to the rim of another. */
export interface Segment {
  readonly start: Point;
  readonly end: Point;
}

/**
 * The line between two boxes' centres, moved sideways by `offset` and cut at their rims. The side does not depend on the
 * direction, so that the lines there and back do not lie on each other.
 */
export function between(from: Box, to: Box, offset: number): Segment {
  const [a, b] = [centre(from), centre(to)];
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
