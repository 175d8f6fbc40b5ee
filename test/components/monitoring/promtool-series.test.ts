import assert from "node:assert/strict";
import { ruleFile } from "../../../components/monitoring/alerts/alert-table.ts";
import { COLLECTOR_METRICS } from "../../../components/monitoring/alerts/collector-signals.ts";
import { LOGGING_PLACEHOLDER } from "../../../components/monitoring/alerts/expressions.ts";
import { casesOf, ofCollector, promtool, unitTest } from "./promtool.ts";
import { WHOLE } from "./stacks.ts";

describe("the alerts in promtool, over time", function () {
  this.timeout(180_000);
  const failures = promtool();

  it("count a CoreDNS pod only once if two jobs scrape it", async () => {
    const series = Object.fromEntries(
      [1, 2].flatMap((pod) =>
        ["a", "b"].map((job) => [
          `coredns_build_info{namespace="kube-system",instance="10.0.0.${pod}:9153",job="${job}"}`,
          "1x30",
        ]),
      ),
    );
    const missing = unitTest([{ name: "CoreDnsReplicaMissing", series, firing: true }]);
    assert.equal(await failures(ruleFile(WHOLE), [missing]), "");
  });

  it("distinguish many new names with a slow upstream from a loop, whose answers are SERVFAIL", async () => {
    const pod = 'namespace="kube-system",instance="10.0.0.1:9153"';
    const to = `${pod},proxy_name="forward",to="10.0.0.2:53"`;
    const asked = (rcode: string) => ({
      [`coredns_dns_requests_total{${pod}}`]: "0+150000x30",
      [`coredns_proxy_conn_cache_hits_total{${to}}`]: "0+140000x30",
      [`coredns_proxy_conn_cache_misses_total{${to}}`]: "0+10000x30",
      [`coredns_proxy_request_duration_seconds_count{${to},rcode="${rcode}"}`]: "0+144000x30",
      [`coredns_proxy_request_duration_seconds_count{${to},rcode="${rcode === "SERVFAIL" ? "NOERROR" : "SERVFAIL"}"}`]:
        "0+6000x30",
    });
    const tests = [
      unitTest([{ name: "CoreDnsLoop", series: asked("NOERROR"), firing: false }]),
      unitTest([{ name: "CoreDnsLoop", series: asked("SERVFAIL"), firing: true }]),
    ];
    assert.equal(await failures(ruleFile(WHOLE), tests), "");
  });

  it("detect that CoreDNS may no longer list Services", async () => {
    const asked = (code: string) => ({
      [`coredns_kubernetes_rest_client_requests_total{namespace="kube-system",instance="10.0.0.1:9153",code="${code}"}`]:
        // As measured with CoreDNS 1.12.4, a minute after its role was gone.
        "0+4x30",
    });
    const tests = ["401", "403", "404"].map((code) =>
      unitTest([{ name: "CoreDnsApiErrors", series: asked(code), firing: code !== "404" }]),
    );
    assert.equal(await failures(ruleFile(WHOLE), tests), "");
  });

  it("detect fatal memory peaks, but not the program's pages", async () => {
    const pod = 'namespace="kube-system",instance="10.0.0.1:9153"';
    const memory = (values: string) => ({
      [`go_memstats_sys_bytes{${pod}}`]: values,
      [`go_memstats_heap_released_bytes{${pod}}`]: "0x40",
      [`process_resident_memory_bytes{${pod}}`]: "178000000x40",
    });
    // Of 170Mi. As measured with 2,300 queries under way.
    const tests = [
      unitTest([
        { name: "CoreDnsMemoryNearLimit", series: memory("70000000x16 130000000 110000000x30"), firing: true },
      ]),
      unitTest([{ name: "CoreDnsMemoryNearLimit", series: memory("120000000x40"), firing: false }]),
    ];
    assert.equal(await failures(ruleFile(WHOLE), tests), "");
  });

  it("detect a pod that is read too slowly within for + 60 s, at the kubelet's rotations", async () => {
    // Rotated every 10 s and not read to the end: opened six times a minute and never closed, so that no counter of closed files is there.
    const pod = 'namespace="logging",instance="10.0.1.1:2020",name="tail.0"';
    const series = {
      [`fluentbit_input_files_opened_total{${pod}}`]: "12x12 13+1x60",
      [`fluentbit_input_bytes_total{${pod}}`]: "0x12 8000000+8000000x60",
    };
    const { promql_expr_test: _, ...test } = unitTest([{ name: "FilesRotateFast", series, firing: true }]);
    const expr = 'count(ALERTS{alertname="FilesRotateFast",alertstate="firing"})';
    const early = {
      ...test,
      interval: "10s",
      promql_expr_test: [{ expr, eval_time: "6m", exp_samples: [{ labels: "{}", value: 1 }] }],
    };
    assert.equal(await failures(ruleFile(WHOLE), [early], "15s"), "");
  });

  it("detect uncounted drops of a full Vector buffer, and ignore one that stops reading, has room or drains", async () => {
    const pod = 'namespace="logging",instance="10.0.1.1:2020"';
    const sink = `${pod},component_kind="sink",component_type="elasticsearch",component_id="destination"`;
    // As measured with a buffer of 512Mi.
    const series = (changes: Readonly<Record<string, string>> = {}) =>
      Object.fromEntries(
        Object.entries({
          [`vector_build_info{${pod}}`]: "1x40",
          [`vector_buffer_max_size_bytes{${sink},buffer_type="disk"}`]: "536870912x40",
          [`vector_buffer_size_bytes{${sink},buffer_type="disk"}`]: "402651896x40",
          [`vector_buffer_received_events_total{${sink}}`]: "433697x40",
          [`vector_component_received_events_total{${pod},component_kind="source",component_type="kubernetes_logs"}`]:
            "433697+180000x40",
          [`vector_component_received_events_total{${pod},component_kind="source",component_type="internal_metrics"}`]:
            "0+60x40",
        }).map(([name, values]) => [
          name,
          Object.entries(changes).find(([part]) => name.includes(part))?.[1] ?? values,
        ]),
      );
    const rules = ruleFile({ ...WHOLE, collector: "vector" });
    const fires = (firing: boolean, changes?: Readonly<Record<string, string>>) =>
      unitTest([{ name: "LinesDropped", series: series(changes), firing }]);
    const tests = [
      fires(true),
      fires(false, { kubernetes_logs: "433697x40" }),
      fires(false, { vector_buffer_size_bytes: "390000000x40" }),
      fires(false, { vector_buffer_received: "433697+180000x40" }),
    ];
    assert.equal(await failures(rules, tests), "");
  });

  it("stay quiet while only their window still includes what another alert explained", async () => {
    const pod = 'namespace="kube-system",instance="10.0.0.1:9153"';
    const series = {
      [`coredns_forward_healthcheck_broken_total{${pod}}`]: "0+15x40 600x120",
      [`coredns_dns_responses_total{${pod},rcode="SERVFAIL"}`]: "0+100x40 4000x120",
      [`coredns_dns_responses_total{${pod},rcode="NOERROR"}`]: "0+250x160",
    };
    const { promql_expr_test: _, ...test } = unitTest([{ name: "CoreDnsServfail", series, firing: true }]);
    const count = (name: string, at: string, value: number) => ({
      expr: `count(ALERTS{alertname="${name}",alertstate="firing"}) or vector(0)`,
      eval_time: at,
      exp_samples: [{ labels: "{}", value }],
    });
    const after = ["13m", "14m", "15m", "16m"].map((at) => count("CoreDnsServfail", at, 0));
    const expected = [count("CoreDnsAllUpstreamsDown", "9m", 1), ...after];
    const fine = { ...test, interval: "15s", promql_expr_test: expected };
    assert.equal(await failures(ruleFile(WHOLE), [fine], "15s"), "");
  });

  it("detect a destination that accepts requests and does not answer within for + 60 s", async () => {
    const pod = 'namespace="logging",instance="10.0.1.1:2020"';
    // Scraped every 10 s. It hangs after 300 s; the first requests are given up 90 s later, then no request is open now and then.
    const test = (sent: string) => ({
      [`fluentbit_build_info{${pod}}`]: "1x90",
      [`fluentbit_output_upstream_busy_connections{${pod},name="http.0"}`]: "0x30 2x8 0 0 2x7 0x3 2x50",
      [`fluentbit_output_retries_total{${pod},name="http.0"}`]: "0x38 1x12 2x60",
      [`fluentbit_output_proc_records_total{${pod},name="http.0"}`]: sent,
    });
    const firing = async (sent: string, values: Readonly<Record<string, number>>) => {
      const { promql_expr_test: _, ...given } = unitTest([{ name: "SendFailing", series: test(sent), firing: true }]);
      const expected = Object.entries(values).map(([at, value]) => ({
        expr: 'count(ALERTS{alertname="SendFailing",alertstate="firing"}) or vector(0)',
        eval_time: at,
        exp_samples: [{ labels: "{}", value }],
      }));
      return failures(ruleFile(WHOLE), [{ ...given, interval: "10s", promql_expr_test: expected }], "15s");
    };
    assert.equal(await firing("0+100x30 3000x60", { "5m": 0, "7m": 0, "8m": 1, "10m": 1 }), "");
    // Slow, but it goes on.
    assert.equal(await firing("0+100x30 3000x3 3010x3 3020x3 3030x3 3040+3x60", { "7m": 0, "8m": 0, "10m": 0 }), "");
  });

  it("wait for an S3 object to be closed, and detect that no more are sent", async () => {
    const pod = 'namespace="logging",instance="10.0.1.1:2020"';
    const collectors = {
      vector: {
        alive: "vector_build_info",
        waiting: "vector_buffer_events",
        sent: "vector_component_sent_events_total",
        own: 'component_kind="sink",component_type="aws_s3",component_id="destination"',
      },
      opentelemetry: {
        alive: "otelcol_process_uptime_seconds_total",
        waiting: "otelcol_exporter_queue_size",
        sent: "otelcol_exporter_sent_log_records_total",
        own: 'exporter="awss3"',
      },
    } as const;
    for (const [collector, { alive, waiting, sent, own }] of Object.entries(collectors)) {
      // The collector starts with a destination that takes an object every five minutes until minute 16.
      const series = {
        [`${alive}{${pod}}`]: "1x40",
        [`${waiting}{${pod},${own}}`]: "1+1x40",
        [`${sent}{${pod},${own}}`]: "_x5 100x4 200x4 300x30",
      };
      const { promql_expr_test: _, ...test } = unitTest([{ name: "SendFailing", series, firing: true }]);
      const expected = Object.entries({ "4m": 0, "9m": 0, "14m": 0, "19m": 0, "26m": 1 }).map(([at, value]) => ({
        expr: 'count(ALERTS{alertname="SendFailing",alertstate="firing"}) or vector(0)',
        eval_time: at,
        exp_samples: [{ labels: "{}", value }],
      }));
      const stack = ofCollector(collector === "vector" ? "vector" : "opentelemetry");
      assert.equal(await failures(ruleFile(stack), [{ ...test, promql_expr_test: expected }], "15s"), "", collector);
    }
  });

  it("are not raised by a replaced collector pod", async () => {
    const gone = (values: string) => `${values} stale`;
    const pod = 'namespace="logging",instance="10.0.1.1:2020"';
    const series = {
      [`fluentbit_build_info{${pod}}`]: gone("1x12"),
      'fluentbit_build_info{namespace="logging",instance="10.0.1.2:2020"}': "_x12 1x30",
      [`fluentbit_output_retries_total{${pod},name="http.0"}`]: gone("0+5x12"),
      [`fluentbit_output_proc_records_total{${pod},name="http.0"}`]: gone("0+100x12"),
      [`fluentbit_input_records_total{${pod},name="tail.0"}`]: gone("0+100x5 500x7"),
    };
    for (const name of ["SendFailing", "CollectorSilent"]) {
      const { promql_expr_test, ...test } = unitTest([{ name, series, firing: false }]);
      const expected = ["15m", "16m", "17m", "20m", "23m"].flatMap((at) =>
        promql_expr_test.map((each) => ({ ...each, eval_time: at })),
      );
      assert.equal(await failures(ruleFile(WHOLE), [{ ...test, promql_expr_test: expected }]), "", name);
    }
  });

  it("detect the first event of a new counter", async () => {
    for (const collector of ["fluent-bit", "vector", "opentelemetry", "promtail"] as const) {
      const stack = ofCollector(collector);
      const alive = COLLECTOR_METRICS[collector].alive?.replaceAll(LOGGING_PLACEHOLDER, stack.loggingNamespace) ?? "";
      const first = /^\w/.test(alive)
        ? alive
        : alive.replace(/^\{/, "otelcol_process_uptime{").replace(/,__name__=.*$/, "}");
      const pod = first.replace("}", ',instance="10.0.1.1:2020"}');
      const cases = casesOf(stack).flatMap((one) => {
        const own = Object.entries(one.series).filter(([, values]) => /^0x1\d [19]x/.test(values));
        if (!one.firing || own.length === 0) return [];
        const late = own.map(([selector, values]) => [selector, values.replace(/^0x/, "_x")]);
        return [{ ...one, series: { ...one.series, ...Object.fromEntries(late), [pod]: "1x30" } }];
      });
      assert.ok(cases.length > 0, collector);
      // Fluent Bit has its counters of dropped lines from the start on.
      const tried = cases.filter(({ name }) => collector !== "fluent-bit" || name !== "LinesDropped");
      assert.equal(
        await failures(
          ruleFile(stack),
          tried.map((one) => unitTest([one])),
        ),
        "",
        collector,
      );
      // A collector that was found with the counter has not raised it just now.
      const found = tried.map(({ name, series }) => ({
        name,
        series: Object.fromEntries(
          Object.entries<string>(series).map(([selector, values]) => [selector, values.replace(/^1x30$/, "_x17 1x30")]),
        ),
        firing: false,
      }));
      assert.equal(
        await failures(
          ruleFile(stack),
          found.map((one) => unitTest([one])),
        ),
        "",
        collector,
      );
    }
  });

  it("read both counters of lost lines of OpenTelemetry", async () => {
    const pod = 'namespace="logging",instance="10.0.1.1:2020"';
    const series = {
      [`otelcol_exporter_send_failed_log_records_total{${pod}}`]: "0x17 9x30",
      [`otelcol_exporter_enqueue_failed_log_records_total{${pod}}`]: "3x30",
    };
    const stack = ofCollector("opentelemetry");
    assert.equal(await failures(ruleFile(stack), [unitTest([{ name: "LinesDropped", series, firing: true }])]), "");
  });
});
