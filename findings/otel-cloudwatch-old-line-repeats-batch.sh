#!/usr/bin/env bash
# One line that is older than two weeks makes the OpenTelemetry Collector send its whole batch to CloudWatch again and again.
#
# Packages: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awscloudwatchlogsexporter v0.156.0, with internal/aws/cwlogs v0.155.0
#   (Go modules)
# Behavior: PutLogEvents takes no event that is older than 14 days, and none without text, so the exporter leaves such an event out and sends the
#   others. But it returns the event's error for the batch, and not as a permanent one, and so the batch is retried, although each attempt delivers
#   the good lines once more: for 5 minutes by default (`retry_on_failure::max_elapsed_time`), forever with 0. Then all of it is counted as not
#   sent. A quiet pod's file has such lines, and a collector that reads files from their beginning finds them on its first day.
# Output seen (2026-11-30): without the old line: sent 1, errors []
#   with the old line: sent 8, errors [Exporting failed. Dropping data.]; the number differs
# Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/exporter/awscloudwatchlogsexporter/exporter.go (consumeLogs),
#   https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.155.0/internal/aws/cwlogs/pusher.go (Validate)
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

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awscloudwatchlogsexporter"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

const day = 24 * time.Hour

// How often a new line is sent that shares its batch with lines of these ages, and what the exporter logs of the batch.
func send(ages ...time.Duration) string {
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent.Add(int64(strings.Count(string(body), "a new line")))
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		fmt.Fprint(w, `{"nextSequenceToken":"1"}`)
	}))
	defer server.Close()

	factory := awscloudwatchlogsexporter.NewFactory()
	config := factory.CreateDefaultConfig()
	must(confmap.NewFromStringMap(map[string]any{
		"endpoint":        server.URL,
		"region":          "eu-west-1",
		"log_group_name":  "group",
		"log_stream_name": "stream",
		"raw_log":         true,
		// A shorter time than the default of 5 minutes.
		"retry_on_failure": map[string]any{"initial_interval": "200ms", "multiplier": 1, "max_elapsed_time": "2s"},
	}).Unmarshal(config))
	core, logs := observer.New(zap.ErrorLevel)
	settings := exportertest.NewNopSettings(factory.Type())
	settings.Logger = zap.New(core)
	exporter, err := factory.CreateLogs(context.Background(), settings, config)
	must(err)
	must(exporter.Start(context.Background(), componenttest.NewNopHost()))

	lines := plog.NewLogs()
	records := lines.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, age := range append(ages, 0) {
		line := records.AppendEmpty()
		line.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-age)))
		line.Body().SetStr(map[bool]string{true: "a new line", false: "an old line"}[age == 0])
	}
	must(exporter.ConsumeLogs(context.Background(), lines))
	time.Sleep(4 * time.Second)
	must(exporter.Shutdown(context.Background()))
	dropped := []string{}
	for _, log := range logs.FilterMessageSnippet("Dropping data").All() {
		dropped = append(dropped, log.Message)
	}
	return fmt.Sprintf("%d, errors %v", sent.Load(), dropped)
}

func main() {
	fmt.Println("without the old line: sent", send())
	fmt.Println("with the old line: sent", send(15*day))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
# Not every mirror has this module of its own in version 0.156.0, or its checksum.
contrib=github.com/open-telemetry/opentelemetry-collector-contrib
export GONOSUMDB=$contrib/internal/aws/cwlogs
go mod init finding >/dev/null 2>&1
go mod edit -replace "$contrib/internal/aws/cwlogs=$contrib/internal/aws/cwlogs@v0.155.0"
go get "$contrib/exporter/awscloudwatchlogsexporter@v0.156.0" >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o export .

export AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret AWS_EC2_METADATA_DISABLED=true
./export | tee output.txt
grep -q '^without the old line: sent 1, errors \[\]$' output.txt || { echo "changed: the new line alone is not sent once"; exit 1; }
grep -Eq '^with the old line: sent ([3-9]|[1-9][0-9]+), errors \[.*Dropping data' output.txt || { echo "changed: the batch is not repeated"; exit 1; }
