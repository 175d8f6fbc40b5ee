#!/usr/bin/env bash
# The OpenTelemetry Collector's Substring cuts a character in two, and then other programs refuse the whole batch, not only that line.
#
# Packages: github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor v0.156.0 and go.opentelemetry.io/proto/otlp v1.10.0, with
#   Google's protobuf 1.36.11 (Go modules)
# Behavior: Substring counts bytes and cuts there unless its fourth argument utf8_safe is true; truncate_all, beside it, is safe by default. OTLP's
#   texts are protobuf strings, which must be UTF-8. The Collector checks neither what it sends nor what it receives, so that a chain of Collectors
#   works, but a receiver with Google's protobuf cannot read the request: one line in another language than English costs the lines of all that share
#   its batch. A test with ASCII shows nothing.
# Output seen (2026-11-30): Substring(log.body, 0, 3): a Collector reads 3 records, Google's protobuf none: string field contains invalid UTF-8
#   Substring(log.body, 0, 3, true): a Collector reads 3 records, Google's protobuf 3
# Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/pkg/ottl/ottlfuncs/README.md (Substring, truncate_all), against
#   https://protobuf.dev/programming-guides/proto3/#scalar (string)
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// The batch of these lines, as it is sent, once each line is cut.
func send(cut string, lines ...string) []byte {
	factory := transformprocessor.NewFactory()
	config := factory.CreateDefaultConfig()
	must(confmap.NewFromStringMap(map[string]any{"log_statements": []any{"set(log.body, " + cut + ")"}}).Unmarshal(config))
	sink := new(consumertest.LogsSink)
	processor, err := factory.CreateLogs(context.Background(), processortest.NewNopSettings(factory.Type()), config, sink)
	must(err)
	must(processor.Start(context.Background(), componenttest.NewNopHost()))
	batch := plog.NewLogs()
	records := batch.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, line := range lines {
		records.AppendEmpty().Body().SetStr(line)
	}
	must(processor.ConsumeLogs(context.Background(), batch))
	bytes, err := new(plog.ProtoMarshaler).MarshalLogs(sink.AllLogs()[0])
	must(err)
	return bytes
}

func main() {
	for _, cut := range []string{"Substring(log.body, 0, 3)", "Substring(log.body, 0, 3, true)"} {
		sent := send(cut, "started", "Grüße", "stopped")
		byCollector, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(sent)
		must(err)
		var read logs.LogsData
		byGoogle := "none: string field contains invalid UTF-8"
		if err := proto.Unmarshal(sent, &read); err == nil {
			byGoogle = fmt.Sprint(len(read.ResourceLogs[0].ScopeLogs[0].LogRecords))
		} else if !strings.Contains(err.Error(), "string field contains invalid UTF-8") {
			panic(err)
		}
		fmt.Printf("%s: a Collector reads %d records, Google's protobuf %s\n", cut, byCollector.LogRecordCount(), byGoogle)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor@v0.156.0 go.opentelemetry.io/proto/otlp@v1.10.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o send .

./send | tee output.txt
diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
Substring(log.body, 0, 3): a Collector reads 3 records, Google's protobuf none: string field contains invalid UTF-8
Substring(log.body, 0, 3, true): a Collector reads 3 records, Google's protobuf 3
SEEN
