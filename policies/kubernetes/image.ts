/** An image reference in its parts. */
export interface Image {
  /** With what the runtime fills in: `docker.io` and `library`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:` and 64 hex digits; undefined where what stands for one is none. */
  readonly digest: string | undefined;
}

/**
 * The parts of an image reference. The first part is a registry where it has a dot or a port, or is `localhost`.
 * @see https://kubernetes.io/docs/concepts/containers/images/#image-names
 */
export function parseImage(reference: string): Image {
  const [withTag = "", written = ""] = reference.split("@");
  const digest = /^[a-z0-9+._-]+:[0-9a-f]{32,}$/i.test(written) ? written : undefined;
  const colon = withTag.lastIndexOf(":");
  const hasTag = colon > withTag.lastIndexOf("/");
  const path = (hasTag ? withTag.slice(0, colon) : withTag).split("/");
  const [first = ""] = path;
  const hasRegistry = path.length > 1 && (/[.:]/.test(first) || first === "localhost");
  const repository = (hasRegistry ? path.slice(1) : path).join("/");
  const registry = hasRegistry ? first : "docker.io";
  const inLibrary = registry === "docker.io" && !repository.includes("/");
  return {
    registry,
    repository: inLibrary ? `library/${repository}` : repository,
    tag: hasTag ? withTag.slice(colon + 1) : undefined,
    digest,
  };
}
