#!/usr/bin/env bash
# The OpenTelemetry Collector's exporter for Elasticsearch drops documents while it has retries left and its queue has room.
#
# Package: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/elasticsearchexporter v0.156.0 (Go module)
# Behavior: `timeout` limits a bulk request together with all its retries, and what is not accepted by then leaves the queue for good. Other
#   exporters have one `timeout` for each attempt, and `max_elapsed_time` for all. So with the default of 90 s an outage of two minutes loses
#   lines, whatever `retry::max_retries` and `sending_queue::storage` say.
# Output seen (2026-11-29): Exporting failed. Dropping data. failed to execute the request: context deadline exceeded
#   requests refused in 4 s: 4; documents after the outage: 0
# Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/exporter/elasticsearchexporter/v0.156.0/exporter/elasticsearchexporter/bulkindexer.go
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/elasticsearchexporter"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func main() {
	var away atomic.Bool
	var refused, taken atomic.Int64
	away.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		if away.Load() {
			refused.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		taken.Add(int64(strings.Count(string(body), "\n") / 2))
		fmt.Fprint(w, `{"errors":false,"items":[{"create":{"status":201}}]}`)
	}))
	defer server.Close()

	factory := elasticsearchexporter.NewFactory()
	config := factory.CreateDefaultConfig()
	must(confmap.NewFromStringMap(map[string]any{
		"endpoint":      server.URL,
		"compression":   "none",
		"timeout":       "2s",
		"retry": map[string]any{
			"max_retries": 1000000, "initial_interval": "500ms", "max_interval": "1s", "retry_on_status": []any{429, 503},
		},
		"sending_queue": map[string]any{"batch": map[string]any{"flush_timeout": "100ms"}},
	}).Unmarshal(config))
	core, logs := observer.New(zap.ErrorLevel)
	settings := exportertest.NewNopSettings(factory.Type())
	settings.Logger = zap.New(core)
	exporter, err := factory.CreateLogs(context.Background(), settings, config)
	must(err)
	must(exporter.Start(context.Background(), componenttest.NewNopHost()))
	lines := plog.NewLogs()
	lines.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("a line")
	must(exporter.ConsumeLogs(context.Background(), lines))

	time.Sleep(4 * time.Second)
	away.Store(false)
	time.Sleep(4 * time.Second)
	for _, log := range logs.FilterMessageSnippet("Dropping data").All() {
		fmt.Println(log.Message, log.ContextMap()["error"])
	}
	fmt.Printf("requests refused in 4 s: %d; documents after the outage: %d\n", refused.Load(), taken.Load())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
# Not every mirror of the checksum database has this dependency of its profiles.
export GONOSUMDB=go.opentelemetry.io/ebpf-profiler
go mod init finding >/dev/null 2>&1
go get github.com/open-telemetry/opentelemetry-collector-contrib/exporter/elasticsearchexporter@v0.156.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o export .

./export | tee output.txt
grep -q 'Dropping data. .*context deadline exceeded' output.txt || { echo "nothing was dropped"; exit 1; }
grep -q 'refused in 4 s: [1-9].*after the outage: 0$' output.txt || { echo "the document came, or was never tried"; exit 1; }
