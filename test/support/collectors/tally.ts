/** What a receiver has counted. */
export interface Stats {
  /** Records that came, repeated ones too. */
  readonly records: number;
  /** Records of the writer that came at least once. */
  readonly unique: number;
  /** Records that came again under the id that they had: a search engine keeps one of them. */
  readonly repeated: number;
  /** Records that came again without an id, or under another: these stand twice. */
  readonly doubled: number;
  /** Records under an id that another line has in the same place: a search engine takes them for that one, and they are lost. */
  readonly collided: number;
  /** Seconds within which 99 % of the writer's records came for the first time, counted from their own time; in tenths. Not a number where no record has a time. */
  readonly lateSeconds: number;
  /** The same by the number of the writer's file. */
  readonly fileLateSeconds: Readonly<Record<number, number>>;
  readonly bytes: number;
  readonly requests: number;
  /** Records an index, stream or path. */
  readonly places: Readonly<Record<string, number>>;
  /** Records of the writer by the number of their file, each once. */
  readonly files: Readonly<Record<number, number>>;
}

/** The writer's lines begin with their file and their number: `f3 s1024 `. */
const MARKER = /f(\d+) s(\d+) /;
/** Stands for a record without an id. */
const NO_ID = 1;

/** Ten minutes. */
const MAX_TENTHS = 6000;
/** More than any file has, to make one number of a file's and a line's. */
const LINES_OF_A_FILE = 1e9;
/** Values of a hash of the ids, as many as a number holds exactly: those of a few million lines do not meet by chance. */
const VALUES = 2 ** 53;

/** Counts records by the writer's marker, in a few bytes a record: there are millions. */
export class Tally {
  #records = 0;
  #unique = 0;
  #repeated = 0;
  #doubled = 0;
  #collided = 0;
  #bytes = 0;
  #requests = 0;
  /** Records of each file by how many tenths of a second late they came, the last ones that late or later. */
  readonly #late = new Map<number, Uint32Array>();
  readonly #places = new Map<string, number>();
  readonly #files = new Map<number, number>();
  readonly #seen = new Map<number, Uint32Array>();
  readonly #lines = new Lines();

  request(bytes: number): void {
    this.#requests += 1;
    this.#bytes += bytes;
  }

  /**
   * @param lateSeconds Since it was written. Default: not known, and not counted.
   * @returns whether a record with this line has come under this id before.
   */
  add(place: string, log: string, id?: string, lateSeconds?: number): boolean {
    this.#records += 1;
    this.#places.set(place, (this.#places.get(place) ?? 0) + 1);
    const [, file, number] = MARKER.exec(log) ?? [];
    if (file === undefined || number === undefined) return false;
    const hash = id === undefined ? NO_ID : hashOf(id);
    if (id !== undefined && this.#isOfAnother(`${place} ${id}`, Number(file) * LINES_OF_A_FILE + Number(number))) {
      this.#collided += 1;
      return true;
    }
    const seen = this.#room(Number(file), Number(number));
    const before = seen[Number(number)];
    const again = before === hash && hash !== NO_ID;
    if (before === 0) {
      this.#unique += 1;
      if (lateSeconds !== undefined) {
        const tenths = Math.min(Math.max(Math.ceil(lateSeconds * 10), 0), MAX_TENTHS);
        const late = this.#late.get(Number(file)) ?? new Uint32Array(MAX_TENTHS + 1);
        late[tenths] = (late[tenths] ?? 0) + 1;
        this.#late.set(Number(file), late);
      }
      this.#files.set(Number(file), (this.#files.get(Number(file)) ?? 0) + 1);
    } else if (again) this.#repeated += 1;
    else this.#doubled += 1;
    seen[Number(number)] = hash;
    return again;
  }

  stats(): Stats {
    return {
      records: this.#records,
      unique: this.#unique,
      repeated: this.#repeated,
      doubled: this.#doubled,
      collided: this.#collided,
      lateSeconds: lateSeconds([...this.#late.values()]),
      fileLateSeconds: Object.fromEntries([...this.#late].map(([file, late]) => [file, lateSeconds([late])])),
      bytes: this.#bytes,
      requests: this.#requests,
      places: Object.fromEntries([...this.#places].sort()),
      files: Object.fromEntries(this.#files),
    };
  }

  #isOfAnother(id: string, line: number): boolean {
    const hash = (hashOf(id) * 2 ** 21 + (hashOf(id, 0x01000197) % 2 ** 21)) % VALUES;
    return this.#lines.firstOf(hash, line) !== line;
  }

  #room(file: number, number: number): Uint32Array {
    const there = this.#seen.get(file) ?? new Uint32Array(1024);
    if (number < there.length) {
      this.#seen.set(file, there);
      return there;
    }
    const more = new Uint32Array(Math.max(there.length * 2, number + 1));
    more.set(there);
    this.#seen.set(file, more);
    return more;
  }
}

/** The line that came first under each hash. A Map of millions keeps the garbage collector busy, at the expense of what is measured. */
class Lines {
  #size = 0;
  #hashes = new Float64Array(1024);
  #lines = new Float64Array(1024);

  /** @param hash Not 0. */
  firstOf(hash: number, line: number): number {
    if (this.#size * 2 > this.#hashes.length) this.#grow();
    const at = this.#placeOf(hash);
    if (this.#hashes[at] === hash) return this.#lines[at] ?? line;
    this.#hashes[at] = hash;
    this.#lines[at] = line;
    this.#size += 1;
    return line;
  }

  /** Where a hash stands, or may stand. */
  #placeOf(hash: number): number {
    const last = this.#hashes.length - 1;
    let at = Math.floor(hash / 2 ** 21) & last;
    while (this.#hashes[at] !== 0 && this.#hashes[at] !== hash) at = (at + 1) & last;
    return at;
  }

  #grow(): void {
    const [hashes, lines] = [this.#hashes, this.#lines];
    this.#hashes = new Float64Array(hashes.length * 2);
    this.#lines = new Float64Array(hashes.length * 2);
    for (const [at, hash] of hashes.entries()) {
      if (hash === 0) continue;
      const place = this.#placeOf(hash);
      this.#hashes[place] = hash;
      this.#lines[place] = lines[at] ?? 0;
    }
  }
}

/** FNV-1a, or with another prime another hash; never 0 or 1. */
function hashOf(text: string, prime = 0x01000193): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), prime) >>> 0;
  return Math.max(hash, NO_ID + 1);
}

/** Within which time 99 % of what these have came. */
function lateSeconds(counts: readonly Uint32Array[]): number {
  const total = counts.reduce((sum, late) => sum + late.reduce((some, count) => some + count, 0), 0);
  if (total === 0) return Number.NaN;
  let [within, tenths] = [0, -1];
  while (within < total * 0.99) {
    tenths += 1;
    for (const late of counts) within += late[tenths] ?? 0;
  }
  return tenths / 10;
}
