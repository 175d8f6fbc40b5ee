import { Scalar } from "yaml";
import {
  credentialsFolder,
  PASSWORD_FILE_NAME,
  TOKEN_FILE_NAME,
  USER_FILE_NAME,
} from "../../destinations/destination-secrets.ts";
import { plainHeaders, secretHeaders } from "../../destinations/http-settings.ts";
import { type LogPipeline, withName } from "../../pipeline.ts";
import type { Options } from "../collector.ts";

/** Secret stores for user, password, token and headers: folders with files of these names. */
export function secrets(pipelines: readonly LogPipeline[]): Options {
  const folders = pipelines
    .filter(
      (pipeline) => hasCredentials(pipeline) || hasToken(pipeline) || secretHeaders(pipeline.destination).length > 0,
    )
    .map(({ name }) => [backend(name), credentialsFolder(name)]);
  if (folders.length === 0) return {};
  return { secret: Object.fromEntries(folders.map(([name = "", path]) => [name, { type: "directory", path }])) };
}

/** Declares the indentation of these blocks, which is otherwise guessed: a leading blank of a secret would be lost. */
export function withIndentation(yaml: string): string {
  return yaml.replaceAll(/\|-(?=\n +SECRET\[)/g, "|2-");
}

/**
 * A secret of a destination, by its file. Vector substitutes the file's text before it parses the YAML: in a block scalar none of its
 * characters are special.
 */
export function secretOf({ name }: Pick<LogPipeline, "name">, file: string, before = ""): Scalar {
  const scalar = new Scalar(`${before}SECRET[${backend(name)}.${file}]`);
  scalar.type = Scalar.BLOCK_LITERAL;
  return scalar;
}

/** User and password, if the destination requires them. */
export function auth(pipeline: LogPipeline): Options {
  if (!hasCredentials(pipeline)) return {};
  const [user, password] = [secretOf(pipeline, USER_FILE_NAME), secretOf(pipeline, PASSWORD_FILE_NAME)];
  return { auth: { strategy: "basic", user, password } };
}

/** A destination's token, with a prefix. */
export function token(pipeline: LogPipeline, before = ""): Scalar {
  return secretOf(pipeline, TOKEN_FILE_NAME, before);
}

/** The token's header, and the headers from the settings. */
export function headers(pipeline: LogPipeline, tokenSettings: { readonly scheme: string } | undefined): Options {
  const { destination } = pipeline;
  const all = Object.fromEntries([
    ...(tokenSettings === undefined ? [] : [["Authorization", token(pipeline, `${tokenSettings.scheme} `)]]),
    ...plainHeaders(destination),
    ...secretHeaders(destination).map((header) => [header.name, secretOf(pipeline, header.file)]),
  ]);
  return Object.keys(all).length === 0 ? {} : { headers: all };
}

function hasCredentials({ destination }: LogPipeline): boolean {
  return "credentials" in destination && destination.credentials !== undefined;
}

function hasToken({ destination }: LogPipeline): boolean {
  return "token" in destination && destination.token !== undefined;
}

/** Name of a destination's secret store: only letters, digits and '_'. */
function backend(name: string | undefined): string {
  return withName("credentials", name).replaceAll("-", "_");
}
