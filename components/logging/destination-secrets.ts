import { basename } from "node:path";
import type { Collector } from "./collectors/collector.ts";
import type { Credentials, Destination } from "./destination-settings.ts";
import { CA_FILE, CREDENTIALS_FOLDER, PASSWORD_FILE, PASSWORD_VARIABLE, USER_FILE, USER_VARIABLE } from "./pipeline.ts";

/**
 * What brings a destination's user, password and authority from their Secrets to a collector's container: as it reads them best, in
 * variables or in files, and never in a ConfigMap.
 * @param volumePrefix Begins the names of the volumes. Default: nothing.
 * @see https://kubernetes.io/docs/concepts/configuration/secret/#use-cases
 */
export function destinationSecrets(
  { readsCredentials }: Pick<Collector, "readsCredentials">,
  destination: Destination,
  volumePrefix = "",
) {
  const credentials = "credentials" in destination ? destination.credentials : undefined;
  const inFiles = readsCredentials === "files" ? credentials : undefined;
  const caSecret = caSecretOf(destination);
  const [credentialsVolume, caVolume] = [`${volumePrefix}credentials`, `${volumePrefix}ca`];
  return {
    env: credentials === undefined || inFiles !== undefined ? [] : credentialVariables(credentials),
    volumeMounts: [
      ...(inFiles === undefined ? [] : [{ name: credentialsVolume, mountPath: CREDENTIALS_FOLDER, readOnly: true }]),
      ...(caSecret === undefined ? [] : [{ name: caVolume, mountPath: CA_FILE, subPath: "ca.crt", readOnly: true }]),
    ],
    volumes: [
      ...(inFiles === undefined ? [] : [{ name: credentialsVolume, secret: credentialFiles(inFiles) }]),
      ...(caSecret === undefined
        ? []
        : [{ name: caVolume, secret: { secretName: caSecret, items: [{ key: "ca.crt", path: "ca.crt" }] } }]),
    ],
  };
}

/** Name of the Secret with the authority that a destination's certificate is checked by; undefined for the public ones. */
function caSecretOf(destination: Destination): string | undefined {
  switch (destination.kind) {
    case "opensearch":
    case "elasticsearch":
      return destination.tls === false ? undefined : destination.tls?.caSecretName;
    case "http":
    case "loki":
      return destination.caSecretName;
    default:
      return undefined;
  }
}

function credentialVariables({ secretName, usernameKey, passwordKey }: Credentials) {
  const variable = (name: string, key: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: secretName, key } },
  });
  return [variable(USER_VARIABLE, usernameKey), variable(PASSWORD_VARIABLE, passwordKey)];
}

function credentialFiles({ secretName, usernameKey, passwordKey }: Credentials) {
  const items = [
    { key: usernameKey, path: basename(USER_FILE) },
    { key: passwordKey, path: basename(PASSWORD_FILE) },
  ];
  return { secretName, items };
}
