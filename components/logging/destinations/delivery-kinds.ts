import { z } from "zod";
import { string } from "../../schema/values.ts";
import { Credentials, originUrl, SchemedToken, server, Token } from "./destination-values.ts";
import { Headers } from "./headers.ts";

/** Settings of destinations that forward lines. */
export const DELIVERY_KINDS = {
  otlp: {
    kind: z.literal("otlp").describe("An OTLP server."),
    url: originUrl("https://otel.example.com:4318").describe("Without a path: https://otel.example.com:4318."),
    protocol: z.enum(["http", "grpc"]).default("http").describe("Default http."),
    ...server,
    credentials: Credentials.optional().describe("User and password."),
    token: SchemedToken.optional().describe("API key or bearer token; excludes credentials."),
    headers: Headers,
  },
  splunk: {
    kind: z.literal("splunk").describe("Splunk's HTTP Event Collector."),
    url: originUrl("https://splunk.example.com:8088", "which Splunk does not accept: set token").describe(
      "Without a path: https://splunk.example.com:8088.",
    ),
    ...server,
    token: Token.describe("HEC token; its index gets the lines."),
  },
  firehose: {
    kind: z.literal("firehose").describe("An existing stream of Amazon Data Firehose."),
    stream: string(/^[\w.-]{1,64}$/, "the name of a stream: up to 64 letters, digits and '_', '-', '.'").describe(
      "Stream in the cluster's region.",
    ),
  },
};
