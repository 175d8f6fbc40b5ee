#!/usr/bin/env bash
# The OpenTelemetry Collector takes a critical error for less than a trace, and its example of a filter drops it.
#
# Packages: github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver and processor/filterprocessor v0.156.0 (Go modules)
# Behavior: severity_parser knows trace, debug, info, warn, error, fatal and a few spellings of them. critical, as Python's logging writes it, and crit,
#   emerg, alert, panic and SEVERE are not among them, nor are pino's numbers. What it does not know gets the severity 0 without an error, and 0 is
#   below trace, which is 1. So `severity_number < SEVERITY_NUMBER_WARN`, which the page of the filter shows for lines below a warning, drops the
#   gravest ones, along with every line without a level, and an alert on severity_number >= 17 does not count them. A `mapping` names the missing words;
#   `severity_number != 0 and severity_number < SEVERITY_NUMBER_WARN` keeps what has no severity.
# Output seen (2026-11-30): info 9, warning 13, error 17, critical 0, emerg 0, SEVERE 0, 50 0
#   severity_number < SEVERITY_NUMBER_WARN keeps: warning, error
#   severity_number != 0 and severity_number < SEVERITY_NUMBER_WARN keeps: warning, error, critical, emerg, SEVERE, 50
# Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/processor/filterprocessor/README.md (example), against
#   https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/pkg/stanza/operator/helper/severity_builder.go and
#   https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber (0 may be used for unspecified)
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
for level in info warning error critical emerg SEVERE 50; do echo "{\"level\":\"$level\"}"; done > app.log
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

var host = componenttest.NewNopHost()

// The records of the file, with the severity of each line's level.
func read() plog.Logs {
	factory := filelogreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	must(confmap.NewFromStringMap(map[string]any{
		"include": []any{"app.log"}, "start_at": "beginning",
		"operators": []any{map[string]any{"type": "json_parser", "severity": map[string]any{"parse_from": "attributes.level"}}},
	}).Unmarshal(config))
	sink := new(consumertest.LogsSink)
	receiver, err := factory.CreateLogs(context.Background(), receivertest.NewNopSettings(factory.Type()), config, sink)
	must(err)
	must(receiver.Start(context.Background(), host))
	for tries := 0; sink.LogRecordCount() < 7 && tries < 100; tries++ {
		time.Sleep(100 * time.Millisecond)
	}
	must(receiver.Shutdown(context.Background()))
	return sink.AllLogs()[0]
}

func describe(logs plog.Logs, of func(plog.LogRecord) string) string {
	var texts []string
	records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i := range records.Len() {
		texts = append(texts, of(records.At(i)))
	}
	return strings.Join(texts, ", ")
}

// What a filter with this condition for dropping keeps.
func filter(condition string, logs plog.Logs) plog.Logs {
	factory := filterprocessor.NewFactory()
	config := factory.CreateDefaultConfig()
	must(confmap.NewFromStringMap(map[string]any{"logs": map[string]any{"log_record": []any{condition}}}).Unmarshal(config))
	sink := new(consumertest.LogsSink)
	processor, err := factory.CreateLogs(context.Background(), processortest.NewNopSettings(factory.Type()), config, sink)
	must(err)
	must(processor.Start(context.Background(), host))
	copied := plog.NewLogs()
	logs.CopyTo(copied)
	must(processor.ConsumeLogs(context.Background(), copied))
	return sink.AllLogs()[0]
}

func level(record plog.LogRecord) string { return record.SeverityText() }

func main() {
	logs := read()
	fmt.Println(describe(logs, func(record plog.LogRecord) string {
		return fmt.Sprintf("%s %d", level(record), record.SeverityNumber())
	}))
	for _, condition := range []string{
		"severity_number < SEVERITY_NUMBER_WARN",
		"severity_number != 0 and severity_number < SEVERITY_NUMBER_WARN",
	} {
		fmt.Printf("%s keeps: %s\n", condition, describe(filter(condition, logs), level))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/open-telemetry/opentelemetry-collector-contrib/{receiver/filelogreceiver,processor/filterprocessor}@v0.156.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o run .

./run | tee output.txt
diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
info 9, warning 13, error 17, critical 0, emerg 0, SEVERE 0, 50 0
severity_number < SEVERITY_NUMBER_WARN keeps: warning, error
severity_number != 0 and severity_number < SEVERITY_NUMBER_WARN keeps: warning, error, critical, emerg, SEVERE, 50
SEEN
