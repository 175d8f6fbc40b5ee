import type { Destination, DestinationKind } from "./destination-settings.ts";
import type { Credentials, Token } from "./destination-values.ts";
import { secretHeaders } from "./http-settings.ts";

/** Where the collector finds a destination's credentials and CA certificate, from Secrets: variables, or files for those that read files. */
export const USER_VARIABLE = "LOG_USER";
export const PASSWORD_VARIABLE = "LOG_PASSWORD";
export const TOKEN_VARIABLE = "LOG_TOKEN";
export const SECRETS_FOLDER = "/etc/log-destination";
export const USER_FILE_NAME = "username";
export const PASSWORD_FILE_NAME = "password";
export const TOKEN_FILE_NAME = "token";

/** The settings with which a destination may know the collector. */
interface Login {
  readonly kind: DestinationKind;
  readonly credentials?: Credentials | undefined;
  readonly token?: (Token & { readonly scheme?: string }) | undefined;
}

/** User and password, or the token with its scheme, of a destination; undefined for what it does not have. */
export function loginOf({ credentials, token }: Login) {
  return { credentials, token: token && { scheme: "Bearer", ...token } };
}

/** Folder with a destination's user and password. @param name Its name, if there are several. */
export function credentialsFolder(name?: string | undefined): string {
  return `${secretsFolder(name)}/credentials`;
}

/** File with the CA certificate for a destination. @param name Its name, if there are several. */
export function caFile(name?: string | undefined): string {
  return `${secretsFolder(name)}/ca.crt`;
}

/** Each of several destinations has its own folder; names contain no slash, so folders never collide. */
function secretsFolder(name: string | undefined): string {
  return name === undefined ? SECRETS_FOLDER : `${SECRETS_FOLDER}/${name}`;
}

/**
 * TLS of a destination; undefined for none, as for this stack's OpenSearch.
 * @param name Name of the destination, if there are several.
 */
export function tlsOf(
  destination: Destination,
  name?: string | undefined,
): { verify: boolean; caFile: string | undefined } | undefined {
  const ca = caSecretOf(destination) === undefined ? undefined : caFile(name);
  if ("url" in destination)
    return destination.url.startsWith("https:") ? { verify: destination.verify, caFile: ca } : undefined;
  switch (destination.kind) {
    case "opensearch":
    case "elasticsearch":
    case "kafka":
      if (destination.tls === false || (destination.kind === "opensearch" && destination.inCluster)) return undefined;
      return { verify: destination.tls?.verify ?? true, caFile: ca };
    default:
      return undefined;
  }
}

/**
 * Passes a destination's user, password and CA certificate from their Secrets to a collector's container: as variables or files, whichever
 * it supports better, and never in a ConfigMap.
 * @param volumePrefix Prefix of volume names. Default: none.
 * @param name Name of the destination, if there are several. Default: none.
 * @see https://kubernetes.io/docs/concepts/configuration/secret/#use-cases
 */
export function destinationSecrets(
  { readsCredentials }: { readonly readsCredentials?: "variables" | "files" },
  destination: Destination,
  volumePrefix = "",
  name?: string | undefined,
) {
  const items = secretItems(destination);
  const inFiles = readsCredentials === "files" && items.length > 0;
  const caSecret = caSecretOf(destination);
  const [credentialsVolume, caVolume] = [`${volumePrefix}credentials`, `${volumePrefix}ca`];
  return {
    env: inFiles ? [] : items.map(secretVariable),
    volumeMounts: [
      ...(inFiles ? [{ name: credentialsVolume, mountPath: credentialsFolder(name), readOnly: true }] : []),
      ...(caSecret === undefined
        ? []
        : [{ name: caVolume, mountPath: caFile(name), subPath: "ca.crt", readOnly: true }]),
    ],
    volumes: [
      ...(inFiles ? [{ name: credentialsVolume, ...secretFiles(items) }] : []),
      ...(caSecret === undefined
        ? []
        : [{ name: caVolume, secret: { secretName: caSecret, items: [{ key: "ca.crt", path: "ca.crt" }] } }]),
    ],
  };
}

/** Name of the Secret with the CA certificate for a destination; undefined for public CAs. */
function caSecretOf(destination: Destination): string | undefined {
  if ("url" in destination) return destination.caSecretName;
  switch (destination.kind) {
    case "opensearch":
    case "elasticsearch":
    case "kafka":
      return destination.tls === false ? undefined : destination.tls?.caSecretName;
    default:
      return undefined;
  }
}

/** A key of a Secret, and the variable or file by which the collector gets it. */
interface SecretItem {
  readonly secretName: string;
  readonly key: string;
  readonly variable: string;
  readonly file: string;
}

/** A collector's credentials: user and password, a token, headers. */
function secretItems(destination: Destination): SecretItem[] {
  return [...loginItems(destination), ...secretHeaders(destination)];
}

function loginItems(destination: Destination): SecretItem[] {
  const { credentials, token } = loginOf(destination);
  if (token !== undefined)
    return [{ secretName: token.secretName, key: token.key, variable: TOKEN_VARIABLE, file: TOKEN_FILE_NAME }];
  if (credentials === undefined) return [];
  const { secretName, usernameKey, passwordKey } = credentials;
  return [
    { secretName, key: usernameKey, variable: USER_VARIABLE, file: USER_FILE_NAME },
    { secretName, key: passwordKey, variable: PASSWORD_VARIABLE, file: PASSWORD_FILE_NAME },
  ];
}

function secretVariable({ secretName, key, variable }: SecretItem) {
  return { name: variable, valueFrom: { secretKeyRef: { name: secretName, key } } };
}

/** The files of one Secret, or of several in the same folder. */
function secretFiles(items: readonly SecretItem[]) {
  const names = [...new Set(items.map(({ secretName }) => secretName))];
  const filesOf = (name: string) =>
    items.filter(({ secretName }) => secretName === name).map(({ key, file }) => ({ key, path: file }));
  const [only = "", ...others] = names;
  if (others.length === 0) return { secret: { secretName: only, items: filesOf(only) } };
  return { projected: { sources: names.map((name) => ({ secret: { name, items: filesOf(name) } })) } };
}
