#!/usr/bin/env bash
# An exporter of the OpenTelemetry Collector drops all records behind one that is longer than its largest batch.
#
# Package: go.opentelemetry.io/collector/exporter/otlphttpexporter v0.156.0 (Go module)
# Behavior: with `sending_queue::batch::max_size` a request is split from its beginning. Before a record that exceeds the size the splitting
#   ends, and all that is left is dropped: short records of the same request, and of others that were merged into it. The log says "one log
#   record size is greater than max size, dropping items", as a warning.
# Output seen (2026-12-01): short records sent: 300, arrived: 100
# Source: https://github.com/open-telemetry/opentelemetry-collector/blob/v0.156.0/exporter/exporterhelper/internal/queuebatch/logs_batch.go
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

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/plog"
)

func main() {
	var arrived atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived.Add(int64(strings.Count(string(body), "a short record")))
	}))
	defer server.Close()

	factory := otlphttpexporter.NewFactory()
	config := factory.CreateDefaultConfig()
	must(confmap.NewFromStringMap(map[string]any{
		"endpoint":    server.URL,
		"compression": "none",
		"sending_queue": map[string]any{
			"sizer": "bytes", "queue_size": 100_000_000,
			"batch": map[string]any{"sizer": "bytes", "flush_timeout": "1s", "min_size": 500_000, "max_size": 1_000_000},
		},
	}).Unmarshal(config))
	exporter, err := factory.CreateLogs(context.Background(), exportertest.NewNopSettings(factory.Type()), config)
	must(err)
	must(exporter.Start(context.Background(), componenttest.NewNopHost()))

	lines := plog.NewLogs()
	// As of two pods.
	one := lines.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	other := lines.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	add := func(records plog.LogRecordSlice, count int, text string) {
		for range count {
			records.AppendEmpty().Body().SetStr(text)
		}
	}
	add(one, 100, "a short record")
	add(one, 1, strings.Repeat("x", 2_000_000))
	add(one, 100, "a short record")
	add(other, 100, "a short record")
	must(exporter.ConsumeLogs(context.Background(), lines))

	time.Sleep(3 * time.Second)
	must(exporter.Shutdown(context.Background()))
	fmt.Printf("short records sent: 300, arrived: %d\n", arrived.Load())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get go.opentelemetry.io/collector/exporter/otlphttpexporter@v0.156.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o send .

./send | tee output.txt
grep -qF "arrived: 100" output.txt || { echo "the records behind a long one are not dropped"; exit 1; }
