import { answering, killed, newPods, restartedWhileAway, stopped } from "../support/collectors/events.ts";
import { searchEngine, type TrialChanges } from "../support/collectors/losses.ts";
import { localFilebeat } from "./filebeat/local.ts";
import { localFluentBitToAws, localFluentBitWithShortUploads, whyNoFluentBitToAws } from "./fluent-bit/local.ts";
import { localFluentd } from "./fluentd/local.ts";
import { localLogagent } from "./logagent/local.ts";
import type { ANSWERS, Row } from "./losses-row.ts";
import { ELASTICSEARCH, localOpenTelemetry } from "./opentelemetry/local.ts";
import { LOKI, localPromtail } from "./promtail/local.ts";
import { localVector, whyNoVector } from "./vector/local.ts";

const rateOf = (usual: number) => Number(process.env.LOG_RATE ?? usual);
const NOT_MEASURED = "not measured";
const TEN_FILES = { files: 10, seconds: 10 };
const THREE_FILES = { files: 3, seconds: 10 };
/** The other search engine: a collector may have another output for it. */
const ELASTICSEARCH_TOO = {
  elasticsearch: { settings: searchEngine("elasticsearch"), hasIds: true, only: "answers" },
} as const;

const RATES = {
  fluentd: rateOf(1),
  filebeat: rateOf(2),
  vector: rateOf(1),
  otelcol: rateOf(5),
  promtail: rateOf(5),
  logagent: rateOf(5),
};
/** Promtail reads five seconds after each start, and never what was rotated away by then: so the one rotation comes later. */
const READING = { onceItReads: true, write: { seconds: 20, rotationSeconds: 14 } } as const;
/** Until Filebeat reads: it waits for the pods. */
const FILEBEAT_STARTED = 7;

const answer = (
  mode: (typeof ANSWERS)[number],
  after: number,
  during: number,
  more: TrialChanges = {},
): TrialChanges => ({
  ...more,
  meanwhile: answering(mode, { after, during }),
});

export const TABLE: readonly Row[] = [
  {
    program: "fluent-bit",
    rate: rateOf(10),
    start: localFluentBitWithShortUploads,
    usual: { quietSeconds: 35, write: TEN_FILES },
    targets: {
      opensearch: { hasIds: true },
      elasticsearch: { settings: searchEngine("elasticsearch"), hasIds: true, rate: 2 },
      loki: {
        settings: (port) => ({ destination: { kind: "loki", url: `http://127.0.0.1:${port}` } }),
        hasIds: false,
        rate: 2,
        only: "all but partial answers",
      },
      http: {
        settings: (port) => ({ destination: { kind: "http", url: `http://127.0.0.1:${port}/lines` } }),
        hasIds: false,
        rate: 2,
        only: "all but partial answers",
      },
      s3: {
        settings: () => ({ destination: { kind: "s3" } }),
        hasIds: false,
        rate: 2,
        only: "all but partial answers",
        quietSeconds: 75,
        start: localFluentBitToAws,
        whyNot: whyNoFluentBitToAws,
      },
      cloudwatch: {
        settings: () => ({ destination: { kind: "cloudwatch" } }),
        hasIds: false,
        rate: 2,
        only: "all but partial answers",
        start: localFluentBitToAws,
        whyNot: whyNoFluentBitToAws,
      },
    },
    behaviors: {
      rotation: { trial: { write: { files: 2, bytesPerSecond: 5e6, seconds: 8 } }, exact: true, minRotations: 2 },
      newPods: { trial: { write: { files: 100, ownPods: true } }, exact: true },
      away: { trial: answer("away", 3, 8, { write: { seconds: 14 } }) },
      busy: { trial: answer("busy", 0, 5) },
      failing: { trial: answer("failing", 0, 5) },
      // A chunk is sent again whole; its documents have their ids.
      partial: { trial: answer("partial", 0, 6) },
      forgetful: { trial: answer("forgetful", 2, 3) },
      refused: "in limits.test.ts, since it tries fifty times",
      stopped: { trial: { meanwhile: stopped({ after: 4, pause: 2 }) } },
      stoppedInRotation: {
        trial: { write: { files: 1, bytesPerSecond: 2e6, seconds: 9 }, meanwhile: stopped({ after: 4, pause: 3 }) },
        minRotations: 1,
      },
      stoppedWhileAway: { trial: { meanwhile: restartedWhileAway("SIGTERM", { after: 2, away: 3, pause: 2 }) } },
      killed: { trial: { meanwhile: killed(2.3, 2.6, 2.9) } },
      killedWhileAway: { trial: { meanwhile: restartedWhileAway("SIGKILL", { after: 2, away: 3, pause: 2 }) } },
    },
  },
  {
    // Ruby runs on one core, which it shares here.
    program: "fluentd",
    rate: RATES.fluentd,
    start: localFluentd,
    usual: { quietSeconds: 40, write: TEN_FILES },
    targets: { opensearch: { hasIds: true }, ...ELASTICSEARCH_TOO },
    behaviors: {
      rotation: {
        trial: { write: { files: 1, seconds: 25 / RATES.fluentd }, onceItReads: true },
        exact: true,
        minRotations: 1,
      },
      newPods: { trial: { meanwhile: newPods(100, { bytesPerSecond: 3e5, during: 3 }) }, exact: true },
      away: { trial: answer("away", 3, 8, { write: { seconds: 15 } }) },
      busy: { trial: answer("busy", 3, 8, { write: { seconds: 15 } }) },
      failing: { trial: answer("failing", 3, 8, { write: { seconds: 15 } }) },
      partial: { trial: answer("partial", 3, 8, { write: { seconds: 15 } }) },
      forgetful: NOT_MEASURED,
      refused: { trial: { write: { poisonEvery: 500 } } },
      stopped: { trial: { meanwhile: stopped({ after: 6, pause: 2 }) } },
      // The file is rotated at 10 MiB, while Fluentd is stopped.
      stoppedInRotation: {
        trial: {
          write: { files: 1, seconds: 16 / RATES.fluentd },
          meanwhile: stopped({ after: 8 / RATES.fluentd, pause: 4 / RATES.fluentd }),
        },
      },
      stoppedWhileAway: { trial: { meanwhile: restartedWhileAway("SIGTERM", { after: 4, away: 3, pause: 2 }) } },
      killed: { trial: { write: { seconds: 20 }, meanwhile: killed(5.3, 5.6, 5.9) } },
      killedWhileAway: NOT_MEASURED,
    },
  },
  {
    program: "filebeat",
    rate: RATES.filebeat,
    start: localFilebeat,
    usual: {
      quietSeconds: 45,
      settings: { destination: ELASTICSEARCH },
      // The kubelet looks every ten seconds whether a file is large enough.
      write: { files: 2, seconds: 24, rotationSeconds: 10 },
    },
    targets: { elasticsearch: { hasIds: true } },
    behaviors: {
      rotation: { trial: {}, minRotations: 1 },
      newPods: { trial: { write: { files: 100, ownPods: true } } },
      away: { trial: answer("away", FILEBEAT_STARTED, 10) },
      busy: { trial: answer("busy", FILEBEAT_STARTED, 8) },
      failing: { trial: answer("failing", FILEBEAT_STARTED, 8) },
      partial: { trial: answer("partial", FILEBEAT_STARTED, 10) },
      forgetful: NOT_MEASURED,
      refused: { trial: { write: { poisonEvery: 500 } } },
      stopped: { trial: { meanwhile: stopped({ after: FILEBEAT_STARTED + 3, pause: 1 }) } },
      stoppedInRotation: NOT_MEASURED,
      // It tries on until it is killed.
      stoppedWhileAway: {
        trial: {
          write: { seconds: 34 },
          meanwhile: restartedWhileAway("SIGTERM", { after: FILEBEAT_STARTED, away: 4, pause: 1 }),
        },
      },
      killed: { trial: { meanwhile: killed(FILEBEAT_STARTED + 3) } },
      killedWhileAway: NOT_MEASURED,
    },
  },
  {
    // At a low rate, for builds of Vector without optimization.
    program: "vector",
    rate: RATES.vector,
    start: localVector,
    whyNot: whyNoVector,
    usual: { quietSeconds: 40, settings: { buffer: { whenFull: "block" } }, write: TEN_FILES },
    targets: { opensearch: { hasIds: true }, ...ELASTICSEARCH_TOO },
    behaviors: {
      rotation: { trial: { write: { files: 1, seconds: 25 / RATES.vector } }, exact: true, minRotations: 1 },
      newPods: { trial: { meanwhile: newPods(30, { bytesPerSecond: 3e5, during: 2 }) }, exact: true },
      away: { trial: answer("away", 3, 15) },
      busy: { trial: answer("busy", 2, 6) },
      failing: { trial: answer("failing", 2, 6) },
      partial: { trial: answer("partial", 2, 6) },
      forgetful: NOT_MEASURED,
      refused: { trial: { write: { poisonEvery: 500 } } },
      stopped: { trial: { meanwhile: stopped({ after: 4, pause: 2 }) } },
      stoppedInRotation: {
        trial: {
          write: { files: 1, seconds: 16 / RATES.vector },
          meanwhile: stopped({ after: 8 / RATES.vector, pause: 4 / RATES.vector }),
        },
      },
      stoppedWhileAway: { trial: { meanwhile: restartedWhileAway("SIGTERM", { after: 2, away: 3, pause: 2 }) } },
      // Its source of pods notes a place when it reads and not when the line is safe. A line of each file waits for the next.
      killed: { trial: { meanwhile: killed(4) }, maxLost: 5 * TEN_FILES.files },
      killedWhileAway: NOT_MEASURED,
    },
  },
  {
    // At 10 MB/s, beside other work, it comes behind the rotation.
    program: "otelcol",
    rate: RATES.otelcol,
    start: localOpenTelemetry,
    usual: {
      settings: { destination: ELASTICSEARCH, buffer: { whenFull: "block" } },
      // Few enough that each is rotated again and again.
      write: THREE_FILES,
    },
    targets: { elasticsearch: { hasIds: true } },
    behaviors: {
      rotation: { trial: {}, exact: true, minRotations: 3 },
      newPods: { trial: { write: { files: 100, ownPods: true } } },
      away: { trial: answer("away", 3, 12, { write: { seconds: 20 }, quietSeconds: 35 }) },
      busy: { trial: answer("busy", 1, 5, { quietSeconds: 35 }) },
      failing: { trial: answer("failing", 1, 5, { quietSeconds: 35 }) },
      partial: { trial: answer("partial", 1, 5, { quietSeconds: 35 }) },
      forgetful: NOT_MEASURED,
      refused: { trial: { write: { poisonEvery: 5000 } } },
      stopped: { trial: { meanwhile: stopped({ after: 4, pause: 2 }) } },
      stoppedInRotation: NOT_MEASURED,
      stoppedWhileAway: NOT_MEASURED,
      // What joins traces holds the last line of each file, whose place is noted already; opentelemetry/losses.test.ts has both without it.
      killed: { trial: { meanwhile: killed(2.3, 2.6, 2.9) }, maxLost: 3 * THREE_FILES.files },
      killedWhileAway: {
        trial: { meanwhile: restartedWhileAway("SIGKILL", { after: 2, away: 3, pause: 2 }), quietSeconds: 35 },
        maxLost: THREE_FILES.files,
      },
    },
  },
  {
    program: "promtail",
    rate: RATES.promtail,
    start: localPromtail,
    usual: {
      settings: { destination: LOKI },
      // Few enough that each is rotated, and as often as the kubelet looks: what is rotated twice while it is behind is gone.
      write: { files: 3, seconds: 15, rotationSeconds: 10 },
    },
    // Its lines have no ids, and are counted by their text.
    targets: { loki: { hasIds: true } },
    behaviors: {
      rotation: { trial: { write: { seconds: 26 } }, minRotations: 6 },
      newPods: { trial: { write: { files: 100, ownPods: true } } },
      // It reads nothing meanwhile, so a file that is rotated twice is gone; these are rotated once at most.
      away: { trial: answer("away", 3, 12, { write: { files: 10, seconds: 20 }, quietSeconds: 35 }), twice: true },
      busy: { trial: answer("busy", 0, 5, { quietSeconds: 35 }), twice: true },
      failing: { trial: answer("failing", 0, 5, { quietSeconds: 35 }), twice: true },
      partial: "Loki has no bulk API",
      forgetful: "Loki has no ids",
      refused: { trial: { write: { poisonEvery: 5000 } }, twice: true },
      // It notes its places now and then and not with each line, so what it sent since comes twice.
      stopped: { trial: { ...READING, meanwhile: stopped({ after: 4, pause: 2 }) }, twice: true },
      stoppedInRotation: NOT_MEASURED,
      // It notes its places as it ends, and the request of up to 1 MiB that it could not send ends with it.
      stoppedWhileAway: {
        trial: {
          write: { files: 10, seconds: 20 },
          meanwhile: restartedWhileAway("SIGTERM", { after: 4, away: 4, pause: 1 }),
          quietSeconds: 35,
        },
        maxLost: 4999,
        twice: true,
      },
      killed: { trial: { ...READING, meanwhile: killed(4) }, twice: true },
      killedWhileAway: NOT_MEASURED,
    },
  },
  {
    program: "logagent",
    rate: RATES.logagent,
    start: localLogagent,
    usual: { quietSeconds: 40, write: TEN_FILES },
    targets: { opensearch: { hasIds: true }, ...ELASTICSEARCH_TOO },
    behaviors: {
      rotation: { trial: { write: { files: 1, seconds: 25 / RATES.logagent } }, exact: true, minRotations: 1 },
      newPods: { trial: { meanwhile: newPods(100, { bytesPerSecond: 1e6, during: 2 }) }, exact: true },
      away: { trial: answer("away", 2, 15), exact: true },
      busy: { trial: answer("busy", 2, 5), exact: true },
      failing: { trial: answer("failing", 2, 5), exact: true },
      partial: { trial: answer("partial", 2, 5), exact: true },
      forgetful: { trial: answer("forgetful", 2, 3) },
      refused: { trial: { write: { poisonEvery: 500, bytesPerSecond: 1e6 } }, exact: true },
      stopped: { trial: { meanwhile: stopped({ after: 4, pause: 1 }) }, exact: true },
      // Twice rotated away, a file would be compressed.
      stoppedInRotation: {
        trial: { write: { files: 1, bytesPerSecond: 1e6, seconds: 18 }, meanwhile: stopped({ after: 8, pause: 4 }) },
        exact: true,
      },
      stoppedWhileAway: {
        trial: { meanwhile: restartedWhileAway("SIGTERM", { after: 2, away: 3, pause: 2 }) },
        exact: true,
      },
      killed: { trial: { meanwhile: killed(2.5, 2.5, 2.5) } },
      killedWhileAway: { trial: { meanwhile: restartedWhileAway("SIGKILL", { after: 2, away: 3, pause: 2 }) } },
    },
  },
];
